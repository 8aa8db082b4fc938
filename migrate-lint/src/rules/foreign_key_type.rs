//! Foreign keys of another type than the key.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::schema::{ConstraintKind as Key, Table};
use crate::statement::{Action, ConstraintKind};

pub(super) static RULE: Rule = Rule {
    name: "foreign_key_type",
    level: Level::Off,
    finds: "a foreign key whose column has another type than the column that it refers to",
    why: "the smaller type runs out first, and every join converts",
    instead: "Give the column the type of the key.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY); CREATE TABLE posts (author int REFERENCES users);"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY); CREATE TABLE posts (author bigint REFERENCES users);"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let new = at.new_columns();
    let of_columns = new.iter().flat_map(|(_, column)| &column.constraints);
    let beside = match at.action() {
        Action::CreateTable(create) => &*create.constraints,
        _ => &[],
    };
    let keys = of_columns.chain(beside).filter_map(|constraint| match &constraint.kind {
        ConstraintKind::ForeignKey { columns, table, referenced } => Some((columns, table, referenced)),
        _ => None,
    });
    keys.filter_map(|(columns, table, referenced)| {
        let other = at.schema.relation(table).known()?.object.as_table()?;
        let theirs = if referenced.is_empty() { key_of(other)? } else { referenced };
        let (own, their) = columns.iter().zip(theirs).find_map(|(own, their)| {
            let ty = new.iter().find(|(_, column)| column.name == *own)?.1.ty.as_ref()?.without_sequence();
            let key = other.column(their)?.ty.as_ref()?.without_sequence();
            (ty.name != key.name).then_some(((own, ty), key))
        })?;
        let message = format!("`{}` is of type {}, and what it refers to in `{table}` of type {their}", Quoted(own.0), own.1);
        Some(Hit::new(own.0, message, format!("Write `{} {their}`.", Quoted(own.0))).at(own.0))
    })
    .collect()
}

fn key_of(table: &Table) -> Option<&Vec<Box<str>>> {
    table.constraints.iter().find_map(|constraint| match &constraint.kind {
        Key::PrimaryKey { columns } => Some(columns),
        _ => None,
    })
}
