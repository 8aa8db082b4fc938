//! Types that change by rewriting every row.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::locks::conversion::{Conversion, conversion_in};
use crate::name::Quoted;
use crate::schema::{Object, Space};
use crate::statement::{Change, Expression, Type};

pub(super) static RULE: Rule = Rule {
    name: "change_type",
    level: Level::Error,
    finds: "another type for a column of a table in use that rewrites all rows",
    why: "the table and all its indexes are written anew under ACCESS EXCLUSIVE: nobody reads or writes it until that is done, and the code that still runs sends the old type",
    instead: "Add a column of the new type, keep both the same, move the code over, and drop the old one in a contract.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, age int);"),
        ("2_age.sql", "ALTER TABLE users ALTER COLUMN age TYPE bigint;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50));"),
        ("2_name.sql", "ALTER TABLE users ALTER COLUMN name TYPE text;"),
    ],
    check: Check::Statement(check),
};

/// Nothing but the enum itself is stored as an enum is.
fn rewrites(at: &Situation<'_>, column: &str, old: &Type, new: &Type, using: Option<&Expression>) -> bool {
    let is_enum = |ty: &Type| {
        let found = at.schema.find(Space::Type, &ty.name).known();
        found.is_some_and(|entry| matches!(entry.object, Object::Enum(_)))
    };
    match conversion_in(at.schema, old, new, using, column) {
        Conversion::Rewrites => true,
        Conversion::InPlace => false,
        Conversion::Unknown => old != new && (is_enum(old) || is_enum(new)),
    }
}

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let rewritten = at.changes().filter_map(|(alter, table, change)| {
        let Change::AlterType { column, ty, using } = change else { return None };
        let known = table.known().and_then(|table| table.column(column)?.ty.clone());
        // What the files hide, a database may have told.
        let old = known.or_else(|| at.facts.live_column(&alter.name, column)?.understood())?;
        rewrites(at, column, &old, ty, using.as_ref()).then_some((alter, column, old, ty))
    });
    rewritten
        .map(|(alter, column, old, ty)| {
            let (table, name) = (&alter.name, Quoted(column));
            let message = format!("every row of `{table}` is rewritten to make `{name}` of {old} a {ty}");
            let instead = format!(
                "Add a column of the new type, keep both the same with a trigger, fill it in batches, move the code over, \
                 and drop the old one in a contract:\n    ALTER TABLE {table} ADD COLUMN {}_new {ty};",
                Quoted(column)
            );
            Hit::new(column, message, instead).at(column)
        })
        .collect()
}
