//! Who is in the way of a lock, as a value.
//!
//! Owns the words for it. Knows neither how it was found nor what is done about it.

use std::fmt;
use std::time::Duration;

use migrate_core::LockMode;

/// A session, or a prepared transaction, that holds a lock which a migration needs, or waits for one ahead of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Blocker {
    /// Its process; none where it is a prepared transaction.
    pub pid: Option<i32>,
    /// What it is.
    pub kind: BlockerKind,
    /// The table, with its schema, quoted where it has to be; empty where it is not a lock but the end of its
    /// transaction that is waited for, as a concurrent index build does.
    pub relation: String,
    /// The lock that it has there; the weakest where there is no table.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::data::lock_mode"))]
    pub mode: LockMode,
    /// It does not have the lock yet, but waits for it ahead of us.
    pub queued: bool,
    /// How long its transaction is open, as far as that can be seen: without the rights of `pg_read_all_stats`, since
    /// it was first met.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "age_ms", serialize_with = "crate::data::milliseconds")
    )]
    pub age: Duration,
    /// Its role; empty where that cannot be seen.
    pub role: String,
    /// Its `application_name`; for a prepared transaction, its name.
    pub application: String,
    /// What it does or did last, each value as `?`; empty where that cannot be seen.
    pub statement: String,
}

/// Of nobody anything is known; for whoever tries out an observer.
impl Default for Blocker {
    fn default() -> Self {
        Self {
            pid: None,
            kind: BlockerKind::Session,
            relation: String::new(),
            mode: LockMode::AccessShare,
            queued: false,
            age: Duration::ZERO,
            role: String::new(),
            application: String::new(),
            statement: String::new(),
        }
    }
}

/// What is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum BlockerKind {
    /// A session that works, as far as can be seen.
    Session,
    /// A session that does nothing in an open transaction.
    IdleInTransaction,
    /// An autovacuum worker, which gives way to whoever waits for `deadlock_timeout`.
    Autovacuum,
    /// An autovacuum worker that prevents a wraparound of transaction numbers, and gives way to nobody. Without the
    /// rights of `pg_read_all_stats` it is known by that it has not given way.
    WraparoundVacuum,
    /// A transaction that was prepared and waits for its second phase, however long.
    Prepared,
    /// An index that is built or rebuilt concurrently.
    IndexBuild,
}

impl BlockerKind {
    /// As our looks at the server say it.
    pub(crate) fn of(word: &str) -> Self {
        match word {
            "prepared" => Self::Prepared,
            "wraparound" => Self::WraparoundVacuum,
            "autovacuum" => Self::Autovacuum,
            "build" => Self::IndexBuild,
            "idle" => Self::IdleInTransaction,
            _ => Self::Session,
        }
    }

    /// As it stands in a sentence.
    fn words(self) -> &'static str {
        match self {
            Self::Session => "a transaction",
            Self::IdleInTransaction => "an idle transaction",
            Self::Autovacuum => "an autovacuum",
            Self::WraparoundVacuum => "an autovacuum to prevent wraparound",
            Self::Prepared => "a prepared transaction",
            Self::IndexBuild => "a concurrent index build",
        }
    }
}

/// `an idle transaction of app (pid 4711, role web, open for 31 s) holds ACCESS SHARE on public.users: SELECT …`
impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, kind, relation, mode, queued, age, role, application, statement } = self;
        f.write_str(kind.words())?;
        if !application.is_empty() {
            write!(f, " of {application}")?;
        }
        let pid = pid.map(|pid| format!("pid {pid}"));
        let role = (!role.is_empty()).then(|| format!("role {role}"));
        let age = Some(format!("open for {} s", age.as_secs()));
        let known: Vec<_> = [pid, role, age].into_iter().flatten().collect();
        write!(f, " ({})", known.join(", "))?;
        if !relation.is_empty() {
            let verb = if *queued { "waits for" } else { "holds" };
            write!(f, " {verb} {} on {relation}", mode.as_sql())?;
        }
        if statement.is_empty() { Ok(()) } else { write!(f, ": {statement}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_who_and_what() {
        let mut blocker = Blocker {
            pid: Some(7),
            kind: BlockerKind::IdleInTransaction,
            relation: "public.users".to_owned(),
            mode: LockMode::AccessShare,
            queued: false,
            age: Duration::from_millis(31_900),
            role: "web".to_owned(),
            application: "app".to_owned(),
            statement: "SELECT ?".to_owned(),
        };
        assert_eq!(
            blocker.to_string(),
            "an idle transaction of app (pid 7, role web, open for 31 s) holds ACCESS SHARE on public.users: SELECT ?"
        );
        blocker = Blocker {
            pid: None,
            kind: BlockerKind::Prepared,
            queued: true,
            role: String::new(),
            statement: String::new(),
            ..blocker
        };
        assert_eq!(
            blocker.to_string(),
            "a prepared transaction of app (open for 31 s) waits for ACCESS SHARE on public.users"
        );
        blocker.relation.clear();
        assert_eq!(blocker.to_string(), "a prepared transaction of app (open for 31 s)");
    }
}
