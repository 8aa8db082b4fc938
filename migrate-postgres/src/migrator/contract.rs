//! The story of contracts: what keeps them from running, who approves, who says that it is alive.
//!
//! Owns which contracts are looked at and when. What is found, `gate` knows; what follows from it, the core.

use migrate_core::{
    Gate, Held, MigrationId, Phase, Phases, Plan, Reason, Version, header, nearest,
};
use sqlx::{PgConnection, PgPool};

use super::{At, Migrator};
use crate::error::Error;
use crate::execute::Tally;
use crate::gate::{self, Eyes};
use crate::heartbeat::{Heartbeat, Pulse};
use crate::history::{self, Loaded};
use crate::report::Report;
use crate::session::{Database, Session};

impl Migrator {
    /// Runs the contracts whose gate is open, or that of one version; nothing else.
    ///
    /// # Errors
    /// As [`run`](Self::run). A closed gate is none: the report says what waits.
    pub async fn contract(
        &self,
        database: impl Into<Database>,
        version: Option<Version>,
    ) -> Result<Report, Error> {
        let mut options = self.options.clone();
        options.target.phases = Phases::NONE.with(Phase::Contract);
        options.gate.only = version;
        self.boxed(database.into(), &options).await
    }

    /// What is known of the contracts that are not done yet, or of that of one version. Reads only.
    ///
    /// # Errors
    /// When the database cannot be read, or no such contract is declared.
    pub async fn gates(
        &self,
        database: impl Into<Database>,
        version: Option<Version>,
    ) -> Result<Vec<Gate>, Error> {
        self.reading(database.into(), async |at, eye| {
            let loaded = history::load(eye.connection(), &at.names).await?;
            let wanted = at.contracts_to_do(&loaded, version)?;
            at.look_at_gates(eye.connection(), &loaded, &wanted).await
        })
        .await
    }

    /// Approves what is known of a contract at this moment, where all else of its gate is open. Other evidence is not
    /// approved by it.
    ///
    /// # Errors
    /// When the rest of the gate is closed, and as [`run`](Self::run).
    pub async fn approve(
        &self,
        database: impl Into<Database>,
        version: Version,
        reason: &str,
    ) -> Result<Gate, Error> {
        let mut asking = self.clone();
        asking.options.gate.approval = true;
        asking
            .writing(database.into(), &asking.options, async |at, session| {
                at.approve(session, version, reason).await
            })
            .await
    }

    /// Is everything done that provides a capability (`-- migrate: provides <name>`), so that new code may rely on it?
    /// One query, which only needs the right to read the history.
    ///
    /// # Errors
    /// When no migration says `-- migrate: provides` with this name, and when the history cannot be read.
    pub async fn is_ready(
        &self,
        database: impl Into<Database>,
        capability: &str,
    ) -> Result<bool, Error> {
        self.reading(database.into(), async |at, eye| {
            let ids = at.providers(capability)?;
            let history = history::load_of(eye.connection(), &at.names, &ids).await?;
            Ok(ids.iter().all(|id| history.is_done(*id)))
        })
        .await
    }

    /// Says from now on that this instance of the application is alive, which contracts it has compiled in, and
    /// [what it can do](Self::capability): one statement every 10 s, on a connection of the pool. To be called when
    /// the application starts, and kept until it ends. Nothing that fails here disturbs the application.
    pub fn heartbeat(&self, pool: &PgPool) -> Heartbeat {
        let names = match self.options.names() {
            Ok(names) => names,
            Err(error) => return Heartbeat::none(&error.to_string()),
        };
        match self.source.set() {
            Ok(set) => {
                let pulse = Pulse::new(&names, &self.options.gate, &set, self.source.build());
                Heartbeat::start(pool, pulse)
            }
            Err(errors) => Heartbeat::none(&Error::set(&errors).to_string()),
        }
    }

    /// The names of all sources of evidence, as [`waive`](Self::waive) takes them.
    pub fn sources_of_evidence() -> Vec<&'static str> {
        gate::sources().collect()
    }
}

