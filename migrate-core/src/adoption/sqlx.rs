//! How sqlx does it: what stands in its table, what its checksums are over, and which lock it holds.
//!
//! All of it as sqlx 0.9 has it; 0.5 to 0.8 do the same, but for the ignored characters.

use sha2::{Digest, Sha384};

use crate::{Migration, Step, Version};

/// A row of sqlx's table, as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlxRow {
    /// The number in front of the file's name.
    pub version: Version,
    /// The rest of the name, with blanks for its underscores.
    pub description: String,
    /// When, in UTC.
    pub at: String,
    /// Is it complete? sqlx refuses to start otherwise.
    pub success: bool,
    /// SHA-384 over the bytes of the file.
    pub checksum: Vec<u8>,
}

/// What is known of sqlx's table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqlxTable {
    /// Its rows, in the order of their versions.
    pub rows: Vec<SqlxRow>,
    /// Characters that its checksums pass over (`ignored-chars` in `sqlx.toml`).
    pub ignored: String,
    /// Are rows of our history written there, too?
    pub mirrored: bool,
}

impl SqlxRow {
    /// Is it about this migration, whoever's table it is? Small versions are common to many folders.
    pub(super) fn is_of(&self, migration: &dyn Migration) -> bool {
        self.version == migration.version()
            && (self.description == migration.name().replace('_', " ")
                || text_of(migration)
                    .is_some_and(|text| Proof::of(text, "", &self.checksum) != Proof::Changed))
    }
}

/// How well a file is known to be what sqlx ran; the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Proof {
    /// Byte for byte.
    Verified,
    /// But for its line ends, which a checkout may have changed.
    LineEnds,
    /// It is another text.
    Changed,
}

impl Proof {
    pub(super) fn of(text: &str, ignored: &str, checksum: &[u8]) -> Self {
        let is = |text: &str| {
            let hashed: String = text.chars().filter(|c| !ignored.contains(*c)).collect();
            Sha384::digest(hashed).as_slice() == checksum
        };
        let unix = || text.replace("\r\n", "\n");
        if is(text) {
            Proof::Verified
        } else if is(&unix()) || is(&unix().replace('\n', "\r\n")) {
            Proof::LineEnds
        } else {
            Proof::Changed
        }
    }
}

/// The text of the file; migrations in Rust have none.
pub(super) fn text_of(migration: &dyn Migration) -> Option<&str> {
    migration.up().first().and_then(Step::script).map(|script| &*script.text)
}

/// The advisory lock that sqlx's migrator holds in the database of this name.
///
/// ```
/// assert_eq!(migrate_core::adoption::lock_key("app"), 0x3d32_ad9e * 0xc96e_70cf);
/// ```
pub fn lock_key(database: &str) -> i64 {
    0x3d32_ad9e * i64::from(crc32(database.as_bytes()))
}

/// The one of Ethernet and zip (CRC-32/ISO-HDLC), bit by bit: a name is short.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_its_catalogue() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
        assert_eq!(lock_key("\u{e9}"), 0x3d32_ad9e * i64::from(crc32(&[0xc3, 0xa9])));
    }

    #[test]
    fn line_ends_are_told_from_other_changes() {
        let of = |ran: &str, file: &str, ignored| {
            let ran: String = ran.chars().filter(|c| !str::contains(ignored, *c)).collect();
            Proof::of(file, ignored, &Sha384::digest(ran))
        };
        assert_eq!(of("a\nb\n", "a\nb\n", ""), Proof::Verified);
        assert_eq!(of("a\r\nb", "a\nb", ""), Proof::LineEnds);
        assert_eq!(of("a\nb", "a\r\nb", ""), Proof::LineEnds);
        assert_eq!(of("a\r\nb", "a\nb", "\r"), Proof::Verified);
        assert_eq!(of("a b", "ab", " "), Proof::Verified);
        assert_eq!(of("\u{feff}a", "a", ""), Proof::Changed, "a mark of the byte order counts");
        assert_eq!(of("a", "a\n", ""), Proof::Changed);
    }
}
