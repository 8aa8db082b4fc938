//! Any text is a statement, or it is not, and then there is a place in it that says so.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(mistake) = migrate_lint::mistake(text) {
        assert!(text.is_char_boundary(mistake.offset));
        assert!(!mistake.message.is_empty());
    }
});
