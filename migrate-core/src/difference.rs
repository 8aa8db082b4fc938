//! Two texts side by side, for the person who has to find out what was edited.
//!
//! Owns a difference of lines, shortened to what fits a screen. Knows nothing of what the texts are.

/// Longer texts are compared from their ends inwards only.
const LONGEST: usize = 2_000;
/// Lines that fit a screen.
const SHOWN: usize = 40;

/// The lines that went (`-`) and came (`+`), in order, without those that stayed.
///
/// ```
/// assert_eq!(migrate_core::difference("a\nb\nc", "a\nx\nc"), "- b\n+ x\n");
/// ```
pub fn difference(before: &str, after: &str) -> String {
    let (before, after): (Vec<&str>, Vec<&str>) =
        (before.lines().collect(), after.lines().collect());
    let (before, after) = without_common_ends(&before, &after);
    let lines = if before.len().max(after.len()) > LONGEST {
        all_changed(before, after)
    } else {
        by_longest_common(before, after)
    };
    shorten(&lines)
}

fn without_common_ends<'l, 't>(
    mut before: &'l [&'t str],
    mut after: &'l [&'t str],
) -> (&'l [&'t str], &'l [&'t str]) {
    while let (Some((a, rest)), Some((b, others))) = (before.split_first(), after.split_first()) {
        if a != b {
            break;
        }
        (before, after) = (rest, others);
    }
    while let (Some((a, rest)), Some((b, others))) = (before.split_last(), after.split_last()) {
        if a != b {
            break;
        }
        (before, after) = (rest, others);
    }
    (before, after)
}

fn all_changed(before: &[&str], after: &[&str]) -> Vec<String> {
    let went = before.iter().map(|line| format!("- {line}"));
    went.chain(after.iter().map(|line| format!("+ {line}"))).collect()
}

/// The textbook table of longest common subsequences, from the ends.
fn by_longest_common(before: &[&str], after: &[&str]) -> Vec<String> {
    let width = after.len() + 1;
    let mut table = vec![0u32; (before.len() + 1) * width];
    let at =
        |table: &[u32], i: usize, j: usize| table.get(i * width + j).copied().unwrap_or_default();
    for (i, a) in before.iter().enumerate().rev() {
        for (j, b) in after.iter().enumerate().rev() {
            let longest = if a == b {
                at(&table, i + 1, j + 1) + 1
            } else {
                at(&table, i + 1, j).max(at(&table, i, j + 1))
            };
            if let Some(cell) = table.get_mut(i * width + j) {
                *cell = longest;
            }
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    loop {
        match (before.get(i), after.get(j)) {
            (Some(a), Some(b)) if a == b => (i, j) = (i + 1, j + 1),
            (Some(a), b) if b.is_none() || at(&table, i + 1, j) >= at(&table, i, j + 1) => {
                lines.push(format!("- {a}"));
                i += 1;
            }
            (_, Some(b)) => {
                lines.push(format!("+ {b}"));
                j += 1;
            }
            (_, None) => return lines,
        }
    }
}

fn shorten(lines: &[String]) -> String {
    let more = lines.len().saturating_sub(SHOWN);
    let mut text: String = lines.iter().take(SHOWN).map(|line| format!("{line}\n")).collect();
    if more > 0 {
        text += &format!("… and {more} more lines\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn only_what_differs_is_shown() {
        assert_eq!(difference("a\nb", "a\nb"), "");
        assert_eq!(difference("a\nb\nc\nd", "a\nc\nx\nd"), "- b\n+ x\n");
        assert_eq!(difference("", "a"), "+ a\n");
        assert_eq!(difference("a\r\nb", "a\nb"), "");
        let long = "x\n".repeat(3_000);
        assert!(difference(&format!("{long}a"), "b").lines().count() <= 41);
    }
}
