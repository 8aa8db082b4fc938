//! The application's own word on whether a backfill may go on.
//!
//! Owns what an application says, and how. What it is asked for and what becomes of its word is the throttle's.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::error::BoxError;

/// Holds a backfill back for a reason that only the application knows: the room that is left on a disk, a number of its
/// own metrics, a sale that goes on. Given to [`Migrator::brake`](crate::Migrator::brake).
///
/// It is asked before each batch, beside everything that the server tells by itself: answer soon, from something that is
/// at hand. One that fails, or that does not answer within five seconds, holds.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use migrate_postgres::{BoxError, Brake, async_trait};
///
/// /// Free bytes on the database's disk, as a monitor has told last.
/// static FREE: AtomicU64 = AtomicU64::new(u64::MAX);
///
/// struct EnoughDisk;
///
/// #[async_trait]
/// impl Brake for EnoughDisk {
///     async fn holds(&self) -> Result<Option<String>, BoxError> {
///         let free = FREE.load(Ordering::Relaxed) >> 30;
///         Ok((free < 20).then(|| format!("{free} GiB are free on the database's disk (limit 20 GiB)")))
///     }
/// }
/// ```
#[async_trait]
pub trait Brake: Send + Sync {
    /// Why the next batch must wait, as part of a sentence; `None` when it may begin.
    async fn holds(&self) -> Result<Option<String>, BoxError>;
}

/// One that was given to a migrator.
#[derive(Clone)]
pub(crate) struct Brakes(pub(crate) Arc<dyn Brake>);

impl fmt::Debug for Brakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Brakes")
    }
}
