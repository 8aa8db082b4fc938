//! What somebody says of a text: it is SQL, or it is not, and where.

/// Of the grammar alone: whether what it names exists is another question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Fine,
    Refused(Refusal),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// In bytes from the beginning of the text, if it is said.
    pub(crate) at: Option<usize>,
    pub(crate) words: String,
}

impl Verdict {
    pub(crate) fn refused(at: Option<usize>, words: impl Into<String>) -> Self {
        Self::Refused(Refusal { at, words: words.into() })
    }

    pub(crate) fn is_fine(&self) -> bool {
        *self == Self::Fine
    }

    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Fine => None,
            Self::Refused(refusal) => Some(refusal),
        }
    }

    /// Of a part of a text, as one of the whole.
    pub(crate) fn moved(self, by: usize) -> Self {
        match self {
            Self::Fine => Self::Fine,
            Self::Refused(Refusal { at, words }) => Self::refused(at.map(|at| at + by), words),
        }
    }
}

/// The line of a place, from 0.
pub(crate) fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_before_what_follows_its_end() {
        assert_eq!([0, 1, 2, 3].map(|at| line("a\nb", at)), [0, 0, 1, 1]);
    }

    #[test]
    fn what_is_said_of_a_part_is_moved() {
        assert_eq!(Verdict::refused(Some(2), "no").moved(3), Verdict::refused(Some(5), "no"));
        assert_eq!(Verdict::Fine.moved(3), Verdict::Fine);
    }
}
