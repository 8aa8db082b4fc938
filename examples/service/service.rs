//! `cargo run --example service`: the service of this package, on the database that `DATABASE_URL` names or, where
//! it names none, on a throwaway server.
//!
//! What would be deployed is `src/main.rs`.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use migrate_testing::TestDatabase;
use sqlx::postgres::PgPoolOptions;

#[tokio::main]
async fn main() -> Result<(), service::Error> {
    tracing_subscriber::fmt::init();
    let stop = service::told_to_stop()?;
    let listener = service::listen().await?;
    let address = listener.local_addr()?;
    println!("\nIn another terminal, and Ctrl-C here in the end:");
    println!("  curl -i http://{address}/ready");
    println!("  curl -d 'buy milk' http://{address}/notes/ada");
    println!("  curl http://{address}/notes/ada\n");

    if let Ok(url) = std::env::var("DATABASE_URL") {
        let pool = PgPoolOptions::new().connect_lazy(&url)?;
        return service::serve(listener, pool, stop).await;
    }
    let throwaway = TestDatabase::empty().await?;
    service::serve(listener, throwaway.pool().clone(), stop).await
}
