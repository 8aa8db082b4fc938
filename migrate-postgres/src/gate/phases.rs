//! `phases`: what the same change adds and moves is done.
//!
//! A backfill stands in the history as done when it was verified, so that done is all there is to ask.

use async_trait::async_trait;
use migrate_core::{Evidence, MigrationId, Phase};

use super::{Contract, Eyes, Finding, Source};
use crate::error::Error;

pub(super) struct Phases;

#[async_trait]
impl Source for Phases {
    fn name(&self) -> &'static str {
        "phases"
    }

    async fn look(&self, eyes: &mut Eyes<'_>, contract: &Contract<'_>) -> Result<Finding, Error> {
        let before = [Phase::Expand, Phase::Migrate];
        let before = before.map(|phase| MigrationId::new(contract.id.version, phase));
        let declared: Vec<_> =
            before.into_iter().filter(|id| eyes.set.get(*id).is_some()).collect();
        let open: Vec<_> =
            declared.iter().filter(|id| !eyes.loaded.history.is_done(**id)).collect();
        let evidence = match (declared.as_slice(), open.as_slice()) {
            ([], _) => Evidence::open("the change has no other part"),
            (done, []) => Evidence::open(format!("{} done", words(done))),
            (_, open) => Evidence::closed(
                format!("{} not done yet", words(open.iter().copied())),
                "`run` does that; a backfill counts when all of it is done and verified.",
            ),
        };
        Ok(evidence.into())
    }
}

/// `expand and migrate are`
fn words<'i>(ids: impl IntoIterator<Item = &'i MigrationId>) -> String {
    let words: Vec<_> = ids.into_iter().map(|id| id.phase.as_str()).collect();
    let verb = if words.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", words.join(" and "))
}
