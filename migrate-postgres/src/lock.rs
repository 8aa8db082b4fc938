//! One migrator at a time.
//!
//! The lock is an advisory lock of the session that does the work, polled and never waited for: a waiter has
//! no transaction and no snapshot, so nothing that the holder does can wait for it. Owns the polling, the look
//! for a pooler in front of the server, and who holds the lock.

use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use tokio::time::timeout;

use crate::error::Error;
use crate::observe::{Ear, Event};
use crate::options::{Names, Options};
use crate::session::{Session, number, send, text, truth};
use crate::settled::{self, Settled};
use crate::sql;

/// How the wait for the lock ended.
pub(crate) enum Outcome {
    /// It is ours.
    Ours,
    /// Whoever had it did all there was to do.
    Settled(Settled),
}

/// Between two polls: soon enough to be quick, seldom enough to be no load with many waiters.
const POLL: Duration = Duration::from_millis(100);

/// Gets the lock, or learns that it is not needed any more.
pub(crate) async fn acquire(
    session: &mut Session,
    names: &Names,
    ours: &Options,
    digest: &str,
    ear: &Ear,
) -> Result<Outcome, Error> {
    let began = Instant::now();
    let mut told = None;
    loop {
        if try_lock(session, names, names.key).await? {
            return Ok(Outcome::Ours);
        }
        if let Some(settled) = settled::read(&mut session.connection, names, digest).await {
            return Ok(Outcome::Settled(settled));
        }
        let waited = began.elapsed();
        tell_of_waiting(session, names, names.key, waited, &mut told, ear).await;
        if waited >= ours.waits.migrator {
            return Err(still_held(&holder(session, names, names.key).await, waited));
        }
        tokio::time::sleep(POLL.min(ours.waits.migrator - waited)).await;
    }
}

/// Gets the lock of sqlx's migrator, so that one that starts now waits for us. It is polled as ours is: a
/// statement that waits for it would hold a snapshot.
pub(crate) async fn acquire_of_sqlx(
    session: &mut Session,
    names: &Names,
    ours: &Options,
    key: i64,
    ear: &Ear,
) -> Result<(), Error> {
    let began = Instant::now();
    let mut told = None;
    while !try_lock(session, names, key).await? {
        let waited = began.elapsed();
        tell_of_waiting(session, names, key, waited, &mut told, ear).await;
        if waited >= ours.waits.migrator {
            return Err(still_held_by_sqlx(&holder(session, names, key).await, waited));
        }
        tokio::time::sleep(POLL.min(ours.waits.migrator - waited)).await;
    }
    Ok(())
}

/// At once, and then seldom.
async fn tell_of_waiting(
    session: &mut Session,
    names: &Names,
    key: i64,
    waited: Duration,
    told: &mut Option<Duration>,
    ear: &Ear,
) {
    if told.is_none_or(|last| waited - last >= Duration::from_secs(5)) {
        *told = Some(waited);
        let holder = holder(session, names, key).await;
        ear.tell(&Event::WaitingForMigrator { holder: &holder, waited });
    }
}

async fn try_lock(session: &mut Session, names: &Names, key: i64) -> Result<bool, Error> {
    let row = session
        .send(sql::AS_WE_WRITE.to_owned() + &names.try_lock(key))
        .await
        .map_err(|error| Error::driver("ask for the lock", error))?;
    Ok(row.is_some_and(|row| truth(&row, "ours")))
}

/// Gives the lock back. It would go with the connection, but only when the server has noticed its end: whoever
/// comes right after us would find it taken. A connection that is still busy, with a statement that outlived its
/// deadline, is not waited for.
pub(crate) async fn release(session: &mut Session, names: &Names) {
    release_key(session, names, names.key).await;
}

pub(crate) async fn release_key(session: &mut Session, names: &Names, key: i64) {
    match timeout(Duration::from_secs(1), session.send(names.release(key))).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::debug!(%error, "migrate: the lock goes with the connection"),
        Err(_) => tracing::debug!("migrate: the lock goes with the connection, which is busy"),
    }
}

fn still_held(holder: &str, waited: Duration) -> Error {
    let error = Error::busy(format!(
        "failed to get the lock within {} s: {holder} has it",
        waited.as_secs()
    ));
    error.now("this migrator changed nothing").next(
        "Wait for it, or see what it does in pg_stat_activity; ending its session frees the lock at once.",
    )
}

