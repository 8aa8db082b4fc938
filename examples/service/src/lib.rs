//! A small web service that brings its database up to date when it starts.
//!
//! Any number of replicas may start at once: one of them migrates, the others wait for it. Each listens from
//! the first moment, so that whoever deploys can tell a replica that works from one that is stuck:
//!
//! | | | |
//! |---|---|---|
//! | `GET /live` | 200 while the process runs | restart it if not |
//! | `GET /ready` | 503 until the database is up to date, and again when it is told to stop | send it no requests |
//! | `GET /notes/{author}`, `POST /notes/{author}` | what the service is for | |

use std::future::Future;

use axum::routing::get;
use axum::{Router, middleware};
use migrate_postgres::{Migrations, Migrator};
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

mod notes;
mod readiness;

use readiness::Readiness;

/// The folder is part of the program. A migration without a way back does not compile.
#[derive(Migrations)]
#[migrations(dir = "migrations", down = "require")]
pub struct AppMigrations;

/// Whatever ends the process.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Listens, migrates, serves; ends when it is told to stop, after the requests it is in.
///
/// # Errors
/// When the database cannot be brought up to date. Better no replica than one on a schema that it does not
/// know: those of the release before still serve.
pub async fn serve(
    listener: TcpListener,
    pool: PgPool,
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    let readiness = Readiness::new();
    let (leave, told_to_leave) = oneshot::channel::<()>();
    let server = axum::serve(listener, routes(&pool, &readiness)).with_graceful_shutdown(async {
        told_to_leave.await.ok(); // it never gets a message: the other end is dropped
    });
    let server = tokio::spawn(server.into_future());

    // A run that ends well ends nothing: `stop` is still waited for. One that is dropped halfway leaves nothing
    // half done: the transaction it is in is undone, and what cannot be in one is gone on with by the next run.
    let ended = tokio::select! {
        () = stop => Ok(()),
        Err(error) = migrate(&pool, &readiness) => Err(error),
    };

    tracing::info!("stopping");
    readiness.not_yet("stopping");
    drop(leave);
    server.await??;
    pool.close().await;
    Ok(ended?)
}

async fn migrate(pool: &PgPool, readiness: &Readiness) -> Result<(), migrate_postgres::Error> {
    let migrator = Migrator::new(AppMigrations).observer(readiness.clone());
    migrator.run(pool).await?;
    readiness.ready();
    Ok(())
}

fn routes(pool: &PgPool, readiness: &Readiness) -> Router {
    let guard = middleware::from_fn_with_state(readiness.clone(), readiness::only_when_ready);
    notes::routes(pool.clone())
        .route_layer(guard)
        .route("/ready", get(readiness::answer).with_state(readiness.clone()))
        .route("/live", get("alive\n"))
}

/// Where to listen, as `LISTEN` says, by default port 8080 of this machine alone.
///
/// # Errors
/// When somebody else listens there.
pub async fn listen() -> std::io::Result<TcpListener> {
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(&address).await?;
    tracing::info!("listening on http://{}", listener.local_addr()?);
    Ok(listener)
}

/// Comes when the process is told to stop: by SIGTERM, as orchestrators do, or by Ctrl-C.
///
/// # Errors
/// When the system does not let us hear of it.
pub fn told_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
