//! sqlx's migrator as a database sees it: its table, its rows, and when it would refuse to start.
//!
//! The real one is in `switch`; this one needs no features of sqlx that users of migrate do not have.

use super::Database;

pub struct Sqlx<'d> {
    database: &'d Database,
    table: String,
}

impl<'d> Sqlx<'d> {
    pub async fn on(database: &'d Database) -> Self {
        Self::with_table(database, "_sqlx_migrations").await
    }

    /// The name is SQL, as in `sqlx.toml`.
    pub async fn with_table(database: &'d Database, table: &str) -> Self {
        let make = format!(
            "CREATE TABLE IF NOT EXISTS {table} (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
             installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success BOOLEAN NOT NULL, \
             checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL)"
        );
        database.run(&make).await;
        Self { database, table: table.to_owned() }
    }

    /// Applies files as sqlx does: the text and the row in one transaction.
    pub async fn applies(&self, files: &[(&str, &str)]) {
        for (name, text) in files {
            let (version, rest) = name.split_once('_').expect("a version");
            let description = rest.trim_end_matches(".up.sql").trim_end_matches(".sql");
            let description = description.replace('_', " ");
            let (table, hash) = (&self.table, hash(text));
            let row = format!(
                "INSERT INTO {table} (version, description, success, checksum, execution_time) \
                 VALUES ({version}, '{description}', TRUE, {hash}, 12345)"
            );
            self.database.run(&format!("BEGIN; {text}; {row}; COMMIT")).await;
        }
    }

    /// Everything it knows, in one text.
    pub async fn rows(&self) -> String {
        let rows = format!(
            "SELECT string_agg(to_jsonb(s)::text, ' ' ORDER BY version) FROM {} s",
            self.table
        );
        self.database.value(&rows).await
    }

    pub async fn versions(&self) -> String {
        let versions =
            format!("SELECT string_agg(version::text, ' ' ORDER BY version) FROM {}", self.table);
        self.database.value(&versions).await
    }

    /// What keeps a program with these files from starting; else what it would apply.
    pub async fn start(&self, files: &[(&str, &str)]) -> String {
        let known: Vec<_> = files
            .iter()
            .filter(|(name, _)| !name.ends_with(".down.sql"))
            .map(|(name, text)| {
                format!("({}, {})", name.split_once('_').expect("a version").0, hash(text))
            })
            .collect();
        let (table, known) = (&self.table, known.join(", "));
        let verdict = format!(
            "SELECT coalesce(string_agg(concat(coalesce(s.version, f.version), CASE \
                 WHEN NOT s.success THEN ' is dirty' \
                 WHEN f.version IS NULL THEN ' is missing' \
                 WHEN s.version IS NULL THEN ' is pending' \
                 ELSE ' was modified' END), ', ' ORDER BY coalesce(s.version, f.version)), 'starts') \
             FROM {table} s FULL JOIN (VALUES {known}) f (version, checksum) ON s.version = f.version \
             WHERE s.success IS NOT TRUE OR f.checksum IS DISTINCT FROM s.checksum"
        );
        self.database.value(&verdict).await
    }
}

/// By the server: not by the code that is tested.
fn hash(text: &str) -> String {
    let literal = text.replace('\\', "\\\\").replace('\'', "''");
    format!("sha384(convert_to(E'{literal}', 'UTF8'))")
}
