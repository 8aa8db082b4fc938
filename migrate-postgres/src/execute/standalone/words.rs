//! What is said when a unit did not get done: what the database looks like now, and what to do next.
//!
//! Owns the errors of a migration outside transactions, and the row about a failure. Decides nothing.

use migrate_core::sql::Statement;
use migrate_core::{Script, State};

use super::patience::{Missed, Trouble};
use super::recognise::Found;
use super::{Piece, Runner};
use crate::error::{Error, sqlstate};
use crate::history::Row;

const LONGER: &str = "A statement that needs longer gets it from `Migrator::standalone_deadline`.";

impl Runner<'_> {
    /// `enclosed`: it shared a transaction with its row.
    pub(super) async fn statement_failed(
        &mut self,
        piece: Piece<'_>,
        trouble: Trouble,
        statement: &Statement,
        script: &Script,
        enclosed: bool,
    ) -> Error {
        let Trouble { failure, late } = trouble;
        self.record_failed_unit(piece, &failure.error).await;
        let error = piece.job.error(failure).at_least_at(script, statement.start);
        let (before, number) = (before(piece.number), piece.number);
        if error.is_connection() {
            let now = format!("{before}; what became of statement {number} is not known");
            let next = match enclosed {
                true => "Run again: the history knows, and the run goes by it.",
                false => "Run again: it looks at what is there.",
            };
            return error.now(now).next_unless_known(&format!("{next} {LONGER}"));
        }
        if late {
            let left = match enclosed {
                true => "nothing of it stayed",
                false => self.clear_away(piece).await.unwrap_or_else(|error| {
                    tracing::warn!(%error, "migrate: what a statement left could not be cleared away");
                    "what it left could not be cleared away, which the next run tries again"
                }),
            };
            let waited = self.ours.waits.standalone.as_secs_f64();
            let now = format!(
                "{before}; statement {number} was not done within {waited} s and was ended: {left}"
            );
            return error.now(now).next(format!("Run again. {LONGER}"));
        }
        let next = format!(
            "Correct statement {number} or what it met, and run again: the run goes on with it."
        );
        error.now(before).next_unless_known(&next)
    }

    /// What the server refused was not done; of anything else nobody knows.
    pub(super) async fn record_failed_unit(&mut self, piece: Piece<'_>, error: &sqlx::Error) {
        let Some(state) = sqlstate(error) else { return };
        self.session.roll_back().await;
        let reason = format!("SQLSTATE {state}");
        let row = Row { reason: Some(&reason), ..piece.row(State::Failed) };
        if let Err(error) = self.write(&[row]).await {
            tracing::warn!(%error, "migrate: the failure could not be recorded");
        }
    }
}

pub(super) fn before(number: u32) -> String {
    match number {
        1 => "no statement of it took effect".to_owned(),
        2 => "its first statement took effect and is recorded".to_owned(),
        _ => format!("its first {} statements took effect and are recorded", number - 1),
    }
}

/// The same, where the statement itself may have taken effect.
fn before_the_cut(number: u32) -> String {
    match number {
        1 => "nothing of it came before that statement".to_owned(),
        _ => before(number),
    }
}

pub(super) fn unprovable(piece: Piece<'_>) -> Error {
    let (id, number) = (piece.job.action.id, piece.number);
    let message = format!(
        "failed to go on with {id} {}: a run before was cut short in statement {number}, and whether it took \
         effect cannot be proved",
        piece.job.action.name
    );
    Error::interrupted(message).now(before_the_cut(number)).next(format!(
        "Look at the database. If the statement took effect: `migrate resolve {} --phase {} --done`; if it did \
         not: `migrate resolve {} --phase {} --redo`. Then run again.",
        id.version, id.phase, id.version, id.phase
    ))
}

/// The server would leave the statement out, and nobody would notice that there is no index.
pub(super) fn foreign(piece: Piece<'_>, found: &Found) -> Error {
    let error = Error::declaration(format!(
        "failed to {}: statement {} would be left out, because {}",
        piece.job.what(),
        piece.number,
        found.found
    ));
    error
        .now(before_the_cut(piece.number))
        .next("Drop or rename that index, or give this one another name, and run again.")
}

/// Another session was at it for as long as we may wait.
pub(super) fn busy(piece: Piece<'_>, found: &Found) -> Error {
    let error = Error::busy(format!(
        "failed to {}: statement {} has to wait, because {}",
        piece.job.what(),
        piece.number,
        found.found
    ));
    let ends = found.builder.map_or_else(String::new, |builder| {
        format!(", or end that session by `pg_terminate_backend({builder})`")
    });
    error
        .now(before_the_cut(piece.number))
        .next(format!("Wait until it is done{ends}, and run again. {LONGER}"))
}

pub(super) fn unrepaired(piece: Piece<'_>, found: &Found, missed: Missed) -> Error {
    let what = format!("{}, where {}", piece.job.what(), found.found);
    let error = Error::driver(&what, missed.error);
    let next = format!("Run again: it is tried again then. By hand: {};", found.repair);
    error.now(before_the_cut(piece.number)).next_unless_known(&next)
}
