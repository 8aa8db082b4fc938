//! Work that is not one transaction: unit by unit, in order, each done and recorded exactly once.
//!
//! Owns the journal of such a migration. What the server lets into a transaction is in one, with the row that says
//! that it is done (`statement`). What it does not is recorded before and after, and what is left of a unit that
//! was cut short is looked up in the catalog (`look`, by the kinds in `recognise`).

use std::time::Duration;

use migrate_core::sql::classify;
use migrate_core::{Direction, Script, State, Unit, units};

use super::{Job, Runner};
use crate::error::Error;
use crate::history::Row;
use crate::session::{Limits, Scope};

use look::Looked;
use statement::Ended;

mod look;
mod patience;
mod recognise;
mod statement;
mod words;

/// One unit of a migration, whose turn it is.
#[derive(Clone, Copy)]
struct Piece<'p> {
    job: &'p Job<'p>,
    unit: &'p Unit<'p>,
    /// From 1.
    number: u32,
}

impl Runner<'_> {
    /// Every unit that is not done yet, in order.
    pub(super) async fn journalled(&mut self, job: &Job<'_>) -> Result<(), Error> {
        self.prepare_session().await?;
        let units = units(&job.steps);
        for (unit, number) in units.iter().zip(1u32..) {
            if number <= job.action.done_units {
                self.repeat_settings(unit).await?;
                continue;
            }
            self.start(job, Some(number));
            self.unit(Piece { job, unit, number }).await?;
        }
        self.session
            .send_quick(self.names.ourselves())
            .await
            .map_err(|error| Error::driver("leave the settings of the migration", error))?;
        let rows = job.final_rows();
        self.write(&rows).await
    }

    async fn prepare_session(&mut self) -> Result<(), Error> {
        let limits =
            Limits { lock: Duration::from_secs(1), statement: self.ours.waits.statement(false) };
        let settings = self.session.settings(Scope::Session, self.ours, limits);
        let sent = self.session.send_quick(settings).await;
        sent.map(drop).map_err(|error| Error::driver("prepare the session", error))
    }

    /// A setting of a file that is resumed still holds for the statements after it.
    async fn repeat_settings(&mut self, unit: &Unit<'_>) -> Result<(), Error> {
        let Unit::Statement(script, statement) = unit else { return Ok(()) };
        let text = statement.text(&script.text);
        if !classify::sets_session(text) {
            return Ok(());
        }
        let sent = self.session.send(text.to_owned()).await;
        sent.map(drop).map_err(|error| Error::driver("repeat a setting", error))
    }

    async fn unit(&mut self, piece: Piece<'_>) -> Result<(), Error> {
        if let Unit::Transaction(script) = piece.unit {
            return self.script_among_units(piece, script).await;
        }
        if self.look(piece).await? == Looked::Done {
            return self.write(&[piece.row(State::Done)]).await;
        }
        if self.enclosed(piece).await? == Ended::Recorded {
            return Ok(());
        }
        self.write(&[piece.row(State::Started)]).await?;
        match piece.unit {
            Unit::Statement(script, statement) => self.outside(piece, script, statement).await?,
            Unit::Code(_) => self.code_outside(piece.job).await?,
            _ => {
                let id = piece.job.action.id;
                let message = format!("failed to run {id}: it is a backfill among other steps");
                let next = "Give it a migration of its own.";
                return Err(Error::declaration(message).next(next));
            }
        }
        self.write(&[piece.row(State::Done)]).await
    }

    /// A transaction of a migration that has other units too: it is done, and says so, or it never was.
    async fn script_among_units(&mut self, piece: Piece<'_>, script: &Script) -> Result<(), Error> {
        match self.script_with_rows(piece.job, script, &[piece.row(State::Done)]).await {
            Ok(()) => self.prepare_session().await, // the script's transaction reset it
            Err(failure) if self.clerk.was_refused(&failure.error) => {
                Err(self.clerk.refused(failure.error))
            }
            Err(failure) => {
                self.record_failed_unit(piece, &failure.error).await;
                Err(piece.job.error(failure).now(words::before(piece.number)))
            }
        }
    }

    async fn code_outside(&mut self, job: &Job<'_>) -> Result<(), Error> {
        let what = job.what();
        let code = self.code_of(job)?;
        let connection = &mut self.session.connection;
        let done = match job.direction {
            Direction::Up => code.up(connection).await,
            Direction::Down => code.down(connection).await,
        };
        done.map_err(|error| {
            let error = Error::of_code(&what, error);
            let next = "It runs outside a transaction: look at what it did, then `resolve` it as done or to redo.";
            error.now("what it did before the error stayed").next(next)
        })
    }
}

impl Piece<'_> {
    /// Has a run before begun it, and not said how it ended?
    fn was_begun(&self) -> bool {
        self.job.action.interrupted && self.number == self.job.action.done_units + 1
    }

    /// The statement, where it is one.
    fn text(&self) -> Option<&str> {
        match self.unit {
            Unit::Statement(script, statement) => Some(statement.text(&script.text)),
            _ => None,
        }
    }

    fn row(&self, state: State) -> Row<'_> {
        Row {
            unit: Some(self.number),
            checksum: self.unit.checksum(),
            direction: self.job.direction,
            up_sql: None,
            down_sql: None,
            ..self.job.row(state, self.job.action.id)
        }
    }
}
