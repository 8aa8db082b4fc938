//! Tables that are packed while nobody can use them.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Name;
use crate::statement::{Action, Maintenance};

pub(super) static RULE: Rule = Rule {
    name: "vacuum_full",
    level: Level::Error,
    finds: "VACUUM FULL or CLUSTER of a table in use",
    why: "the table and all its indexes are written anew under ACCESS EXCLUSIVE: nobody reads or writes it until that is done",
    instead: "Leave it to autovacuum, or use a tool that copies the table while everybody works, such as pg_repack.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_pack.sql", "-- migrate: no-transaction
VACUUM FULL users;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_pack.sql", "-- migrate: no-transaction
VACUUM users;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let tables: Vec<&Name> = match at.action() {
        Action::Maintenance(Maintenance::Vacuum { tables, full: true }) => tables.iter().collect(),
        Action::Maintenance(Maintenance::Cluster { table }) => table.iter().collect(),
        _ => return Vec::new(),
    };
    let instead = "A plain VACUUM gives the room of dead rows to new ones while everybody works. To give it back to the disk, use \
                   a tool that copies the table meanwhile, such as pg_repack, outside of a migration.";
    if tables.is_empty() {
        return vec![Hit::new("", "one table after the other is closed while it is written anew", instead)];
    }
    let large = tables.into_iter().filter(|table| at.subject(table).is_some());
    large
        .map(|table| {
            let message = format!("`{table}` is closed while it is written anew");
            Hit::new(&table.name, message, instead).at(&table.name)
        })
        .collect()
}
