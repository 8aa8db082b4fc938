//! Types that change in place, and make PostgreSQL check all rows again.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::locks::conversion::{Conversion, conversion_in};
use crate::locks::{Again, made_again};
use crate::name::Quoted;
use crate::statement::Change;

pub(super) static RULE: Rule = Rule {
    name: "type_recheck",
    level: Level::Error,
    finds: "another type for a column of a table in use that leaves the rows as they are, but not a CHECK, or an index that depends on more than their bytes",
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
        let again = made_again(table, column, old, ty, at.schema).filter(|_| stays)?;
        Some((alter, column, again))
    });
    kept.map(|(alter, column, again)| {
        let (table, name) = (&alter.name, Quoted(column));
        let again = match again {
            Again::Check(check) => format!("the check `{check}`"),
            Again::Index(index) => format!("the index `{index}`"),
        };
        let message = format!("`{table}` is closed while {again} is made again for the new type of `{name}`");
        let instead = format!(
            "The rows themselves stay as they are. Drop {again} before, and add it again afterwards without closing the table: \
             a CHECK `NOT VALID`, validated in a later migration; an index `CONCURRENTLY`, in a migration of its own."
        );
        Hit::new(column, message, instead).at(column)
    })
    .collect()
}
