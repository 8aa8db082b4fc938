//! What a PostgreSQL migration is, and which ones a database still needs.
//!
//! This crate decides and does nothing: no I/O, no async, no clock, no driver. Values go in, a [`Plan`] comes
//! out. `migrate-macros` makes the values at compile time, `migrate-postgres` carries the plan out.
//!
//! A [`Migration`] has an identity ([`Version`] and [`Phase`]), [`Step`]s forward and a way back; a [`Set`] is
//! the ordered migrations of one application; a [`History`] is what a database says was done; [`source`]
//! makes migrations of file names and texts; [`sql`] finds the statements in a text; [`adoption`] takes over what
//! sqlx did.

pub mod adoption;
pub mod backfill;
mod block;
pub mod calendar;
mod checksum;
mod difference;
mod directive;
mod divergence;
pub mod gate;
mod held;
mod history;
mod lock;
mod migration;
mod packed;
mod phase;
pub mod plan;
mod problem;
pub mod source;
mod spelling;
pub mod sql;
mod status;
mod step;
mod target;
mod version;

#[cfg(test)]
mod testing;

pub use backfill::{Backfill, Batches, By};
pub use checksum::{Checksum, Comparison, NotAChecksum, compare};
pub use difference::difference;
pub use directive::{Allow, BadDirective, Header, duration};
pub use divergence::{Divergence, DivergenceKind, Divergences, Notice, NoticeKind};
pub use gate::{Approval, Check, Evidence, Gate};
pub use held::Held;
pub use history::{Applied, Direction, History, Kind, NotAWord, Record, State, Status};
pub use lock::{LockMode, LockTarget, Targets, Work};
pub use migration::{
    Down, Entry, Folder, Migration, Set, SetError, SqlDown, SqlMigration, digest, digest_with,
    header, is_code,
};
pub use packed::{Packed, pack, scripts};
pub use phase::{NotAPhase, Phase, Phases};
pub use plan::{Action, Deferred, Plan, Reason, TextOf};
pub use problem::{Place, Problem, Severity};
pub use spelling::nearest;
pub use status::{Line, Standing, status};
pub use step::{Code, Script, Step, Unit, units};
pub use target::{Policy, Target, UnknownCode};
pub use version::{MigrationId, NotAVersion, Version};
