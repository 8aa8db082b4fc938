//! A migration, and the ordered set of those that an application declares.
//!
//! Owns what every migration can tell of itself, the kind that is made of SQL files, and the set. Knows nothing of what a database already has.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use crate::{Backfill, Checksum, Code, Header, MigrationId, Packed, Phase, Step, Targets, Version};

/// One change of a schema or of data.
///
/// Most migrations are files and come from [`SqlMigration`]; implement the trait to make one of your own.
///
/// ```
/// use migrate_core::{Checksum, Down, Migration, MigrationId, Phase, Script, Set, Step, Version};
///
/// struct Users {
///     up: [Step; 1],
/// }
///
/// impl Migration for Users {
///     fn id(&self) -> MigrationId {
///         MigrationId::new(Version::new(1), Phase::Expand)
///     }
///     fn name(&self) -> &str {
///         "create_users"
///     }
///     fn up(&self) -> &[Step] {
///         &self.up
///     }
///     fn down(&self) -> Down<'_> {
///         Down::Irreversible("it is the first one")
///     }
///     fn checksum(&self) -> Checksum {
///         Checksum::of_sql("create table users (id bigint primary key)")
///     }
/// }
///
/// let script = Script::parse("users.sql", "create table users (id bigint primary key)").unwrap();
/// let users = Users { up: [Step::Transaction(script)] };
/// let set = Set::new([users.into()]).unwrap();
/// assert_eq!(set.len(), 1);
/// ```
pub trait Migration: Send + Sync {
    /// Version and phase.
    fn id(&self) -> MigrationId;

    /// A few words for people; not part of the identity.
    fn name(&self) -> &str;

    /// What it does.
    fn up(&self) -> &[Step];

    /// How to take it back, or why that cannot be.
    fn down(&self) -> Down<'_>;

    /// What tells it from an edited copy of itself.
    fn checksum(&self) -> Checksum;

    /// What must have run before it, beyond its place in the order.
    fn after(&self) -> &[MigrationId] {
        &[]
    }

    /// How long one attempt of it may wait for a lock; `None` leaves it to the runner.
    fn lock_timeout(&self) -> Option<Duration> {
        None
    }

    /// Where it sits among the parts of one change.
    fn phase(&self) -> Phase {
        self.id().phase
    }

    /// Where it sits in the order.
    fn version(&self) -> Version {
        self.id().version
    }
}

/// What the head of its text says. Read when it is asked for: few ask, and of few migrations. One in Rust has no head.
pub fn header(migration: &dyn Migration) -> Header {
    match migration.up() {
        [Step::Backfill(backfill)] => backfill.header(),
        steps => {
            let script = steps.first().and_then(Step::script);
            script.map(|script| Header::parse(&script.text).0).unwrap_or_default()
        }
    }
}

/// The way back of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down<'a> {
    /// Steps that undo it.
    Steps(&'a [Step]),
    /// What undoes that phase of the same version undoes this one too.
    With(Phase),
    /// There is none, for this reason.
    Irreversible(&'a str),
    /// Nobody wrote one.
    Missing,
}

/// A migration read from SQL files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlMigration {
    /// Version and phase.
    pub id: MigrationId,
    /// The words of its file name.
    pub name: Cow<'static, str>,
    /// What it does.
    pub up: Step,
    /// Its way back.
    pub down: SqlDown,
    /// Over statements and directives.
    pub checksum: Checksum,
    /// What must have run before.
    pub after: Cow<'static, [MigrationId]>,
    /// How long one attempt may wait for a lock.
    pub lock_timeout: Option<Duration>,
}

