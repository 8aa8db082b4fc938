//! Taking a sample of a table in use.
//!
//! Owns the connection that does so and which pages are read: each time in a transaction of its own that ends at once,
//! so that whoever wants to alter the table waits for no more than that. Changes nothing.

use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use super::estimate::Size;
use super::names::{COPY_OUT, EMIT, RANGE, READ, SOME, WHOLE};
use crate::error::{Error, LOCK_NOT_AVAILABLE, sqlstate};
use crate::options::Options;
use crate::session::Session;
use crate::sql::{self, AS_WE_WRITE_HERE, Names};
use crate::wire::{number, rows, send};

/// Reads, and holds nothing.
pub(super) struct Reader {
    connection: PgConnection,
    head: String,
    version: u32,
}

/// Rows of a table, and what they tell of it.
pub(super) struct Sample {
    pub(super) size: Size,
    /// As `COPY` writes them.
    pub(super) data: Vec<u8>,
}

/// A table as it is asked for.
pub(super) struct Source<'s> {
    pub(super) relation: &'s str,
    pub(super) columns: &'s str,
    pub(super) pages: u64,
    pub(super) rows_a_page: f64,
    pub(super) workers: u32,
}

/// How long it waits for somebody who has locked a table, and how often.
const ATTEMPT: Duration = Duration::from_millis(50);
const ATTEMPTS: u32 = 10;
const BETWEEN: Duration = Duration::from_millis(500);

impl Reader {
    pub(super) async fn open(
        session: &Session,
        ours: &Options,
        names: &Names,
    ) -> Result<Self, Error> {
        let Some(connection) = session.another(&ours.waits).await else {
            return Err(Error::declaration("failed to rehearse: samples are read on a second connection, and there is one only")
                .now("nothing was changed")
                .next("Give the migrator a pool or connect options; or let it rehearse on a copy."));
        };
        let connection = connection?;
        let version = connection_version(&connection);
        let head = format!(
            "BEGIN READ ONLY; {AS_WE_WRITE_HERE}{}{}SET LOCAL statement_timeout = '60s'; ",
            names.as_role(),
            sql::lock_timeout(ATTEMPT)
        );
        Ok(Self { connection, head, version })
    }

    /// What a query gives.
    pub(super) async fn ask(&mut self, query: &str) -> Result<Vec<PgRow>, sqlx::Error> {
        for attempt in 1.. {
            let asked = rows(&mut self.connection, format!("{}{query}\n; COMMIT", self.head)).await;
            match asked {
                Err(error) => self.again(error, attempt).await?,
                asked => return asked,
            }
        }
        Ok(Vec::new())
    }

    /// Rolls back, and waits if another attempt is worth it.
    async fn again(&mut self, error: sqlx::Error, attempt: u32) -> Result<(), sqlx::Error> {
        send(&mut self.connection, "ROLLBACK".to_owned()).await?;
        if attempt >= ATTEMPTS || sqlstate(&error).as_deref() != Some(LOCK_NOT_AVAILABLE) {
            return Err(error);
        }
        tokio::time::sleep(BETWEEN).await;
        Ok(())
    }

    /// The rows of a query, as `COPY` writes them.
    pub(super) async fn copy(&mut self, query: &str) -> Result<Vec<u8>, sqlx::Error> {
        for attempt in 1.. {
            match self.copy_once(query).await {
                Err(error) => self.again(error, attempt).await?,
                copied => return copied,
            }
        }
        Ok(Vec::new())
    }

    async fn copy_once(&mut self, query: &str) -> Result<Vec<u8>, sqlx::Error> {
        send(&mut self.connection, self.head.clone()).await?;
        let copy = sql::fill(COPY_OUT, &[("rows", query)]);
        let mut data = Vec::new();
        let mut stream = self.connection.copy_out_raw(&copy).await?;
        while let Some(bytes) = stream.try_next().await? {
            data.extend_from_slice(&bytes);
        }
        drop(stream);
        send(&mut self.connection, "COMMIT".to_owned()).await?;
        Ok(data)
    }

    async fn read(&mut self, query: &str) -> Result<(f64, Duration), sqlx::Error> {
        let began = Instant::now();
        let counted = self.ask(&sql::fill(READ, &[("rows", query)])).await?;
        let n = counted.last().and_then(|row| number(row, "n")).unwrap_or_default();
        Ok((real(n.unsigned_abs()), began.elapsed()))
    }

