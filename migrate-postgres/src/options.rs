//! How a migrator behaves.
//!
//! Owns the defaults. Decides nothing with them.

use std::fmt;
use std::time::Duration;

use migrate_core::{Checksum, Phases, Policy, Target, UnknownCode, Version};
use sqlx::postgres::PgConnectOptions;

use crate::brake::Brakes;
use crate::error::Error;
use crate::sql::Names;
use crate::throttle::Limits;

/// What a migrator was told.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) set: String,
    pub(crate) schema: String,
    pub(crate) table: String,
    pub(crate) role: Option<String>,
    pub(crate) readable_by: Vec<String>,
    pub(crate) direct: Option<Direct>,
    pub(crate) target: Target,
    pub(crate) gate: GateRules,
    pub(crate) waits: Waits,
    pub(crate) filling: Filling,
    /// Of backfills.
    pub(crate) brake: Option<Brakes>,
}

/// How backfills are run.
#[derive(Clone, Debug)]
pub(crate) struct Filling {
    /// How long a run goes on with one; what is left then is left to others.
    pub(crate) budget: Duration,
    /// Into how many ranges a table is split, each for one worker at a time.
    pub(crate) workers: u32,
    /// What it keeps to, but for what the table says.
    pub(crate) limits: Limits,
}

impl Default for Filling {
    fn default() -> Self {
        Self { budget: Duration::from_secs(10), workers: 1, limits: Limits::default() }
    }
}

/// What was said about the gates of contracts.
#[derive(Clone, Debug)]
pub(crate) struct GateRules {
    /// Sources of evidence that do not count, and why.
    pub(crate) waived: Vec<(String, String)>,
    /// Roles and application names whose sessions are known not to need what a contract removes.
    pub(crate) known: Vec<String>,
    /// Whether each contract needs an approval.
    pub(crate) approval: bool,
    /// The version whose contract alone is wanted.
    pub(crate) only: Option<Version>,
    /// What this program says that it can do.
    pub(crate) capabilities: Vec<String>,
    /// How often it says that it is alive.
    pub(crate) heartbeat: Duration,
}

impl Default for GateRules {
    fn default() -> Self {
        Self {
            waived: Vec::new(),
            known: Vec::new(),
            approval: false,
            only: None,
            capabilities: Vec::new(),
            heartbeat: Duration::from_secs(10),
        }
    }
}

/// How to connect for work, past whatever stands before the server.
#[derive(Clone)]
pub(crate) struct Direct(pub(crate) Box<PgConnectOptions>);

/// Connect options hold a password, and show it.
impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Direct")
    }
}

/// How long things may take.
#[derive(Clone, Debug)]
pub(crate) struct Waits {
    /// For a connection of our own.
    pub(crate) connect: Duration,
    /// How many connections may be lost with nothing done in between.
    pub(crate) reconnects: u32,
    /// For a lease that is not renewed to run out.
    pub(crate) lease: Duration,
    /// For a standby to become a primary.
    pub(crate) promotion: Duration,
    /// For another migrator to finish.
    pub(crate) migrator: Duration,
    /// One attempt after the other to get a lock on a table; the last is repeated. `None` is what suits the server.
    pub(crate) lock_ladder: Option<Vec<Duration>>,
    /// For all attempts of one migration together.
    pub(crate) lock_deadline: Duration,
    /// For one statement inside a transaction; `None` is what suits its locks.
    pub(crate) statement: Option<Duration>,
    /// How many may wait behind an attempt to get a lock.
    pub(crate) most_waiting: usize,
    /// From when on an idle transaction in the way is ended; `None` is never.
    pub(crate) end_idle: Option<Duration>,
    /// Whether an autovacuum in the way is cancelled.
    pub(crate) cancel_autovacuum: bool,
    /// For one statement outside transactions.
    pub(crate) standalone: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            set: "default".to_owned(),
            schema: "public".to_owned(),
            table: "schema_migrations".to_owned(),
            role: None,
            readable_by: Vec::new(),
            direct: None,
            target: Target::default(),
            gate: GateRules::default(),
            waits: Waits::default(),
            filling: Filling::default(),
            brake: None,
        }
    }
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            reconnects: 3,
            lease: Duration::from_secs(30),
            promotion: Duration::ZERO,
            migrator: Duration::from_secs(600),
            lock_ladder: None,
            lock_deadline: Duration::from_secs(600),
            statement: None,
            most_waiting: 100,
            end_idle: None,
            cancel_autovacuum: false,
            standalone: Duration::from_secs(24 * 3600),
        }
    }
}

/// As long as everybody may stand still while a statement has the strongest lock on a table.
const UNDER_STRONGEST: Duration = Duration::from_secs(5);

impl Waits {
    /// For a statement of a transaction that keeps everybody out of some table, or of one that does not.
    pub(crate) fn statement(&self, keeps_all_out: bool) -> Duration {
        let usual = if keeps_all_out { UNDER_STRONGEST } else { Duration::ZERO };
        self.statement.unwrap_or(usual)
    }
}

impl Options {
    pub(crate) fn names(&self) -> Result<Names, Error> {
        Names::new((&self.schema, &self.table), &self.set, self.role.as_deref())
    }

    /// What a settled mark stands for: what is declared and what was wanted of it.
    pub(crate) fn digest(&self, declared: Checksum) -> String {
        let Target { up_to, phases, late, unknown_newer, unknown_code, group: _ } = &self.target;
        let elsewhere = *unknown_code == UnknownCode::Elsewhere;
        let strict = (*late == Policy::Error, *unknown_newer == Policy::Error, elsewhere);
        let phases: Phases = *phases;
        let only = self.gate.only.map(|version| format!(" only {version}")).unwrap_or_default();
        let wanted = format!("2 {} {up_to:?} {phases:?} {strict:?}{only}", self.set);
        declared.and(&format!("{wanted} {:?}", self.readable_by)).to_string()
    }
}
