//! What has to be in the end, and what is otherwise.
//!
//! Owns the comparisons. Each difference is a line for people; none means that nothing was lost, nothing was done
//! twice, and nobody noticed.

use std::collections::{BTreeMap, BTreeSet};

use migrate_postgres::Set;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

use crate::ledger::Ledger;
use crate::load::AMOUNT;
use crate::{Result, say};

/// What is compared.
pub(crate) struct Check<'c> {
    pub(crate) declared: &'c Set,
    pub(crate) ledger: &'c Ledger,
    pub(crate) disturbed: &'c PgConnectOptions,
    /// The same migrations, in one run that nobody disturbed.
    pub(crate) fresh: &'c PgConnectOptions,
}

const DONE: &str = include_str!("sql/done.sql");
const STATEMENTS: &str = include_str!("sql/statements.sql");
const OTHERWISE: &str = include_str!("sql/otherwise.sql");
const BUMPED: &str = include_str!("sql/bumped.sql");
const UNBALANCED: &str = include_str!("sql/unbalanced.sql");
const CATALOG: &str = include_str!("sql/catalog.sql");

/// How many migrations are done.
pub(crate) async fn done(database: &PgConnectOptions) -> Result<usize> {
    let mut connection = database.connect().await?;
    let done = lines(&mut connection, DONE).await?.len();
    connection.close().await?;
    Ok(done)
}

impl Check<'_> {
    /// Everything that is not as it has to be.
    pub(crate) async fn differences(&self) -> Result<Vec<String>> {
        let mut database = self.disturbed.connect().await?;
        let mut fresh = self.fresh.connect().await?;
        let mut differences = self.ledger.open().errors.clone();
        let declared: Vec<String> = self.declared.iter().map(|m| m.id().to_string()).collect();
        let done = lines(&mut database, DONE).await?;
        differences.extend(unlike("the history", &declared, &done));
        for (what, query) in [
            ("the history, statement by statement", STATEMENTS),
            ("what migrations noted", BUMPED),
            ("the catalog", CATALOG),
        ] {
            let expected = lines(&mut fresh, query).await?;
            differences.extend(unlike(what, &expected, &lines(&mut database, query).await?));
        }
        for (what, query) in
            [("the history has", OTHERWISE), ("not the sum of its entries:", UNBALANCED)]
        {
            let found = lines(&mut database, query).await?;
            differences.extend(found.into_iter().map(|line| format!("{what} {line}")));
        }
        differences.extend(self.lost(&mut database).await?);
        database.close().await?;
        fresh.close().await?;
        Ok(differences)
    }

    /// Acknowledged writes that are not there, or not as they were.
    async fn lost(&self, database: &mut PgConnection) -> Result<Vec<String>> {
        let there: Vec<(i64, i64)> = sqlx::query_as("SELECT id, amount FROM entries WHERE id > 0")
            .fetch_all(database)
            .await?;
        let there: BTreeMap<i64, i64> = there.into_iter().collect();
        let ledger = self.ledger.open();
        let lost = ledger.written.iter().filter(|id| there.get(*id) != Some(&(*id % AMOUNT)));
        let lost = lost.map(|id| format!("write {id} was acknowledged and is {:?}", there.get(id)));
        let once: BTreeSet<i64> = ledger.written.iter().copied().collect();
        let twice = (once.len() != ledger.written.len())
            .then(|| "a write was acknowledged twice".to_owned());
        Ok(lost.chain(twice).collect())
    }

    /// Damages the database in every way that is looked for; does each make another difference?
    pub(crate) async fn finds_every_damage(&self) -> Result<bool> {
        let write = self.ledger.open().written.first().copied().unwrap_or_default();
        let damages = [
            ("a write is lost", format!("DELETE FROM entries WHERE id = {write}")),
            ("a migration ran twice", "INSERT INTO bumped SELECT what FROM bumped LIMIT 1".to_owned()),
            ("a migration never ran", "DELETE FROM bumped WHERE what = '4 migrate'".to_owned()),
            ("a column too many", "ALTER TABLE accounts ADD COLUMN stray int".to_owned()),
            (
                "an index is broken",
                "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'entries_by_account'::regclass"
                    .to_owned(),
            ),
            (
                "a migration is not recorded",
                "DELETE FROM schema_migrations WHERE version = 2".to_owned(),
            ),
        ];
        let mut connection = self.disturbed.connect().await?;
        let (mut known, mut all) = (self.differences().await?.len(), true);
        for (what, sql) in damages {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
            let now = self.differences().await?.len();
            let found = now > known;
            say(&format!("planted: {what}: {}", if found { "found" } else { "NOT FOUND" }))?;
            (known, all) = (now, all && found);
        }
        connection.close().await?;
        Ok(all)
    }
}

async fn lines(database: &mut PgConnection, query: &'static str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(query).fetch_all(database).await?)
}

/// Lines that one has more often than the other.
fn unlike(what: &str, expected: &[String], found: &[String]) -> Vec<String> {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    expected.iter().for_each(|line| counts.entry(line).or_default().0 += 1);
    found.iter().for_each(|line| counts.entry(line).or_default().1 += 1);
    let unlike = counts.into_iter().filter(|(_, (expected, found))| expected != found);
    unlike
        .map(|(line, (expected, found))| format!("{what}: {found} times, not {expected}: {line}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_too_few_or_too_many_is_a_difference() {
        let lines =
            |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let (expected, found) = (lines(&["a", "b", "c"]), lines(&["c", "b", "b"]));
        let told = ["x: 0 times, not 1: a", "x: 2 times, not 1: b"];
        assert_eq!(unlike("x", &expected, &found), told);
        assert!(unlike("x", &expected, &expected).is_empty());
    }
}
