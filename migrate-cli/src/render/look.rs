//! How text is laid out for whoever reads it: as wide as a terminal, and in its colours.
//!
//! Owns what is a colour's meaning, when there are colours at all, and the widths of characters. A pipe gets
//! lines that are whole and plain, however long they are.

use console::{Style, Term, measure_text_width, truncate_str};

use crate::args::When;

/// For one stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Of the terminal, in columns.
    pub(crate) width: Option<usize>,
    pub(crate) color: bool,
}

/// What a colour means.
#[derive(Clone, Copy)]
pub(crate) enum Ink {
    Good,
    Bad,
    Warn,
    Faint,
    Strong,
}

impl Look {
    pub(super) const PLAIN: Look = Look { width: None, color: false };

    pub(super) fn of(terminal: &Term, when: When) -> Self {
        let width = terminal.is_term().then(|| terminal.size().1.into());
        Self { width: width.filter(|width| *width > 0), color: colored(when, terminal.is_term()) }
    }

    pub(crate) fn paint(self, ink: Ink, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let style = Style::new().force_styling(true);
        let style = match ink {
            Ink::Good => style.green(),
            Ink::Bad => style.red().bold(),
            Ink::Warn => style.yellow(),
            Ink::Faint => style.dim(),
            Ink::Strong => style.bold(),
        };
        style.apply_to(text).to_string()
    }

    /// Of a line that is too long, the beginning.
    pub(super) fn cut(self, line: &str) -> String {
        let line = line.trim_end();
        match self.width {
            Some(width) => truncate_str(line, width, "…").into_owned(),
            None => line.to_owned(),
        }
    }

    /// A text in lines that fit; those after the first begin with `indent`. What has no blanks stays whole
    /// where it fits a line at all.
    pub(super) fn wrap(self, text: &str, indent: &str) -> String {
        let Some(width) = self.width else { return text.to_owned() };
        let mut lines = text.lines().map(|line| wrap_line(line, width, indent));
        let first = lines.next().unwrap_or_default();
        lines.fold(first, |text, line| text + "\n" + &line)
    }
}

/// What was asked for, else what the terminal and <https://no-color.org> say.
fn colored(when: When, is_terminal: bool) -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto => {
            let is_dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
            is_terminal && !is_set("NO_COLOR") && !is_dumb
        }
    }
}

/// Leading blanks stay, also in front of what goes on, and so do those between words of a line.
fn wrap_line(line: &str, width: usize, indent: &str) -> String {
    let margin: String = line.chars().take_while(|c| *c == ' ').collect();
    let mut wrapped = String::new();
    let mut used = 0;
    for word in line.split_inclusive(' ') {
        let length = measure_text_width(word.trim_end());
        if used > margin.len() && length > 0 && used + length > width {
            wrapped.truncate(wrapped.trim_end().len());
            wrapped += &format!("\n{margin}{indent}");
            used = margin.len() + measure_text_width(indent);
        }
        wrapped += word;
        used += measure_text_width(word);
    }
    wrapped
}

/// Blanks behind a text, to a width.
pub(super) fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(measure_text_width(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NARROW: Look = Look { width: Some(12), color: false };

    #[test]
    fn lines_are_as_wide_as_they_look() {
        assert_eq!(NARROW.cut("a line of 12"), "a line of 12");
        assert_eq!(NARROW.cut("a line of 13."), "a line of 1…");
        assert_eq!(NARROW.cut("移行移行移行移"), "移行移行移…");
        assert_eq!(Look::PLAIN.cut("a line that is longer "), "a line that is longer");
        assert_eq!(padded("移行", 5), "移行 ");
    }

    #[test]
    fn a_text_is_broken_between_its_words() {
        assert_eq!(NARROW.wrap("note: one two three", "  "), "note: one\n  two three");
        assert_eq!(NARROW.wrap("  now: it is gone\nx", "  "), "  now: it is\n    gone\nx");
        assert_eq!(NARROW.wrap("a migrations/1_name.sql", ""), "a\nmigrations/1_name.sql");
        assert_eq!(NARROW.wrap("a   b c d e f g", " "), "a   b c d e\n f g");
        assert_eq!(Look::PLAIN.wrap("note: one two three", "  "), "note: one two three");
    }

    #[test]
    fn colour_is_what_was_asked_for() {
        assert!(colored(When::Always, false) && !colored(When::Never, true));
        assert!(!colored(When::Auto, false));
        assert_eq!(Look::PLAIN.paint(Ink::Bad, "x"), "x");
        let painted = Look { width: None, color: true }.paint(Ink::Good, "x");
        assert_eq!(painted, "\x1b[32mx\x1b[0m");
    }
}