    /// About so many rows of a table: read once as they are found, and once more when they are known.
    pub(super) async fn sample(
        &mut self,
        source: &Source<'_>,
        wanted: u64,
    ) -> Result<Sample, sqlx::Error> {
        let (of, pages_read) = self.choose(source, wanted);
        let without_columns = sql::fill(&of, &[("columns", "")]);
        let (sample, first) = self.read(&without_columns).await?;
        let (_, second) = self.read(&without_columns).await?;
        let data = self.copy(&sql::fill(&of, &[("columns", source.columns)])).await?;
        let pages = real(source.pages);
        let is_whole = pages_read >= pages;
        let rows = if is_whole { sample } else { sample / pages_read.max(1.0) * pages };
        let fetch = first.saturating_sub(second).as_secs_f64() / pages_read.max(1.0);
        Ok(Sample { size: Size { sample, rows, pages, fetch, workers: source.workers }, data })
    }

    /// A query that still wants its columns, and how many pages it reads.
    fn choose(&self, source: &Source<'_>, wanted: u64) -> (String, f64) {
        let Source { relation, pages, rows_a_page, .. } = *source;
        let a_page = if rows_a_page > 0.0 { rows_a_page } else { 50.0 };
        let wanted = (real(wanted) / a_page).ceil();
        let with = |template: &str, values: &[(&str, &str)]| {
            let mut all = vec![("columns", "{columns}"), ("relation", relation)];
            all.extend_from_slice(values);
            sql::fill(template, &all)
        };
        if wanted >= real(pages) {
            return (with(WHOLE, &[]), real(pages));
        }
        if self.version < 140_000 {
            let percent = (wanted / real(pages) * 100.0).to_string();
            return (with(SOME, &[("percent", &percent)]), wanted);
        }
        let ranges = ranges(pages, wanted);
        let parts = ranges
            .iter()
            .map(|(from, to)| with(RANGE, &[("from", &from.to_string()), ("to", &to.to_string())]));
        let parts = parts.collect::<Vec<_>>().join(" UNION ALL ");
        (parts, real(ranges.iter().map(|(from, to)| to - from).sum()))
    }

    /// How long a commit waits for a byte of the server's log to be safe, in seconds. What is written for it means nothing
    /// to anybody.
    pub(super) async fn safe_byte(&mut self) -> Result<f64, sqlx::Error> {
        const BYTES: u32 = 4 << 20;
        let emit = sql::fill(EMIT, &[("bytes", &BYTES.to_string())]);
        if let Err(error) = send(&mut self.connection, emit).await {
            tracing::debug!(%error, "migrate: it is not known how long a commit takes");
            send(&mut self.connection, "ROLLBACK".to_owned()).await?;
            return Ok(0.0);
        }
        let began = Instant::now();
        send(&mut self.connection, "COMMIT".to_owned()).await?;
        Ok(began.elapsed().as_secs_f64() / f64::from(BYTES))
    }

    /// May `NOT NULL` be a constraint that has not looked at all rows yet?
    pub(super) fn has_named_not_null(&self) -> bool {
        self.version >= 180_000
    }

    pub(super) async fn close(self) {
        use sqlx::Connection;
        if let Err(error) = self.connection.close().await {
            tracing::debug!(%error, "migrate: the connection did not close in good order");
        }
    }
}

fn connection_version(connection: &PgConnection) -> u32 {
    connection.server_version_num().unwrap_or_default()
}

pub(super) fn failed(error: sqlx::Error) -> Error {
    Error::driver("rehearse", error).now("nothing was changed")
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
pub(super) fn real(number: u64) -> f64 {
    number as f64
}

/// In so many places of a table some pages are read, one after the other.
const PLACES: u64 = 32;

/// Pages from all over a table, each range from its first to behind its last.
fn ranges(pages: u64, wanted: f64) -> Vec<(u64, u64)> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "few pages")]
    let wanted = (wanted as u64).clamp(1, pages.max(1));
    let places = PLACES.min(wanted);
    let each = wanted.div_ceil(places);
    let of = |place: u64| {
        let (from, to) = (pages * place / places, pages * (place + 1) / places);
        let first = from + (to - from).saturating_sub(each) / 2;
        (first, (first + each).min(to))
    };
    (0..places).map(of).filter(|(from, to)| from < to).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_from_all_over_a_table() {
        assert_eq!(ranges(100, 2.0), [(24, 25), (74, 75)]);
        let many = ranges(100_000, 2_000.0);
        assert_eq!(many.len(), 32);
        assert_eq!(many.iter().map(|(from, to)| to - from).sum::<u64>(), 32 * 63);
        assert!(many.windows(2).all(|two| two[0].1 < two[1].0), "{many:?}");
        assert_eq!(ranges(0, 1.0), []);
        assert_eq!(ranges(3, 9.0), [(0, 1), (1, 2), (2, 3)]);
    }
}
