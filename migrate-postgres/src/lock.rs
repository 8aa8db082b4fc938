//! One migrator at a time.
//!
//! The lock is an advisory lock of the session that does the work, polled and never waited for: a waiter has
//! no transaction and no snapshot, so nothing that the holder does can wait for it. Owns the polling, the look
//! for a pooler in front of the server, and who holds the lock. What takes its place behind such a pooler is the
//! lease's to know.

use std::time::{Duration, Instant};

use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use tokio::time::timeout;

use crate::error::Error;
use crate::lease;
use crate::observe::{Ear, Event, Seldom};
use crate::options::Options;
use crate::session::{Session, close, no_answer};
use crate::settled::{self, Settled};
use crate::sql::{self, Names};
use crate::wire::{number, send, text, truth};

/// How the wait for the lock ended.
pub(crate) enum Outcome {
    /// It is ours.
    Ours,
    /// Whoever had it did all there was to do.
    Settled(Settled),
}

/// Between two polls: soon enough to be quick, seldom enough to be no load with many waiters.
pub(crate) const POLL: Duration = Duration::from_millis(100);

/// A wait for somebody else: how long it has been, and who has heard of it.
struct Waiting<'w> {
    names: &'w Names,
    longest: Duration,
    ear: &'w Ear,
    key: i64,
    /// May somebody have a lease?
    leased: bool,
    began: Instant,
    told: Seldom,
}

impl<'w> Waiting<'w> {
    fn new(names: &'w Names, ours: &Options, key: i64, ear: &'w Ear) -> Self {
        let (longest, began) = (ours.waits.migrator, Instant::now());
        Self { names, longest, ear, key, leased: false, began, told: Seldom::default() }
    }

    /// Until the next look, or `None` when that was the last; tells who is waited for at once, and then seldom.
    async fn pause(&mut self, session: &mut Session) -> Option<Duration> {
        let waited = self.waited();
        if self.told.is_due() {
            let holder = self.holder(session).await;
            self.ear.tell(&Event::WaitingForMigrator { holder: &holder, waited });
        }
        self.longest.checked_sub(waited).filter(|left| !left.is_zero()).map(|left| left.min(POLL))
    }

    fn waited(&self) -> Duration {
        self.began.elapsed()
    }

    async fn holder(&self, session: &mut Session) -> String {
        if self.leased
            && let Ok(Some(holder)) = lease::holder(session, self.names).await
        {
            return holder;
        }
        holder(session, self.names, self.key).await
    }
}

/// Gets the lock, or the lease where the session is to work by one; or learns that it is not needed any more.
pub(crate) async fn acquire(
    session: &mut Session,
    names: &Names,
    ours: &Options,
    digest: &str,
    ear: &Ear,
) -> Result<Outcome, Error> {
    let mut waiting = Waiting::new(names, ours, names.key, ear);
    waiting.leased = session.lease.is_some();
    loop {
        let is_ours = match session.lease {
            Some(_) => lease::take(session, names, ours).await?,
            None => is_ours(session, names, &mut waiting).await?,
        };
        if is_ours {
            return Ok(Outcome::Ours);
        }
        if let Some(settled) = settled::read(&mut session.connection, names, digest).await {
            return Ok(Outcome::Settled(settled));
        }
        match waiting.pause(session).await {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(still_held(&waiting, session).await),
        }
    }
}

/// Gets the lock unless somebody works by a lease. That one has the lock in its transactions only: once we know of
/// it we look at the lease first, and do not take the lock from under it.
async fn is_ours(
    session: &mut Session,
    names: &Names,
    waiting: &mut Waiting<'_>,
) -> Result<bool, Error> {
    if waiting.leased && lease::holder(session, names).await?.is_some() {
        return Ok(false);
    }
    let Some(Tried { leased }) = try_lock(session, names, names.key).await? else {
        return Ok(false);
    };
    waiting.leased = leased;
    if leased && lease::holder(session, names).await?.is_some() {
        release(session, names).await;
        return Ok(false);
    }
    Ok(true)
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
    let mut waiting = Waiting::new(names, ours, key, ear);
    while try_lock(session, names, key).await?.is_none() {
        match waiting.pause(session).await {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(still_held_by_sqlx(&waiting, session).await),
        }
    }
    Ok(())
}

