//! Work through a pooler that gives each transaction another session.
//!
//! There a lock of the session is nobody's. Instead a row of a table, the lease, says who works and until when, by
//! the clock of the server, under a number that grows with each holder: the fence. Each transaction of the holder
//! takes the advisory lock for itself, so that it and a migrator with a session of its own keep each other out, and
//! renews the lease: as long as one is open, nobody else can have it, however long it takes. A row of the history
//! finds no place under a fence that has passed.
//!
//! Nothing is set on the session, which the pooler lends to others next: what a migration sets is taken back in its
//! own transaction. Owns the lease from its taking to its end and what is sent around the work of a transaction.
//! Knows nothing of migrations.

use std::time::{Duration, Instant};

use sqlx::postgres::{PgDatabaseError, PgRow};

use crate::error::{Error, is_absent, sqlstate};
use crate::history;
use crate::lock::POLL;
use crate::options::Options;
use crate::session::{Session, holder_name};
use crate::sql::{self, AS_WE_WRITE_HERE, Names, ident};
use crate::wire::{number, rows, text};

/// What a migrator holds in place of a lock of its session.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    /// Under which number; none before it is taken.
    pub(crate) fence: i64,
    lasts: Duration,
    /// When it was renewed last, but for what may have been taken back since.
    renewed: Instant,
    /// The statements that make the session of this transaction what it was.
    found: String,
}

impl Lease {
    /// One that is to be taken yet.
    pub(crate) fn wanted(ours: &Options) -> Self {
        let (lasts, renewed) = (ours.waits.lease, Instant::now());
        Self { fence: 0, lasts, renewed, found: String::new() }
    }

    pub(crate) fn renew(&self, names: &Names) -> String {
        names.renew_lease(self.fence, self.lasts.as_millis())
    }

    /// Takes back whatever a text has set, on the session too.
    pub(crate) fn undo(&self) -> String {
        format!(
            "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; {}{AS_WE_WRITE_HERE}",
            self.found
        )
    }
}

/// What a transaction begins with: nothing that another client has left, the times as the driver reads them.
pub(crate) fn settings(ours: &Options) -> String {
    let role = ours.role.as_deref().map_or_else(|| "DEFAULT".to_owned(), ident);
    format!(
        "SET LOCAL SESSION AUTHORIZATION DEFAULT; {}{AS_WE_WRITE_HERE}SET LOCAL TimeZone = 'UTC'; \
         SET LOCAL DateStyle = 'ISO, MDY'; SET LOCAL role TO {role}; ",
        sql::start_anew()
    )
}

/// Takes the role for one message, whatever the session has been made by others.
pub(crate) fn as_ourselves(names: &Names) -> String {
    let role = names.role.as_deref().unwrap_or("DEFAULT");
    format!("SET LOCAL SESSION AUTHORIZATION DEFAULT; SET LOCAL role TO {role}; ")
}

/// Takes it if nobody has it. Is it ours?
pub(crate) async fn take(
    session: &mut Session,
    names: &Names,
    ours: &Options,
) -> Result<bool, Error> {
    let fence = try_take(session, names, ours).await?;
    if let (Some(fence), Some(lease)) = (fence, &mut session.lease) {
        lease.fence = fence;
        lease.renewed = Instant::now();
    }
    Ok(fence.is_some())
}

async fn try_take(
    session: &mut Session,
    names: &Names,
    ours: &Options,
) -> Result<Option<i64>, Error> {
    let lasts = ours.waits.lease.as_millis();
    let take = as_ourselves(names) + &names.take_lease(&holder_name(ours), lasts);
    let row = match session.send_quick(take.clone()).await {
        Err(error) if is_absent(&error) => {
            history::prepare_lease(session, names, ours).await?;
            session.send_quick(take).await
        }
        sent => sent,
    };
    match row {
        Ok(row) => Ok(row.and_then(|row| number(&row, "fence"))),
        // Two at once, where the transactions of a database are serializable.
        Err(error) if sqlstate(&error).as_deref() == Some("40001") => Ok(None),
        Err(error) => Err(Error::driver("take the lease", error)),
    }
}

/// Who has the lease now, for somebody who waits for it.
pub(crate) async fn holder(session: &mut Session, names: &Names) -> Result<Option<String>, Error> {
    let row = session.send_quick(as_ourselves(names) + &names.lease_holder()).await;
    let row = row.map_err(|error| Error::driver("look for a lease", error))?;
    Ok(row.as_ref().map(shown))
}

fn shown(row: &PgRow) -> String {
    let of = |column| text(row, column).unwrap_or("?");
    format!(
        "{} (role {}, by a lease, last heard of {})",
        of("holder"),
        of("login"),
        of("heartbeat")
    )
}

