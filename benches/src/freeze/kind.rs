//! The kinds of ALTER, each a file in `freeze`.
//!
//! Owns which hold on the table each of them waits for, and how to see that it was done.

/// A kind of ALTER.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// What it is called in the figures.
    pub name: &'static str,
    /// Of its file.
    pub version: i64,
    /// Its file.
    pub file: &'static str,
    /// What whoever holds the table did there.
    pub(super) holds: Holds,
    /// True where it was done.
    pub(super) proof: &'static str,
}

/// What a transaction that goes on for long has done to the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// Read it: in the way of ACCESS EXCLUSIVE.
    Read,
    /// Read it and written a row that nobody else wants: in the way of SHARE ROW EXCLUSIVE too, which a mere
    /// reader is not.
    Written,
}

macro_rules! column {
    ($name:literal) => {
        concat!(
            "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'accounts'::regclass AND NOT attisdropped ",
            "AND attname = '",
            $name,
            "')"
        )
    };
}

macro_rules! constraint {
    ($name:literal) => {
        concat!("SELECT EXISTS (SELECT FROM pg_constraint WHERE conname = '", $name, "')")
    };
}

const fn kind(
    version: i64,
    name: &'static str,
    file: &'static str,
    holds: Holds,
    proof: &'static str,
) -> Kind {
    Kind { name, version, file, holds, proof }
}

/// All of them, in the order of their versions.
pub const KINDS: [Kind; 7] = [
    kind(2, "ADD COLUMN", "2_add_column.sql", Holds::Read, column!("nickname")),
    kind(
        3,
        "ADD CHECK NOT VALID",
        "3_add_check.sql",
        Holds::Read,
        constraint!("accounts_have_owners"),
    ),
    kind(
        4,
        "DROP COLUMN",
        "4_drop_column.sql",
        Holds::Read,
        "SELECT NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'accounts'::regclass AND attname = 'fax')",
    ),
    kind(
        5,
        "SET DEFAULT",
        "5_set_default.sql",
        Holds::Read,
        "SELECT EXISTS (SELECT FROM pg_attrdef WHERE adrelid = 'accounts'::regclass)",
    ),
    kind(
        6,
        "ADD FOREIGN KEY NOT VALID",
        "6_add_foreign_key.sql",
        Holds::Written,
        constraint!("accounts_in_branches"),
    ),
    kind(
        7,
        "CREATE TRIGGER",
        "7_create_trigger.sql",
        Holds::Written,
        "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'accounts_touched')",
    ),
    kind(8, "RENAME COLUMN", "8_rename_column.sql", Holds::Read, column!("holder")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_but_the_first_is_a_kind() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("freeze");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the folder")
            .map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned())
            .filter(|name| name.ends_with(".sql") && name != "1_tables.sql")
            .collect();
        files.sort();
        assert_eq!(files, KINDS.map(|kind| kind.file));
    }
}
