//! Whether requests may come, and if not, why. Knows nothing of what the service is for.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use migrate_postgres::{Event, Observer};
use tokio::sync::watch;

/// What keeps the service from being ready; nothing when it is. Clones are the same.
#[derive(Clone)]
pub(crate) struct Readiness(Arc<watch::Sender<Option<String>>>);

impl Readiness {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Some("starting".to_owned()))))
    }

    pub(crate) fn ready(&self) {
        self.0.send_replace(None);
    }

    pub(crate) fn not_yet(&self, why: impl Into<String>) {
        self.0.send_replace(Some(why.into()));
    }
}

/// `GET /ready` says what a migrator does, so that nobody has to look for the log of a slow start. The log has
/// all of it without our help: a migrator tells `tracing` too.
impl Observer for Readiness {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Started { id, name, .. } => self.not_yet(format!("migrating: {id} {name}")),
            Event::Retrying { id, sqlstate, .. } => {
                self.not_yet(format!("migrating: {id} waits for a lock ({sqlstate})"));
            }
            Event::WaitingForMigrator { holder, .. } => {
                self.not_yet(format!("waiting: {holder} migrates"))
            }
            _ => {}
        }
    }
}

/// `GET /ready`
pub(crate) async fn answer(State(readiness): State<Readiness>) -> Response {
    match &*readiness.0.borrow() {
        None => "ready\n".into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

/// Keeps requests that come all the same from a database that is not what they expect.
pub(crate) async fn only_when_ready(
    State(readiness): State<Readiness>,
    request: Request,
    next: Next,
) -> Response {
    let ready = readiness.0.borrow().is_none();
    if ready { next.run(request).await } else { StatusCode::SERVICE_UNAVAILABLE.into_response() }
}
