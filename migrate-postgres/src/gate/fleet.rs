//! `fleet`: every instance of the application that is alive has the contract compiled in, and can what it needs.
//!
//! An instance that has it was built when the change was known, and comes with code that does without what is
//! removed. That nobody is alive is no proof: then nobody has said anything.

use async_trait::async_trait;
use migrate_core::Evidence;
use sqlx::postgres::PgRow;

use super::words::{ago, count, list, unreadable};
use super::{Answer, Contract, Eyes, Finding, Source};
use crate::error::Error;
use crate::wire::{number, text, truth};

pub(super) struct Fleet;

#[async_trait]
impl Source for Fleet {
    fn name(&self) -> &'static str {
        "fleet"
    }

    async fn look(&self, eyes: &mut Eyes<'_>, contract: &Contract<'_>) -> Result<Finding, Error> {
        let question = eyes.names.fleet(contract.id.version, &contract.header.needs);
        let rows = match eyes.ask("look for instances of the application", question).await? {
            Answer::Rows(rows) => rows,
            missing => return Ok(unreadable(&missing, eyes.names).into()),
        };
        let mut facts: Vec<_> = rows.iter().map(fact).collect();
        facts.dedup();
        Ok(Finding { evidence: judge(&rows), facts })
    }
}

/// What matters of an instance: another one of the same build changes nothing.
fn fact(row: &PgRow) -> String {
    let can = text(row, "capabilities").filter(|can| !can.is_empty());
    let can = can.map(|can| format!(" ({can})")).unwrap_or_default();
    format!("{}{can}", text(row, "build").unwrap_or("?"))
}

fn judge(rows: &[PgRow]) -> Evidence {
    if rows.is_empty() {
        return Evidence::unknown(
            "no instance of the application says that it is alive",
            "Let the application call `Migrator::heartbeat` when it starts, in a build that has this contract.",
        );
    }
    let behind: Vec<_> = rows.iter().filter_map(what_is_missing).collect();
    let all = count(rows.len(), "instance");
    match behind.as_slice() {
        [] => Evidence::open(format!("{all} alive, and each can do without what it removes")),
        behind => Evidence::closed(
            format!("{} of {all} alive may need what it removes: {}", behind.len(), list(behind)),
            "Roll out a build that has this contract, and what it needs, to all of them. One that dies without a \
             good-bye counts for three heartbeats more.",
        ),
    }
}

fn what_is_missing(row: &PgRow) -> Option<String> {
    let of = |column| text(row, column).unwrap_or("?");
    let lacks = text(row, "lacks").filter(|lacks| !lacks.is_empty());
    let missing = match (truth(row, "has_it"), lacks) {
        (true, None) => return None,
        (false, _) => "does not have the contract".to_owned(),
        (true, Some(lacks)) => format!("lacks {lacks}"),
    };
    let seen = ago(number(row, "seen_s").unwrap_or_default());
    let build = Some(of("build")).filter(|build| !build.is_empty()).unwrap_or("one");
    Some(format!("{build} on {} {missing} (seen {seen} ago)", of("host")))
}
