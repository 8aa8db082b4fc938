//! The part of the story that is about one database: look, lock, load, plan, carry out, settle.
//!
//! Owns the order of things there. Everything it says is done in another room.

use std::time::Instant;

use migrate_core::{Direction, Held, Plan, Set, Version};
use sqlx::PgConnection;

use super::Migrator;
use super::eye::Eye;
use super::through::Errand;
use crate::error::Error;
use crate::execute::{Effort, Runner, Tally};
use crate::history::{self, Clerk, Loaded};
use crate::lease::{self, Lease};
use crate::lock::{self, Outcome, Pooling};
use crate::observe::Event;
use crate::options::Options;
use crate::report::Report;
use crate::session::Session;
use crate::settled::{self, Settled};
use crate::sql::Names;
use crate::watch::Watch;
use crate::{difference, roles, standby};

/// Everything that is known before the database is asked.
pub(super) struct At<'m> {
    pub(super) migrator: &'m Migrator,
    pub(super) options: &'m Options,
    pub(super) names: Names,
    pub(super) digest: String,
    pub(super) set: Set,
}

impl At<'_> {
    /// Loads and plans without a lock; when nothing is to be done, that is all, but for the mark.
    pub(super) async fn nothing_to_do(&self, eye: &mut Eye) -> Result<Option<Report>, Error> {
        let loaded = history::load(eye.connection(), &self.names).await?;
        if !loaded.exists && !self.set.is_empty() {
            return Ok(None);
        }
        let plan = self.plan(eye.connection(), &loaded).await?;
        let connection = eye.connection();
        if !plan.is_empty()
            || self.wants_gate(&plan, &loaded)
            || loaded.exists
                && history::grants_missing(connection, &self.names, self.options).await?
        {
            return Ok(None);
        }
        if loaded.exists {
            let connection = eye.connection();
            settled::write("", connection, &self.names, &self.digest, &plan, loaded.stamp).await;
        }
        let report = Report { deferred: plan.deferred, notices: plan.notices, ..Report::default() };
        Ok(Some(report))
    }

    /// Works under the lock, on a connection of our own, and closes it.
    pub(super) async fn alone<T>(
        &self,
        eye: Eye,
        work: impl AsyncFnOnce(&mut Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut session = eye.into_session(self.options).await?;
        let done = async {
            self.lock(&mut session, "").await?;
            let done = work(&mut session).await;
            self.release(&mut session).await;
            done
        }
        .await;
        session.close().await;
        done
    }

    /// Gets the lock, works and gives it back; or learns that another migrator has done everything.
    pub(super) async fn locked(
        &self,
        session: &mut Session,
        errand: Errand,
        tally: &mut Tally,
    ) -> Result<Report, Error> {
        let digest = if errand == Errand::Forward { &*self.digest } else { "" };
        match self.lock(session, digest).await? {
            Outcome::Settled(Settled { deferred, notices }) => {
                self.look_what_was_done(session, tally).await?;
                Ok(tally.report(deferred, notices))
            }
            Outcome::Ours => {
                let done = self.under_lock(session, errand, tally).await;
                self.release(session).await;
                done
            }
        }
    }

    /// The part that is under the lock.
    async fn under_lock(
        &self,
        session: &mut Session,
        errand: Errand,
        tally: &mut Tally,
    ) -> Result<Report, Error> {
        let until = Instant::now() + self.options.filling.budget;
        loop {
            let loaded = history::load_as_ourselves(session, &self.names).await?;
            self.tell_what_was_done(&loaded, tally);
            let plan = match errand {
                Errand::Forward => self.plan_to_do(session, &loaded, tally).await?,
                Errand::Back(to) => self.plan_back(&loaded, to)?,
            };
            let left = tally.unfilled.len();
            let until = (!loaded.history.is_fresh()).then_some(until);
            self.carry_out(session, &plan, &loaded, tally, until).await?;
            if tally.unfilled.len() > left {
                continue; // with what does not have to wait for it
            }
            if errand == Errand::Forward {
                self.settle(session).await?;
            }
            return Ok(tally.report(plan.deferred, plan.notices));
        }
    }

    /// Looks for a pooler, gets the lock or what stands in for it.
    pub(super) async fn lock(&self, session: &mut Session, digest: &str) -> Result<Outcome, Error> {
        self.get_ready(session).await?;
        lock::acquire(session, &self.names, self.options, digest, &self.migrator.ear).await
    }

    /// Learns what there is to know of the server and of the way to it; what stands in for the lock is yet to be taken.
    pub(super) async fn get_ready(&self, session: &mut Session) -> Result<(), Error> {
        let (options, ear) = (self.options, &self.migrator.ear);
        lock::refuse_old_server(session)?;
        session.learn_facts().await?;
        standby::refuse_or_wait(session, options, ear).await?;
        match lock::look_for_pooler(session, options, ear).await? {
            Pooling::None => session.lease = None,
            Pooling::Statements => return Err(Error::pooler()),
            Pooling::Transactions => {
                lease::release(session, &self.names).await; // what a lost connection had
                session.lease = Some(Lease::wanted(options));
            }
        }
        Ok(())
    }

    pub(super) async fn release(&self, session: &mut Session) {
        match session.lease {
            Some(_) => lease::release(session, &self.names).await,
            None => lock::release(session, &self.names).await,
        }
    }

    async fn carry_out(
        &self,
        session: &mut Session,
        plan: &Plan,
        loaded: &Loaded,
        tally: &mut Tally,
        fill_until: Option<Instant>,
    ) -> Result<(), Error> {
        let (actions, deferred) = (plan.actions.len(), plan.deferred.len());
        self.migrator.ear.tell(&Event::Planned { actions, deferred });
        if actions > 0 && loaded.history.done().next().is_some() && tally.looks_at_roles() {
            roles::warn(session, &self.names, &self.migrator.ear).await;
        }
        let clerk = self.clerk(session, loaded);
        let targets = self.migrator.source.targets();
        // Behind a pooler every message may have another backend: whoever looked would look at somebody else's.
        let door = session.door(self.options).filter(|_| session.lease.is_none());
        let watch = Watch::new(door);
        let mut runner = Runner {
            session,
            names: &self.names,
            ours: self.options,
            source: &self.migrator.source,
            set: &self.set,
            ear: &self.migrator.ear,
            clerk,
            targets: targets.as_deref(),
            watch,
            now: None,
            tally,
            effort: Effort::NONE,
            fill_until,
        };
        let done = async {
            runner.refuse_what_needs_a_session(plan).await?;
            if loaded.exists || plan.direction == Direction::Up {
                history::prepare(runner.session, &self.names, self.options, loaded.exists).await?;
                history::prepare_gate(runner.session, &self.names, self.options, loaded).await;
            }
            runner.carry_out(plan).await
        }
        .await;
        runner.watch.close().await;
        done
    }

    pub(super) fn clerk<'a>(&'a self, session: &Session, loaded: &Loaded) -> Clerk<'a> {
        let build = self.migrator.source.build();
        Clerk::new(&self.names, self.options, session, build, loaded.history.last_seq())
    }

    /// Leaves the mark if the run left nothing to do.
    pub(super) async fn settle(&self, session: &mut Session) -> Result<(), Error> {
        let loaded = history::load_as_ourselves(session, &self.names).await?;
        if let Ok(plan) = Plan::new(&self.set, &loaded.history, &self.options.target)
            && plan.is_empty()
        {
            let leased = session.lease.as_ref().map(|_| lease::as_ourselves(&self.names));
            let (identity, connection) = (leased.unwrap_or_default(), &mut session.connection);
            let (names, digest) = (&self.names, &self.digest);
            settled::write(&identity, connection, names, digest, &plan, loaded.stamp).await;
        }
        Ok(())
    }

    pub(super) async fn plan(
        &self,
        connection: &mut PgConnection,
        loaded: &Loaded,
    ) -> Result<Plan, Error> {
        let (plan, _) = self.plan_and_gates(connection, loaded, Held::default()).await?;
        Ok(plan)
    }

    /// The plan past what is not to run now, without a look at gates.
    pub(super) async fn plan_beyond(
        &self,
        connection: &mut PgConnection,
        loaded: &Loaded,
        held: &Held,
    ) -> Result<Plan, Error> {
        match Plan::beyond(&self.set, &loaded.history, &self.options.target, held) {
            Ok(plan) => {
                self.refuse_what_sqlx_did(connection, &plan, loaded).await?;
                Ok(plan)
            }
            Err(found) => {
                let shown = difference::below(connection, &self.names, &self.set, &found).await?;
                Err(Error::divergence(&found, &shown))
            }
        }
    }

    pub(super) fn plan_back(&self, loaded: &Loaded, to: Option<Version>) -> Result<Plan, Error> {
        Plan::revert(&self.set, &loaded.history, to).map_err(|found| Error::divergence(&found, ""))
    }
}
