//! Where a rehearsal takes place: one transaction, and in it the tables that migrations are about.
//!
//! Owns how the stage is set and struck. On a database in use the tables on it are samples, with their keys, indexes,
//! checks and triggers, in a schema that is never committed; on a copy they are the tables themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sqlx::postgres::PgRow;

use super::Rehearse;
use super::estimate::{self, Help, Size};
use super::names::{
    ANALYZE, AROUND, COPY_IN, Cast, FILES, MAKE, NAMED, ON_STAGE, OPEN_NOT_NULL, STAGE, TABLE,
};
use super::sample::{Reader, Source, failed};
use crate::error::Error;
use crate::options::Options;
use crate::session::Session;
use crate::sql::{self, AS_WE_WRITE_HERE, Names, ident, literal};
use crate::wire::{number, rows, text, truth};

/// A table that migrations are about.
#[derive(Clone, Debug)]
pub(super) struct Table {
    oid: i64,
    /// With its schema, quoted.
    pub(super) relation: String,
    pub(super) name: String,
    schema: String,
    /// The columns that have values of their own.
    pub(super) columns: String,
    pub(super) size: Size,
    /// Why it is not on the stage.
    pub(super) unfit: Option<String>,
    pages: u64,
    rows_a_page: f64,
    workers: u32,
}

/// The transaction, and who reads for it.
pub(super) struct Stage<'s> {
    pub(super) session: &'s mut Session,
    pub(super) names: &'s Names,
    pub(super) how: &'s Rehearse,
    /// `None` on a copy.
    pub(super) reader: Option<Reader>,
    pub(super) tables: Vec<Table>,
    /// What each name of a migration means.
    meant: BTreeMap<String, usize>,
    pub(super) cast: Cast,
    /// Relations that were there before.
    pub(super) before: BTreeSet<i64>,
    /// Is what happens on it written to the server's log? With `wal_level = minimal`, what is new is not.
    pub(super) is_logged: bool,
    /// The words of what is rehearsed.
    words: Vec<String>,
}

/// A relation and the file that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InFile {
    pub(super) name: String,
    pub(super) bare: String,
    pub(super) is_index: bool,
    pub(super) of_table: i64,
    pub(super) file: Option<i64>,
}

/// For a lock: on a database in use as long as one attempt.
const ATTEMPT: Duration = Duration::from_millis(50);
/// For one statement on samples.
const ON_SAMPLES: Duration = Duration::from_secs(60);

impl<'s> Stage<'s> {
    /// Sets it, with everything that the migrations name.
    pub(super) async fn set(
        session: &'s mut Session,
        (names, ours): (&'s Names, &'s Options),
        how: &'s Rehearse,
        relations: &BTreeSet<String>,
        words: Vec<String>,
    ) -> Result<Self, Error> {
        let reader = match how.on_copy {
            true => None,
            false => Some(Reader::open(session, ours, names).await?),
        };
        let (tables, meant) = (Vec::new(), BTreeMap::new());
        let (cast, before) = (Cast::default(), BTreeSet::new());
        let mut stage = Self {
            session,
            names,
            how,
            reader,
            tables,
            meant,
            cast,
            before,
            is_logged: true,
            words,
        };
        stage.begin().await?;
        stage.find(relations).await?;
        stage.before = stage.files().await.map_err(failed)?.into_keys().collect();
        if !how.on_copy {
            for index in 0..stage.tables.len() {
                stage.bring(index).await?;
            }
        }
        Ok(stage)
    }

