//! What makes two migrations the same one.
//!
//! A checksum is taken over the statements and the directives that change how they run, never over the
//! bytes: line ends, blanks and comments do not change what a database did. Knows nothing of files.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::{Header, MigrationId, sql};

/// A SHA-256 over what a migration does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Checksum([u8; 32]);

/// How a declared migration compares with the text that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Comparison {
    /// Byte for byte.
    Same,
    /// Line ends, blanks or comments differ; what runs does not.
    Cosmetic,
    /// It would do something else.
    Changed,
}

impl Checksum {
    /// Takes the bytes as they are; the macros write them at compile time.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Of statements alone.
    pub fn of_sql(text: &str) -> Self {
        let mut hash = Sha256::new();
        feed_tokens(&mut hash, text);
        Self(hash.finalize().into())
    }

    /// Of a migration's text and the directives at its head.
    pub fn of_migration(header: &Header, text: &str) -> Self {
        let mut hash = Sha256::new();
        for line in header.execution_lines() {
            feed(&mut hash, line.as_bytes());
        }
        feed(&mut hash, b"");
        feed_tokens(&mut hash, text);
        Self(hash.finalize().into())
    }

    /// Of a migration written in Rust: what its author declared.
    pub fn of_code(revision: u32) -> Self {
        let mut hash = Sha256::new();
        feed(&mut hash, b"code");
        feed(&mut hash, &revision.to_be_bytes());
        Self(hash.finalize().into())
    }

    /// Of many migrations in their order.
    pub fn of_set<'a>(migrations: impl IntoIterator<Item = (MigrationId, &'a Checksum)>) -> Self {
        let mut hash = Sha256::new();
        for (id, checksum) in migrations {
            hash.update(id.version.get().to_be_bytes());
            feed(&mut hash, id.phase.as_str().as_bytes());
            hash.update(checksum.0);
        }
        Self(hash.finalize().into())
    }

    /// This checksum and something more that belongs to it.
    #[must_use]
    pub fn and(&self, more: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.0);
        feed(&mut hash, more.as_bytes());
        Self(hash.finalize().into())
    }
}

/// Compares the text that ran with the declared one.
pub fn compare(applied: &str, declared: &str) -> Comparison {
    let of = |text| Checksum::of_migration(&Header::parse(text).0, text);
    if applied == declared {
        Comparison::Same
    } else if of(applied) == of(declared) {
        Comparison::Cosmetic
    } else {
        Comparison::Changed
    }
}

/// Length first, so that no two sequences of pieces feed the same bytes.
fn feed(hash: &mut Sha256, piece: &[u8]) {
    hash.update((piece.len() as u64).to_be_bytes());
    hash.update(piece);
}

/// A semicolon counts only between two statements: one more or less at the end runs nothing.
fn feed_tokens(hash: &mut Sha256, text: &str) {
    let (mut began, mut ended) = (false, false);
    sql::normal::for_each_token(text, |token| {
        if token == b";" {
            ended = began;
            return;
        }
        if std::mem::take(&mut ended) {
            feed(hash, b";");
        }
        began = true;
        feed(hash, token);
    });
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({self})")
    }
}

/// A text is not 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAChecksum;

impl fmt::Display for NotAChecksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a checksum is 64 hexadecimal digits")
    }
}

impl std::error::Error for NotAChecksum {}

impl FromStr for Checksum {
    type Err = NotAChecksum;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(NotAChecksum);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(pair).map_err(|_| NotAChecksum)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| NotAChecksum)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Checksum {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Checksum {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_blanks_and_line_ends_are_cosmetic() {
        let text = "create table a (b text default 'x\ny'); -- why\n";
        for other in [
            "create  table a(b text default 'x\ny');",
            "create table a (b text default 'x\r\ny');\r\n",
            "/* new */ create table a (b text -- c\n default 'x\ny')",
            "\u{feff}create table a (b text default 'x\ny');",
        ] {
            assert_eq!(compare(text, other), Comparison::Cosmetic, "{other:?}");
        }
        assert_eq!(compare(text, text), Comparison::Same);
    }

    #[test]
    fn statements_and_execution_directives_are_not() {
        let text = "create table a (b text default 'x y');";
        for other in [
            "create table a (b text default 'x  y');",
            "create table ab (text default 'x y');",
            "-- migrate: no-transaction\ncreate table a (b text default 'x y');",
            "create table a (b text default 'x y'); select 1;",
        ] {
            assert_eq!(compare(text, other), Comparison::Changed, "{other:?}");
        }
        let allowed = format!("-- migrate: allow(drop_column) because gone\n{text}");
        assert_eq!(compare(text, &allowed), Comparison::Cosmetic);
    }

    #[test]
    fn it_is_written_and_read_as_hexadecimal() {
        let checksum = Checksum::of_sql("select 1");
        assert_eq!(checksum.to_string().parse(), Ok(checksum));
        assert_eq!("é".repeat(32).parse::<Checksum>(), Err(NotAChecksum));
    }
}
