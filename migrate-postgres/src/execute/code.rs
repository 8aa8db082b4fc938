//! Migrations written in Rust, in a transaction.

use sqlx::Connection;

use super::{Job, NOTHING_STAYED, Runner};
use crate::error::{Error, sqlstate};
use crate::retry::Attempts;
use crate::session::{Scope, send};
use crate::source::BoxError;
use migrate_core::{Direction, State};

impl Runner<'_> {
    /// Code in a transaction of its own, tried again while locks are not to be had.
    pub(super) async fn code(&mut self, job: &Job<'_>) -> Result<(), Error> {
        let mut attempts = Attempts::new(&self.ours.waits, job.lock_timeout());
        self.start(job, None);
        loop {
            let error = match self.code_once(job, &attempts).await {
                Ok(()) => {
                    self.clerk.last_seq += job.rows_in_the_end();
                    return Ok(());
                }
                Err(error) => error,
            };
            let retry = match error.downcast_ref::<sqlx::Error>() {
                Some(driver) => self.pause(job, driver, &mut attempts).await,
                None => false,
            };
            if !retry {
                return Err(self.code_failed(job, error).await);
            }
        }
    }

    async fn code_once(&mut self, job: &Job<'_>, attempts: &Attempts<'_>) -> Result<(), BoxError> {
        let code = self.source.code(job.action.id).ok_or("its code is not part of this program")?;
        let settings =
            self.session.settings(Scope::Transaction, self.ours, attempts.lock_timeout());
        let rows = self.clerk.as_ourselves() + &self.rows_in_the_end(job);
        let mut transaction = self.session.connection.begin().await?;
        send(&mut transaction, format!("{} {settings}", job.comment())).await?;
        match job.direction {
            Direction::Up => code.up(&mut transaction).await?,
            Direction::Down => code.down(&mut transaction).await?,
        }
        send(&mut transaction, format!("RESET ALL; {rows}")).await?;
        Ok(transaction.commit().await?)
    }

    async fn code_failed(&mut self, job: &Job<'_>, error: BoxError) -> Error {
        let state = error.downcast_ref::<sqlx::Error>().and_then(sqlstate);
        let reason = state
            .map_or_else(|| "an error of the code".to_owned(), |state| format!("SQLSTATE {state}"));
        let row = super::Row { reason: Some(&reason), ..job.row(State::Failed, job.action.id) };
        if let Err(error) = self.clerk.write(self.session, &[row]).await {
            tracing::warn!(%error, "migrate: the failure could not be recorded");
        }
        let what = format!("{} {} {}", job.verb(), job.action.id, job.action.name);
        let error = match error.downcast::<sqlx::Error>() {
            Ok(driver) => Error::driver(&what, *driver),
            Err(other) => Error::code(what, other),
        };
        error.undone(NOTHING_STAYED)
    }
}