    async fn begin(&mut self) -> Result<(), Error> {
        let (lock, statement) = match self.how.on_copy {
            true => (Duration::from_secs(1), Duration::ZERO),
            false => (ATTEMPT, ON_SAMPLES),
        };
        let message = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {AS_WE_WRITE_HERE}{}{}SET LOCAL statement_timeout = {}; \
             SET LOCAL idle_in_transaction_session_timeout = 0; {}",
            self.names.as_role(),
            sql::lock_timeout(lock),
            statement.as_millis(),
            if self.how.on_copy { "" } else { STAGE },
        );
        let begun = self.session.send(message).await;
        let row = begun.map_err(|error| {
            let error = failed(error);
            match error.sqlstate() {
                Some("42501") => error.next(
                    "A rehearsal makes samples in a schema that it rolls back: let the role make schemas (GRANT CREATE ON \
                     DATABASE), or rehearse on a copy.",
                ),
                _ => error,
            }
        })?;
        self.is_logged = row
            .and_then(|row| text(&row, "wal_level").map(|level| level != "minimal"))
            .unwrap_or(true);
        Ok(())
    }

    /// Looks which tables the names mean.
    async fn find(&mut self, relations: &BTreeSet<String>) -> Result<(), Error> {
        if relations.is_empty() {
            return Ok(());
        }
        let wanted: Vec<_> = relations.iter().map(|name| format!("({})", literal(name))).collect();
        let query = sql::fill(NAMED, &[("wanted", &wanted.join(", "))]);
        let found = match &mut self.reader {
            Some(reader) => reader.ask(&query).await,
            None => rows(&mut self.session.connection, query).await,
        };
        for row in found.map_err(failed)? {
            let Some(table) = table(&row) else { continue };
            let at = self.tables.iter().position(|other| other.oid == table.oid);
            let at = at.unwrap_or(self.tables.len());
            self.meant.insert(text(&row, "asked").unwrap_or_default().to_owned(), at);
            if at == self.tables.len() {
                self.tables.push(table);
            }
        }
        Ok(())
    }

    /// Brings a sample of a table onto the stage.
    async fn bring(&mut self, index: usize) -> Result<(), Error> {
        let (before, behind) = self.tables.split_at_mut_checked(index).unwrap_or_default();
        let (Some(table), Some(reader)) = (behind.first_mut(), &mut self.reader) else {
            return Ok(());
        };
        if table.unfit.is_some() {
            return Ok(());
        }
        if before.iter().any(|other| other.name == table.name && other.unfit.is_none()) {
            table.unfit = Some("another schema has a table of that name".to_owned());
            return Ok(());
        }
        let oid = table.oid.to_string();
        let open = if reader.has_named_not_null() { OPEN_NOT_NULL } else { "false" };
        let words: Vec<_> = self.words.iter().map(|word| literal(word)).collect();
        let words = format!("ARRAY[{}]", words.join(", "));
        let look = sql::fill(TABLE, &[("oid", &oid), ("open_not_null", open)]);
        let shape = reader.ask(&look).await.map_err(failed)?;
        let around = sql::fill(AROUND, &[("oid", &oid), ("words", &words)]);
        let around = reader.ask(&around).await.map_err(failed)?;
        let made = shape.last().and_then(|row| text(row, "made")).unwrap_or_default().to_owned();
        table.columns =
            shape.last().and_then(|row| text(row, "columns")).unwrap_or_default().to_owned();
        let source = Source {
            relation: &table.relation,
            columns: &table.columns,
            pages: table.pages,
            rows_a_page: table.rows_a_page,
            workers: table.workers,
        };
        let sample = reader.sample(&source, self.how.sample).await.map_err(failed)?;
        table.size = sample.size;
        let (name, columns) = (table.name.clone(), table.columns.clone());
        self.cast.schemas.insert(table.schema.clone());
        self.send(sql::fill(MAKE, &[("made", &made)])).await?;
        self.cast.names.insert(name.clone());
        self.copy_in(&name, &columns, &sample.data).await.map_err(failed)?;
        for row in &around {
            self.furnish(text(row, "statement").unwrap_or_default()).await?;
        }
        self.analyze(&name).await
    }

    pub(super) async fn analyze(&mut self, table: &str) -> Result<(), Error> {
        self.send(sql::fill(ANALYZE, &[("table", &ident(table))])).await
    }

    /// So many rows have come to a sample.
    pub(super) fn grew(&mut self, table: &str, rows: usize) {
        let rows = u64::try_from(rows).unwrap_or_default();
        for one in self.tables.iter_mut().filter(|one| one.name == table && one.unfit.is_none()) {
            one.size.sample = (one.size.sample + super::sample::real(rows)).min(one.size.rows);
        }
    }

    /// Adds what belongs to a table; what cannot be added, since it needs what is not here, is left out.
    async fn furnish(&mut self, statement: &str) -> Result<(), Error> {
        let statement = self.cast.direct(statement);
        match self.attempt(&statement).await? {
            Ok(()) => {}
            Err(error) => tracing::debug!(%error, statement, "migrate: not on the stage"),
        }
        Ok(())
    }

    /// Runs something, and takes it back where it fails.
    pub(super) async fn attempt(
        &mut self,
        statement: &str,
    ) -> Result<Result<(), sqlx::Error>, Error> {
        self.send("SAVEPOINT migrate_attempt".to_owned()).await?;
        let done = self.session.send(statement.to_owned()).await;
        if done.is_err() {
            self.send("ROLLBACK TO SAVEPOINT migrate_attempt".to_owned()).await?;
        }
        self.send("RELEASE SAVEPOINT migrate_attempt".to_owned()).await?;
        Ok(done.map(drop))
    }

    pub(super) async fn send(&mut self, message: String) -> Result<(), Error> {
        self.session.send(message).await.map(drop).map_err(failed)
    }

    /// Puts rows into a table on the stage.
    pub(super) async fn copy_in(
        &mut self,
        table: &str,
        columns: &str,
        data: &[u8],
    ) -> Result<(), sqlx::Error> {
        const CHUNK: usize = 1 << 20;
        let copy = sql::fill(COPY_IN, &[("table", &ident(table)), ("columns", columns)]);
        let mut copying = self.session.connection.copy_in_raw(&copy).await?;
        for chunk in data.chunks(CHUNK) {
            copying.send(chunk).await?;
        }
        copying.finish().await.map(drop)
    }

    /// The table that a name of a migration means.
    pub(super) fn meant(&self, name: &str) -> Option<&Table> {
        self.meant.get(name).and_then(|at| self.tables.get(*at))
    }

    /// The table behind a name on the stage.
    pub(super) fn played(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name && table.unfit.is_none())
    }

    /// Looks what is on the stage by now, of all that a statement names.
    pub(super) async fn learn(&mut self, names: &BTreeSet<String>) -> Result<(), Error> {
        if names.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = names.iter().map(|name| format!("({})", literal(name))).collect();
        let look = sql::fill(ON_STAGE, &[("names", &names.join(", "))]);
        let found = rows(&mut self.session.connection, look).await.map_err(failed)?;
        let found = found.iter().filter_map(|row| text(row, "name")).map(ToOwned::to_owned);
        self.cast.names.extend(found);
        Ok(())
    }

    /// Which file each relation is in: of the stage, or of a copy all.
    pub(super) async fn files(&mut self) -> Result<BTreeMap<i64, InFile>, sqlx::Error> {
        let which = match self.how.on_copy {
            true => {
                "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^pg_(temp|toast_temp)'"
            }
            false => "n.nspname = 'migrate_rehearsal'",
        };
        let query = sql::fill(FILES, &[("where", which)]);
        let found = rows(&mut self.session.connection, query).await?;
        Ok(found.iter().filter_map(in_file).collect())
    }

    /// Strikes it: nothing stays.
    pub(super) async fn strike(self) {
        self.session.roll_back().await;
        if let Some(reader) = self.reader {
            reader.close().await;
        }
    }
}

