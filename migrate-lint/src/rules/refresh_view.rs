//! Materialized views that nobody can read meanwhile.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::fix::{Patch, Remedy, Words};
use crate::name::Quoted;
use crate::schema::{Object, Space};
use crate::statement::{Action, Maintenance};

pub(super) static RULE: Rule = Rule {
    name: "refresh_view",
    level: Level::Error,
    finds: "REFRESH MATERIALIZED VIEW of a view in use without CONCURRENTLY",
    why: "nobody reads the view until its whole query has run: it is under ACCESS EXCLUSIVE",
    instead: "Refresh it CONCURRENTLY, which needs a unique index on it.",
    bad: &[
        ("1_sums.sql", "CREATE TABLE users (id bigint PRIMARY KEY, n int); CREATE MATERIALIZED VIEW sums AS SELECT id, n FROM users; CREATE UNIQUE INDEX sums_id ON sums (id);"),
        ("2_sums.sql", "REFRESH MATERIALIZED VIEW sums;"),
    ],
    good: &[
        ("1_sums.sql", "CREATE TABLE users (id bigint PRIMARY KEY, n int); CREATE MATERIALIZED VIEW sums AS SELECT id, n FROM users; CREATE UNIQUE INDEX sums_id ON sums (id);"),
        ("2_sums.sql", "REFRESH MATERIALIZED VIEW CONCURRENTLY sums;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Action::Maintenance(Maintenance::Refresh { view, concurrently: false, with_data: true }) = at.action() else { return Vec::new() };
    let Some(presence) = at.used(Space::Relation, view).filter(|_| at.subject(view).is_some()) else {
        return Vec::new();
    };
    let message = format!("readers of `{view}` wait until its query has run");
    let mut instead = format!("Let them read the old rows meanwhile:\n    REFRESH MATERIALIZED VIEW CONCURRENTLY {view};");
    let has_key = presence.entry.is_some_and(|entry| has_key(at, &entry.object));
    if presence.certain && !has_key {
        instead.push_str(&format!(
            "\nIt needs a unique index over columns alone, of all rows; before this, in a migration of its own:\n    \
             -- migrate: no-transaction\n    CREATE UNIQUE INDEX CONCURRENTLY {} ON {view} (…);",
            Quoted(&format!("{}_key", view.name))
        ));
    }
    let behind = Words::of(at.text).behind("VIEW").filter(|_| presence.certain && has_key);
    let remedy = behind.map(|at| Remedy::Words(vec![Patch::insert(at, " CONCURRENTLY")]));
    vec![Hit::new(&view.name, message, instead).at(&view.name).or(remedy)]
}

fn has_key(at: &Situation<'_>, object: &Object) -> bool {
    let Object::View(view) = object else { return false };
    let is_key = |object: &Object| match object {
        Object::Index(index) => index.unique && !index.partial && index.keys.iter().all(Option::is_some),
        _ => false,
    };
    view.indexes.iter().any(|id| at.schema.entry(*id).is_some_and(|entry| is_key(&entry.object)))
}
