//! Foreign keys that lock several tables until the last of them is there.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Name;
use crate::schema::ConstraintKind as Key;
use crate::statement::{Action, Change, ConstraintKind, ObjectKind};

pub(super) static RULE: Rule = Rule {
    name: "several_foreign_keys",
    level: Level::Warn,
    finds: "foreign keys to several tables that come or go in one transaction",
    why: "each locks two tables until the end, to add it against writers, to drop it against everybody: all of them wait for the slowest, and may deadlock with the migration",
    instead: "Add or drop each in a migration of its own.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY); CREATE TABLE teams (id bigint PRIMARY KEY); CREATE TABLE posts (author bigint, team bigint); CREATE INDEX ON posts (author); CREATE INDEX ON posts (team);"),
        ("2_keys.sql", "ALTER TABLE posts ADD CONSTRAINT posts_author FOREIGN KEY (author) REFERENCES users NOT VALID; ALTER TABLE posts ADD CONSTRAINT posts_team FOREIGN KEY (team) REFERENCES teams NOT VALID;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY); CREATE TABLE teams (id bigint PRIMARY KEY); CREATE TABLE posts (author bigint, team bigint); CREATE INDEX ON posts (author); CREATE INDEX ON posts (team);"),
        ("2_author.sql", "ALTER TABLE posts ADD CONSTRAINT posts_author FOREIGN KEY (author) REFERENCES users NOT VALID;"),
        ("3_team.sql", "ALTER TABLE posts ADD CONSTRAINT posts_team FOREIGN KEY (team) REFERENCES teams NOT VALID;"),
    ],
    check: Check::Surroundings(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    if let Some(hit) = dropped(at) {
        return vec![hit];
    }
    let Action::AlterTable(alter) = at.action() else { return Vec::new() };
    let own = referenced(at, at.action());
    if own.is_empty() {
        return Vec::new();
    }
    let before: Vec<&Name> = match at.in_transaction {
        true => at.earlier.iter().flat_map(|earlier| referenced(at, &earlier.action)).collect(),
        false => Vec::new(),
    };
    let mut all = before.clone();
    all.extend(own);
    let several = |names: &[&Name]| names.iter().any(|name| Some(name) != names.first());
    // It is told where it begins.
    if several(&before) || !several(&all) {
        return Vec::new();
    }
    let mut names: Vec<String> = all.iter().map(|name| format!("`{name}`")).collect();
    names.dedup();
    let message = format!("writers of `{}`, {} wait for each other's locks", alter.name, names.join(" and "));
    vec![Hit::new("", message, "Add each foreign key in a migration of its own, which commits before the next begins.")]
}

/// The tables in use that the foreign keys of a statement refer to, from a table that is in use as well.
fn referenced<'a>(at: &Situation<'_>, action: &'a Action) -> Vec<&'a Name> {
    let Action::AlterTable(alter) = action else { return Vec::new() };
    let others = alter.changes.iter().filter_map(|change| match change {
        Change::AddConstraint(constraint) => match &constraint.kind {
            ConstraintKind::ForeignKey { table, .. } if *table != alter.name => Some(table),
            _ => None,
        },
        _ => None,
    });
    match at.subject(&alter.name) {
        Some(_) => others.filter(|other| at.subject(other).is_some()).collect(),
        None => Vec::new(),
    }
}

/// A table that refers to several others closes all of them when it goes.
fn dropped(at: &Situation<'_>) -> Option<Hit> {
    let Action::Drop(drop) = at.action() else { return None };
    let name = drop.names.iter().find(|name| drop.kind == ObjectKind::Table && others(at, name).len() > 1)?;
    let others: Vec<String> = others(at, name).iter().map(|other| format!("`{other}`")).collect();
    let message = format!("{} are closed together to drop `{name}`, which refers to them", others.join(" and "));
    let instead = format!(
        "Drop its foreign keys first, each in a migration of its own:\n    ALTER TABLE {name} DROP CONSTRAINT …;"
    );
    Some(Hit::new(&name.name, message, instead).at(&name.name))
}

/// The tables in use that the foreign keys of a table refer to.
fn others(at: &Situation<'_>, name: &Name) -> Vec<Name> {
    let table = at.schema.relation(name).known().and_then(|entry| entry.object.as_table());
    let keys = table.map(|table| &*table.constraints).unwrap_or_default().iter();
    let referenced = keys.filter_map(|constraint| match constraint.kind {
        Key::ForeignKey { table: Some(other), .. } => at.schema.entry(other).map(|entry| at.schema.shown(entry)),
        _ => None,
    });
    let mut others: Vec<Name> = referenced.filter(|other| other != name && at.subject(other).is_some()).collect();
    others.sort();
    others.dedup();
    others
}
