//! Constraints of a domain, which are checked in every table that uses it.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Name;
use crate::statement::{Action, AlterDomain, ConstraintKind, Type};

pub(super) static RULE: Rule = Rule {
    name: "domain_constraint",
    level: Level::Error,
    finds: "a constraint that is added to a domain in use without NOT VALID",
    why: "every table with a column of the domain is read under a lock that keeps its writers out, one after the other, and all stay locked until the end",
    instead: "Add it NOT VALID, or add a CHECK to each table instead.",
    bad: &[
        ("1_users.sql", "CREATE DOMAIN age AS int; CREATE TABLE users (id bigint PRIMARY KEY, age age);"),
        ("2_age.sql", "ALTER DOMAIN age ADD CONSTRAINT grown_up CHECK (VALUE >= 18);"),
    ],
    good: &[
        ("1_users.sql", "CREATE DOMAIN age AS int; CREATE TABLE users (id bigint PRIMARY KEY, age age);"),
        ("2_age.sql", "ALTER DOMAIN age ADD CONSTRAINT grown_up CHECK (VALUE >= 18) NOT VALID;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Action::AlterDomain { name, change } = at.action() else { return Vec::new() };
    let demanded = match &**change {
        AlterDomain::AddConstraint(constraint) if !constraint.not_valid => match &constraint.kind {
            ConstraintKind::Check(expression) => expression.text.to_string(),
            _ => "VALUE IS NOT NULL".to_owned(),
        },
        AlterDomain::SetNotNull => "VALUE IS NOT NULL".to_owned(),
        _ => return Vec::new(),
    };
    let tables = tables_of(at, name);
    if tables.is_empty() {
        return Vec::new();
    }
    let message = format!("writers of {} wait while their rows are checked", tables.join(", "));
    let instead = format!(
        "Add it for new values only:\n    ALTER DOMAIN {name} ADD CHECK ({demanded}) NOT VALID;\n\
         and check old ones, if need be, with a CHECK on each table, which is validated while everybody works."
    );
    vec![Hit::new(&name.name, message, instead).at(&name.name)]
}

/// The tables in use that have a column of the domain.
fn tables_of(at: &Situation<'_>, domain: &Name) -> Vec<String> {
    let is_of = |ty: &Type| ty.name.name == domain.name && !ty.array;
    let mut names: Vec<Name> = Vec::new();
    for entry in at.schema.entries() {
        let Some(table) = entry.object.as_table() else { continue };
        if table.columns.iter().filter_map(|column| column.ty.as_ref()).any(is_of) {
            names.push(at.schema.shown(entry));
        }
    }
    names.iter().filter(|name| at.subject(name).is_some()).map(|name| format!("`{name}`")).collect()
}
