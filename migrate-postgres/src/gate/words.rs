//! Words that several sources share.

use migrate_core::Evidence;

use super::Answer;
use crate::sql::Names;

/// How many of a kind are a help and not a flood.
const SHOWN: usize = 5;

/// `a, b and c`, as many as anybody reads.
pub(super) fn list(items: &[String]) -> String {
    let rest = items.len().saturating_sub(SHOWN);
    let shown = items.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if rest == 0 { shown } else { format!("{shown} and {rest} more") }
}

/// `1 session`, `2 sessions`.
pub(super) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// As people say it: `12 s`, `3 min`, `2 days`.
pub(super) fn ago(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

/// Why the tables of evidence tell nothing, where they do not.
pub(super) fn unreadable(answer: &Answer, names: &Names) -> Evidence {
    match answer {
        Answer::NoRight => Evidence::unknown(
            format!("this role may not read {}", names.instance),
            names.grant_gate("<role>").lines().next().unwrap_or_default(),
        ),
        _ => Evidence::unknown(
            format!("there is no table {} yet", names.instance),
            "The next migration that runs makes it; then let the application call `Migrator::heartbeat`.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short_and_lists_too() {
        assert_eq!(
            [0, 119, 120, 7_200, 172_800].map(ago),
            ["0 s", "119 s", "2 min", "2 h", "2 days"]
        );
        let many: Vec<_> = (1..=7).map(|n| n.to_string()).collect();
        assert_eq!(list(&many), "1, 2, 3, 4, 5 and 2 more");
        assert_eq!(list(&many[..2]), "1, 2");
    }
}
