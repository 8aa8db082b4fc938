//! What must hold before a backfill is called done.
//!
//! Owns the conditions of its author and the proof that the database keeps. That no row is left is known before: the
//! last pass has found none.

use std::time::Duration;

use migrate_core::sql::quote;

use super::Filler;
use super::state::Standing;
use super::statements::{ADD_PROOF, HOLDS, IS_PROVED, VALIDATE_PROOF};
use crate::error::{Error, sqlstate};
use crate::retry::{self, Attempts};
use crate::session::{Limits, Scope, Session};
use crate::sql::{self, literal};
use crate::wire::truth;

impl Filler<'_> {
    /// Checks everything that was promised of the backfill; what the history is to say of it.
    pub(super) async fn verify(
        &mut self,
        session: &mut Session,
        standing: &Standing,
    ) -> Result<String, Error> {
        let header = self.backfill.header();
        for condition in &header.verify {
            self.holds(session, condition).await?;
        }
        if let Some(condition) = &header.prove {
            self.prove(session, condition).await?;
        }
        let grown = if standing.changed > 0 {
            self.analyze(session).await;
            self.grown(session).await
        } else {
            Vec::new()
        };
        let Standing { changed, batches, pass, seen, .. } = standing;
        let mut said = format!(
            "{changed} rows changed; pass {pass}, over {seen} rows, found none left ({batches} batches)"
        );
        match header.verify.len() {
            0 => {}
            1 => said += "; 1 condition holds",
            n => said += &format!("; {n} conditions hold"),
        }
        said += header.prove.as_ref().map_or("", |_| "; proved by a constraint");
        for index in &grown {
            said += &format!("; {index}");
        }
        Ok(said)
    }

    async fn holds(&self, session: &mut Session, condition: &str) -> Result<(), Error> {
        let head = self.head(session, "BEGIN READ WRITE; ", Duration::from_secs(5)).await?;
        let message = format!("{head}{}COMMIT", sql::fill(HOLDS, &[("condition", condition)]));
        let what = format!("look whether `{condition}` holds after backfill {}", self.about.id);
        match session.send(message).await {
            Ok(row) if row.as_ref().is_some_and(|row| truth(row, "holds")) => Ok(()),
            Ok(_) => {
                let message = format!(
                    "failed to verify backfill {}: `{condition}` does not hold",
                    self.about.id
                );
                Err(Error::declaration(message)
                    .now("every row was gone through and none is left to change; it is not recorded as done")
                    .next("Look at the rows that contradict it, correct them or the migration, and run again."))
            }
            Err(error) => {
                session.roll_back().await;
                Err(Error::driver(&what, error))
            }
        }
    }

    /// A constraint that new rows must satisfy at once, and old rows when they were read under a weak lock.
    async fn prove(&self, session: &mut Session, condition: &str) -> Result<(), Error> {
        let name = format!("migrate_proof_{}", self.about.id.version);
        for part in &self.ground.parts {
            let look = format!(
                "{}{}",
                session.as_ourselves(&self.about.names),
                sql::fill(IS_PROVED, &[("relation", &literal(part)), ("name", &literal(&name))])
            );
            let row = session.send(look).await;
            let row = row.map_err(|error| Error::driver("look for a proof", error))?;
            let is = |column| row.as_ref().is_some_and(|row| truth(row, column));
            let (is_there, is_proved) = (is("is_there"), is("is_proved"));
            let quoted = quote::Ident::new(&name).map(|name| name.to_string()).unwrap_or_default();
            let values = [("relation", &**part), ("name", &*quoted), ("condition", condition)];
            if !is_there {
                self.altered(session, &sql::fill(ADD_PROOF, &values)).await?;
            }
            if !is_proved {
                self.altered(session, &sql::fill(VALIDATE_PROOF, &values)).await?;
            }
        }
        Ok(())
    }

    /// One statement that needs a lock on the table: asked for briefly, and again.
    async fn altered(&self, session: &mut Session, statement: &str) -> Result<(), Error> {
        let mut attempts = Attempts::new(&self.ours.waits, None, session.facts.deadlock_timeout);
        loop {
            let head = self.head(session, "BEGIN READ WRITE; ", attempts.lock_timeout()).await?;
            let Err(error) = session.send(format!("{head}{statement}COMMIT")).await else {
                return Ok(());
            };
            session.roll_back().await;
            let state = sqlstate(&error).unwrap_or_default();
            if state == "42710" {
                return Ok(()); // somebody else has just added it
            }
            match attempts.pause().filter(|_| retry::is_worth_it(&state)) {
                Some(pause) => session.rest(&self.about.names, pause).await,
                None => {
                    let what = format!("prove backfill {}", self.about.id);
                    let now = "every row was gone through and none is left to change; it is not recorded as done";
                    return Err(Error::driver(&what, error).now(now));
                }
            }
        }
    }

    /// What a transaction of a backfill begins with.
    pub(super) async fn head(
        &self,
        session: &mut Session,
        begin: &'static str,
        lock: Duration,
    ) -> Result<String, Error> {
        let begin = session.begin(&self.about.names, begin).await;
        let begin = begin.map_err(|error| Error::driver("begin a transaction", error))?;
        let settings = session.settings(Scope::Transaction, self.ours, Limits::of_ours(lock));
        Ok(format!("{begin}{settings}"))
    }
}
