//! What keeps a text from being split into statements. Owns the words for it and the remedy. Must
//! not know how a mistake is found, in which file it is, or how a report looks.

use std::fmt;

/// A place in a text that cannot be run as a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong.
    pub kind: MistakeKind,
    /// The byte offset where it begins.
    pub offset: usize,
    /// The line of `offset`, from 1.
    pub line: u32,
    /// The column of `offset` in characters, from 1.
    pub column: u32,
}

/// What is wrong at a [`Mistake`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MistakeKind {
    /// A string without its closing quote.
    UnterminatedString,
    /// A quoted identifier without its closing quote.
    UnterminatedIdentifier,
    /// A dollar quote without its closing tag.
    UnterminatedDollarQuote {
        /// The tag with both dollar signs, such as `$body$`.
        tag: String,
    },
    /// A block comment without its `*/`.
    UnterminatedComment,
    /// A backslash outside of quotes, which only psql understands.
    MetaCommand {
        /// The command without its arguments, such as `\connect`.
        command: String,
    },
    /// `COPY … FROM STDIN`, whose data only psql would send.
    CopyFromStdin,
    /// A NUL character. Only the first one of a text is reported.
    Nul,
    /// A text of more than `u32::MAX` bytes.
    TooLarge,
}

impl Mistake {
    /// A sentence with the remedy.
    #[must_use]
    pub fn help(&self) -> String {
        self.kind.help()
    }
}

impl MistakeKind {
    fn help(&self) -> String {
        let help = match self {
            Self::UnterminatedString => {
                "Add the closing `'`; a quote inside a string is written `''`, and a backslash \
                 escapes it only in E'…'."
            }
            Self::UnterminatedIdentifier => {
                "Add the closing `\"`; a quote inside an identifier is written `\"\"`."
            }
            Self::UnterminatedDollarQuote { tag } => {
                return format!("Close it with `{tag}`, in the same spelling.");
            }
            Self::UnterminatedComment => {
                "Close it with `*/`; comments nest, so each `/*` needs one."
            }
            Self::MetaCommand { command } => meta_command_help(command),
            Self::CopyFromStdin => {
                "Write the rows as INSERT … VALUES, or load them with a migration written in Rust."
            }
            Self::Nul => {
                "Remove it, PostgreSQL has no such character; a file full of them is not UTF-8."
            }
            Self::TooLarge => "Load data of this size with a migration written in Rust.",
        };
        help.to_owned()
    }
}

fn meta_command_help(command: &str) -> &'static str {
    match command {
        r"\i" | r"\include" | r"\ir" | r"\include_relative" => {
            "Only psql reads other files; copy the content of the file to this place."
        }
        r"\c" | r"\connect" => {
            "Only psql can connect elsewhere; a migration runs in the database it is applied to."
        }
        r"\g" | r"\gx" | r"\;" => "Only psql understands it; end the statement with `;`.",
        r"\gexec" => "Only psql understands it; write a DO block that calls EXECUTE.",
        r"\copy" => "Only psql understands it; write the rows as INSERT … VALUES.",
        r"\." => "It ends the rows of a COPY … FROM STDIN; remove it together with the rows.",
        r"\restrict" | r"\unrestrict" => "pg_dump writes it for psql; remove the line.",
        r"\set" | r"\gset" | r"\if" | r"\elif" | r"\else" | r"\endif" => {
            "Only psql has variables and conditions; write a DO block instead."
        }
        _ => "Only psql understands backslash commands; remove it or write SQL instead.",
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl fmt::Display for MistakeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnterminatedString => f.write_str("unterminated string"),
            Self::UnterminatedIdentifier => f.write_str("unterminated quoted identifier"),
            Self::UnterminatedDollarQuote { tag } => write!(f, "unterminated dollar quote `{tag}`"),
            Self::UnterminatedComment => f.write_str("unterminated comment"),
            Self::MetaCommand { command } => write!(f, "psql meta-command `{command}`"),
            Self::CopyFromStdin => f.write_str("`COPY … FROM STDIN` with its data in the text"),
            Self::Nul => f.write_str("a NUL character"),
            Self::TooLarge => f.write_str("more than 4 GiB of text"),
        }
    }
}

impl std::error::Error for Mistake {}

#[cfg(test)]
mod tests {
    use super::{Mistake, MistakeKind as K};

    #[test]
    fn each_has_words_and_a_remedy() {
        let tag = "$body$".to_owned();
        for (kind, words, remedy) in [
            (K::UnterminatedString, "unterminated string", "`''`"),
            (K::UnterminatedIdentifier, "unterminated quoted identifier", "`\"\"`"),
            (K::UnterminatedDollarQuote { tag }, "unterminated dollar quote `$body$`", "`$body$`"),
            (K::UnterminatedComment, "unterminated comment", "`*/`"),
            (
                K::MetaCommand { command: r"\i".into() },
                r"psql meta-command `\i`",
                "copy the content",
            ),
            (K::CopyFromStdin, "`COPY … FROM STDIN` with its data in the text", "INSERT"),
            (K::Nul, "a NUL character", "Remove it"),
            (K::TooLarge, "more than 4 GiB of text", "migration written in Rust"),
        ] {
            let mistake = Mistake { kind, offset: 0, line: 1, column: 1 };
            assert_eq!(mistake.to_string(), words);
            assert!(mistake.help().contains(remedy), "{}", mistake.help());
            assert!(mistake.help().ends_with('.'));
        }
    }

    #[test]
    fn psql_commands_have_their_own_remedies() {
        let help = |command: &str| K::MetaCommand { command: command.to_owned() }.help();
        assert!(help(r"\connect").contains("database"));
        assert!(help(r"\gexec").contains("EXECUTE"));
        assert!(help(r"\restrict").contains("pg_dump"));
        assert!(help(r"\d").contains("backslash commands"));
    }
}
