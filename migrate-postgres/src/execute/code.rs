//! Migrations written in Rust, in a transaction.

use std::sync::Arc;

use sqlx::Connection;

use super::{Effort, Job, NOTHING_STAYED, OF_THE_CODE, Runner};
use crate::error::{BoxError, Error};
use crate::retry::Attempts;
use crate::session::{Limits, Scope};
use crate::source::Code;
use crate::sql::AS_WE_WRITE_HERE;
use crate::wire::send;
use migrate_core::Direction;

impl Runner<'_> {
    /// Code in a transaction of its own, tried again while locks are not to be had.
    pub(super) async fn code(&mut self, job: &Job<'_>) -> Result<(), Error> {
        let code = self.code_of(job)?;
        let mut attempts = self.attempts(job);
        self.start(job, None);
        loop {
            let error = match self.code_once(job, &*code, &attempts).await {
                Ok(()) => {
                    self.effort = Effort { attempts: attempts.made(), foreseen: false };
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

    async fn code_once(
        &mut self,
        job: &Job<'_>,
        code: &dyn Code,
        attempts: &Attempts<'_>,
    ) -> Result<(), BoxError> {
        let statement = self.ours.waits.statement(false);
        let limits = Limits { lock: attempts.lock_timeout(), statement };
        let settings = self.session.settings(Scope::Transaction, self.ours, limits);
        let rows = self.rows_in_the_end(job);
        let begin = match self.session.begin(self.names, "BEGIN").await? {
            "" => AS_WE_WRITE_HERE, // it has begun
            begin => begin,
        };
        let rows = self.before_rows(&rows) + &rows;
        let leased = self.session.lease.is_some();
        let mut transaction = self.session.connection.begin_with(begin).await?;
        let done = async {
            send(&mut transaction, format!("{} {settings}", job.comment())).await?;
            match job.direction {
                Direction::Up => code.up(&mut transaction).await,
                Direction::Down => code.down(&mut transaction).await,
            }
        }
        .await;
        // Or the next client of the pooler has them.
        let cleared = if leased { transaction.clear_cached_statements().await } else { Ok(()) };
        done?;
        cleared?;
        send(&mut transaction, rows).await?;
        Ok(transaction.commit().await?)
    }

    async fn code_failed(&mut self, job: &Job<'_>, error: BoxError) -> Error {
        let error = match error.downcast::<sqlx::Error>() {
            Ok(driver) => return self.failed(job, (*driver).into()).await.undone(NOTHING_STAYED),
            Err(other) => other,
        };
        self.record_failure(job, OF_THE_CODE).await;
        Error::code(job.what(), error).undone(NOTHING_STAYED)
    }

    /// The function of a migration written in Rust.
    pub(super) fn code_of(&self, job: &Job<'_>) -> Result<Arc<dyn Code>, Error> {
        let missing = || Error::code(job.what(), "its code is not part of this program".into());
        self.source.code(job.action.id).ok_or_else(missing)
    }
}
