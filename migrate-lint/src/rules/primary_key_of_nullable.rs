//! Primary keys that have to look for nulls first.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::{Name, Quoted};
use crate::schema::{Object, Table};
use crate::statement::{Change, ConstraintKind};

pub(super) static RULE: Rule = Rule {
    name: "primary_key_of_nullable",
    level: Level::Error,
    finds: "a primary key made of an index over columns that may be null",
    why: "PostgreSQL makes the columns NOT NULL, and to do so reads the whole table under ACCESS EXCLUSIVE: nobody reads or writes it until that is done",
    instead: "Prove first that there are no nulls, with a CHECK that is added NOT VALID and validated in a later migration.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint, email text);"),
        ("2_key.sql", "-- migrate: no-transaction
CREATE UNIQUE INDEX CONCURRENTLY users_key ON users (id);"),
        ("3_key.sql", "ALTER TABLE users ADD CONSTRAINT users_key PRIMARY KEY USING INDEX users_key;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint, email text);"),
        ("2_key.sql", "-- migrate: no-transaction
CREATE UNIQUE INDEX CONCURRENTLY users_key ON users (id);"),
        ("3_key.sql", "ALTER TABLE users ADD CONSTRAINT id_given CHECK (id IS NOT NULL) NOT VALID;"),
        ("4_key.sql", "ALTER TABLE users VALIDATE CONSTRAINT id_given;"),
        ("5_key.sql", "ALTER TABLE users ADD CONSTRAINT users_key PRIMARY KEY USING INDEX users_key; ALTER TABLE users DROP CONSTRAINT id_given;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let added = at.known_changes().filter_map(|(alter, table, change)| {
        let Change::AddConstraint(constraint) = change else { return None };
        let ConstraintKind::PrimaryKey { using_index: Some(index), .. } = &constraint.kind else { return None };
        let column = nullable(at, table, &alter.name.sibling(&index.name))?;
        Some((alter, column))
    });
    added.map(|(alter, column)| hit(&alter.name, &column)).collect()
}

/// The first column of the index of which nothing proves that it is never null.
fn nullable(at: &Situation<'_>, table: &Table, index: &Name) -> Option<Box<str>> {
    let Object::Index(index) = &at.schema.relation(index).known()?.object else { return None };
    let may_be_null = |column: &str| {
        table.column(column).is_some_and(|known| !known.not_null) && !table.proves_not_null(column)
    };
    index.keys.iter().flatten().find(|column| may_be_null(column)).cloned().filter(|_| !table.has_more_constraints)
}

fn hit(table: &Name, column: &str) -> Hit {
    let message = format!("`{table}` is closed while all of its rows are searched for nulls in `{}`", Quoted(column));
    let (check, name) = (format!("{}_{column}_not_null", table.name), Quoted(column));
    let check = Quoted(&check);
    let instead = format!(
        "Before this, in two migrations:\n    \
         ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({name} IS NOT NULL) NOT VALID;\n    \
         ALTER TABLE {table} VALIDATE CONSTRAINT {check};\n\
         and after it `ALTER TABLE {table} DROP CONSTRAINT {check};`."
    );
    Hit::new(column, message, instead)
}
