//! What was edited since it was applied, with both texts.

use migrate_core::sql::secret;
use migrate_core::{
    Comparison, DivergenceKind, Divergences, Entry, MigrationId, Set, Step, compare,
};
use sqlx::PgConnection;

use crate::error::Error;
use crate::history;
use crate::sql::Names;

/// A migration whose declaration is not the one that ran.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Difference {
    /// Which one.
    pub id: MigrationId,
    /// Its name.
    pub name: String,
    /// How much it matters.
    pub comparison: Comparison,
    /// The lines that went and came; empty where the history has no text.
    pub lines: String,
}

/// Of one migration that was applied, or `None` when it is not declared.
pub(crate) async fn of(
    connection: &mut PgConnection,
    names: &Names,
    set: &Set,
    id: MigrationId,
) -> Result<Option<Difference>, Error> {
    let Some(entry) = set.get(id) else { return Ok(None) };
    let (applied, _) = history::texts(connection, names, id).await?;
    Ok(Some(between(entry, applied.as_deref())))
}

fn between(entry: &Entry, applied: Option<&str>) -> Difference {
    let declared = entry.up().first().and_then(Step::script).map(|script| &*script.text);
    let (comparison, lines) = match (applied, declared) {
        (Some(applied), Some(declared)) => (compare(applied, declared), lines(applied, declared)),
        _ => (Comparison::Changed, String::new()),
    };
    Difference { id: entry.id(), name: entry.name().to_owned(), comparison, lines }
}

/// Logs are read by more people than the folder is.
fn lines(applied: &str, declared: &str) -> String {
    let (before, after) = (secret::masked(applied), secret::masked(declared));
    match migrate_core::difference(&before, &after) {
        lines if lines.is_empty() && applied != declared => HIDDEN.to_owned(),
        lines => lines,
    }
}

const HIDDEN: &str =
    "(only values differ, in statements that may hold a secret, and these are not shown)";

/// The differences of all edited ones, to stand below the divergences.
pub(crate) async fn below(
    connection: &mut PgConnection,
    names: &Names,
    set: &Set,
    found: &Divergences,
) -> Result<String, Error> {
    let mut text = String::new();
    let edited = found.iter().filter(|divergence| divergence.kind == DivergenceKind::Edited);
    for divergence in edited.take(3) {
        let difference = of(connection, names, set, divergence.id).await?;
        let Some(difference) = difference.filter(|difference| !difference.lines.is_empty()) else {
            continue;
        };
        text +=
            &format!("\n  {} {}, applied (-) and declared (+):", difference.id, difference.name);
        difference.lines.lines().for_each(|line| text += &format!("\n    {line}"));
    }
    Ok(text)
}
