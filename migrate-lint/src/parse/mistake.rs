//! What is no SQL, in our own words.

/// The first thing in a statement that is no SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where it is, in bytes from the beginning of the statement.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}
impl Mistake {
    pub(super) fn new(text: &str, offset: usize, parser: &str) -> Self {
        let _ = text;
        Self { offset, message: parser.to_owned(), help: String::new() }
    }
}