/// The way back of a migration read from SQL files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqlDown {
    /// What undoes it.
    Steps(Cow<'static, [Step]>),
    /// See [`Down::With`].
    With(Phase),
    /// See [`Down::Irreversible`].
    Irreversible(Cow<'static, str>),
    /// See [`Down::Missing`].
    Missing,
}

impl From<Step> for SqlDown {
    fn from(step: Step) -> Self {
        SqlDown::Steps(Cow::Owned(vec![step]))
    }
}

impl SqlDown {
    /// The steps that undo it, where it has its own.
    pub fn steps(&self) -> &[Step] {
        match self {
            SqlDown::Steps(steps) => steps,
            SqlDown::With(_) | SqlDown::Irreversible(_) | SqlDown::Missing => &[],
        }
    }
}

impl Migration for SqlMigration {
    fn id(&self) -> MigrationId {
        self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn up(&self) -> &[Step] {
        std::slice::from_ref(&self.up)
    }

    fn down(&self) -> Down<'_> {
        match &self.down {
            SqlDown::Steps(steps) => Down::Steps(steps),
            SqlDown::With(phase) => Down::With(*phase),
            SqlDown::Irreversible(reason) => Down::Irreversible(reason),
            SqlDown::Missing => Down::Missing,
        }
    }

    fn checksum(&self) -> Checksum {
        self.checksum
    }

    fn after(&self) -> &[MigrationId] {
        &self.after
    }

    fn lock_timeout(&self) -> Option<Duration> {
        self.lock_timeout
    }
}

/// A folder of SQL files that was read at compile time.
#[derive(Clone, Copy, Debug)]
pub struct Folder {
    /// The folder as the user wrote it.
    pub path: &'static str,
    /// Its migrations, in order.
    pub packed: Packed,
    /// Over all of them, as [`Set::digest`] takes it.
    pub digest: Checksum,
    /// Where it was on the machine that compiled it; only in debug builds.
    pub on_disk: Option<&'static str>,
    /// Its file names, to notice that one was added since; only in debug builds.
    pub files: &'static [&'static str],
    /// What its statements lock, as [`Targets::pack`] wrote it; nothing where the linter was not asked.
    pub targets: &'static [u8],
}

impl Folder {
    /// What its statements lock of what was there before their migrations, where they lock any; `None` where the linter
    /// was not asked.
    pub fn targets(&self) -> Option<Vec<Targets>> {
        Targets::unpack(self.targets)
    }
}

/// A migration in a set.
#[derive(Clone)]
pub struct Entry(Arc<dyn Migration>);

impl Deref for Entry {
    type Target = dyn Migration;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl<M: Migration + 'static> From<M> for Entry {
    fn from(migration: M) -> Self {
        Entry(Arc::new(migration))
    }
}

impl<M: Migration + 'static> From<Arc<M>> for Entry {
    fn from(migration: Arc<M>) -> Self {
        Entry(migration)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id(), self.name())
    }
}

/// The migrations of one application, in order.
#[derive(Clone, Debug, Default)]
pub struct Set {
    entries: Vec<Entry>,
}

/// Migrations that do not make a set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetError {
    /// Two migrations have one version and phase.
    Duplicate {
        /// Their identity.
        id: MigrationId,
        /// Their names.
        names: [String; 2],
    },
    /// A migration waits for one that comes later or does not exist.
    After {
        /// Which one waits.
        id: MigrationId,
        /// For what.
        after: MigrationId,
    },
    /// The constants of an embedded folder do not belong together.
    Torn {
        /// The folder as the user wrote it.
        folder: String,
    },
}

impl fmt::Display for SetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SetError::Duplicate { id, names: [a, b] } => {
                write!(f, "two migrations are {id}: `{a}` and `{b}`")
            }
            SetError::After { id, after } if after >= id => {
                write!(f, "{id} is to run after {after}, which comes later")
            }
            SetError::After { id, after } => {
                write!(f, "{id} is to run after {after}, which does not exist")
            }
            SetError::Torn { folder } => {
                write!(f, "the files of `{folder}` changed while they were compiled")
            }
        }
    }
}

impl std::error::Error for SetError {}

impl Folder {
    /// Its migrations, as they stand in a set.
    ///
    /// # Errors
    /// [`SetError::Torn`].
    pub fn entries(&self) -> Result<Vec<Entry>, SetError> {
        let torn = || SetError::Torn { folder: self.path.to_owned() };
        Ok(self.packed.unpack().ok_or_else(torn)?.into_iter().map(Entry::from).collect())
    }
}

impl Set {
    /// Puts migrations in order.
    ///
    /// # Errors
    /// All that keeps them from being a set: duplicates, and an `after` that no plan can satisfy.
    pub fn new(entries: impl IntoIterator<Item = Entry>) -> Result<Self, Vec<SetError>> {
        Self::of(entries.into_iter().collect())
    }

    /// Compiled once, not for everything that entries may come from.
    fn of(mut entries: Vec<Entry>) -> Result<Self, Vec<SetError>> {
        entries.sort_by_key(|entry| entry.id());
        let set = Self { entries };
        let errors: Vec<_> = set.duplicates().chain(set.impossible_afters()).collect();
        if errors.is_empty() { Ok(set) } else { Err(errors) }
    }