fn still_held_by_sqlx(holder: &str, waited: Duration) -> Error {
    let error = Error::busy(format!(
        "failed to get the lock of sqlx's migrator within {} s: {holder} has it",
        waited.as_secs()
    ));
    error.now("nothing was changed").next(
        "Wait for it. An sqlx migrator that failed keeps its lock as long as the pool keeps that connection: \
         ending the session frees it at once.",
    )
}

async fn holder(session: &mut Session, names: &Names, key: i64) -> String {
    let row = session.send(names.holder(key)).await.ok().flatten();
    let told = row.as_ref().and_then(|row| {
        let name =
            text(row, "application_name").filter(|name| !name.is_empty()).unwrap_or("a session");
        let login = text(row, "login").unwrap_or("?");
        Some(format!(
            "{name} (pid {}, role {login}, since {})",
            number(row, "pid")?,
            text(row, "since").unwrap_or("?")
        ))
    });
    told.unwrap_or_else(|| "another migrator".to_owned())
}

/// The oldest release that this library is tested on.
const OLDEST: u32 = 130_000;

/// Refuses a server that nobody has tried this on.
pub(crate) fn refuse_old_server(session: &Session) -> Result<(), Error> {
    let version = session.connection.server_version_num().filter(|version| *version < OLDEST);
    version.map_or(Ok(()), |version| {
        let error = Error::declaration(format!(
            "failed to start: PostgreSQL {} is too old",
            version / 10_000
        ));
        Err(error.now("nothing was changed").next("Use PostgreSQL 13 or newer."))
    })
}

/// Refuses to work behind a pooler that gives each transaction another session: there the lock would be held
/// by nobody in particular.
///
/// One connection proves nothing. While ours is idle, a second one opens a transaction; if it ever sits on our
/// backend, or pushes us off it, there is a pooler. Others whom the pooler serves may be in the way of a look (the
/// application's own pool tries a connection that it gets back), so there is more than one.
pub(crate) async fn refuse_pooler(
    session: &mut Session,
    ours: &Options,
    ear: &Ear,
) -> Result<(), Error> {
    let first = backend(&mut session.connection, "").await?;
    let Some(second) = session.another(&ours.waits).await else { return Ok(()) };
    let mut second = match second {
        Ok(second) => second,
        Err(error) => {
            let text = format!("no second connection to look for a pooler with: {error}");
            ear.tell(&Event::Warning { text: &text });
            return Ok(());
        }
    };
    let pooled = is_pooled(session, &mut second, first, ours.waits.connect).await?;
    if let Err(error) = second.close().await {
        tracing::debug!(%error, "migrate: the second connection did not close in good order");
    }
    if pooled { Err(Error::pooler()) } else { Ok(()) }
}

const LOOKS: usize = 2;

/// How long a second connection may wait for a session of its own.
const PATIENCE: Duration = Duration::from_secs(5);

/// A pooler lends what came back last, or what came back first: after the transaction of the second connection
/// one of the two is not ours.
async fn is_pooled(
    session: &mut Session,
    second: &mut PgConnection,
    first: Option<i64>,
    patience: Duration,
) -> Result<bool, Error> {
    let short = patience.min(PATIENCE);
    for _ in 0..LOOKS {
        match timeout(short, backend(second, "BEGIN; ")).await {
            Ok(Ok(other)) if other == first => return Ok(true),
            Ok(Err(error)) if error.is_about_pooling() => return Ok(true),
            Ok(other) => other?,
            // It waits for a session to be lent. Ours was idle, and would have been; nor are those who come later
            // served before it, unless the session is theirs already.
            Err(_) => return Ok(!is_still_ours(session, first, short).await?),
        };
        let during = is_still_ours(session, first, patience).await?;
        backend(second, "COMMIT; ").await?;
        if !during || !is_still_ours(session, first, patience).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Are we where we were, and served at all?
async fn is_still_ours(
    session: &mut Session,
    first: Option<i64>,
    patience: Duration,
) -> Result<bool, Error> {
    match timeout(patience, backend(&mut session.connection, "")).await {
        Ok(again) => Ok(again? == first),
        Err(_) => Ok(false),
    }
}

async fn backend(connection: &mut PgConnection, before: &str) -> Result<Option<i64>, Error> {
    let ask = format!("{before}{}", sql::backend());
    let row =
        send(connection, ask).await.map_err(|error| Error::driver("look for a pooler", error))?;
    Ok(row.and_then(|row| number(&row, "backend")))
}
