//! What a rule would write in place of a statement.
//!
//! Says nothing of files: whether a statement may leave its transaction is not the rule's to know.

/// What to write in place of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Other words in it.
    Words(Vec<Patch>),
    /// These statements, none of which may be in a transaction with others.
    Alone(Vec<String>),
    /// Other words in it, and these statements when it has committed.
    Later {
        /// What changes in the statement.
        here: Vec<Patch>,
        /// What comes afterwards and may take long.
        later: Vec<String>,
        /// What follows at once, and closes the table.
        then: Vec<String>,
    },
    /// The line of a comment goes.
    Line,
}

/// Another text for a part of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Where the part begins in the statement, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// What stands there afterwards.
    pub text: String,
}

impl Patch {
    /// Puts something between.
    pub(crate) fn insert(at: usize, text: impl Into<String>) -> Self {
        Self { start: at, end: at, text: text.into() }
    }

    /// Puts something in the place of what is there.
    pub(crate) fn replace(range: std::ops::Range<usize>, text: impl Into<String>) -> Self {
        Self { start: range.start, end: range.end, text: text.into() }
    }

    /// The text with it.
    pub(crate) fn applied(&self, text: &str) -> String {
        let (before, behind) = (text.get(..self.start), text.get(self.end..));
        format!("{}{}{}", before.unwrap_or_default(), self.text, behind.unwrap_or_default())
    }
}

impl Remedy {
    /// Both, where a rule finds something in a statement several times and tells it once.
    pub(crate) fn and(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Words(mut all), Self::Words(more)) => {
                all.extend(more);
                Some(Self::Words(all))
            }
            (
                Self::Later { mut here, mut later, mut then },
                Self::Later { here: more, later: even_later, then: and_then },
            ) => {
                here.extend(more);
                later.extend(even_later);
                then.extend(and_then);
                Some(Self::Later { here, later, then })
            }
            (all, other) if all == other => Some(all),
            _ => None,
        }
    }
}
