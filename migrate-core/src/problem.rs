//! What is wrong with a file, said so that the reader can mend it.
//!
//! Owns the shape of such a message: file, line, column, the line with a caret, and the remedy. The compiler
//! (through the macros) and the command line print the same text. Knows nothing of what can be wrong.

use std::fmt;

use crate::sql::{self, secret};

/// Does it stop the build?
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Severity {
    /// Worth a look.
    Warning,
    /// Not usable as it is.
    Error,
}

/// Something wrong with the migrations of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Problem {
    /// Does it stop the build?
    pub severity: Severity,
    /// The file, or the folder when no file is to blame.
    pub file: String,
    /// Where in the file.
    pub place: Option<Place>,
    /// What is wrong, as a fragment.
    pub message: String,
    /// What to do about it, as a sentence.
    pub help: String,
}

/// A spot in a text and the line it is on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Place {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// The text of that line; of a long one the part around the spot.
    pub snippet: String,
    /// Where the spot is in that text, from 1, in characters.
    pub caret: u32,
}

/// A line longer than this is cut around the spot.
const SNIPPET: usize = 100;

impl Place {
    /// The spot at a byte offset of `text`. What may be a secret in that line is not shown: an error and a log go
    /// further than the text does.
    pub fn at(text: &str, offset: usize) -> Self {
        let (line, column) = sql::position::line_column(text, offset);
        let content = text.lines().nth(line as usize - 1).unwrap_or_default();
        let shown = without_secrets(text, offset);
        let (content, caret) = match &shown {
            Some((content, caret)) => (content.as_str(), *caret),
            None => (content.trim_start_matches('\u{feff}'), column),
        };
        let (snippet, caret) = cut(content, caret);
        Self { line, column, snippet, caret }
    }
}

/// The line of an offset with `?` for what may be a secret, and the column of the spot in that; `None` where nothing
/// in it may be one.
fn without_secrets(text: &str, offset: usize) -> Option<(String, u32)> {
    let hidden = secret::hidden(text);
    let offset = text.floor_char_boundary(offset);
    let (before, behind) = text.split_at_checked(offset)?;
    let from = before.rfind('\n').map_or(byte_order_mark(text), |end| end + 1).min(offset);
    let to = offset + behind.find('\n').unwrap_or(behind.len());
    if !hidden.iter().any(|range| range.start < to && range.end > from) {
        return None;
    }
    let around = hidden.iter().find(|range| range.contains(&offset));
    let until = around.map_or(offset, |range| range.start.max(from));
    let before = secret::masked_between(text, from..until, &hidden);
    let column = u32::try_from(before.chars().count() + 1).ok()?;
    let shown = secret::masked_between(text, from..to, &hidden);
    Some((shown.trim_end().to_owned(), column))
}

/// The line with a caret below the spot, as the compiler would draw it.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        let shown = self.snippet.replace('\t', " ");
        let indent = " ".repeat((self.caret as usize).saturating_sub(1));
        write!(f, "\n{margin} |\n{number} | {shown}\n{margin} | {indent}^")
    }
}

fn byte_order_mark(text: &str) -> usize {
    if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }
}

/// Keeps a line readable: what fits around the spot, and where the spot is in that.
fn cut(line: &str, column: u32) -> (String, u32) {
    let left = (column as usize).saturating_sub(1 + SNIPPET / 2);
    if left == 0 || line.chars().count() <= SNIPPET {
        return (line.chars().take(SNIPPET).collect(), column);
    }
    let shown = ['…'].into_iter().chain(line.chars().skip(left + 1)).take(SNIPPET).collect();
    (shown, column - u32::try_from(left).unwrap_or_default())
}

impl Problem {
    /// An error about a whole file or folder.
    pub fn error(file: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            file: file.to_owned(),
            place: None,
            message: message.into(),
            help: help.into(),
        }
    }

    /// The same, as a warning.
    #[must_use]
    pub fn as_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Points at a byte offset of the file's text.
    #[must_use]
    pub fn at(mut self, text: &str, offset: usize) -> Self {
        self.place = Some(Place::at(text, offset));
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => {
                let Place { line, column, .. } = place;
                write!(f, "{}:{line}:{column}: {}{place}", self.file, self.message)?;
            }
            None => write!(f, "{}: {}", self.file, self.message)?,
        }
        write!(f, "\nhelp: {}", self.help)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_the_spot() {
        let text = "select 1;\nselect é, 'x;\n";
        let offset = text.find('\'').unwrap_or_default();
        let problem =
            Problem::error("m/1_a.sql", "unterminated string", "Close it.").at(text, offset);
        let expected = "m/1_a.sql:2:11: unterminated string\n  |\n2 | select é, 'x;\n  |           ^\nhelp: Close it.";
        assert_eq!(problem.to_string(), expected);
    }

    #[test]
    fn the_caret_stands_below_the_spot_beside_what_is_hidden() {
        let text = "\u{feff}SELECT 'é';\nALTER ROLE é PASSWORD 's3cret\nand more' VALID x; SELECT 1 / 0;\n";
        let shown = |spot: &str| {
            let offset = text.find(spot).unwrap_or_default();
            let place = Place::at(text, offset);
            assert_eq!((place.line, place.column), sql::position::line_column(text, offset));
            place.to_string()
        };
        assert_eq!(shown("é"), "\n  |\n1 | SELECT 'é';\n  |         ^");
        assert_eq!(shown("PASSW"), "\n  |\n2 | ALTER ROLE é PASSWORD ?\n  |              ^");
        assert_eq!(
            shown("cret"),
            "\n  |\n2 | ALTER ROLE é PASSWORD ?\n  |                       ^"
        );
        assert_eq!(shown("more"), "\n  |\n3 | ? ? ?; SELECT 1 / 0;\n  | ^");
        assert_eq!(shown("0;"), "\n  |\n3 | ? ? ?; SELECT 1 / 0;\n  |                   ^");
    }
}
