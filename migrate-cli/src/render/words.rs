//! Words that several results share.

use std::time::Duration;

use migrate_postgres::{Deferred, MigrationId, Notice, Phase, Reason};

use super::{Ink, Look};

/// How many lines of one kind are a help and not a flood.
const SHOWN: usize = 20;

/// `1 migration`, `2 migrations`.
pub(super) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A name that cannot move the cursor.
pub(super) fn clean(name: &str) -> String {
    name.replace(char::is_control, " ")
}

/// `20261121093000 expand create_users`.
pub(super) fn migration(id: MigrationId, name: &str) -> String {
    format!("{id} {}", clean(name))
}

/// Two digits that matter, and a unit.
pub(super) fn duration(took: Duration) -> String {
    let seconds = took.as_secs_f64();
    match seconds {
        _ if seconds < 0.01 => format!("{:.1} ms", seconds * 1e3),
        _ if seconds < 1.0 => format!("{:.0} ms", seconds * 1e3),
        _ if seconds < 60.0 => format!("{seconds:.1} s"),
        _ => format!("{} min {} s", took.as_secs() / 60, took.as_secs() % 60),
    }
}

/// ` for 12.0 s`
pub(super) fn since(time: Duration) -> String {
    format!(" for {}", duration(time))
}

/// `1234567` as `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// `1,234 blocks`, `1.2 MB`.
pub(super) fn amount(number: u64, unit: &str) -> String {
    #[allow(clippy::cast_precision_loss, reason = "two digits matter")]
    let size = number as f64;
    match number {
        _ if unit != "bytes" => format!("{} {unit}", grouped(number)),
        0..1_000_000 => format!("{:.0} kB", (size / 1e3).ceil()),
        1_000_000..1_000_000_000 => format!("{:.1} MB", size / 1e6),
        _ => format!("{:.1} GB", size / 1e9),
    }
}

/// Why it waits, and what would make it run.
pub(super) fn why(deferred: &Deferred) -> String {
    match deferred.reason {
        Reason::PhaseNotAsked if deferred.id.phase == Phase::Contract => {
            "a contract runs only when asked for (--contract)".to_owned()
        }
        Reason::GateClosed => {
            format!("its gate is closed (`contract --explain {}` says why)", deferred.id.version)
        }
        reason => reason.to_string(),
    }
}

pub(super) fn waits(look: Look, deferred: &[Deferred]) -> Vec<String> {
    some(deferred, |d| {
        let waits = format!("waits     {}: {}", migration(d.id, &d.name), why(d));
        first_word(look, Ink::Warn, &look.wrap(&waits, "          "))
    })
}

pub(super) fn note(look: Look, notice: &Notice) -> String {
    let note = format!("note: {} {}", migration(notice.id, &notice.name), notice.kind);
    remark(look, &note)
}

/// A line that begins with `note:`.
pub(super) fn remark(look: Look, text: &str) -> String {
    first_word(look, Ink::Warn, &look.wrap(text, "      "))
}

/// A text with its first word in colour.
pub(super) fn first_word(look: Look, ink: Ink, text: &str) -> String {
    let (word, rest) = text.split_at(text.find(' ').unwrap_or(text.len()));
    look.paint(ink, word) + rest
}

/// The labels that an error's lines begin with. What shows a file or a difference is left as it is.
const LABELS: [&str; 10] = [
    "database:",
    "detail:",
    "hint:",
    "context:",
    "applied before it:",
    "now:",
    "next:",
    "help:",
    "error:",
    "no run is possible:",
];

/// A text of an error, its prose broken into lines and its labels in colour.
pub(super) fn labelled(look: Look, text: &str) -> String {
    let line = |line: &str| {
        let start = line.trim_start();
        let margin = line.get(..line.len() - start.len()).unwrap_or_default();
        let Some(label) = LABELS.iter().find(|label| start.starts_with(**label)) else {
            return line.to_owned();
        };
        let wrapped = look.wrap(line, "  ");
        let rest = wrapped.get(margin.len() + label.len()..).unwrap_or_default();
        let ink = match *label {
            "next:" | "help:" => Ink::Good,
            "error:" | "no run is possible:" => Ink::Bad,
            _ => Ink::Strong,
        };
        format!("{margin}{}{rest}", look.paint(ink, label))
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// A line each, as many as anybody reads.
pub(super) fn some<T>(items: &[T], line: impl Fn(&T) -> String) -> Vec<String> {
    let mut lines: Vec<String> = items.iter().take(SHOWN).map(line).collect();
    if items.len() > SHOWN {
        lines.push(format!("… and {} more; --json has them all", items.len() - SHOWN));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        let of = |ms: u64| duration(Duration::from_millis(ms));
        assert_eq!(of(3), "3.0 ms");
        assert_eq!(of(340), "340 ms");
        assert_eq!(of(12_340), "12.3 s");
        assert_eq!(of(192_000), "3 min 12 s");
    }

    #[test]
    fn numbers_are_read_at_a_glance() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(amount(12_345, "blocks"), "12,345 blocks");
        assert_eq!(amount(12_345, "bytes"), "13 kB");
        assert_eq!(amount(12_345_678, "bytes"), "12.3 MB");
    }
}
