//! Standbys: servers that follow another and can only be read.
//!
//! Looking is as good there as anywhere, and whoever finds nothing to do never comes here. Owns the refusal
//! and the wait until it is a primary. Knows nothing of migrations.

use std::time::Instant;

use crate::error::Error;
use crate::lock::POLL;
use crate::observe::{Ear, Event, Seldom};
use crate::options::Options;
use crate::session::Session;

/// Refuses to work on a standby, or waits until it is none, as it was told.
pub(crate) async fn refuse_or_wait(
    session: &mut Session,
    ours: &Options,
    ear: &Ear,
) -> Result<(), Error> {
    if !session.facts.standby {
        return Ok(());
    }
    let longest = ours.waits.promotion;
    let (began, mut told) = (Instant::now(), Seldom::default());
    loop {
        let waited = began.elapsed();
        if waited >= longest {
            return Err(Error::standby(waited));
        }
        if told.is_due() {
            ear.tell(&Event::WaitingForPromotion { waited });
        }
        tokio::time::sleep((POLL * 5).min(longest - waited)).await;
        if is_promoted(session, ours).await? {
            return Ok(());
        }
    }
}

/// Looks with a new connection, because the name of the primary may lead to another server by now. While one takes
/// over from the other there may be none.
async fn is_promoted(session: &mut Session, ours: &Options) -> Result<bool, Error> {
    match session.reopened(ours).await {
        Some(Ok(())) | None => {}
        Some(Err(error)) => {
            tracing::debug!(%error, "migrate: no server to wait for yet");
            return Ok(false);
        }
    }
    match session.learn_facts().await {
        Ok(()) => Ok(!session.facts.standby),
        Err(error) if error.is_connection() && session.can_reopen() => Ok(false),
        Err(error) => Err(error),
    }
}
