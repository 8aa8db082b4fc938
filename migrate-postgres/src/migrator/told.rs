//! What a migrator may be told before it works.
//!
//! Owns the words for it and what each means to its user. The defaults are those of the options.

use std::sync::Arc;
use std::time::Duration;

use migrate_core::{Phases, Policy, UnknownCode};
use sqlx::postgres::PgConnectOptions;

use super::Migrator;
use crate::brake::{Brake, Brakes};
use crate::observe::{Ear, Observer};
use crate::options::Direct;
use crate::throttle::Limits;

impl Migrator {
    /// The name of the set, where several share a database (default `default`). Each has its own lock, and its
    /// own rows even in the same table.
    #[must_use]
    pub fn set(mut self, name: impl Into<String>) -> Self {
        self.options.set = name.into();
        self
    }

    /// The schema of the history (default `public`); it is created when it is not there.
    #[must_use]
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.options.schema = name.into();
        self
    }

    /// The table of the history (default `schema_migrations`).
    #[must_use]
    pub fn table(mut self, name: impl Into<String>) -> Self {
        self.options.table = name.into();
        self
    }

    /// Schema and table of the history.
    pub fn history_table(&self) -> (&str, &str) {
        (&self.options.schema, &self.options.table)
    }

    /// The role that everything is done as, and that owns what is made; the login must be a member of it.
    #[must_use]
    pub fn role(mut self, name: impl Into<String>) -> Self {
        self.options.role = Some(name.into());
        self
    }

    /// A role that may read the history, so that an application without further rights can start.
    #[must_use]
    pub fn readable_by(mut self, role: impl Into<String>) -> Self {
        self.options.readable_by.push(role.into());
        self
    }

    /// How to connect for work, where the application's own way leads through a pooler in transaction mode or to a
    /// standby. The application's database is still asked first whether there is anything to do; with nothing to
    /// do this connection is not opened. It has to lead to the same database.
    #[must_use]
    pub fn direct(mut self, options: PgConnectOptions) -> Self {
        self.options.direct = Some(Direct(Box::new(options)));
        self
    }

    /// The phases that may run on a database in use (default [`Phases::START_UP`]: expand and migrate).
    #[must_use]
    pub fn phases(mut self, phases: Phases) -> Self {
        self.options.target.phases = phases;
        self
    }

    /// How long a run goes on with backfills (default 10 s), all of them together; what is left is named in its report,
    /// and [`Migrator::backfill`], the command line or the next run goes on with it. On a fresh database they are
    /// done whatever it takes.
    #[must_use]
    pub fn budget(mut self, budget: Duration) -> Self {
        self.options.filling.budget = budget;
        self
    }

    /// Into how many ranges a backfill splits its table when it begins (default 1). Each is worked at by one worker at
    /// a time: by so many replicas, or calls of [`Migrator::backfill`].
    #[must_use]
    pub fn ranges(mut self, ranges: u32) -> Self {
        self.options.filling.workers = ranges.max(1);
        self
    }

    /// What a backfill keeps to, so that nobody notices it; the table of backfills may say otherwise for one of them.
    ///
    /// ```
    /// # use migrate_postgres::{Limits, Migrations, Migrator};
    /// # fn of(migrations: impl Migrations) -> Result<Migrator, migrate_postgres::Error> {
    /// let mut limits = Limits::default();
    /// limits.set("replica_lag=5s")?;
    /// let migrator = Migrator::new(migrations).limits(limits);
    /// # Ok(migrator)
    /// # }
    /// ```
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.options.filling.limits = limits;
        self
    }

    /// What becomes of an expand that is older than the newest applied one (default an error).
    #[must_use]
    pub fn on_late(mut self, policy: Policy) -> Self {
        self.options.target.late = policy;
        self
    }

    /// What becomes of migrations that newer code applied (default a notice, which is what a rolling deploy
    /// needs; a contract among them is always an error).
    #[must_use]
    pub fn on_unknown_newer(mut self, policy: Policy) -> Self {
        self.options.target.unknown_newer = policy;
        self
    }

    /// These migrations are a folder beside an application that has some in Rust too: those that the history
    /// names are not missed.
    #[must_use]
    pub fn code_is_elsewhere(mut self) -> Self {
        self.options.target.unknown_code = UnknownCode::Elsewhere;
        self
    }

    /// On a fresh database, how many migrations may share a transaction (default 200; 1 gives each its own).
    #[must_use]
    pub fn group(mut self, migrations: u32) -> Self {
        self.options.target.group = migrations;
        self
    }

    /// How long to wait for a connection, and on one that is there for an answer that takes no time (default 30 s).
    #[must_use]
    pub fn connect_timeout(mut self, wait: Duration) -> Self {
        self.options.waits.connect = wait;
        self
    }

    /// How long to wait for another migrator (default 10 min).
    #[must_use]
    pub fn wait_for_migrator(mut self, wait: Duration) -> Self {
        self.options.waits.migrator = wait;
        self
    }

    /// How long to wait for a standby to be promoted when there is something to do (default not at all, which is an
    /// error that says so). With nothing to do a standby is as good as its primary.
    #[must_use]
    pub fn wait_for_promotion(mut self, wait: Duration) -> Self {
        self.options.waits.promotion = wait;
        self
    }

    /// How long a lease lives that is not renewed (default 30 s): through a pooler in transaction mode it stands in
    /// for the lock, and whoever waits for a migrator that was killed waits this long.
    #[must_use]
    pub fn lease(mut self, lasts: Duration) -> Self {
        self.options.waits.lease = lasts;
        self
    }

    /// How long each attempt of a migration may wait for a lock, one after the other; the last is repeated
    /// (default 50, 100, 250 ms, and never more than half of the server's `deadlock_timeout`, so that whoever meets it
    /// crosswise finds it gone before somebody is ended for that). While an attempt waits, those behind it wait too.
    #[must_use]
    pub fn lock_ladder(mut self, attempts: impl IntoIterator<Item = Duration>) -> Self {
        self.options.waits.lock_ladder = Some(attempts.into_iter().collect());
        self
    }

    /// How long to try for the locks of one migration before giving up with nothing changed (default 10 min).
    #[must_use]
    pub fn lock_deadline(mut self, deadline: Duration) -> Self {
        self.options.waits.lock_deadline = deadline;
        self
    }

    /// `statement_timeout` inside transactions; zero is no limit. By default 5 s in a migration that is known to keep
    /// everybody out of a table that was there before it, and no limit in others. The pool's own does not hold here.
    #[must_use]
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.options.waits.statement = Some(timeout);
        self
    }

    /// How many sessions may wait behind an attempt to get a lock before it is given up (default 100). They are
    /// counted on a second connection, where one is to be had.
    #[must_use]
    pub fn most_waiting(mut self, sessions: usize) -> Self {
        self.options.waits.most_waiting = sessions;
        self
    }

    /// Ends the session of whoever is in the way of a lock and has done nothing in an open transaction for this long
    /// (default never). Its transaction is lost; each use is told as [`Event::Ended`]. Needs the rights of that role,
    /// or of `pg_signal_backend`.
    #[must_use]
    pub fn end_idle_in_transaction(mut self, after: Duration) -> Self {
        self.options.waits.end_idle = Some(after);
        self
    }

    /// Cancels an autovacuum that is in the way of a lock, unless it prevents wraparound (by default, it is waited
    /// for a little longer than `deadlock_timeout`, after which it gives way). Each use is told as [`Event::Ended`].
    /// Needs the rights of a superuser, or from PostgreSQL 18 on of `pg_signal_autovacuum_worker`.
    #[must_use]
    pub fn cancel_autovacuum(mut self) -> Self {
        self.options.waits.cancel_autovacuum = true;
        self
    }

    /// The deadline of one statement outside transactions, such as a concurrent index build (default 24 h).
    #[must_use]
    pub fn standalone_deadline(mut self, deadline: Duration) -> Self {
        self.options.waits.standalone = deadline;
        self
    }

    /// How many connections a run may lose with nothing done in between (default 3; with 0 the first one lost is an
    /// error). Each is followed by another, as soon as the server takes one within [`connect_timeout`], and the history
    /// says where to go on. A session that somebody has ended, while the server lives on, is not opened again.
    ///
    /// [`connect_timeout`]: Self::connect_timeout
    #[must_use]
    pub fn reconnects(mut self, connections: u32) -> Self {
        self.options.waits.reconnects = connections;
        self
    }

    /// What holds a backfill back for a reason of the application's own (default nothing).
    #[must_use]
    pub fn brake(mut self, brake: impl Brake + 'static) -> Self {
        self.options.brake = Some(Brakes(Arc::new(brake)));
        self
    }

    /// A source of evidence that does not count for the gate of a contract, by its name (`phases`, `soak`, `fleet`,
    /// `strangers`, `dependencies`), and why. The history keeps the reason beside each contract that would not have
    /// run without it.
    #[must_use]
    pub fn waive(mut self, source: impl Into<String>, reason: impl Into<String>) -> Self {
        self.options.gate.waived.push((source.into(), reason.into()));
        self
    }

    /// A role or an `application_name` whose sessions are known not to need what contracts remove, such as that of a
    /// tool for backups.
    #[must_use]
    pub fn known(mut self, name: impl Into<String>) -> Self {
        self.options.gate.known.push(name.into());
        self
    }

    /// Lets no contract run whose evidence nobody has approved (see [`approve`](Self::approve)); a single contract
    /// asks for it with `-- migrate: approval`.
    #[must_use]
    pub fn require_approval(mut self) -> Self {
        self.options.gate.approval = true;
        self
    }

    /// Something that this program can do, for contracts that say `-- migrate: needs <name>`. It is told with the
    /// [`heartbeat`](Self::heartbeat).
    #[must_use]
    pub fn capability(mut self, name: impl Into<String>) -> Self {
        self.options.gate.capabilities.push(name.into());
        self
    }

    /// How often a [`heartbeat`](Self::heartbeat) says that this program is alive (default 10 s). It counts as gone
    /// when it has not said so for three times as long.
    #[must_use]
    pub fn heartbeat_every(mut self, period: Duration) -> Self {
        self.options.gate.heartbeat = period;
        self
    }

    /// Who hears of what happens.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.ear = Ear(Some(Arc::new(observer)));
        self
    }
}
