//! Keys that run out of numbers.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::{Name, Quoted};
use crate::statement::{Action, ConstraintKind, Type};

pub(super) static RULE: Rule = Rule {
    name: "int_key",
    level: Level::Off,
    finds: "a primary key of type integer or smallint",
    why: "2,147,483,647 rows later no more can be written, and the way to bigint is long",
    instead: "Use bigint from the start.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id int PRIMARY KEY);"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY);"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Action::CreateTable(create) = at.action() else { return Vec::new() };
    let of_columns = create.columns.iter().flat_map(|column| &column.constraints);
    let keys = of_columns.chain(&create.constraints).filter_map(|constraint| match &constraint.kind {
        // Of several columns together there are more.
        ConstraintKind::PrimaryKey { columns, .. } if columns.len() == 1 => columns.first(),
        _ => None,
    });
    let columns = keys.filter_map(|key| create.columns.iter().find(|column| column.name == *key));
    let small = columns.filter(|column| {
        let ty = column.ty.as_ref().map(Type::without_sequence);
        ty.is_some_and(|ty| ty.name == Name::bare("int4") || ty.name == Name::bare("int2"))
    });
    small
        .map(|column| {
            let message = format!("the key `{}` of `{}` runs out of numbers", Quoted(&column.name), create.name);
            Hit::new(&column.name, message, "Use bigint from the start.").at(&column.name)
        })
        .collect()
}
