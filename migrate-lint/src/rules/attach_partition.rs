//! Parts whose rows are all checked first.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::schema::Table;
use crate::statement::{Action, Change};

pub(super) static RULE: Rule = Rule {
    name: "attach_partition",
    level: Level::Warn,
    finds: "a table in use that becomes a part without a CHECK that proves that it fits",
    why: "all of its rows are read under ACCESS EXCLUSIVE to see whether they belong there: nobody reads or writes it until that is done",
    instead: "Prove it first with a CHECK that is added NOT VALID and validated in a later migration.",
    bad: &[
        ("1_logs.sql", "CREATE TABLE logs (day date, n int) PARTITION BY RANGE (day); CREATE TABLE logs_2024 (day date, n int);"),
        ("2_part.sql", "ALTER TABLE logs ATTACH PARTITION logs_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');"),
    ],
    good: &[
        ("1_logs.sql", "CREATE TABLE logs (day date, n int) PARTITION BY RANGE (day); CREATE TABLE logs_2024 (day date, n int);"),
        ("2_part.sql", "ALTER TABLE logs_2024 ADD CONSTRAINT of_2024 CHECK (day IS NOT NULL AND day >= '2024-01-01' AND day < '2025-01-01') NOT VALID;"),
        ("3_part.sql", "ALTER TABLE logs_2024 VALIDATE CONSTRAINT of_2024;"),
        ("4_part.sql", "ALTER TABLE logs ATTACH PARTITION logs_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Action::AlterTable(alter) = at.action() else { return Vec::new() };
    let attached = alter.changes.iter().filter_map(|change| match change {
        Change::AttachPartition { partition, .. } => Some(partition),
        _ => None,
    });
    let unproven = attached.filter(|part| {
        let known = at.subject(part).and_then(|subject| subject.known());
        known.is_some_and(|table| !may_prove(table))
    });
    unproven
        .map(|part| {
            let message = format!("`{part}` is closed while all of its rows are checked");
            let check = Quoted(&format!("{}_bounds", part.name)).to_string();
            let instead = format!(
                "Before this, in two migrations, with the bounds of the part and IS NOT NULL of its key:\n    \
                 ALTER TABLE {part} ADD CONSTRAINT {check} CHECK (…) NOT VALID;\n    \
                 ALTER TABLE {part} VALIDATE CONSTRAINT {check};"
            );
            Hit::new(&part.name, message, instead).at(&part.name)
        })
        .collect()
}

/// Which values a check allows, its words would tell.
fn may_prove(table: &Table) -> bool {
    table.has_more_constraints || table.has_valid_check()
}