/// The lock is ours; may somebody have a lease?
struct Tried {
    leased: bool,
}

async fn try_lock(session: &mut Session, names: &Names, key: i64) -> Result<Option<Tried>, Error> {
    let row = session
        .send_quick(sql::AS_WE_WRITE.to_owned() + &names.try_lock(key))
        .await
        .map_err(|error| Error::driver("ask for the lock", error))?;
    Ok(row.filter(|row| truth(row, "ours")).map(|row| Tried { leased: truth(&row, "leased") }))
}

/// Gives the lock back. It would go with the connection, but only when the server has noticed its end: whoever
/// comes right after us would find it taken. A connection that is still busy, with a statement that outlived its
/// deadline, is not waited for.
pub(crate) async fn release(session: &mut Session, names: &Names) {
    release_key(session, names, names.key).await;
}

pub(crate) async fn release_key(session: &mut Session, names: &Names, key: i64) {
    let release = async {
        for _ in 0..TRIES {
            let row = session.send(names.release(key)).await?;
            if row.is_none_or(|row| truth(&row, "released")) {
                break;
            }
        }
        Ok::<(), sqlx::Error>(())
    };
    match timeout(Duration::from_secs(1), release).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "migrate: the lock goes with the connection"),
        Err(_) => tracing::debug!("migrate: the lock goes with the connection, which is busy"),
    }
}

/// A pooler that nobody has noticed may have lent us another session than the one that has the lock. With a session
/// of our own, once is enough.
const TRIES: usize = 50;

async fn still_held(waiting: &Waiting<'_>, session: &mut Session) -> Error {
    let (holder, waited) = (waiting.holder(session).await, waiting.waited());
    let error = Error::busy(format!(
        "failed to get the lock within {} s: {holder} has it",
        waited.as_secs()
    ));
    error.now("this migrator changed nothing").next(
        "Wait for it, or see what it does in pg_stat_activity; ending its session frees the lock at once.",
    )
}

async fn still_held_by_sqlx(waiting: &Waiting<'_>, session: &mut Session) -> Error {
    let (holder, waited) = (waiting.holder(session).await, waiting.waited());
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
    let row = session.send_quick(names.holder(key)).await.ok().flatten();
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

/// What stands between us and the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pooling {
    /// Nothing that takes our session from us, as far as can be seen.
    None,
    /// Each transaction has another session, and the lock would be held by nobody in particular.
    Transactions,
    /// Each statement has.
    Statements,
}

/// Looks for a pooler that does not leave us our session.
///
/// One connection proves nothing. While ours is idle, a second one opens a transaction; if it ever sits on our
/// backend, or pushes us off it, there is a pooler. Others whom the pooler serves may be in the way of a look (the
/// application's own pool tries a connection that it gets back), so there is more than one. A backend that is older
/// than the connection to it has been lent: then there are many, since under load each look may miss.
pub(crate) async fn look_for_pooler(
    session: &mut Session,
    ours: &Options,
    ear: &Ear,
) -> Result<Pooling, Error> {
    let look = session.send_quick(sql::backend().to_owned()).await;
    let first = look.map_err(not_looked)?.and_then(|row| Backend::of(&row));
    let Some(second) = session.another(&ours.waits).await else { return Ok(Pooling::None) };
    let mut second = match second {
        Ok(second) => second,
        Err(error) => {
            let text = format!("no second connection to look for a pooler with: {error}");
            ear.tell(&Event::Warning { text: &text });
            return Ok(Pooling::None);
        }
    };
    let pooling = pooling(session, &mut second, first, ours.waits.connect).await?;
    close(second).await;
    Ok(pooling)
}