impl At<'_> {
    /// The plan past closed gates, and what was seen at each.
    pub(super) async fn plan_and_gates(
        &self,
        connection: &mut PgConnection,
        loaded: &Loaded,
        mut held: Held,
    ) -> Result<(Plan, Vec<Gate>), Error> {
        self.options.gate.check()?;
        let plan = self.plan_beyond(connection, loaded, &held).await?;
        for id in contracts_of(&plan).filter(|id| self.is_not_wanted(*id)) {
            held.hold(id, Reason::PhaseNotAsked);
        }
        let is_looked_at = |id: &MigrationId| {
            !loaded.history.is_fresh() && !self.is_not_wanted(*id) && !is_begun(&plan, *id)
        };
        let wanted: Vec<_> = contracts_of(&plan).filter(is_looked_at).collect();
        let gates = self.look_at_gates(connection, loaded, &wanted).await?;
        for gate in gates.iter().filter(|gate| !gate.is_open()) {
            held.hold(gate.id, Reason::GateClosed);
        }
        if held.is_empty() {
            return Ok((plan, gates));
        }
        let plan = Plan::beyond(&self.set, &loaded.history, &self.options.target, &held);
        Ok((plan.map_err(|found| Error::divergence(&found, ""))?, gates))
    }

    /// The same for who carries it out: the history is to say how gates were opened.
    pub(super) async fn plan_to_do(
        &self,
        session: &mut Session,
        loaded: &Loaded,
        tally: &mut Tally,
    ) -> Result<Plan, Error> {
        let held = tally.held();
        let (plan, gates) = self.plan_and_gates(&mut session.connection, loaded, held).await?;
        let reasons = gates.iter().filter_map(|gate| Some((gate.id, gate.reason()?)));
        tally.reasons.extend(reasons); // also of what a lost connection has cut short, and nobody looks at again
        Ok(plan)
    }

    /// A gate that waits for evidence has to have a place for it.
    pub(super) fn wants_gate(&self, plan: &Plan, loaded: &Loaded) -> bool {
        let is_held = plan.deferred.iter().any(|deferred| deferred.reason == Reason::GateClosed);
        is_held && loaded.exists && !loaded.has_instances
    }

    async fn look_at_gates(
        &self,
        connection: &mut PgConnection,
        loaded: &Loaded,
        wanted: &[MigrationId],
    ) -> Result<Vec<Gate>, Error> {
        let (names, set, rules) = (&self.names, &self.set, &self.options.gate);
        rules.check()?;
        let mut eyes = Eyes { connection, names, set, loaded, rules };
        let mut gates = Vec::new();
        for entry in wanted.iter().filter_map(|id| self.set.get(*id)) {
            gates.push(eyes.gate(&**entry).await?);
        }
        Ok(gates)
    }

    fn is_not_wanted(&self, id: MigrationId) -> bool {
        self.options.gate.only.is_some_and(|only| only != id.version)
    }

    /// The contracts that are not done; of one version, it has to be declared.
    fn contracts_to_do(
        &self,
        loaded: &Loaded,
        version: Option<Version>,
    ) -> Result<Vec<MigrationId>, Error> {
        let contracts = self.set.iter().map(|entry| entry.id());
        let contracts = contracts.filter(|id| id.phase == Phase::Contract);
        let Some(version) = version else {
            return Ok(contracts.filter(|id| !loaded.history.is_done(*id)).collect());
        };
        let id = MigrationId::new(version, Phase::Contract);
        if self.set.get(id).is_none() {
            return Err(not_declared(id));
        }
        Ok(if loaded.history.is_done(id) { Vec::new() } else { vec![id] })
    }

    async fn approve(
        &self,
        session: &mut Session,
        version: Version,
        reason: &str,
    ) -> Result<Gate, Error> {
        let loaded = history::load_as_ourselves(session, &self.names).await?;
        history::prepare(session, &self.names, self.options, loaded.exists).await?;
        history::prepare_gate(session, &self.names, self.options, &loaded).await;
        let wanted = self.contracts_to_do(&loaded, Some(version))?;
        let gates = self.look_at_gates(&mut session.connection, &loaded, &wanted).await?;
        let Some(gate) = gates.first() else {
            let message = format!("failed to approve {version} contract: it is done already");
            return Err(Error::declaration(message).now("nothing was changed"));
        };
        let closed: Vec<_> =
            gate.closed().filter(|check| check.source != migrate_core::gate::APPROVAL).collect();
        if let Some(check) = closed.first() {
            let (id, source) = (gate.id, &check.source);
            let message = format!(
                "failed to approve {id}: {source} keeps its gate closed: {}",
                check.evidence.why()
            );
            let opens = check.evidence.opens().unwrap_or_default();
            return Err(Error::declaration(message).now("nothing was changed").next(opens));
        }
        gate::approve(session, &self.names, gate, reason).await?;
        let gates = self.look_at_gates(&mut session.connection, &loaded, &wanted).await?;
        gates
            .into_iter()
            .next()
            .ok_or_else(|| not_declared(MigrationId::new(version, Phase::Contract)))
    }

    /// The migrations that say that they provide something.
    fn providers(&self, capability: &str) -> Result<Vec<MigrationId>, Error> {
        let all: Vec<_> =
            self.set.iter().map(|entry| (entry.id(), header(&**entry).provides)).collect();
        let provided = |provides: &[String]| provides.iter().any(|name| name == capability);
        let ids: Vec<_> =
            all.iter().filter(|(_, provides)| provided(provides)).map(|(id, _)| *id).collect();
        if !ids.is_empty() {
            return Ok(ids);
        }
        let known = all.iter().flat_map(|(_, provides)| provides).map(String::as_str);
        let next = match nearest(capability, known) {
            Some(meant) => format!("Did you mean `{meant}`?"),
            None => {
                format!("Write `-- migrate: provides {capability}` into the migration that does.")
            }
        };
        let message = format!("failed to find what provides `{capability}`: no migration says so");
        Err(Error::declaration(message).next(next))
    }
}

fn not_declared(id: MigrationId) -> Error {
    let message = format!("failed to find {id}: it is not declared");
    let next = "Give the version of a contract, as `status` shows it.";
    Error::declaration(message).now("nothing was changed").next(next)
}

fn contracts_of(plan: &Plan) -> impl Iterator<Item = MigrationId> + '_ {
    plan.actions.iter().map(|action| action.id).filter(|id| id.phase == Phase::Contract)
}

/// What has begun was let through, and is not to be left halfway.
fn is_begun(plan: &Plan, id: MigrationId) -> bool {
    let mut actions = plan.actions.iter().filter(|action| action.id == id);
    actions.any(|action| action.done_units > 0 || action.interrupted)
}
