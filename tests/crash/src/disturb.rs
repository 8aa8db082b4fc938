//! How things go wrong at a message: what is cut, killed, and stolen, and when the run may go on.

use std::time::Duration;

use migrate_tests::proxy::{Before, Failure, Moment, Proxy, Then, Which};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor};

use crate::lab::Place;
use crate::point::{Kind, Point, lock_of};
use crate::snapshot::lines;
use crate::story::{Disturbed, End, Story};
use crate::{Result, child};

const LOSES_THE_LOCK: &str = "SELECT pg_catalog.pg_advisory_unlock_all()";
const IS_LOCKED: &str = "SELECT 'locked' AS line FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
     WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()";
const ROWS: &str = "SELECT to_jsonb(h)::text AS line FROM public.schema_migrations h ORDER BY seq";
const HISTORY: &str = "SELECT to_regclass('public.schema_migrations')::text AS line";

impl Story<'_> {
    pub(crate) async fn disturbed(&self, point: &Point, place: &Place) -> Result<Disturbed> {
        match point.kind {
            Kind::Cut(moment) => {
                let proxy = self.proxy(point, place, moment, Then::Cut);
                let end = self.run.act(&self.migrator, &proxy.options(), false).await;
                Ok(Disturbed::unless_reached(end.into(), &proxy).await)
            }
            Kind::Killed(moment) => self.killed(point, place, moment).await,
            Kind::Terminated(moment) => {
                self.paused(point, place, moment, async |pid| self.terminate(pid).await).await
            }
            Kind::Crashed(moment) => {
                self.paused(point, place, moment, async |pid| self.crash(pid).await).await
            }
            Kind::Lost(moment) => self.lost(point, place, moment).await,
            Kind::Robbed => self.robbed(point, place).await,
        }
    }

    fn proxy(&self, point: &Point, place: &Place, moment: Moment, then: Then) -> Proxy {
        let Point { connection, message, .. } = *point;
        let failure = Failure { moment, which: Which::At { connection, message }, then };
        Proxy::new(place.options.clone(), Some(failure), self.rewrite)
    }

    async fn killed(&self, point: &Point, place: &Place, moment: Moment) -> Result<Disturbed> {
        let proxy = self.proxy(point, place, moment, Then::Hold);
        let mut child = child::start(&self.run, &proxy.options())?;
        tokio::select! {
            () = proxy.reached() => {}
            status = child.wait() => {
                let why = format!("the process ended by itself, {}", status?);
                return Ok(Disturbed { found: vec![why], ..Disturbed::new(End::Killed) });
            }
        }
        child.kill().await?;
        Ok(Disturbed::new(End::Killed))
    }

    /// Something happens to the process of the server while the run waits.
    async fn paused(
        &self,
        point: &Point,
        place: &Place,
        moment: Moment,
        happens: impl AsyncFnOnce(i32) -> Result<()>,
    ) -> Result<Disturbed> {
        let proxy = self.proxy(point, place, moment, Then::Pause);
        let options = proxy.options();
        let mut acting = std::pin::pin!(self.run.act(&self.migrator, &options, false));
        if let Some(ended) = Disturbed::instead(&proxy, acting.as_mut()).await {
            return Ok(ended);
        }
        happens(backend(&proxy, point)?).await?;
        proxy.go_on();
        Ok(Disturbed::new(acting.await.into()))
    }

    async fn terminate(&self, pid: i32) -> Result<()> {
        let mut admin = self.lab.admin().await?;
        admin.execute(sqlx::query("SELECT pg_terminate_backend($1)").bind(pid)).await?;
        admin.close().await?;
        let gone = format!("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid})");
        self.lab.until(&gone).await
    }

    /// The server ends all sessions when one was killed, and begins anew.
    async fn crash(&self, pid: i32) -> Result<()> {
        let mut canary = self.lab.admin().await?;
        // It may have ended by itself.
        if let Some(pid) = Pid::from_raw(pid)
            && kill_process(pid, Signal::KILL).is_ok()
        {
            while canary.ping().await.is_ok() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        self.lab.serves().await
    }

    /// The run goes on before the server is there again.
    async fn lost(&self, point: &Point, place: &Place, moment: Moment) -> Result<Disturbed> {
        let proxy = self.proxy(point, place, moment, Then::Pause);
        let options = proxy.options();
        let mut acting = std::pin::pin!(self.run.act(&self.migrator, &options, false));
        if let Some(ended) = Disturbed::instead(&proxy, acting.as_mut()).await {
            return Ok(ended);
        }
        let server = &self.lab.server;
        let restarts = async {
            server.kill9();
            proxy.go_on();
            tokio::task::yield_now().await;
            server.restart()
        };
        let (end, restarted) = tokio::join!(acting, restarts);
        restarted?;
        Ok(Disturbed::new(end.into()))
    }

    /// The first migrator loses its lock before the message; a second one gets it and stops there; the first goes on
    /// to its end, and then the second.
    async fn robbed(&self, point: &Point, place: &Place) -> Result<Disturbed> {
        let first = self.proxy(point, place, Before, Then::Slip(LOSES_THE_LOCK));
        let first_options = first.options();
        let mut acting = std::pin::pin!(self.run.act(&self.migrator, &first_options, false));
        if let Some(ended) = Disturbed::instead(&first, acting.as_mut()).await {
            return Ok(ended);
        }
        if is_locked(&place.options).await? {
            // By the transaction that has written its row already.
            first.go_on();
            return Ok(Disturbed { is_void: true, ..Disturbed::new(acting.await.into()) });
        }
        let second = self.second(place)?;
        let second_options = second.options();
        let mut other = std::pin::pin!(self.run.act(&self.migrator, &second_options, true));
        let mut other_end = None;
        tokio::select! {
            () = second.reached() => {}
            end = &mut other => other_end = Some(end),
        }
        let robbed = is_locked(&place.options).await?;
        let before = history(&place.options).await?;
        first.go_on();
        let mut disturbed = Disturbed::new(acting.await.into());
        let written = history(&place.options).await?.len() - before.len();
        if robbed && written > 0 {
            let found =
                format!("it wrote {written} rows of the history while another had the lock");
            disturbed.found.push(found);
        }
        second.go_on();
        let other_end = match other_end {
            Some(end) => end,
            None => other.await,
        };
        if let Err(error) = other_end
            && !error.is_interrupted()
        {
            disturbed
                .found
                .push(format!("the other migrator, which had the lock, failed: {error}"));
        }
        Ok(disturbed)
    }

    /// One that stops when it has the lock and has read the history.
    fn second(&self, place: &Place) -> Result<Proxy> {
        let (connection, message) =
            lock_of(&self.conversations).ok_or("nothing asks for a lock")?;
        let which = Which::At { connection, message: message + 2 };
        let failure = Failure { moment: Before, which, then: Then::Pause };
        Ok(Proxy::new(place.options.clone(), Some(failure), self.rewrite))
    }
}

fn backend(proxy: &Proxy, point: &Point) -> Result<i32> {
    let conversations = proxy.conversations();
    let pid = conversations.get(point.connection).and_then(|conversation| conversation.backend);
    Ok(pid.ok_or("the server never said which process it is")?)
}

async fn is_locked(database: &PgConnectOptions) -> Result<bool> {
    let mut connection = database.connect().await?;
    let locked = !lines(&mut connection, IS_LOCKED).await?.is_empty();
    connection.close().await?;
    Ok(locked)
}

async fn history(database: &PgConnectOptions) -> Result<Vec<String>> {
    let mut connection = database.connect().await?;
    let exists = !lines(&mut connection, HISTORY).await?.is_empty();
    let rows = if exists { lines(&mut connection, ROWS).await? } else { Vec::new() };
    connection.close().await?;
    Ok(rows)
}
