//! One look at the server: all that may tell a backfill to slow down or to wait.
//!
//! Owns what a look finds, as plain values, and the one message of it. A value that our role may not see is not zero but
//! unknown. What is too much is somebody else's to say.

use std::time::Duration;

use sqlx::PgConnection;

use super::limits::Limits;
use crate::error::Error;
use crate::sql;
use crate::wire;

mod follow;
mod told;

#[cfg(test)]
pub(super) use follow::Told;
pub use follow::{Position, Since};

/// What was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Signals {
    /// By the clock of the server, since 1970.
    pub now: Duration,
    /// Minutes of the server's day, in the zone of the limit `off_peak`, else in that of its log: the driver sets every
    /// session's own to UTC.
    pub minute: u16,
    /// Who looks, quoted.
    pub role: String,
    /// The server follows another one and takes no writes.
    pub standby: bool,
    /// What the server writes.
    pub wal: Wal,
    /// How many others are at work.
    pub active: Signal<u32>,
    /// How many wait for a lock of the session that fills.
    pub blocked: u32,
    /// Who follows this server.
    pub replicas: Vec<Replica>,
    /// The replication slot that keeps most WAL.
    pub slot: Option<Slot>,
    /// `max_slot_wal_keep_size`, where it is set.
    pub slot_keep: Option<u64>,
    /// How many whole segments of WAL wait to be archived; 0 also where nothing is archived.
    pub unarchived: u64,
    /// Whoever keeps dead rows from being cleaned up.
    pub horizon: Horizon,
    /// The autovacuum that works on the table.
    pub vacuum: Option<Vacuum>,
    /// The dead rows of the table; none where there is no table.
    pub dead: Option<Dead>,
}

/// A value, or the reason why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal<T> {
    /// It was seen.
    Known(T),
    /// Our role may not see it.
    Hidden,
    /// The server does not know it yet.
    Untold,
}

/// What the server writes.
#[derive(Clone, Debug, PartialEq)]
pub struct Wal {
    /// So far.
    pub written: u64,
    /// `max_wal_size`, at which a checkpoint is due.
    pub max_wal_size: u64,
    /// Checkpoints that were due for another reason than time, so far.
    pub requested: u64,
    /// There was one since the look before.
    pub requested_since: bool,
}

/// A server that follows this one.
#[derive(Clone, Debug, PartialEq)]
pub struct Replica {
    /// Its process here.
    pub pid: i32,
    /// Its `application_name`.
    pub name: String,
    /// It is no standby: it gets changes, not WAL.
    pub logical: bool,
    /// How far it is.
    pub position: Signal<Position>,
}

/// A replication slot.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// Somebody uses it.
    pub active: bool,
    /// How much WAL it keeps.
    pub retained: u64,
}

/// Whoever keeps dead rows from being cleaned up, and since when at least.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Horizon {
    /// The oldest that a server dates: a transaction or a prepared one.
    pub dated: Option<(String, Duration)>,
    /// The oldest number of a slot, a standby or a statement, and whose it is, since it was first seen.
    pub held: Option<Since<(String, String)>>,
    /// Transactions whose sessions our role may not see, since they were first seen.
    pub hidden: Vec<Since<String>>,
}

/// An autovacuum.
#[derive(Clone, Debug, PartialEq)]
pub struct Vacuum {
    /// To prevent wraparound: it gives way to nobody.
    pub wraparound: bool,
    /// Its transaction, since it was first seen.
    pub seen: Since<String>,
}

/// The dead rows of a table, as far as the server has counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Dead {
    /// So many.
    pub dead: u64,
    /// Beside so many.
    pub live: u64,
}

const WHAT: &str = "look at how busy the server is";

impl Signals {
    /// Looks at the server for a backfill of this table, whose name is written as in SQL. `filler` is the process of the
    /// session that fills, unless it is this one, which holds no lock while it looks. How long something has been so is
    /// learned from one look to the next: `earlier` is the one before.
    pub(crate) async fn look(
        connection: &mut PgConnection,
        table: &str,
        filler: Option<i32>,
        limits: &Limits,
        earlier: Option<&Self>,
    ) -> Result<Self, Error> {
        let zone = limits.off_peak.as_ref().and_then(|window| window.zone.as_deref());
        let version = connection.server_version_num().unwrap_or_default();
        let message = sql::throttle_signals(version, table, filler, zone);
        let rows = wire::rows(connection, message).await;
        let rows = rows.map_err(|error| Error::driver(WHAT, error))?;
        let first = rows.first().ok_or_else(|| Error::driver(WHAT, sqlx::Error::RowNotFound))?;
        Ok(told::signals(first, &rows, earlier))
    }
}
