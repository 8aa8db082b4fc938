//! Types that change in place, and make PostgreSQL check all rows again.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::locks::conversion::{Conversion, conversion_in};
use crate::name::Quoted;
use crate::schema::{ConstraintKind, Object, Table};
use crate::statement::Change;

pub(super) static RULE: Rule = Rule {
    name: "type_recheck",
    level: Level::Error,
    finds: "another type for a column of a table in use that leaves the rows as they are, but has a CHECK or a partial index",
    why: "PostgreSQL makes the constraint or the index anew, and to do so reads the whole table under ACCESS EXCLUSIVE: nobody reads or writes it until that is done",
    instead: "Drop the constraint or the index first, and add it again afterwards: a CHECK NOT VALID, an index CONCURRENTLY.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50), CONSTRAINT name_given CHECK (name <> ''));"),
        ("2_name.sql", "ALTER TABLE users ALTER COLUMN name TYPE text;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50), CONSTRAINT name_given CHECK (name <> ''));"),
        ("2_name.sql", "ALTER TABLE users DROP CONSTRAINT name_given;
ALTER TABLE users ALTER COLUMN name TYPE text;
ALTER TABLE users ADD CONSTRAINT name_given CHECK (name <> '') NOT VALID;"),
        ("3_name.sql", "ALTER TABLE users VALIDATE CONSTRAINT name_given;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let kept = at.known_changes().filter_map(|(alter, table, change)| {
        let Change::AlterType { column, ty, using } = change else { return None };
        let old = table.column(column)?.ty.as_ref().filter(|old| *old != ty)?;
        let stays = conversion_in(at.schema, old, ty, using.as_ref(), column) == Conversion::InPlace;
        let again = made_again(at, table, column).filter(|_| stays)?;
        Some((alter, column, again))
    });
    kept.map(|(alter, column, again)| {
        let (table, name) = (&alter.name, Quoted(column));
        let message = format!("`{table}` is closed while {again} is made again for the new type of `{name}`");
        let instead = format!(
            "The rows themselves stay as they are. Drop {again} before, and add it again afterwards without closing the table: \
             a CHECK `NOT VALID`, validated in a later migration; an index `CONCURRENTLY`, in a migration of its own."
        );
        Hit::new(column, message, instead).at(column)
    })
    .collect()
}

/// What PostgreSQL cannot keep as it is.
fn made_again(at: &Situation<'_>, table: &Table, column: &str) -> Option<String> {
    let has_it = |columns: &[Box<str>]| columns.iter().any(|name| **name == *column);
    let check = table.constraints.iter().find(|constraint| match &constraint.kind {
        ConstraintKind::Check(expression) => constraint.valid && has_it(&expression.columns),
        _ => false,
    });
    let index = table.indexes.iter().filter_map(|id| at.schema.entry(*id)).find(|entry| match &entry.object {
        Object::Index(index) => {
            let keys = &index.keys;
            let is_computed = index.partial || keys.iter().any(Option::is_none);
            is_computed && keys.iter().flatten().any(|key| **key == *column)
        }
        _ => false,
    });
    let check = check.map(|check| format!("the check `{}`", check.name));
    check.or_else(|| index.map(|entry| format!("the index `{}`", entry.key.name)))
}
