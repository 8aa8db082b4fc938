//! Splitting a text loses nothing of it, and says where each statement is.

#![no_main]

use libfuzzer_sys::fuzz_target;
use migrate_core::sql::{lexer::Lexer, split, statements};

fuzz_target!(|text: &str| {
    let tokens: String = Lexer::new(text).map(|token| token.text(text)).collect();
    assert_eq!(tokens, text);
    assert_eq!(split(text).concat(), text);
    match statements(text) {
        Ok(statements) => {
            assert!(statements.iter().all(|statement| !statement.text(text).is_empty()));
            assert!(statements.is_sorted_by_key(|statement| statement.start));
        }
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            assert!(mistakes.iter().all(|mistake| text.is_char_boundary(mistake.offset)));
        }
    }
});
