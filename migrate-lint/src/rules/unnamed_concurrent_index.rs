//! Indexes that nobody finds again after an interruption.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::statement::Action;

pub(super) static RULE: Rule = Rule {
    name: "unnamed_concurrent_index",
    level: Level::Warn,
    finds: "CREATE INDEX CONCURRENTLY without a name",
    why: "a build that is interrupted leaves a broken index behind, which costs every write; the runner removes it by its name and builds it again, but not one whose name PostgreSQL has made up",
    instead: "Give it a name.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_email.sql", "-- migrate: no-transaction
CREATE INDEX CONCURRENTLY ON users (email);"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_email.sql", "-- migrate: no-transaction
CREATE INDEX CONCURRENTLY users_email ON users (email);"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Action::CreateIndex(index) = at.action() else { return Vec::new() };
    if !index.concurrently || index.name.is_some() || at.subject(&index.table).is_none() {
        return Vec::new();
    }
    let name = format!("{}_{}", index.table.name, index.key_names.join("_"));
    let instead = format!("Write `CREATE INDEX CONCURRENTLY {} ON {} …`.", Quoted(&name), index.table);
    vec![Hit::new(&index.table.name, "an interrupted build leaves a broken index that the runner cannot find again", instead)]
}
