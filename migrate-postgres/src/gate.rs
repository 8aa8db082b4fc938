//! Whether a contract may run: what each source of evidence knows of it.
//!
//! Owns the table of sources, one file each, and how they are asked. Decides nothing with the answers: when a gate is
//! open is the core's to say. What cannot be known is unknown, and never an error of the run.

use async_trait::async_trait;
use migrate_core::{Check, Evidence, Gate, Header, Migration, MigrationId, Set, header, nearest};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use crate::error::{Error, sqlstate};
use crate::history::Loaded;
use crate::options::GateRules;
use crate::sql::Names;
use crate::wire::rows;

mod approval;
mod dependencies;
mod fleet;
mod phases;
mod soak;
mod strangers;
mod words;

pub(crate) use approval::{approval, approve};

/// All sources, in the order in which a checklist has them. A further one is a file and a line here.
const SOURCES: [&dyn Source; 5] = [
    &phases::Phases,
    &soak::Soak,
    &fleet::Fleet,
    &strangers::Strangers,
    &dependencies::Dependencies,
];

/// The names under which sources can be waived.
pub(crate) fn sources() -> impl Iterator<Item = &'static str> {
    SOURCES.iter().map(|source| source.name())
}

/// Something that can tell whether a contract would hurt.
#[async_trait]
trait Source: Sync {
    /// By which it is waived.
    fn name(&self) -> &'static str;

    async fn look(&self, eyes: &mut Eyes<'_>, contract: &Contract<'_>) -> Result<Finding, Error>;
}

/// What a source says, and the facts behind it that an approval covers.
struct Finding {
    evidence: Evidence,
    facts: Vec<String>,
}

impl From<Evidence> for Finding {
    fn from(evidence: Evidence) -> Self {
        Self { evidence, facts: Vec::new() }
    }
}

/// What sources look with.
pub(crate) struct Eyes<'e> {
    pub(crate) connection: &'e mut PgConnection,
    pub(crate) names: &'e Names,
    pub(crate) set: &'e Set,
    pub(crate) loaded: &'e Loaded,
    pub(crate) rules: &'e GateRules,
}

/// What they look at.
struct Contract<'c> {
    id: MigrationId,
    header: Header,
    migration: &'c dyn Migration,
}

/// What came of a question.
enum Answer {
    Rows(Vec<PgRow>),
    /// The tables of evidence are not there yet.
    NoTable,
    /// The role may not read them.
    NoRight,
}

impl Eyes<'_> {
    /// Looks at everything that is known of one contract.
    pub(crate) async fn gate(&mut self, migration: &dyn Migration) -> Result<Gate, Error> {
        let contract = Contract { id: migration.id(), header: header(migration), migration };
        let mut checks = Vec::new();
        for source in SOURCES {
            let Finding { evidence, facts } = source.look(self, &contract).await?;
            let waived = self.rules.reason_to_waive(source.name());
            checks.push(Check { source: source.name().into(), evidence, facts, waived });
        }
        let name = migration.name().to_owned();
        let gate = Gate { id: contract.id, name, checks, approved: None };
        if !contract.header.approval && !self.rules.approval {
            return Ok(gate);
        }
        let approval = approval(self.connection, self.names, contract.id.version).await?;
        Ok(gate.needing(approval.as_ref()))
    }

    async fn ask(&mut self, what: &str, question: String) -> Result<Answer, Error> {
        ask(self.connection, self.names, what, question).await
    }
}

/// As whoever we are, or else as the role that we may take.
async fn ask(
    connection: &mut PgConnection,
    names: &Names,
    what: &str,
    question: String,
) -> Result<Answer, Error> {
    let mut asked = rows(connection, question.clone()).await;
    if let Err(error) = &asked
        && sqlstate(error).as_deref() == Some("42501")
        && names.role.is_some()
    {
        asked = rows(connection, names.as_role() + &question).await;
    }
    match asked {
        Ok(rows) => Ok(Answer::Rows(rows)),
        Err(error) => match sqlstate(&error).as_deref() {
            Some("42P01" | "3F000") => Ok(Answer::NoTable),
            Some("42501") => Ok(Answer::NoRight),
            _ => Err(Error::driver(what, error)),
        },
    }
}

impl GateRules {
    fn reason_to_waive(&self, source: &str) -> Option<String> {
        let waived = self.waived.iter().rev().find(|(waived, _)| waived == source);
        waived.map(|(_, reason)| reason.clone())
    }

    /// A waiver of what does not exist is a slip that would keep a gate closed, or a reason that nobody has written.
    pub(crate) fn check(&self) -> Result<(), Error> {
        for (source, reason) in &self.waived {
            let message = format!("failed to waive `{source}`");
            if !sources().any(|known| known == source) {
                let known: Vec<_> = sources().collect();
                let meant = nearest(source, sources())
                    .map(|meant| format!("Did you mean `{meant}`?"))
                    .unwrap_or_else(|| format!("The sources are {}.", known.join(", ")));
                let message = format!("{message}: there is no such source of evidence");
                return Err(Error::declaration(message).now("nothing was changed").next(meant));
            }
            if reason.trim().is_empty() {
                let next = "Say why it does not count; the history keeps it.";
                let error = Error::declaration(format!("{message}: there is no reason"));
                return Err(error.now("nothing was changed").next(next));
            }
        }
        Ok(())
    }
}
