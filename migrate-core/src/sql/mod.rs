//! PostgreSQL's SQL as text: where tokens and statements begin and end, a few questions about one
//! statement, how to quote, and what a checksum looks at. Owns every fact about the syntax that
//! the library relies on. Knows nothing of migrations, files, connections or plans.
//!
//! | Module | Owns |
//! |---|---|
//! | [`lexer`] | quoting and comments: text to tokens, without loss |
//! | [`mod@split`] | where a statement ends: tokens to statements |
//! | [`mistake`] | what keeps a text from being split, and the remedy |
//! | [`position`] | lines, columns and characters of a byte offset |
//! | [`classify`] | questions about one statement |
//! | [`quote`] | identifiers and literals on their way into a statement |
//! | [`elsewhere`] | a statement that is to be about other relations |
//! | [`mask`] | a statement to be shown, without its values |
//! | [`secret`] | what of a text is not to be shown where logs are read |
//! | [`normal`] | the part of a text that counts: tokens without blanks and comments |

pub mod classify;
pub mod elsewhere;
pub mod lexer;
pub mod mask;
pub mod mistake;
pub mod normal;
pub mod position;
pub mod quote;
pub mod secret;
pub mod split;

pub use mistake::{Mistake, MistakeKind};
pub use split::{Statement, split, statements};