fn table(row: &PgRow) -> Option<Table> {
    let of = |column: &str| text(row, column).unwrap_or_default().to_owned();
    let real = |column: &str| of(column).parse().unwrap_or_default();
    let help = Help {
        most: of("most_workers").parse().unwrap_or_default(),
        memory: real("memory"),
        least: real("least_bytes"),
    };
    Some(Table {
        oid: number(row, "oid")?,
        relation: of("relation"),
        name: of("name"),
        schema: of("schema"),
        columns: String::new(),
        size: Size::default(),
        unfit: text(row, "unfit").map(ToOwned::to_owned),
        pages: number(row, "pages").and_then(|pages| pages.try_into().ok()).unwrap_or_default(),
        rows_a_page: real("rows_a_page"),
        workers: estimate::workers(&help, real("bytes")),
    })
}

fn in_file(row: &PgRow) -> Option<(i64, InFile)> {
    let of = |column: &str| text(row, column).unwrap_or_default().to_owned();
    let file = InFile {
        name: of("name"),
        bare: of("bare"),
        is_index: text(row, "kind") == Some("i"),
        of_table: number(row, "of_table").unwrap_or_default(),
        file: number(row, "file"),
    };
    Some((number(row, "oid")?, file))
}

/// Is a row of the look at locks about the stage?
pub(super) fn is_stage(row: &PgRow) -> bool {
    truth(row, "is_stage")
}
