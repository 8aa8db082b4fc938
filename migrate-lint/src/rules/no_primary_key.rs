//! Tables whose rows cannot be told apart.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::statement::{Action, Change, ConstraintKind, Persistence};

pub(super) static RULE: Rule = Rule {
    name: "no_primary_key",
    level: Level::Off,
    finds: "a table without a primary key",
    why: "its rows cannot be named: not in an UPDATE of one, not by logical replication, not in batches",
    instead: "Give it a primary key.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint);"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY);"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Action::CreateTable(create) = at.action() else { return Vec::new() };
    let is_own = create.persistence != Persistence::Temporary && !create.foreign && create.partition_of.is_none();
    let may_have_one = !create.like.is_empty() || !create.inherits.is_empty() || create.of_type;
    let is_key = |kind: &ConstraintKind| matches!(kind, ConstraintKind::PrimaryKey { .. });
    let of_columns = create.columns.iter().flat_map(|column| &column.constraints);
    let has_one = of_columns.chain(&create.constraints).any(|constraint| is_key(&constraint.kind));
    let gets_one = at.changes_after(&create.name).any(|change| {
        matches!(change, Change::AddConstraint(constraint) if is_key(&constraint.kind))
    });
    if !is_own || may_have_one || has_one || gets_one {
        return Vec::new();
    }
    let message = format!("the table `{}` has no primary key", create.name);
    vec![Hit::new(&create.name.name, message, "Give it one: of what it has, or `id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY`.").at(&create.name.name)]
}
