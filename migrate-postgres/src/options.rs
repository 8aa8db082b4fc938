//! How a migrator behaves, and the names of what it keeps in the database.
//!
//! Owns the defaults. Decides nothing with them.

use std::fmt;
use std::time::Duration;

use migrate_core::sql::quote;
use migrate_core::{Checksum, Phases, Policy, Target, UnknownCode, Version};
use sqlx::postgres::PgConnectOptions;

use crate::brake::Brakes;
use crate::error::Error;
use crate::sql::{AS_WE_WRITE, ident};
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

/// The names of one set's tables and its lock, quoted and ready to stand in a statement.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// `"public"."schema_migrations"`
    pub(crate) history: String,
    pub(crate) settled: String,
    pub(crate) unsettle: String,
    /// The leases' table, and its name alone as a literal.
    pub(crate) lease: String,
    pub(crate) lease_relation: String,
    /// The backfills' table, and that of their ranges.
    pub(crate) backfill: String,
    pub(crate) range: String,
    /// The tables of instances that are alive, of sessions that nobody accounts for, and of approvals.
    pub(crate) instance: String,
    pub(crate) stranger: String,
    pub(crate) approval: String,
    /// The function that writes to sqlx's table too, and the name of its trigger.
    pub(crate) mirror: String,
    pub(crate) mirror_name: String,
    /// The schema, as a literal and as a name.
    pub(crate) schema: String,
    pub(crate) schema_ident: String,
    /// The set, as a literal.
    pub(crate) set: String,
    /// The advisory lock.
    pub(crate) key: i64,
    /// The role that everything is done as, quoted.
    pub(crate) role: Option<String>,
}

/// PostgreSQL cuts longer names; ours has endings of its own.
const LONGEST_TABLE: usize = 63 - "_unsettle".len();

impl Names {
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        let Options { schema, table, set, role, .. } = options;
        if table.is_empty() || table.len() > LONGEST_TABLE || schema.is_empty() || schema.len() > 63
        {
            let next = format!(
                "Give the table a name of 1 to {LONGEST_TABLE} bytes, and the schema one of 1 to 63."
            );
            let message = format!(
                "failed to use `{schema}.{table}` as the history: a name is empty or too long"
            );
            return Err(Error::declaration(message).now("nothing was changed").next(next));
        }
        let nul = |_| {
            let message =
                "failed to use the name of a schema, table, set or role: it has a NUL character";
            Error::declaration(message).now("nothing was changed").next("Give it another name.")
        };
        let of = |ending: &str| quote::qualified(schema, &format!("{table}{ending}")).map_err(nul);
        let key = lock_key(&format!("{schema}.{table}/{set}"));
        let mirror_name = format!("migrate_mirror_{:016x}", key.cast_unsigned());
        Ok(Self {
            mirror: quote::qualified(schema, &mirror_name).map_err(nul)?,
            mirror_name,
            history: of("")?,
            settled: of("_settled")?,
            unsettle: of("_unsettle")?,
            lease: of("_lease")?,
            backfill: of("_backfill")?,
            range: of("_range")?,
            lease_relation: quote::literal(&format!("{table}_lease")).map_err(nul)?,
            instance: of("_instance")?,
            stranger: of("_stranger")?,
            approval: of("_approval")?,
            schema: quote::literal(schema).map_err(nul)?,
            schema_ident: quote::Ident::new(schema).map_err(nul)?.to_string(),
            set: quote::literal(set).map_err(nul)?,
            key,
            role: role.as_deref().map(ident),
        })
    }
}

impl Names {
    /// Makes a session ours again, whatever a migration made of it.
    pub(crate) fn ourselves(&self) -> String {
        let role = self.role.as_ref().map(|role| format!("SET ROLE {role}; "));
        "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; ".to_owned()
            + AS_WE_WRITE
            + &role.unwrap_or_default()
    }

    /// Takes the role for one message.
    pub(crate) fn as_role(&self) -> String {
        self.role.as_ref().map(|role| format!("SET LOCAL ROLE {role}; ")).unwrap_or_default()
    }
}

/// The first eight bytes of a hash: two sets do not meet by accident, nor does anybody else's lock.
fn lock_key(name: &str) -> i64 {
    let checksum = Checksum::of_sql("migrate").and(name);
    let mut key = [0; 8];
    key.iter_mut().zip(checksum.as_bytes()).for_each(|(to, from)| *to = *from);
    i64::from_be_bytes(key)
}

impl Options {
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
