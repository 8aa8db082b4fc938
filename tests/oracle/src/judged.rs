//! A statement and what everybody says of it.

use crate::server::Judge;
use crate::verdict::Verdict;
use crate::{Result, library, ours};

/// Where a statement comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// A package of a registry.
    Real(String),
    /// Our own corpus: what is said to be SQL, and what is not.
    Corpus(Claim),
    /// A statement with one token wrong.
    Mutant(&'static str),
}

/// What the corpus says of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Claim {
    /// SQL from this major version on.
    FineSince(u32),
    /// SQL for nobody.
    Wrong,
}

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) source: Source,
    pub(crate) text: String,
}

#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) case: Case,
    pub(crate) ours: Verdict,
    /// One for each server, the oldest first.
    pub(crate) servers: Vec<Verdict>,
    pub(crate) library: Option<Verdict>,
}

impl Judged {
    /// For one of the servers at least.
    pub(crate) fn is_sql(&self) -> bool {
        self.servers.iter().any(Verdict::is_fine)
    }

    /// No server takes what we take.
    pub(crate) fn is_falsely_accepted(&self) -> bool {
        self.ours.is_fine() && !self.is_sql()
    }

    /// We do not take what a server takes.
    pub(crate) fn is_falsely_refused(&self) -> bool {
        !self.ours.is_fine() && self.is_sql()
    }

    /// The servers are not of one mind: it is new, or it is gone.
    pub(crate) fn depends_on_the_version(&self) -> bool {
        self.is_sql() && !self.servers.iter().all(Verdict::is_fine)
    }

    /// The library is of another mind than the newest server.
    pub(crate) fn divides_the_oracles(&self) -> bool {
        match (&self.library, self.servers.last()) {
            (Some(library), Some(newest)) => library.is_fine() != newest.is_fine(),
            _ => false,
        }
    }
}

/// Everybody who is asked.
pub(crate) struct Jury {
    pub(crate) judges: Vec<Judge>,
}

impl Jury {
    pub(crate) fn convene(majors: &[u32]) -> Result<Self> {
        let judges = majors.iter().map(|major| Judge::start(*major));
        Ok(Self { judges: judges.collect::<Result<_>>()? })
    }

    pub(crate) fn judge(&mut self, cases: Vec<Case>) -> Result<Vec<Judged>> {
        cases.into_iter().map(|case| self.judge_one(case)).collect()
    }

    fn judge_one(&mut self, case: Case) -> Result<Judged> {
        let servers = self.judges.iter_mut().map(|judge| judge.verdict(&case.text));
        let servers = servers.collect::<Result<_>>()?;
        let (ours, library) = (ours::verdict(&case.text), library::verdict(&case.text));
        Ok(Judged { case, ours, servers, library })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn judged(source: Source, ours: Verdict, servers: &[Verdict]) -> Judged {
        let case = Case { source, text: "SELECT 1".to_owned() };
        Judged { case, ours, servers: servers.to_vec(), library: None }
    }

    #[test]
    fn what_one_server_takes_is_sql() {
        let (fine, no) = (Verdict::Fine, Verdict::refused(None, "no"));
        let of = |ours: &Verdict, servers: [&Verdict; 2]| {
            judged(Source::Mutant("deleted"), ours.clone(), &servers.map(Clone::clone))
        };
        assert!(of(&no, [&no, &fine]).is_falsely_refused());
        assert!(of(&no, [&no, &fine]).depends_on_the_version());
        assert!(of(&fine, [&no, &no]).is_falsely_accepted());
        assert!(!of(&fine, [&no, &fine]).is_falsely_accepted());
        assert!(!of(&no, [&no, &no]).is_falsely_refused());
        assert!(!of(&no, [&no, &no]).depends_on_the_version());
    }
}
