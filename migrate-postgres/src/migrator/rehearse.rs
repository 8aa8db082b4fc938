//! What a run would do to a database, told before it does it.

use std::time::Instant;

use migrate_core::Version;
use tracing::Instrument;

use super::Migrator;
use super::eye::Eye;
use crate::error::Error;
use crate::execute::pieces::pieces;
use crate::rehearse::{self, Rehearsal, Rehearse};
use crate::session::{Database, Session};
use crate::{history, lock, standby};

impl Migrator {
    /// Says what a [`run`](Self::run) would do: what each step locks and for how long, which tables it writes anew, how
    /// much the server's log grows and what time it takes. Nothing of it stays, and on a database in use no table is
    /// locked more than by a `SELECT`: see [`Rehearse`].
    ///
    /// # Errors
    /// As [`plan`](Self::plan); and when no samples can be made. A step that fails is no error but a result.
    pub async fn rehearse(
        &self,
        database: impl Into<Database>,
        how: &Rehearse,
    ) -> Result<Rehearsal, Error> {
        let began = Instant::now();
        let mut rehearsal =
            self.rehearsed(database.into(), how).instrument(self.span("rehearse")).await?;
        rehearsal.took = began.elapsed();
        Ok(rehearsal)
    }

    /// The same up to a version.
    ///
    /// # Errors
    /// As [`rehearse`](Self::rehearse).
    pub async fn rehearse_to(
        &self,
        database: impl Into<Database>,
        version: Version,
        how: &Rehearse,
    ) -> Result<Rehearsal, Error> {
        let mut until = self.clone();
        until.options.target.up_to = Some(version);
        until.rehearse(database, how).await
    }

    async fn rehearsed(&self, database: Database, how: &Rehearse) -> Result<Rehearsal, Error> {
        let at = self.here(&self.options)?;
        let mut eye = Eye::open(database, &self.options).await?;
        let loaded = history::load(eye.connection(), &at.names).await?;
        let plan = at.plan(eye.connection(), &loaded).await?;
        let mut session = eye.into_session(&self.options).await?;
        let targets = self.source.targets();
        let pieces = pieces(&plan, &at.set, &self.source, targets.as_deref());
        let done = async {
            self.is_possible(&mut session).await?;
            rehearse::rehearse(&mut session, (&at.names, &self.options), how, &pieces).await
        }
        .await;
        session.close().await;
        Ok(Rehearsal { steps: done?, deferred: plan.deferred, ..Rehearsal::default() })
    }

    async fn is_possible(&self, session: &mut Session) -> Result<(), Error> {
        lock::refuse_old_server(session)?;
        session.learn_facts().await?;
        standby::refuse_or_wait(session, &self.options, &self.ear).await
    }
}
