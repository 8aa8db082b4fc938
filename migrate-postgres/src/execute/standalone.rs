//! Work that is not one transaction: unit by unit, each recorded before and after.
//!
//! Owns the journal of such a migration, and what to think of a unit that a run before has begun: a concurrent
//! index build is looked up in the catalog, what can be repeated is, and anything else stops with what to do.

use std::time::Duration;

use migrate_core::sql::classify::{ConcurrentIndex, QualifiedName, concurrent_index};
use migrate_core::sql::{Statement, quote};
use migrate_core::{Direction, Script, State, Unit, units};

use super::{Failure, Job, Runner};
use crate::error::{Error, sqlstate};
use crate::history::Row;
use crate::observe::Event;
use crate::retry::Attempts;
use crate::session::{Limits, Scope, text, truth};
use crate::sql;

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
            let interrupted = job.action.interrupted && number == job.action.done_units + 1;
            self.start(job, Some(number));
            self.unit(job, unit, number, interrupted).await?;
        }
        self.session
            .send(self.names.ourselves())
            .await
            .map_err(|error| Error::driver("leave the settings of the migration", error))?;
        let rows = job.final_rows();
        self.clerk.write(self.session, &rows).await
    }

    async fn prepare_session(&mut self) -> Result<(), Error> {
        let limits =
            Limits { lock: Duration::from_secs(1), statement: self.ours.waits.statement(false) };
        let settings = self.session.settings(Scope::Session, self.ours, limits);
        let sent = self.session.send(settings).await;
        sent.map(drop).map_err(|error| Error::driver("prepare the session", error))
    }

    /// A `SET` of a file that is resumed still holds for the statements after it.
    async fn repeat_settings(&mut self, unit: &Unit<'_>) -> Result<(), Error> {
        let Unit::Statement(script, statement) = unit else { return Ok(()) };
        let text = statement.text(&script.text);
        if !is_setting(text) {
            return Ok(());
        }
        let sent = self.session.send(text.to_owned()).await;
        sent.map(drop).map_err(|error| Error::driver("repeat a setting", error))
    }

    async fn unit(
        &mut self,
        job: &Job<'_>,
        unit: &Unit<'_>,
        number: u32,
        interrupted: bool,
    ) -> Result<(), Error> {
        if let Unit::Transaction(script) = unit {
            return self.script_among_units(job, script, unit, number).await;
        }
        let looked = self.look(job, unit, number, interrupted).await?;
        if looked == Looked::NotDone {
            self.clerk.write(self.session, &[job.unit_row(unit, number, State::Started)]).await?;
            self.run_unit(job, unit, number).await?;
        }
        self.clerk.write(self.session, &[job.unit_row(unit, number, State::Done)]).await
    }

    async fn run_unit(&mut self, job: &Job<'_>, unit: &Unit<'_>, number: u32) -> Result<(), Error> {
        match unit {
            Unit::Statement(script, statement) => {
                self.statement(job, script, statement, number).await
            }
            Unit::Code(_) => self.code_outside(job).await,
            _ => Err(Error::declaration(format!(
                "failed to run {}: backfills are not run yet",
                job.action.id
            ))),
        }
    }

    /// One statement, tried again while locks are not to be had.
    async fn statement(
        &mut self,
        job: &Job<'_>,
        script: &Script,
        statement: &Statement,
        number: u32,
    ) -> Result<(), Error> {
        let concurrent = concurrent_index(statement.text(&script.text));
        let mut attempts = Attempts::new(&self.ours.waits, job.lock_timeout());
        loop {
            let failure = match self
                .statement_once(job, script, statement, &attempts, concurrent.is_some())
                .await
            {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            };
            if self.pause(job, &failure.error, &mut attempts).await {
                if let Some(index) = &concurrent {
                    self.drop_broken(job, index).await?;
                }
                continue;
            }
            return Err(self.statement_failed(job, failure, (script, statement), number).await);
        }
    }

    async fn statement_once(
        &mut self,
        job: &Job<'_>,
        script: &Script,
        statement: &Statement,
        attempts: &Attempts<'_>,
        concurrent: bool,
    ) -> Result<(), Failure> {
        let head = format!("{} ", job.comment());
        let message = format!("{head}{}", statement.text(&script.text));
        let sent = if concurrent {
            self.without_timeouts(message).await
        } else {
            if !sets_lock_timeout(script) {
                let timeout = attempts.lock_timeout().as_millis();
                self.session.send(format!("SET lock_timeout = {timeout}")).await?;
            }
            self.until_deadline(message).await
        };
        sent.map_err(|error| Failure {
            script: Some((script.clone(), head.chars().count(), statement.start as usize)),
            ..Failure::from(error)
        })
    }

    /// What works concurrently blocks nobody while it waits, and a timeout would leave a broken index behind. The
    /// statements after it have theirs again, also those that the file has set.
    async fn without_timeouts(&mut self, message: String) -> Result<(), sqlx::Error> {
        let before = self.session.send(sql::lift_timeouts().to_owned()).await?;
        let sent = self.until_deadline(message).await;
        let answered = sent.as_ref().map_or_else(|error| sqlstate(error).is_some(), |()| true);
        let restore = before.as_ref().and_then(|row| text(row, "restore")).filter(|_| answered);
        let restored = match restore {
            Some(restore) => self.session.send(restore.to_owned()).await.map(drop),
            None => Ok(()),
        };
        sent.and(restored)
    }

    /// A statement that is not done by then ends with the connection.
    async fn until_deadline(&mut self, message: String) -> Result<(), sqlx::Error> {
        let patience = self.ours.waits.standalone;
        match tokio::time::timeout(patience, self.session.send(message)).await {
            Ok(sent) => sent.map(drop),
            Err(_) => {
                let waited = format!("it was not done within {} s", patience.as_secs_f64());
                Err(sqlx::Error::Io(std::io::Error::other(waited)))
            }
        }
    }

    async fn statement_failed(
        &mut self,
        job: &Job<'_>,
        failure: Failure,
        (script, statement): (&Script, &Statement),
        number: u32,
    ) -> Error {
        let unit = Unit::Statement(script, statement);
        self.record_failed_unit(job, &unit, number, &failure.error).await;
        let error = job.error(failure).at_least_at(script, statement.start);
        let before = before(number);
        if error.is_connection() {
            let now = format!("{before}; what became of statement {number} is not known");
            return error.now(now).next_unless_known(
                "Run again: it looks at what is there. A statement that needs longer gets it from \
                 `Migrator::standalone_deadline`.",
            );
        }
        let next = format!(
            "Correct statement {number} or what it met, and run again: the run goes on with it."
        );
        error.now(before).next_unless_known(&next)
    }

    /// What the server refused was not done; of anything else nobody knows.
    async fn record_failed_unit(
        &mut self,
        job: &Job<'_>,
        unit: &Unit<'_>,
        number: u32,
        error: &sqlx::Error,
    ) {
        let Some(state) = sqlstate(error) else { return };
        self.session.roll_back().await;
        let reason = format!("SQLSTATE {state}");
        let row = Row { reason: Some(&reason), ..job.unit_row(unit, number, State::Failed) };
        if let Err(error) = self.clerk.write(self.session, &[row]).await {
            tracing::warn!(%error, "migrate: the failure could not be recorded");
        }
    }

    /// A transaction of a migration that has other units too: it is done, and says so, or it never was.
    async fn script_among_units(
        &mut self,
        job: &Job<'_>,
        script: &Script,
        unit: &Unit<'_>,
        number: u32,
    ) -> Result<(), Error> {
        let done = job.unit_row(unit, number, State::Done);
        match self.script_with_rows(job, script, &[done]).await {
            Ok(()) => self.prepare_session().await, // the script's transaction reset it
            Err(failure) if self.clerk.was_refused(&failure.error) => {
                Err(self.clerk.refused(failure.error))
            }
            Err(failure) => {
                self.record_failed_unit(job, unit, number, &failure.error).await;
                Err(job.error(failure).now(before(number)))
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
            let next = "It runs outside a transaction: look at what it did, then `resolve` it as done or to redo.";
            Error::code(what, error).now("what it did before the error stayed").next(next)
        })
    }

    /// Looks at what is there before a unit runs: a broken index goes, and a unit that a run before has begun is
    /// only repeated when that is known to be right.
    async fn look(
        &mut self,
        job: &Job<'_>,
        unit: &Unit<'_>,
        number: u32,
        interrupted: bool,
    ) -> Result<Looked, Error> {
        let index = match unit {
            Unit::Statement(script, statement) => concurrent_index(statement.text(&script.text)),
            Unit::Code(_) => self.code_of(job).map(|_| None)?,
            _ => None,
        };
        match index {
            Some(index) => self.look_at_index(job, &index, number, interrupted).await,
            None if interrupted && !may_repeat(unit) => Err(unprovable(job, number)),
            None => Ok(Looked::NotDone),
        }
    }

    async fn look_at_index(
        &mut self,
        job: &Job<'_>,
        index: &ConcurrentIndex,
        number: u32,
        interrupted: bool,
    ) -> Result<Looked, Error> {
        match index {
            ConcurrentIndex::Create { index: None, .. } if interrupted => {
                Err(unprovable(job, number))
            }
            ConcurrentIndex::Create { .. } => {
                let valid = self.drop_broken(job, index).await?;
                if valid && interrupted {
                    self.recovered(job, "the index was complete");
                }
                Ok(if valid && interrupted { Looked::Done } else { Looked::NotDone })
            }
            ConcurrentIndex::Drop { indexes, .. } if interrupted => {
                let gone = self.are_gone(indexes).await?;
                if gone {
                    self.recovered(job, "the index was dropped");
                }
                Ok(if gone { Looked::Done } else { Looked::NotDone })
            }
            ConcurrentIndex::Drop { .. } => Ok(Looked::NotDone),
        }
    }

    fn recovered(&self, job: &Job<'_>, found: &str) {
        self.ear.tell(&Event::Recovered { id: job.action.id, found });
    }

    /// Is the index complete? One that is not is dropped, so that the build can begin again.
    async fn drop_broken(&mut self, job: &Job<'_>, index: &ConcurrentIndex) -> Result<bool, Error> {
        let ConcurrentIndex::Create { index: Some(index), table, .. } = index else {
            return Ok(false);
        };
        let look = sql::index(&shown(table), &index.name);
        let row = self
            .session
            .send(look)
            .await
            .map_err(|error| Error::driver("look at the index", error))?;
        let Some(row) = row.filter(|row| truth(row, "same_table")) else { return Ok(false) };
        if truth(&row, "valid") {
            return Ok(true);
        }
        let name = text(&row, "name").unwrap_or_default().to_owned();
        self.recovered(job, &format!("the index {name} was broken and is built again"));
        let dropped = self.without_timeouts(sql::drop_index(&name)).await;
        dropped.map(|()| false).map_err(|error| Error::driver("drop the broken index", error))
    }

    async fn are_gone(&mut self, indexes: &[QualifiedName]) -> Result<bool, Error> {
        for index in indexes {
            let row = self
                .session
                .send(sql::is_gone(&shown(index)))
                .await
                .map_err(|error| Error::driver("look at the index", error))?;
            if !row.is_some_and(|row| truth(&row, "gone")) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Looked {
    Done,
    NotDone,
}

impl Job<'_> {
    fn unit_row(&self, unit: &Unit<'_>, number: u32, state: State) -> Row<'_> {
        Row {
            unit: Some(number),
            checksum: unit.checksum(),
            direction: self.direction,
            up_sql: None,
            down_sql: None,
            ..self.row(state, self.action.id)
        }
    }
}

fn before(number: u32) -> String {
    match number {
        1 => "no statement of it took effect".to_owned(),
        2 => "its first statement took effect and is recorded".to_owned(),
        _ => format!("its first {} statements took effect and are recorded", number - 1),
    }
}

/// What can be done twice without harm.
fn may_repeat(unit: &Unit<'_>) -> bool {
    match unit {
        Unit::Statement(script, statement) => {
            let text = statement.text(&script.text);
            is_setting(text)
                || ["VACUUM", "ANALYZE", "CHECKPOINT"].contains(&first_word(text).as_str())
        }
        _ => false,
    }
}

fn unprovable(job: &Job<'_>, number: u32) -> Error {
    let id = job.action.id;
    let message = format!(
        "failed to go on with {id} {}: a run before was cut short in statement {number}, and whether it took \
         effect cannot be proved",
        job.action.name
    );
    Error::interrupted(message)
        .now(match number {
            1 => "nothing of it came before that statement".to_owned(),
            _ => before(number),
        })
        .next(format!(
            "Look at the database. If the statement took effect: `migrate resolve {} --phase {} --done`; if it did \
             not: `migrate resolve {} --phase {} --redo`. Then run again.",
            id.version, id.phase, id.version, id.phase
        ))
}

fn shown(name: &QualifiedName) -> String {
    let ident =
        |name: &str| quote::Ident::new(name).map(|ident| ident.to_string()).unwrap_or_default();
    match &name.schema {
        Some(schema) => format!("{}.{}", ident(schema), ident(&name.name)),
        None => ident(&name.name),
    }
}

fn first_word(statement: &str) -> String {
    let word = statement.split(|c: char| !c.is_ascii_alphabetic()).next();
    word.unwrap_or_default().to_ascii_uppercase()
}

fn is_setting(statement: &str) -> bool {
    matches!(first_word(statement).as_str(), "SET" | "RESET")
}

/// A file that sets its own knows why.
fn sets_lock_timeout(script: &Script) -> bool {
    script.statements.iter().any(|statement| {
        let text = statement.text(&script.text);
        is_setting(text) && text.to_ascii_lowercase().contains("lock_timeout")
    })
}
