//! New columns whose values have to be written into every row.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::locks::{Cause, rewrites};
use crate::name::Quoted;
use crate::schema::Schema;
use crate::statement::{AlterTable, Change, Column};

pub(super) static RULE: Rule = Rule {
    name: "add_column_rewrites",
    level: Level::Error,
    finds: "a new column of a table in use that rewrites all rows",
    why: "the table and all its indexes are written anew under ACCESS EXCLUSIVE: nobody reads or writes it until that is done",
    instead: "Add the column without a value, set its default for new rows, and fill the others in batches.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY);"),
        ("2_token.sql", "ALTER TABLE users ADD COLUMN token uuid DEFAULT gen_random_uuid();"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY);"),
        (
            "2_token.sql",
            "ALTER TABLE users ADD COLUMN token uuid;
ALTER TABLE users ALTER COLUMN token SET DEFAULT gen_random_uuid();",
        ),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let added = at.changes().filter_map(|(alter, table, change)| match change {
        Change::AddColumn { column, .. } if !table.has(&column.name) => Some((alter, column)),
        _ => None,
    });
    added
        .filter_map(|(alter, column)| {
            let (cause, instead) = cause(at.schema, alter, column)?;
            let message = format!("every row of `{}` is rewritten: {cause}", alter.name);
            Some(Hit::new(&column.name, message, instead).at(&column.name))
        })
        .collect()
}

fn cause(schema: &Schema, alter: &AlterTable, column: &Column) -> Option<(String, String)> {
    let (table, name) = (&alter.name, Quoted(&column.name));
    Some(match rewrites(column, schema)? {
        Cause::Sequence => {
            ("each takes a number from a sequence".to_owned(), step_by_step(alter, column, "nextval('…')"))
        }
        Cause::Stored => {
            let instead = format!(
                "Add a plain column, keep it up with a trigger, and fill the old rows in batches (PostgreSQL 18 also \
                 computes it when it is read: GENERATED ALWAYS AS (…) VIRTUAL):\n    \
                 ALTER TABLE {table} ADD COLUMN {name} …;"
            );
            ("the generated value is stored".to_owned(), instead)
        }
        Cause::Volatile(function) => {
            let default = column.default.as_ref().map(|default| &*default.text).unwrap_or_default();
            (format!("`{function}()` gives each another value"), step_by_step(alter, column, default))
        }
        Cause::Domain(domain) => {
            let instead = "Use the type that the domain is made of, and a CHECK that is added NOT VALID.";
            (format!("the domain `{domain}` is checked for each"), instead.to_owned())
        }
    })
}

fn step_by_step(alter: &AlterTable, column: &Column, default: &str) -> String {
    let (table, name) = (&alter.name, Quoted(&column.name));
    let ty = column.ty.as_ref().map(|ty| ty.without_sequence().to_string()).unwrap_or_default();
    format!(
        "Two statements do not touch the rows that are there; fill those in batches, in a migration of their own:\n    \
         ALTER TABLE {table} ADD COLUMN {name} {ty};\n    \
         ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {default};"
    )
}
