//! Where a byte offset is for a reader: lines, columns, characters. Owns what counts as a line (up
//! to `\n`) and as a column (a character; a byte order mark is none). Knows nothing of SQL.

/// The line and the column, both from 1, of a byte offset. An offset past the end counts as the
/// end; one inside a character as that character.
#[must_use]
pub fn line_column(text: &str, byte_offset: usize) -> (u32, u32) {
    Locator::new(text).locate(text.floor_char_boundary(byte_offset))
}

/// The byte offset of a character, counted from 0, as PostgreSQL counts in its messages (it counts
/// from 1). The position just after the last character exists as well.
#[must_use]
pub fn char_to_byte(text: &str, char_index: usize) -> Option<usize> {
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    ends.into_iter().nth(char_index)
}

/// Locates ascending offsets in one pass over the text.
#[derive(Debug)]
pub(super) struct Locator<'t> {
    rest: &'t [u8],
    offset: usize,
    line: u32,
    column: u32,
}

impl<'t> Locator<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let rest = text.strip_prefix('\u{feff}').unwrap_or(text).as_bytes();
        Self { rest, offset: text.len() - rest.len(), line: 1, column: 1 }
    }

    /// The line and column of an offset not before the last one.
    pub(super) fn locate(&mut self, offset: usize) -> (u32, u32) {
        let len = offset.saturating_sub(self.offset).min(self.rest.len());
        if let Some((passed, rest)) = self.rest.split_at_checked(len) {
            self.pass(passed);
            self.rest = rest;
            self.offset += len;
        }
        (self.line, self.column)
    }

    fn pass(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let [b, tail @ ..] = rest {
            match b {
                b'\n' => {
                    self.line = self.line.saturating_add(1);
                    self.column = 1;
                }
                0x80..=0xBF => {} // not the first byte of its character
                _ => self.column = self.column.saturating_add(1),
            }
            rest = tail;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{char_to_byte, line_column};
    use proptest::prelude::*;

    #[test]
    fn lines_and_columns() {
        let text = "aé\r\n€b\n";
        let expected =
            [(0, 1, 1), (1, 1, 2), (2, 1, 2), (3, 1, 3), (4, 1, 4), (5, 2, 1), (8, 2, 2)];
        for (offset, line, column) in expected {
            assert_eq!(line_column(text, offset), (line, column), "{offset}");
        }
        assert_eq!(line_column(text, 9), (2, 3));
        assert_eq!(line_column(text, 10), (3, 1));
        assert_eq!(line_column(text, usize::MAX), (3, 1));
        assert_eq!(line_column("", 0), (1, 1));
    }

    #[test]
    fn a_byte_order_mark_is_no_column() {
        assert_eq!(line_column("\u{feff}ab", 0), (1, 1));
        assert_eq!(line_column("\u{feff}ab", 3), (1, 1));
        assert_eq!(line_column("\u{feff}ab", 4), (1, 2));
    }

    #[test]
    fn characters() {
        assert_eq!(char_to_byte("aé€b", 0), Some(0));
        assert_eq!(char_to_byte("aé€b", 2), Some(3));
        assert_eq!(char_to_byte("aé€b", 3), Some(6));
        assert_eq!(char_to_byte("aé€b", 4), Some(7));
        assert_eq!(char_to_byte("aé€b", 5), None);
        assert_eq!(char_to_byte("", 0), Some(0));
    }

    proptest! {
        #[test]
        fn agree_with_the_plain_definition(text in "[ab\u{e9}\u{20ac}\n\r]{0,40}", index in 0_usize..45) {
            let Some(offset) = char_to_byte(&text, index) else {
                prop_assert!(index > text.chars().count());
                return Ok(());
            };
            let before = &text[..offset];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            let (actual_line, actual_column) = line_column(&text, offset);
            prop_assert_eq!((actual_line as usize, actual_column as usize), (line, column));
        }
    }
}
