//! `soak`: what comes before the contract was done so long ago that whatever it broke has shown.
//!
//! How long, the file says; where it says nothing, no time has to pass. The clock is the server's.

use std::time::Duration;

use async_trait::async_trait;
use migrate_core::{Evidence, MigrationId, Phase};

use super::words::ago;
use super::{Answer, Contract, Eyes, Finding, Source};
use crate::error::Error;
use crate::wire::{number, text, truth};

pub(super) struct Soak;

#[async_trait]
impl Source for Soak {
    fn name(&self) -> &'static str {
        "soak"
    }

    async fn look(&self, eyes: &mut Eyes<'_>, contract: &Contract<'_>) -> Result<Finding, Error> {
        let Some(soak) = contract.header.soak else {
            return Ok(Evidence::open("its file asks for no soak").into());
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
                format!("its soak of {asked} has not begun"),
                "It begins when what comes before the contract is done.",
            ),
            Some(row) if truth(row, "is_over") => {
                Evidence::open(format!("its soak of {asked} is over"))
            }
            Some(row) => Evidence::closed(
                format!("its soak of {asked} is not over"),
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

/// As the directive has it.
fn in_words(soak: Duration) -> String {
    let seconds = soak.as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "min")];
    let unit = units.iter().find(|(length, _)| seconds > 0 && seconds.is_multiple_of(*length));
    match unit {
        Some((length, unit)) => format!("{}{unit}", seconds / length),
        None if soak.subsec_millis() > 0 => format!("{}ms", soak.as_millis()),
        None => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_soak_reads_as_it_was_written() {
        let of = |ms| in_words(Duration::from_millis(ms));
        assert_eq!([250, 4_000, 90_000].map(of), ["250ms", "4s", "90s"]);
        assert_eq!([120_000, 3_600_000, 172_800_000].map(of), ["2min", "1h", "2d"]);
    }
}
