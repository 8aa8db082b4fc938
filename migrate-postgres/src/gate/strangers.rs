//! `strangers`: no session of this database belongs to somebody who has not said what it needs.
//!
//! A session is covered when an instance that is alive connects as the same role, under the same `application_name`
//! and from the same address. Two programs that agree in all three cannot be told apart: the book says so. Whoever
//! was seen by a heartbeat and is gone counts for as long as the contract soaks, so that a visitor is not missed
//! between two visits.

use std::time::Duration;

use async_trait::async_trait;
use migrate_core::Evidence;
use sqlx::postgres::PgRow;

use super::words::{ago, count, list, unreadable};
use super::{Answer, Contract, Eyes, Finding, Source};
use crate::error::Error;
use crate::wire::{number, text, truth};

pub(super) struct Strangers;

#[async_trait]
impl Source for Strangers {
    fn name(&self) -> &'static str {
        "strangers"
    }

    async fn look(&self, eyes: &mut Eyes<'_>, contract: &Contract<'_>) -> Result<Finding, Error> {
        let soak = contract.header.soak.unwrap_or(Duration::ZERO);
        let question = eyes.names.strangers(soak);
        let rows = match eyes.ask("look who is connected", question).await? {
            Answer::Rows(rows) => rows,
            missing => return Ok(unreadable(&missing, eyes.names).into()),
        };
        if let Some(row) = rows.first()
            && !truth(row, "sees_all")
        {
            return Ok(blind(text(row, "role").unwrap_or("?")).into());
        }
        let known = &eyes.rules.known;
        let is_known = |row: &&PgRow| {
            let is = |column| text(row, column).is_some_and(|name| known.iter().any(|k| k == name));
            is("login") || is("application")
        };
        let found: Vec<_> = rows.iter().filter(|row| text(row, "login").is_some()).collect();
        let strangers: Vec<_> = found.iter().filter(|row| !is_known(row)).copied().collect();
        let facts = strangers.iter().map(|row| who(row)).collect();
        Ok(Finding { evidence: judge(&strangers, found.len() - strangers.len()), facts })
    }
}

fn blind(role: &str) -> Evidence {
    Evidence::unknown(
        format!("{role} does not see what kind of sessions others have, nor from where"),
        format!("Let it see them: GRANT pg_read_all_stats TO {role};"),
    )
}

fn judge(strangers: &[&PgRow], known: usize) -> Evidence {
    if strangers.is_empty() {
        let known = match known {
            0 => String::new(),
            many => format!(", and {} known to do no harm", count(many, "kind")),
        };
        return Evidence::open(format!("no sessions but those of live instances{known}"));
    }
    let told: Vec<_> = strangers.iter().map(|row| with_time(row)).collect();
    Evidence::closed(
        format!("sessions of which nobody knows what they need: {}", list(&told)),
        "End them, let their programs call `Migrator::heartbeat`, or name those that do no harm: `Migrator::known` \
         (`--known NAME`).",
    )
}

/// `metabase as reader`
fn who(row: &PgRow) -> String {
    let login = text(row, "login").unwrap_or("?");
    match text(row, "application") {
        None | Some("") => format!("{login} without an application_name"),
        Some(application) => format!("{application} as {login}"),
    }
}

fn with_time(row: &PgRow) -> String {
    let who = who(row);
    match (number(row, "gone_s"), number(row, "sessions")) {
        (Some(seconds), _) => format!("{who} (seen {} ago)", ago(seconds)),
        (None, Some(many)) if many > 1 => format!("{who} ({many} sessions)"),
        _ => who,
    }
}
