//! Placeholder.
mod folder;
mod source;
#[doc(hidden)]
pub use async_trait::async_trait;
#[doc(hidden)]
pub use migrate_core as core;
pub use source::{Beside, BoxError, Code, Embedded, Listed, Migrations, Source};
#[doc(hidden)]
pub use sqlx::PgConnection;
