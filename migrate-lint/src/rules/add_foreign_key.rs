//! Foreign keys that are checked for every row at once.

use super::situation::Subject;
use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::schema::TableKind;
use crate::statement::{AlterTable, Change, Constraint, ConstraintKind};

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
    added
        .filter_map(|(index, alter, constraint)| {
            Some(hit(at, alter, constraint)?.or(at.validated_later(index, alter, constraint)))
        })
        .collect()
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
    let name = constraint.name.clone().unwrap_or_else(|| format!("{}_{}_fkey", table.name, columns.join("_")).into());
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
