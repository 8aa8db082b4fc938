//! Schema migrations for PostgreSQL, embedded in the program and run when it starts.
//!
//! A folder of SQL files becomes part of the program with `#[derive(Migrations)]`, which refuses a broken one
//! while it compiles. [`Migrator::run`] brings a database up to date: one at a time, each migration and its
//! row in the history in one transaction, under a lock timeout, and with one query when there is nothing to do.
//!
//! | | |
//! |---|---|
//! | [`Migrator`] | `run`, `plan`, `status`, `check`, `revert`, and what people tell the history |
//! | [`Migrations`], [`Source`] | where the migrations are |
//! | [`Code`] | migrations written in Rust |
//! | [`Report`], [`Error`], [`Observer`] | what happened |
//! | [`FromSqlx`], [`AdoptionReport`] | for applications that migrated with sqlx |

mod activity;
mod adopt;
mod approach;
mod backfill;
mod blocker;
mod brake;
#[cfg(feature = "serde")]
mod data;
mod difference;
mod error;
mod execute;
mod folder;
mod gate;
mod heartbeat;
mod history;
mod lease;
mod lock;
#[cfg(feature = "metrics")]
mod measure;
mod migrator;
mod monitor;
mod observe;
mod options;
mod progress;
mod recorder;
mod rehearse;
mod report;
mod retry;
mod roles;
mod session;
mod settled;
mod source;
mod sql;
mod standby;
mod throttle;
mod wanted;
mod watch;
mod wire;

pub use activity::{Activity, AtWork, Waiting};
pub use adopt::{AdoptionReport, FromSqlx};
pub use backfill::{Backfill, BackfillDone, BackfillReport, BackfillState, Rows, Wanted};
pub use blocker::{Blocker, BlockerKind};
pub use brake::Brake;
pub use difference::Difference;
pub use error::{BoxError, Error};
pub use heartbeat::Heartbeat;
pub use migrate_core::adoption::{Adopted, Pending, Proof};
pub use migrate_core::{
    Check, Comparison, Deferred, Direction, Evidence, Gate, Kind, Line, LockMode, Migration,
    MigrationId, Notice, NoticeKind, Phase, Phases, Plan, Policy, Problem, Reason, Set, Standing,
    Version,
};
pub use migrate_macros::{Migration, Migrations, embed};
pub use migrator::{Backfilling, Migrator, Resolution};
pub use observe::{Event, Observer};
pub use progress::{Counted, Progress, Steps};
pub use recorder::{Doing, Met, Outcome, Recorder, Recording, Remark, Span, Stopped, Track};
pub use rehearse::{Basis, LockHeld, Rehearsal, Rehearse, Rehearsed};
pub use report::{Applied, Report, Unfinished};
pub use session::Database;
pub use source::{Beside, Code, Embedded, Listed, Migrations, Source};
pub use throttle::{LimitedBy, Limits, OnUnknown, Retention, WalRate, Window};

#[doc(hidden)]
pub use async_trait::async_trait;
#[doc(hidden)]
pub use migrate_core as core;
#[doc(hidden)]
pub use sqlx::PgConnection;
// For the tests of this workspace.
#[doc(hidden)]
pub use throttle::{Closed, Position, Signal, Signals};
