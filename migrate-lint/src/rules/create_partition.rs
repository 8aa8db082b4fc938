//! New parts that close the whole table.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::statement::Action;

pub(super) static RULE: Rule = Rule {
    name: "create_partition",
    level: Level::Off,
    finds: "CREATE TABLE … PARTITION OF a table in use",
    why: "it needs ACCESS EXCLUSIVE on the whole table: while it waits for the queries that run, all others wait behind it; ATTACH PARTITION lets them work",
    instead: "Create the part as a table, and attach it.",
    bad: &[
        ("1_logs.sql", "CREATE TABLE logs (day date, n int) PARTITION BY RANGE (day);"),
        ("2_new.sql", "CREATE TABLE logs_2024 PARTITION OF logs FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');"),
    ],
    good: &[
        ("1_logs.sql", "CREATE TABLE logs (day date, n int) PARTITION BY RANGE (day);"),
        ("2_new.sql", "CREATE TABLE logs_2024 (LIKE logs INCLUDING ALL);
ALTER TABLE logs ATTACH PARTITION logs_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Action::CreateTable(create) = at.action() else { return Vec::new() };
    let whole = create.partition_of.as_ref().filter(|whole| at.subject(whole).is_some());
    whole
        .map(|whole| {
            let part = &create.name;
            let message = format!("the whole of `{whole}` is closed, once its queries have ended, to create `{part}`");
            let instead = format!(
                "Create it as a table, and attach it:\n    CREATE TABLE {part} (LIKE {whole} INCLUDING ALL);\n    \
                 ALTER TABLE {whole} ATTACH PARTITION {part} FOR VALUES …;"
            );
            Hit::new(&part.name, message, instead).at(&whole.name)
        })
        .into_iter()
        .collect()
}
