//! Foreign keys that are checked for every row at once.

use super::situation::Subject;
use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::schema::TableKind;
use crate::statement::{AlterTable, Change, Column, Constraint, ConstraintKind};

pub(super) static RULE: Rule = Rule {
    name: "add_foreign_key",
    level: Level::Error,
    finds: "a foreign key on a table in use, added without NOT VALID",
    why: "both tables are under SHARE ROW EXCLUSIVE while every row is looked up: nobody writes either of them until that is done",
    instead: "Add it NOT VALID, and validate it in a later migration.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY); CREATE TABLE posts (author bigint); CREATE INDEX ON posts (author);"),
        ("2_author.sql", "ALTER TABLE posts ADD CONSTRAINT posts_author FOREIGN KEY (author) REFERENCES users;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY); CREATE TABLE posts (author bigint); CREATE INDEX ON posts (author);"),
        ("2_author.sql", "ALTER TABLE posts ADD CONSTRAINT posts_author FOREIGN KEY (author) REFERENCES users NOT VALID;"),
        ("3_author.sql", "ALTER TABLE posts VALIDATE CONSTRAINT posts_author;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let added = at.changes().enumerate().filter_map(|(index, (alter, table, change))| match change {
        Change::AddConstraint(constraint) if is_checked(constraint) && at.facts.can_wait(is_partitioned(table)) => {
            Some((index, alter, &**constraint))
        }
        _ => None,
    });
    let beside = added.filter_map(|(index, alter, constraint)| {
        Some(hit(at, alter, constraint)?.or(at.validated_later(index, alter, constraint)))
    });
    let of_columns = at.changes().filter_map(|(alter, table, change)| match change {
        Change::AddColumn { column, .. } if !table.has(&column.name) => of_column(alter, column),
        _ => None,
    });
    beside.chain(of_columns).collect()
}

/// Nulls refer to nothing; other values are looked up for each row.
fn of_column(alter: &AlterTable, column: &Column) -> Option<Hit> {
    let has_value = column.default.as_ref().is_some_and(|default| !default.is_null);
    let other = column.constraints.iter().find_map(|constraint| match &constraint.kind {
        ConstraintKind::ForeignKey { table, .. } if is_checked(constraint) => Some(table),
        _ => None,
    })?;
    let (table, name) = (&alter.name, Quoted(&column.name));
    let message = format!("`{table}` is closed, and `{other}` to writers, while every row is checked");
    let made_up = format!("{}_{}_fkey", table.name, column.name);
    let key = Quoted(&made_up);
    let instead = format!(
        "Add the column without the foreign key, then that for new rows only:\n    \
         ALTER TABLE {table} ADD CONSTRAINT {key} FOREIGN KEY ({name}) REFERENCES {other} NOT VALID;\n\
         and check the others in a later migration, while everybody works:\n    \
         ALTER TABLE {table} VALIDATE CONSTRAINT {key};"
    );
    has_value.then(|| Hit::new(&column.name, message, instead).at(&column.name))
}

fn is_partitioned(table: Subject<'_>) -> bool {
    table.known().is_some_and(|table| table.kind == TableKind::Partitioned)
}

fn is_checked(constraint: &Constraint) -> bool {
    matches!(constraint.kind, ConstraintKind::ForeignKey { .. }) && !constraint.not_valid && !constraint.not_enforced
}

fn hit(at: &Situation<'_>, alter: &AlterTable, constraint: &Constraint) -> Option<Hit> {
    let ConstraintKind::ForeignKey { columns, table: other, referenced } = &constraint.kind else { return None };
    let (table, list) = (&alter.name, quoted(columns));
    let there = if referenced.is_empty() { String::new() } else { format!(" ({})", quoted(referenced)) };
    let chosen = at.schema.constraint_name(table, constraint);
    let name = chosen.unwrap_or_else(|| format!("{}_{}_fkey", table.name, columns.join("_")).into());
    let name = Quoted(&name);
    let later = match at.in_transaction {
        true => "in a later migration",
        false => "afterwards",
    };
    let message = format!("writers of `{table}` and `{other}` wait while every row is checked");
    let instead = format!(
        "Add it for new rows only:\n    \
         ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({list}) REFERENCES {other}{there} NOT VALID;\n\
         and check the others {later}, while everybody works:\n    \
         ALTER TABLE {table} VALIDATE CONSTRAINT {name};"
    );
    Some(Hit::new(columns.first().map_or("", |column| column), message, instead))
}

fn quoted(columns: &[Box<str>]) -> String {
    columns.iter().map(|column| Quoted(column).to_string()).collect::<Vec<_>>().join(", ")
}