    fn duplicates(&self) -> impl Iterator<Item = SetError> {
        let pairs = self.entries.iter().zip(self.entries.iter().skip(1));
        pairs.filter(|(a, b)| a.id() == b.id()).map(|(a, b)| SetError::Duplicate {
            id: a.id(),
            names: [a.name().to_owned(), b.name().to_owned()],
        })
    }

    fn impossible_afters(&self) -> impl Iterator<Item = SetError> {
        self.entries.iter().flat_map(move |entry| {
            let id = entry.id();
            let wrong = move |after: &&MigrationId| **after >= id || self.get(**after).is_none();
            entry
                .after()
                .iter()
                .filter(wrong)
                .map(move |after| SetError::After { id, after: *after })
        })
    }

    /// The migrations, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Entry> {
        self.entries.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The one with this identity.
    pub fn get(&self, id: MigrationId) -> Option<&Entry> {
        let index = self.entries.binary_search_by_key(&id, |entry| entry.id()).ok()?;
        self.entries.get(index)
    }

    /// The last in the order.
    pub fn newest(&self) -> Option<MigrationId> {
        self.entries.last().map(|entry| entry.id())
    }

    /// Over what all of them do. The same for a folder, whether it was embedded or read from disk.
    pub fn digest(&self) -> Checksum {
        let (code, sql): (Vec<&Entry>, Vec<&Entry>) =
            self.entries.iter().partition(|entry| is_code(&***entry));
        digest_with(digest(sql.iter().map(|entry| &***entry)), code.iter().map(|entry| &***entry))
    }
}

impl<'s> IntoIterator for &'s Set {
    type Item = &'s Entry;
    type IntoIter = std::slice::Iter<'s, Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Over migrations that are in order: what the macro writes into a [`Folder`].
pub fn digest<'m>(migrations: impl IntoIterator<Item = &'m dyn Migration>) -> Checksum {
    let pairs: Vec<_> = migrations.into_iter().map(|m| (m.id(), with_afters(m))).collect();
    Checksum::of_set(pairs.iter().map(|(id, checksum)| (*id, checksum)))
}

/// What a migration waits for is no part of the checksum of code, but of what a plan makes of it.
fn with_afters(migration: &dyn Migration) -> Checksum {
    let checksum = migration.checksum();
    match migration.after() {
        [] => checksum,
        after => checksum.and(&after.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")),
    }
}

/// The digest of a folder together with the code beside it; that of the folder when there is none.
pub fn digest_with<'m>(
    folder: Checksum,
    code: impl IntoIterator<Item = &'m dyn Migration>,
) -> Checksum {
    digest_beside(folder, code.into_iter().collect())
}

fn digest_beside(folder: Checksum, mut code: Vec<&dyn Migration>) -> Checksum {
    code.sort_by_key(|migration| migration.id());
    if code.is_empty() { folder } else { folder.and(&digest(code).to_string()) }
}

/// Is its work Rust code of the application?
pub fn is_code(migration: &dyn Migration) -> bool {
    let is_code = |step: &Step| {
        matches!(step, Step::Code(Code { .. }) | Step::Backfill(Backfill::Code { .. }))
    };
    migration.up().iter().any(is_code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::migration;

    #[test]
    fn a_set_is_ordered() {
        let set = Set::new([migration("2 expand"), migration("1 contract"), migration("1 expand")]);
        let ids: Vec<_> = set.unwrap().iter().map(|m| m.id().to_string()).collect();
        assert_eq!(ids, ["1 expand", "1 contract", "2 expand"]);
    }

    /// Or a settled mark would outlive what it says.
    #[test]
    fn a_set_is_another_when_one_waits_for_another() {
        let waiting = crate::testing::migration_after("2", "1");
        let set = |second| Set::new([migration("1"), second]).unwrap();
        assert_eq!(waiting.checksum(), migration("2").checksum(), "as of code");
        assert_ne!(set(waiting).digest(), set(migration("2")).digest());
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let waits = |text, after| crate::testing::migration_after(text, after);
        let errors = Set::new([
            migration("1 expand"),
            migration("1 expand"),
            waits("2 expand", "3 expand"),
            waits("3 expand", "1 contract"),
        ])
        .unwrap_err();
        let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "two migrations are 1 expand: `m1` and `m1`",
                "2 expand is to run after 3 expand, which comes later",
                "3 expand is to run after 1 contract, which does not exist",
            ]
        );
    }
}
