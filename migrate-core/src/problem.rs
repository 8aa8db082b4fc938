//! What is wrong with a file, said so that the reader can mend it.
//!
//! Owns the shape of such a message: file, line, column, the line with a caret, and the remedy. The compiler
//! (through the macros) and the command line print the same text. Knows nothing of what can be wrong.

use std::fmt;

use crate::sql;

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
    /// The spot at a byte offset of `text`.
    pub fn at(text: &str, offset: usize) -> Self {
        let (line, column) = sql::position::line_column(text, offset);
        let content = text.lines().nth(line as usize - 1).unwrap_or_default();
        let (snippet, caret) = cut(content.trim_start_matches('\u{feff}'), column);
        Self { line, column, snippet, caret }
    }
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
}
