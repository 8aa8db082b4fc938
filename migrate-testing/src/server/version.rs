//! A connection that works, made from synchronous code: the proof that a server is there.
//!
//! It must not know whose server it is.

use std::thread;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};

const PATIENCE: Duration = Duration::from_secs(10);

/// Connects and says which version answered.
///
/// This happens on a thread of its own, for the caller may well be inside an asynchronous runtime.
pub(super) fn ask(options: &PgConnectOptions) -> Result<u32, sqlx::Error> {
    let options = options.clone().disable_statement_logging();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(connect(&options))
    })
    .join()
    .unwrap_or(Err(sqlx::Error::WorkerCrashed))
}

async fn connect(options: &PgConnectOptions) -> Result<u32, sqlx::Error> {
    let connection = tokio::time::timeout(PATIENCE, options.connect()).await;
    let connection: PgConnection = connection.map_err(|_| sqlx::Error::PoolTimedOut)??;
    let version = connection.server_version_num();
    connection.close().await?;
    version.ok_or_else(|| sqlx::Error::Protocol("the server did not tell its version".to_owned()))
}

/// Whether an error is an answer, given by a server that is up: it may be full, it is not gone.
pub(super) fn is_answer(error: &sqlx::Error) -> bool {
    const STARTING_OR_STOPPING: &str = "57P03";
    error
        .as_database_error()
        .is_some_and(|error| error.code().is_some_and(|code| code != STARTING_OR_STOPPING))
}
