//! Migrations that land one by one, as a deployment brings them: a new folder, and a link that is turned to it at once.
//!
//! Owns what the migrations are. Each transactional one notes itself in the table `bumped`, which has no key: what runs
//! twice stands there twice. Those that cannot be in a transaction build and drop indexes.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::Result;

/// Rows of the table that every write changes.
pub(crate) const ACCOUNTS: i64 = 200;

/// Entries that are there from the beginning, so that an index takes a moment.
const ENTRIES: i64 = 20_000;

/// Where migrations land.
#[derive(Debug)]
pub(crate) struct Releases {
    home: TempDir,
    landed: i64,
}

impl Releases {
    /// With the first version alone.
    pub(crate) fn new() -> Result<Self> {
        let mut releases = Self { home: TempDir::new()?, landed: 0 };
        releases.land()?;
        Ok(releases)
    }

    /// The folder that the service reads.
    pub(crate) fn current(&self) -> PathBuf {
        self.home.path().join("current")
    }

    /// One version more, with all its phases.
    pub(crate) fn land(&mut self) -> Result<i64> {
        let version = self.landed + 1;
        let folder = self.home.path().join(version.to_string());
        std::fs::create_dir(&folder)?;
        if let Ok(before) = std::fs::read_dir(self.current()) {
            for file in before.flatten() {
                std::fs::copy(file.path(), folder.join(file.file_name()))?;
            }
        }
        for (name, text) in files(version) {
            std::fs::write(folder.join(name), text)?;
        }
        let next = self.home.path().join("next");
        std::os::unix::fs::symlink(&folder, &next)?;
        std::fs::rename(next, self.current())?;
        self.landed = version;
        Ok(version)
    }
}

/// Which release a folder is: what its link names.
pub(crate) fn release(current: &Path) -> Option<PathBuf> {
    std::fs::read_link(current).ok()
}

/// The files of a version.
fn files(v: i64) -> Vec<File> {
    if v == 1 {
        return expand(v, "base", &base());
    }
    match (v - 2) % 10 {
        0 => expand(
            v,
            "column",
            &format!("ALTER TABLE accounts ADD COLUMN c{v} int NOT NULL DEFAULT 7;"),
        ),
        1 => standalone(
            v,
            "index",
            &format!(
                "CREATE INDEX CONCURRENTLY entries_{v} ON entries (amount, account);\n\
             CREATE INDEX CONCURRENTLY accounts_{v} ON accounts (note, balance);"
            ),
        ),
        2 => phases(v, "moved", moved(v)),
        3 => phases(v, "check", checked(v)),
        4 => expand(v, "table", &table(v)),
        5 => expand(
            v,
            "default",
            &format!("ALTER TABLE accounts ALTER COLUMN note SET DEFAULT 'since {v}';"),
        ),
        6 => standalone(
            v,
            "fewer_indexes",
            &format!(
                "DROP INDEX CONCURRENTLY accounts_{0};\nDROP INDEX CONCURRENTLY entries_{0};",
                v - 5
            ),
        ),
        // In another order than the load takes them.
        7 => expand(
            v,
            "both",
            &format!(
                "ALTER TABLE accounts ADD COLUMN b{v} text;\nALTER TABLE entries ADD COLUMN b{v} text;"
            ),
        ),
        8 => expand(
            v,
            "wider",
            &format!("ALTER TABLE accounts ALTER COLUMN note TYPE varchar({});", 100 + v),
        ),
        // Long enough to be killed in the middle.
        _ => expand(
            v,
            "slow",
            &format!(
                "UPDATE slow SET n = n + 1;\nSELECT pg_sleep(0.4);\nCREATE INDEX slow_{v} ON slow (n);"
            ),
        ),
    }
}

/// Its name, and what is in it.
type File = (String, String);

fn expand(v: i64, name: &str, sql: &str) -> Vec<File> {
    vec![(format!("{v}_{name}.sql"), noted(v, "expand", sql))]
}

