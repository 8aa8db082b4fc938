//! sqlx's table: finding it, reading it, and writing our rows there too.
//!
//! The mirror is a trigger on our history, so that it holds for every build and is one transaction with the row
//! that it mirrors. Decides nothing.

use migrate_core::adoption::{SqlxRow, SqlxTable, lock_key};
use migrate_core::{MigrationId, Version};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use super::FromSqlx;
use crate::error::{Error, sqlstate};
use crate::sql::{Names, literal};
use crate::wire::{number, rows, send, text, truth};

/// What sqlx calls it.
const USUAL: &str = "_sqlx_migrations";

/// sqlx's table, as it was found.
pub(crate) struct Found {
    /// Quoted, with its schema.
    pub(crate) name: String,
    /// The advisory lock of sqlx's migrator in this database.
    pub(crate) key: i64,
    /// The time, for people.
    pub(crate) now: String,
    pub(crate) mirrored: bool,
    /// As whom it was found.
    identity: String,
    readable: bool,
    writable: bool,
    who: String,
}

/// Looks for the table; one that was named has to be there.
pub(crate) async fn find(
    connection: &mut PgConnection,
    names: &Names,
    from: &FromSqlx,
) -> Result<Option<Found>, Error> {
    let found = find_as(String::new(), connection, names, from).await;
    let found = found.map_err(|error| Error::driver("look for sqlx's table", error))?;
    if names.role.is_some() && found.as_ref().is_some_and(|found| !found.readable) {
        // Whoever may not take the role has been told so by the history, if it matters there.
        if let Ok(found) = find_as(names.as_role(), connection, names, from).await {
            return Ok(found);
        }
    }
    match (found, &from.table) {
        (None, Some(name)) => {
            let message = format!("failed to find sqlx's table: there is no {name}");
            Err(Error::declaration(message).now("nothing was changed").next(
                "Give its name as sqlx.toml has it, with the schema, and with quotes where it needs them.",
            ))
        }
        (found, _) => Ok(found),
    }
}

async fn find_as(
    identity: String,
    connection: &mut PgConnection,
    names: &Names,
    from: &FromSqlx,
) -> Result<Option<Found>, sqlx::Error> {
    let table = match &from.table {
        Some(name) => format!("pg_catalog.to_regclass({})", literal(name)),
        None => names.sqlx_usual(USUAL),
    };
    let row = send(connection, format!("{identity}{}", names.sqlx_table(&table))).await?;
    Ok(row.as_ref().and_then(|row| found(row, identity)))
}

fn found(row: &PgRow, identity: String) -> Option<Found> {
    Some(Found {
        identity,
        name: text(row, "name")?.to_owned(),
        key: lock_key(text(row, "database")?),
        now: text(row, "now")?.to_owned(),
        mirrored: truth(row, "mirrored"),
        readable: truth(row, "readable"),
        writable: truth(row, "writable"),
        who: text(row, "who")?.to_owned(),
    })
}

impl Found {
    /// Reads it; `None` where we have no right to.
    pub(crate) async fn rows(
        &self,
        connection: &mut PgConnection,
        names: &Names,
    ) -> Result<Option<Vec<SqlxRow>>, Error> {
        if !self.readable {
            return Ok(None);
        }
        let message = format!("{}{}", self.identity, names.sqlx_rows(&self.name));
        match rows(connection, message).await {
            Ok(rows) => {
                let read: Option<Vec<_>> = rows.iter().map(sqlx_row).collect();
                read.map(Some).ok_or_else(|| self.not_sqlx())
            }
            Err(error) => match sqlstate(&error).as_deref() {
                Some("42703" | "42883") => Err(self.not_sqlx()),
                _ => Err(Error::driver("read sqlx's table", error)),
            },
        }
    }

    /// The same for whoever has to know what is in it.
    pub(crate) async fn table(
        &self,
        connection: &mut PgConnection,
        names: &Names,
        from: &FromSqlx,
    ) -> Result<SqlxTable, Error> {
        let rows =
            self.rows(connection, names).await?.ok_or_else(|| self.may_not(names, "SELECT"))?;
        Ok(SqlxTable { rows, ignored: from.ignored.clone(), mirrored: self.mirrored })
    }

    pub(crate) fn refuse_unwritable(&self, names: &Names) -> Result<(), Error> {
        if self.writable { Ok(()) } else { Err(self.may_not(names, "INSERT, UPDATE, DELETE")) }
    }

    fn may_not(&self, names: &Names, rights: &str) -> Error {
        let Found { name, who, .. } = self;
        let error = Error::declaration(format!("failed to adopt {name}: {who} may not {rights}"));
        error.now("nothing was changed").next(names.grant_sqlx(name, rights, who).trim_end())
    }

    fn not_sqlx(&self) -> Error {
        let message =
            format!("failed to adopt {}: it has not the columns of sqlx's table", self.name);
        Error::declaration(message).now("nothing was changed").next("Name the right one.")
    }

    /// Makes the mirror, and writes there what only we have.
    pub(crate) fn mirror(&self, names: &Names, from: &FromSqlx, ours: &[MigrationId]) -> String {
        let mut message = names.mirror(&self.name, &hash("NEW.up_sql", &from.ignored));
        if !ours.is_empty() {
            let versions: Vec<Version> = ours.iter().map(|id| id.version).collect();
            message += &names.mirror_rows(&self.name, &hash("h.up_sql", &from.ignored), &versions);
        }
        message
    }
}

fn sqlx_row(row: &PgRow) -> Option<SqlxRow> {
    Some(SqlxRow {
        version: Version::new(number(row, "version")?),
        description: text(row, "description")?.to_owned(),
        at: text(row, "at")?.to_owned(),
        success: truth(row, "success"),
        checksum: unhex(text(row, "checksum")?)?,
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(pair).collect()
}

/// sqlx's checksum of a column, which holds the file byte for byte.
fn hash(column: &str, ignored: &str) -> String {
    let text = match ignored {
        "" => column.to_owned(),
        ignored => format!("pg_catalog.translate({column}, {}, '')", literal(ignored)),
    };
    format!("pg_catalog.sha384(pg_catalog.convert_to({text}, 'UTF8'))")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_back() {
        assert_eq!(unhex("00ff7a"), Some(vec![0, 255, 122]));
        assert_eq!(unhex(""), Some(vec![]));
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("zz"), None);
    }

    #[test]
    fn ignored_characters_are_no_sql() {
        let hashed = hash("h.up_sql", "'\\\r");
        assert!(hashed.contains("translate(h.up_sql, E'''\\\\\r', '')"), "{hashed}");
    }
}
