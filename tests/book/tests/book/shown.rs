//! Does what came out look like what is shown?

/// `[..]` stands for anything in a line, a line of `...` for any number of lines.
pub fn matches(shown: &str, found: &str) -> bool {
    let lines = |text: &str| text.trim().lines().map(|line| line.trim_end().to_owned()).collect();
    let (shown, found): (Vec<String>, Vec<String>) = (lines(shown), lines(found));
    all(&shown, &found)
}

fn all(shown: &[String], found: &[String]) -> bool {
    match (shown, found) {
        ([], []) => true,
        ([dots, rest @ ..], _) if dots.trim() == "..." => {
            (0..=found.len()).any(|skipped| all(rest, &found[skipped..]))
        }
        ([first, shown @ ..], [line, found @ ..]) => {
            let parts: Vec<&str> = first.split("[..]").collect();
            is_like(&parts, line) && all(shown, found)
        }
        _ => false,
    }
}

fn is_like(parts: &[&str], line: &str) -> bool {
    match parts {
        [] => line.is_empty(),
        [only] => line == *only,
        [first, rest @ ..] => line.strip_prefix(first).is_some_and(|line| {
            let starts = line.char_indices().map(|(at, _)| at).chain([line.len()]);
            starts.into_iter().any(|at| is_like(rest, &line[at..]))
        }),
    }
}

#[test]
fn only_what_is_left_out_may_differ() {
    assert!(matches("a [..] c\n...\nend\n", "a b c\nx\ny\nend"));
    assert!(!matches("a [..] c", "a b d"));
    assert!(!matches("a", "a\nb") && !matches("a\nb", "a"));
}