fn standalone(v: i64, name: &str, sql: &str) -> Vec<File> {
    vec![(format!("{v}_{name}.sql"), format!("-- migrate: no-transaction\n{sql}\n"))]
}

fn phases<const N: usize>(v: i64, name: &str, texts: [(&str, String); N]) -> Vec<File> {
    let file =
        |(phase, sql): (&str, String)| (format!("{v}_{name}.{phase}.sql"), noted(v, phase, &sql));
    texts.into_iter().map(file).collect()
}

fn base() -> String {
    format!(
        "CREATE TABLE accounts (id bigint PRIMARY KEY, balance bigint NOT NULL DEFAULT 0, note varchar(100) NOT NULL DEFAULT 'base');\n\
         CREATE TABLE entries (id bigint PRIMARY KEY, account bigint NOT NULL REFERENCES accounts (id), amount bigint NOT NULL);\n\
         CREATE INDEX entries_by_account ON entries (account, amount);\n\
         CREATE TABLE slow (n bigint NOT NULL);\n\
         INSERT INTO slow VALUES (0);\n\
         INSERT INTO accounts (id) SELECT n FROM generate_series(1, {ACCOUNTS}) AS n;\n\
         INSERT INTO entries SELECT -n, 1 + n % {ACCOUNTS}, 1 FROM generate_series(1, {ENTRIES}) AS n;\n\
         UPDATE accounts SET balance = (SELECT sum(amount) FROM entries WHERE account = accounts.id);"
    )
}

fn table(v: i64) -> String {
    format!(
        "CREATE TABLE t{v} (id bigint PRIMARY KEY, account bigint NOT NULL);\n\
         INSERT INTO t{v} SELECT n, n FROM generate_series(1, 50) AS n;\n\
         ALTER TABLE t{v} ADD CONSTRAINT t{v}_account FOREIGN KEY (account) REFERENCES accounts (id) NOT VALID;"
    )
}

fn checked(v: i64) -> [(&'static str, String); 2] {
    let expand = format!("ALTER TABLE entries ADD CONSTRAINT k{v} CHECK (amount >= 0) NOT VALID;");
    [("expand", expand), ("migrate", format!("ALTER TABLE entries VALIDATE CONSTRAINT k{v};"))]
}

/// A column that is derived from another: filled by a trigger from now on, then for what was there, then dropped where
/// nothing is missing in it. Of the rows that the load is at: each is waited for, and waits.
fn moved(v: i64) -> [(&'static str, String); 3] {
    let expand = format!(
        "ALTER TABLE accounts ADD COLUMN cents{v} bigint;\n\
         CREATE FUNCTION cents{v}() RETURNS trigger LANGUAGE plpgsql AS $$\n\
         BEGIN NEW.cents{v} := NEW.balance * 100; RETURN NEW; END $$;\n\
         CREATE TRIGGER cents{v} BEFORE INSERT OR UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION cents{v}();"
    );
    let migrate = format!(
        "UPDATE accounts SET cents{v} = balance * 100 WHERE cents{v} IS DISTINCT FROM balance * 100;"
    );
    let contract = format!(
        "DO $$ BEGIN\n\
         ASSERT NOT EXISTS (SELECT FROM accounts WHERE cents{v} IS DISTINCT FROM balance * 100), 'not all was moved';\n\
         END $$;\n\
         DROP TRIGGER cents{v} ON accounts;\nDROP FUNCTION cents{v}();\nALTER TABLE accounts DROP COLUMN cents{v};"
    );
    [("expand", expand), ("migrate", migrate), ("contract", contract)]
}

/// The first statement notes that it ran: no lock of the others is held for it.
fn noted(version: i64, phase: &str, sql: &str) -> String {
    let table = if version == 1 { "CREATE TABLE bumped (what text NOT NULL);\n" } else { "" };
    format!("{table}INSERT INTO bumped VALUES ('{version} {phase}');\n{sql}\n")
}