const LOOKS: usize = 2;
const LOOKS_AT_A_LENDER: usize = 30;

/// How long a second connection may wait for a session of its own.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the first may wait for its session while the second has a transaction open.
const IN_A_TRANSACTION: Duration = Duration::from_secs(2);

/// A pooler lends what came back last, or what came back first: after the transaction of the second connection
/// one of the two is not ours.
async fn pooling(
    session: &mut Session,
    second: &mut PgConnection,
    first: Option<Backend>,
    patience: Duration,
) -> Result<Pooling, Error> {
    let short = patience.min(PATIENCE);
    let told = |ours| if ours { Pooling::None } else { Pooling::Transactions };
    let (mut looks, mut looked) = (LOOKS, 0);
    while looked < looks {
        looked += 1;
        match timeout(short, backend(second, "BEGIN; ")).await {
            Ok(Ok(other)) if is_same(&other, &first) => {
                commit(second, patience).await?; // or the pooler would end the session with us
                return Ok(Pooling::Transactions);
            }
            Ok(Err(error)) if error.is_about_pooling() => return Ok(Pooling::Statements),
            Ok(other) => {
                if is_older(other?.as_ref(), first.as_ref()) {
                    looks = LOOKS_AT_A_LENDER;
                }
            }
            // It waits for a session to be lent. Ours was idle, and would have been; nor are those who come later
            // served before it, unless the session is theirs already.
            Err(_) => return Ok(told(is_still_ours(session, first, short).await?)),
        };
        // Many migrators that look at once have all sessions of a small pooler: none is served before one gives up.
        let during = is_still_ours(session, first, short.min(IN_A_TRANSACTION)).await?;
        commit(second, patience).await?;
        if !during || !is_still_ours(session, first, patience).await? {
            return Ok(Pooling::Transactions);
        }
    }
    Ok(Pooling::None)
}

/// Are we where we were, and served at all?
async fn is_still_ours(
    session: &mut Session,
    first: Option<Backend>,
    patience: Duration,
) -> Result<bool, Error> {
    match timeout(patience, backend(&mut session.connection, "")).await {
        Ok(again) => Ok(is_same(&again?, &first)),
        Err(_) => Ok(false),
    }
}

/// A session of the server: which, since when, and when it was asked, by the server's clock in microseconds.
#[derive(Clone, Copy)]
struct Backend {
    pid: i64,
    began: Option<i64>,
    now: Option<i64>,
}

fn is_same(one: &Option<Backend>, other: &Option<Backend>) -> bool {
    one.map(|one| one.pid) == other.map(|other| other.pid)
}

/// Was the second one there before we connected, after the first had answered?
fn is_older(second: Option<&Backend>, first: Option<&Backend>) -> bool {
    let began = second.and_then(|second| second.began);
    let asked = first.and_then(|first| first.now);
    began.zip(asked).is_some_and(|(began, asked)| began < asked)
}

impl Backend {
    fn of(row: &PgRow) -> Option<Self> {
        let of = |column| number(row, column);
        Some(Backend { pid: of("backend")?, began: of("began"), now: of("now") })
    }
}

async fn backend(connection: &mut PgConnection, before: &str) -> Result<Option<Backend>, Error> {
    let row = send(connection, format!("{before}{}", sql::backend())).await.map_err(not_looked)?;
    Ok(row.and_then(|row| Backend::of(&row)))
}

async fn commit(connection: &mut PgConnection, patience: Duration) -> Result<(), Error> {
    match timeout(patience, send(connection, "COMMIT".to_owned())).await {
        Ok(committed) => committed.map(drop).map_err(not_looked),
        Err(_) => Err(not_looked(no_answer())),
    }
}

fn not_looked(error: sqlx::Error) -> Error {
    Error::driver("look for a pooler", error)
}