/// Gives it back. It would run out by itself.
pub(crate) async fn release(session: &mut Session, names: &Names) {
    let fence = session.lease.as_ref().map(|lease| lease.fence).filter(|fence| *fence > 0);
    let Some(fence) = fence else { return };
    let release = format!("{}{RELEASE_SOON}{}", as_ourselves(names), names.release_lease(fence));
    let release = session.send(release);
    match tokio::time::timeout(Duration::from_secs(1), release).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::debug!(%error, "migrate: the lease will run out"),
        Err(_) => tracing::debug!("migrate: the lease will run out, the connection is busy"),
    }
}

/// A transaction that a lost connection has left open may still have it.
const RELEASE_SOON: &str = "SET LOCAL lock_timeout = '500ms'; ";

/// For how long a transaction of ours tries to begin. A migrator with a session of its own has the lock for a moment
/// when it looks whether anybody works.
const PATIENCE: Duration = Duration::from_secs(10);

impl Session {
    /// What a transaction begins with. Through a pooler it has begun then, in a message before, so that what comes
    /// next is read as we write: the session may be one that we have not seen before.
    pub(crate) async fn begin(
        &mut self,
        names: &Names,
        begin: &'static str,
    ) -> Result<&'static str, sqlx::Error> {
        self.begin_at(names, begin, None).await
    }

    /// The same at an isolation level that what comes next will ask for: behind the renewal, which is a query, it is
    /// too late to choose one.
    pub(crate) async fn begin_at(
        &mut self,
        names: &Names,
        begin: &'static str,
        level: Option<&'static str>,
    ) -> Result<&'static str, sqlx::Error> {
        let Some(lease) = &self.lease else { return Ok(begin) };
        let level = level.map(|level| format!("ISOLATION LEVEL {level} ")).unwrap_or_default();
        // Before it is taken there is nothing to renew.
        let renew = if lease.fence > 0 { lease.renew(names) } else { String::new() };
        let message = format!(
            "BEGIN {level}READ WRITE; {}{AS_WE_WRITE_HERE}{}{renew}",
            sql::as_found(),
            as_ourselves(names),
        );
        let began = Instant::now();
        let found = loop {
            match rows(&mut self.connection, message.clone()).await {
                Ok(rows) => {
                    break rows.first().and_then(|row| text(row, "found")).map(str::to_owned);
                }
                Err(error) => {
                    self.roll_back().await;
                    if !is_busy(&error) || began.elapsed() > PATIENCE {
                        return Err(error);
                    }
                }
            }
            tokio::time::sleep(POLL).await;
        };
        if let Some(lease) = &mut self.lease {
            lease.found = found.unwrap_or_default();
        }
        Ok("")
    }

    /// Waits, and keeps what is ours meanwhile.
    pub(crate) async fn rest(&mut self, names: &Names, pause: Duration) {
        let Some(lease) = &self.lease else { return tokio::time::sleep(pause).await };
        let (renew, often) = (as_ourselves(names) + &lease.renew(names), lease.lasts / 3);
        let began = Instant::now();
        loop {
            if self.lease.as_ref().is_some_and(|lease| lease.renewed.elapsed() >= often) {
                self.renew(renew.clone()).await;
            }
            match pause.checked_sub(began.elapsed()) {
                None | Some(Duration::ZERO) => return,
                Some(left) => tokio::time::sleep(left.min(often)).await,
            }
        }
    }
}

impl Session {
    /// Whoever has lost it is told so by the next transaction.
    async fn renew(&mut self, renew: String) {
        match self.send_quick(renew).await {
            Ok(_) => {
                if let Some(lease) = &mut self.lease {
                    lease.renewed = Instant::now();
                }
            }
            Err(error) => tracing::debug!(%error, "migrate: the lease was not renewed"),
        }
    }
}

/// Has somebody the lock who does not have the lease?
fn is_busy(error: &sqlx::Error) -> bool {
    refused_column(error) == Some("heartbeat")
}

/// The column in which the server refused a row for want of a value.
fn refused_column(error: &sqlx::Error) -> Option<&str> {
    let server: &PgDatabaseError = error.as_database_error()?.try_downcast_ref()?;
    server.column().filter(|_| server.code() == "23502")
}

/// What it means when a transaction could not begin, or a row of the history found no place.
pub(crate) fn lost(error: &sqlx::Error) -> Error {
    match is_busy(error) {
        true => {
            Error::busy("failed to go on: another migrator has the lock, with a session of its own")
                .next("Run again: the history knows what was done.")
        }
        false => Error::lost_lease(),
    }
}
