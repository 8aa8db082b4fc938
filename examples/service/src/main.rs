//! The service, as it is deployed: `DATABASE_URL` names the database, `LISTEN` where to listen.

use std::process::ExitCode;

use sqlx::postgres::PgPoolOptions;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt::init(); // the migrator's events are among those that it writes
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}"); // says what the database looks like now, and what to do
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), service::Error> {
    let stop = service::told_to_stop()?;
    let listener = service::listen().await?;
    let url = std::env::var("DATABASE_URL").map_err(|_| "DATABASE_URL names no database")?;
    let pool = PgPoolOptions::new().connect_lazy(&url)?;
    service::serve(listener, pool, stop).await
}
