//! Times, sizes and shares, as people write them.
//!
//! Owns how a value of a limit is read and shown, exactly and in round numbers. Knows no limit.

use std::time::Duration;

/// In milliseconds, the smallest first.
const TIMES: [(&str, u64); 4] = [("ms", 1), ("s", 1000), ("min", 60_000), ("h", 3_600_000)];
/// `MB` is 1024 kB, as in PostgreSQL's own settings; shown is the word that leaves no doubt.
const SIZES: [(&str, u64); 9] = [
    ("B", 1),
    ("kB", 1 << 10),
    ("KiB", 1 << 10),
    ("MB", 1 << 20),
    ("MiB", 1 << 20),
    ("GB", 1 << 30),
    ("GiB", 1 << 30),
    ("TB", 1 << 40),
    ("TiB", 1 << 40),
];

/// `150ms`, `2s`, `10min`, `1h`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    measure(text, &TIMES).map(Duration::from_millis)
}

/// `8MiB`, `1GiB`, `8MB`.
pub(super) fn bytes(text: &str) -> Option<u64> {
    measure(text, &SIZES)
}

/// `20%`.
pub(super) fn percent(text: &str) -> Option<u32> {
    text.strip_suffix('%')?.trim_end().parse().ok()
}

fn measure(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let (_, size) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*size)
}

/// Exactly, so that it can be read again.
pub(super) fn show_duration(duration: Duration) -> String {
    show(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX), &TIMES)
}

/// Exactly, so that it can be read again.
pub(super) fn show_bytes(bytes: u64) -> String {
    show(bytes, &SIZES)
}

/// In the largest unit that it is a whole number of.
fn show(value: u64, units: &[(&str, u64)]) -> String {
    let fitting =
        units.iter().rev().find(|(_, size)| value >= *size && value.is_multiple_of(*size));
    match fitting.or(units.first()) {
        Some((unit, size)) => format!("{}{unit}", value / size),
        None => value.to_string(),
    }
}

/// In round numbers, for a sentence: `5.1 s`.
pub(super) fn about(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..120 => format!("{:.1} s", duration.as_secs_f64()).replace(".0 s", " s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

/// In round numbers, for a sentence: `64 MiB`.
pub(super) fn about_bytes(bytes: u64) -> String {
    let unit = SIZES.iter().rev().find(|(_, size)| *size > 1 && bytes >= *size);
    match unit {
        Some((name, size)) => {
            format!("{:.1} {name}", bytes as f64 / *size as f64).replace(".0 ", " ")
        }
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_read_again() {
        for text in ["0ms", "150ms", "2s", "90s", "10min", "1h", "1500ms"] {
            assert_eq!(show_duration(duration(text).unwrap()), text);
        }
        for text in ["0B", "1000B", "8MiB", "1GiB", "1536MiB", "3TiB"] {
            assert_eq!(show_bytes(bytes(text).unwrap()), text);
        }
    }

    #[test]
    fn a_size_may_be_written_as_in_the_settings_of_the_server() {
        assert_eq!(bytes("64 MB"), Some(64 << 20));
        assert_eq!(bytes("16kB"), bytes("16KiB"));
    }

    #[test]
    fn what_has_no_unit_or_a_strange_one_is_no_value() {
        for text in ["", "5", "s", "-1s", "5 parsecs", "1.5s", "99999999999999999999s"] {
            assert_eq!(duration(text), None, "{text}");
        }
        assert_eq!(bytes("99999999999999 TiB"), None);
        assert_eq!(percent("20"), None);
        assert_eq!(percent("20 %"), Some(20));
    }

    #[test]
    fn a_sentence_has_round_numbers() {
        let shown = [350, 5100, 2000, 660_000, 7_300_000].map(Duration::from_millis).map(about);
        assert_eq!(shown, ["350 ms", "5.1 s", "2 s", "11 min", "2 h"]);
        assert_eq!([12, 64 << 20, 3 << 29].map(about_bytes), ["12 B", "64 MiB", "1.5 GiB"]);
    }
}
