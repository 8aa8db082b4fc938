//! `soak`: what comes before the contract was done so long ago that whatever it broke has shown.
//!
//! How long, the file says; where it says nothing, no time has to pass. The clock is the server's.

use std::time::Duration;

use async_trait::async_trait;
use migrate_core::{Evidence, MigrationId, Phase};

use super::words::ago;
use super::{Answer, Contract, Eyes, Finding, Source};
use crate::error::Error;
use crate::session::{number, text, truth};

pub(super) struct Soak;

#[async_trait]
impl Source for Soak {
    fn name(&self) -> &'static str {
        "soak"
    }

    async fn look(&self, eyes: &mut Eyes<'_>, contract: &Contract<'_>) -> Result<Finding, Error> {
        let Some(soak) = contract.header.soak else {
            return Ok(Evidence::open("the file asks for no time to pass").into());
        };
        let has_parts = [Phase::Expand, Phase::Migrate]
            .iter()
            .any(|phase| eyes.set.get(MigrationId::new(contract.id.version, *phase)).is_some());
        let which = if has_parts { "=" } else { "<" };
        let question = eyes.names.soaked(contract.id.version, which, soak);
        let Answer::Rows(rows) = eyes.ask("ask how long ago a migration was", question).await?
        else {
            return Ok(unknown().into());
        };
        let asked = in_words(soak);
        let facts = vec![asked.clone()];
        let evidence = match rows.first() {
            None => Evidence::closed(
                format!("{asked} are to pass after what comes before it, which is not done yet"),
                "The time begins when it is done.",
            ),
            Some(row) if truth(row, "is_over") => {
                Evidence::open(format!("{asked} have passed since what comes before it"))
            }
            Some(row) => Evidence::closed(
                format!("{asked} are to pass after what comes before it"),
                format!(
                    "It opens by itself in {}, at {} UTC.",
                    ago(number(row, "left_s").unwrap_or_default()),
                    text(row, "until").unwrap_or("?")
                ),
            ),
        };
        Ok(Finding { evidence, facts })
    }
}

fn unknown() -> Evidence {
    Evidence::unknown("the history cannot be read", "Let this role read it.")
}

fn in_words(soak: Duration) -> String {
    ago(i64::try_from(soak.as_secs()).unwrap_or(i64::MAX))
}
