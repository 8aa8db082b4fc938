//! `dependencies`: nothing in the catalog, and no text of a function, has to do with what the contract removes.
//!
//! What that is, is read from its statements, by their words; what depends on it, the server knows: views, rules,
//! policies, generated columns, foreign keys, lists of publications. Functions are searched for the names. What is
//! not plain is unknown; a name that is put together at run time is not found, and the book says so.

use async_trait::async_trait;
use migrate_core::sql::classify::{Fate, Removal, Removed, removals};
use migrate_core::{Evidence, Step};

use super::words::list;
use super::{Answer, Contract, Eyes, Finding, Source};
use crate::error::Error;
use crate::sql::{ident, literal};
use crate::wire::text;

pub(super) struct Dependencies;

#[async_trait]
impl Source for Dependencies {
    fn name(&self) -> &'static str {
        "dependencies"
    }

    async fn look(&self, eyes: &mut Eyes<'_>, contract: &Contract<'_>) -> Result<Finding, Error> {
        let Some(script) = contract.migration.up().first().and_then(Step::script) else {
            return Ok(
                unreadable("it is written in Rust, and nobody can read what it removes").into()
            );
        };
        let (removed, hidden) = removals(&script.text);
        if let Some(word) = hidden.first() {
            let why = format!("what it removes is hidden in a statement that begins with {word}");
            return Ok(unreadable(&why).into());
        }
        if removed.iter().all(|removed| removed.fate == Fate::Replaced) {
            return Ok(
                Evidence::open("it removes nothing that others could know by its name").into()
            );
        }
        let gone: Vec<_> = removed.iter().map(row).collect();
        let question = eyes.names.dependants(&gone);
        let Answer::Rows(rows) = eyes.ask("look what depends on it", question).await? else {
            return Ok(unreadable("this role may not read the catalog").into());
        };
        let facts: Vec<_> = rows.iter().filter_map(|row| text(row, "what")).collect();
        let facts: Vec<_> = facts.into_iter().map(ToOwned::to_owned).collect();
        Ok(Finding { evidence: judge(&facts), facts })
    }
}

fn unreadable(why: &str) -> Evidence {
    let opens =
        "Write what it drops as a statement of its own, or look for yourself and waive this.";
    Evidence::unknown(why, opens)
}

fn judge(found: &[String]) -> Evidence {
    match found {
        [] => Evidence::open(
            "nothing in the catalog depends on what it removes, and no function names it",
        ),
        found => Evidence::closed(
            format!("these still use what it removes: {}", list(found)),
            "Drop or change them first: in a migration before it, or in the contract itself, above.",
        ),
    }
}

/// A row of the statement that looks.
fn row(removed: &Removed) -> String {
    let kind = match removed.kind {
        Removal::Relation => "relation",
        Removal::Column => "column",
        Removal::Function => "function",
        Removal::Trigger => "trigger",
        Removal::Policy => "policy",
    };
    let fate = match removed.fate {
        Fate::Gone => "gone",
        Fate::Renamed => "renamed",
        Fate::Replaced => "replaced",
    };
    let schema = removed.name.schema.as_deref().map(|schema| ident(schema) + ".");
    let path = schema.unwrap_or_default() + &ident(&removed.name.name);
    let part = removed.part.as_deref().map_or_else(|| "NULL".to_owned(), literal);
    let values = [kind, fate, &path, &removed.name.name].map(literal).join(", ");
    format!("({values}, {part}::text)")
}
