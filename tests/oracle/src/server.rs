//! What a server says of a text, without executing anything.
//!
//! In a transaction that has failed, a server that is sent `Parse` looks at the grammar first and at nothing else:
//! what is SQL is refused because of the transaction (25P02), what is not for what it is. Only what ends a
//! transaction is parsed without complaint, and never executed.

use migrate_core::sql;
use migrate_testing::{PrivateServer, Server};
use sqlx::postgres::{PgConnection, PgDatabaseError, PgErrorPosition};
use sqlx::{AssertSqlSafe, Connection, Executor, SqlSafeStr};
use tokio::runtime::{Builder, Runtime};

use crate::Result;
use crate::verdict::Verdict;

const IN_FAILED_TRANSACTION: &str = "25P02";
/// Two statements in one message: each of them may be fine.
const SEVERAL: &str = "cannot insert multiple commands into a prepared statement";

pub(crate) struct Judge {
    pub(crate) major: u32,
    /// Such as 15.18.
    pub(crate) version: String,
    connection: PgConnection,
    runtime: Runtime,
    /// Dropped last: it ends the server.
    _server: PrivateServer,
}

impl Judge {
    /// Starts a server of a major version, and a transaction on it that fails.
    pub(crate) fn start(major: u32) -> Result<Self> {
        let bin = migrate_testing::fetch(major)?;
        let server = Server::builder().bin(bin).private()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let connection = runtime.block_on(failed(&server))?;
        let number = server.version();
        let version = format!("{}.{}", number / 10_000, number % 10_000);
        Ok(Self { major: number / 10_000, version, connection, runtime, _server: server })
    }

    pub(crate) fn verdict(&mut self, text: &str) -> Result<Verdict> {
        match self.parse(text)? {
            Verdict::Refused(refusal) if refusal.words.ends_with(SEVERAL) => self.each(text),
            verdict => Ok(verdict),
        }
    }

    /// The first refusal of several statements.
    fn each(&mut self, text: &str) -> Result<Verdict> {
        let mut start = 0;
        for piece in sql::split(text) {
            let verdict = self.parse(piece)?;
            if !verdict.is_fine() {
                return Ok(verdict.moved(start));
            }
            start += piece.len();
        }
        Ok(Verdict::Fine)
    }

    fn parse(&mut self, text: &str) -> Result<Verdict> {
        let sql = AssertSqlSafe(text.to_owned()).into_sql_str();
        let error = match self.runtime.block_on(self.connection.prepare(sql)) {
            Ok(_) => return Ok(Verdict::Fine),
            Err(error) => error,
        };
        let Some(said) = error.as_database_error() else { return Err(error.into()) };
        let said = said.downcast_ref::<PgDatabaseError>();
        if said.code() == IN_FAILED_TRANSACTION {
            return Ok(Verdict::Fine);
        }
        let at = match said.position() {
            Some(PgErrorPosition::Original(character)) => Some(offset(text, character)),
            _ => None,
        };
        Ok(Verdict::refused(at, format!("{} {}", said.code(), said.message())))
    }
}

async fn failed(server: &Server) -> Result<PgConnection> {
    let mut connection = PgConnection::connect_with(&server.options("postgres")).await?;
    // Some ten thousand refusals are to come.
    sqlx::raw_sql("SET log_min_messages = 'panic'").execute(&mut connection).await?;
    match sqlx::raw_sql("BEGIN; SELECT 1 / 0").execute(&mut connection).await {
        Ok(_) => Err("failed to make a transaction fail".into()),
        Err(sqlx::Error::Database(_)) => Ok(connection),
        Err(error) => Err(error.into()),
    }
}

/// From a character, counted from 1, to a byte.
fn offset(text: &str, character: usize) -> usize {
    let mut characters = text.char_indices();
    characters.nth(character.saturating_sub(1)).map_or(text.len(), |(offset, _)| offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_characters() {
        assert_eq!([1, 2, 3, 9].map(|character| offset("äb", character)), [0, 2, 3, 3]);
    }

    #[test]
    fn a_server_looks_at_the_grammar_and_at_nothing_else() {
        let mut judge = Judge::start(18).unwrap();
        for text in [
            "DROP TABLE nowhere",
            "COMMIT",
            "ROLLBACK",
            "COPY nowhere FROM STDIN",
            "SELECT 1; SELECT 2",
            "",
        ] {
            assert_eq!(judge.verdict(text).unwrap(), Verdict::Fine, "{text}");
        }
        for (text, at) in [("DROP TABEL nowhere", 5), ("SELECT 'ä'; COMMITT", 13)] {
            let verdict = judge.verdict(text).unwrap();
            let refusal = verdict.refusal().unwrap();
            assert_eq!(refusal.at, Some(at));
            assert!(refusal.words.starts_with("42601 syntax error"), "{}", refusal.words);
        }
    }
}
