//! From file names and texts to migrations.
//!
//! Owns the layout of a folder: which file is which part of which migration, ours and sqlx's. Reads no file
//! itself, so that the compiler, the command line and a program that reads a folder when it runs all get the
//! same answer. Everything that is wrong with a folder is told at once.

use std::borrow::Cow;
use std::collections::BTreeMap;

mod name;
mod script;
mod settings;

use crate::{Header, MigrationId, Phase, Problem, SqlDown, SqlMigration, Step, Version};
use name::Role;
use script::Parsed;
pub use settings::{RuleLevel, SETTINGS_FILE, Settings, released_nowhere};

/// A file of a folder, as it was found.
#[derive(Clone, Copy, Debug)]
pub struct File<'f> {
    /// Its path as the user knows it, such as `migrations/1_users.sql`.
    pub path: &'f str,
    /// What is in it.
    pub bytes: &'f [u8],
}

/// What to think of a migration that has no way back and does not say why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WayBack {
    /// An error for each.
    Require,
    /// One warning for the folder.
    #[default]
    Warn,
    /// Nothing.
    Ignore,
}

/// How strictly a folder is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// About ways back.
    pub way_back: WayBack,
    /// What is released, where the folder itself does not say so: the past has no ways back to be written.
    pub released: Option<Version>,
}

impl From<WayBack> for Judgement {
    fn from(way_back: WayBack) -> Self {
        Self { way_back, released: None }
    }
}

/// What a folder holds.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// Its migrations, in order; not complete when there are errors.
    pub migrations: Vec<SqlMigration>,
    /// What the folder says of itself.
    pub settings: Settings,
    /// What is wrong with it, in the order of its files.
    pub problems: Vec<Problem>,
}

impl Contents {
    /// Is there anything that makes it unusable?
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == crate::Severity::Error)
    }
}

/// Reads the files of a folder, in any order; but for its [`SETTINGS_FILE`], those that are not SQL are passed over.
///
/// ```
/// use migrate_core::source::{File, WayBack, read};
/// let file = File { path: "migrations/1_users.sql", bytes: b"create table users (id bigint);" };
/// let contents = read("migrations", &[file], WayBack::Ignore);
/// assert_eq!(contents.migrations.len(), 1);
/// assert!(contents.problems.is_empty());
/// ```
pub fn read(folder: &str, files: &[File<'_>], judgement: impl Into<Judgement>) -> Contents {
    read_strictly(folder, files, judgement.into())
}

fn read_strictly(folder: &str, files: &[File<'_>], judgement: Judgement) -> Contents {
    let all = files;
    let mut files: Vec<&File<'_>> = files.iter().filter(|file| name::is_sql(file.path)).collect();
    files.sort_by_key(|file| file.path);
    let mut changes = BTreeMap::new();
    let mut problems = Vec::new();
    for file in &files {
        collect(file, &mut changes, &mut problems);
    }
    if files.is_empty() {
        problems.push(empty_folder(folder));
    }
    let versions = changes.keys().copied().collect();
    let settings = settings::find(all, &versions, &mut problems);
    let mut contents = Contents { migrations: Vec::new(), settings, problems };
    for (version, change) in changes {
        change.finish(version, &mut contents);
    }
    check_afters(&mut contents);
    let released = contents.settings.released.or(judgement.released);
    check_ways_back(folder, judgement.way_back, released, &mut contents);
    check_empty_ways_back(folder, judgement.way_back, released, &mut contents);
    contents
}

fn empty_folder(folder: &str) -> Problem {
    let help = "Write the first migration, for example `20261121093000_create_users.sql`, or correct the path.";
    Problem::error(folder, "the folder holds no migration", help)
}

/// The files of one version.
#[derive(Default)]
struct Change {
    name: Option<(String, String)>,
    /// What the ways back are called, and their files.
    names_back: Vec<(String, String)>,
    ups: BTreeMap<Phase, Parsed>,
    down: Option<Parsed>,
    contract_down: Option<Parsed>,
}

fn collect(file: &File<'_>, changes: &mut BTreeMap<Version, Change>, problems: &mut Vec<Problem>) {
    let parts = match name::parse(file.path) {
        Ok(parts) => parts,
        Err(problem) => return problems.push(*problem),
    };
    let change = changes.entry(parts.version).or_default();
    if parts.role.is_down() {
        change.names_back.push((parts.name, file.path.to_owned()));
    } else {
        problems.extend(change.check_name(&parts.name, file.path));
    }
    let parsed = script::parse(file, parts.role.is_down(), problems);
    if parts.role != Role::Up(Phase::Contract) {
        problems.extend(parsed.header.of_contracts().map(|name| not_a_contract(file.path, name)));
    }
    let place = match parts.role {
        Role::Up(phase) => {
            let taken = change.ups.get(&phase).map(|other| other.file.clone());
            problems.extend(taken.map(|other| twice(file.path, &other, parts.version, phase)));
            change.ups.insert(phase, parsed);
            return;
        }
        Role::Down => &mut change.down,
        Role::ContractDown => &mut change.contract_down,
    };
    if let Some(other) = place {
        problems.push(twice_down(file.path, &other.file));
    }
    *place = Some(parsed);
}

fn not_a_contract(file: &str, directive: &str) -> Problem {
    let message = format!("says `{directive}`, and is no contract: nothing stands before it");
    let help = "Move the directive to the file that ends in `.contract.sql`, or remove it.";
    Problem::error(file, message, help)
}

fn twice(file: &str, other: &str, version: Version, phase: Phase) -> Problem {
    let message = format!("two files are version {version}, phase {phase}: the other is {other}");
    Problem::error(file, message, "Give one of them a version of its own.")
}

fn twice_down(file: &str, other: &str) -> Problem {
    let message = format!("two files are the same way back: the other is {other}");
    Problem::error(file, message, "Remove one of them, or give one a version of its own.")
}

impl Change {
    /// Two names for one version are two changes that met in a merge.
    fn check_name(&mut self, name: &str, path: &str) -> Option<Problem> {
        let (first, other) = self.name.get_or_insert_with(|| (name.to_owned(), path.to_owned()));
        (first != name).then(|| {
            let message = format!(
                "one version has two names, `{name}` and `{first}`: the other file is {other}"
            );
            let help =
                "Give one of the two changes a version of its own, or both files the same name.";
            Problem::error(path, message, help)
        })
    }

    /// In sqlx the version alone says what a way back undoes; two merged changes would show in their ways forward.
    fn check_names_back(&self) -> Vec<Problem> {
        let Some((name, _)) = &self.name else { return Vec::new() };
        let others = self.names_back.iter().filter(|(other, _)| other != name);
        let problem = |(other, path): &(String, String)| {
            let message = format!("the way back is called `{other}`, what it undoes `{name}`");
            Problem::error(path, message, "Give both files the same name.").as_warning()
        };
        others.map(problem).collect()
    }

    fn finish(self, version: Version, contents: &mut Contents) {
        contents.problems.extend(self.check_names_back());
        let Self { name, ups, down, contract_down, .. } = self;
        let name = name.map(|(name, _)| name).unwrap_or_default();
        let carrier = ups.keys().next().copied().filter(|phase| *phase != Phase::Contract);
        let orphans =
            [(carrier.is_none(), &down), (!ups.contains_key(&Phase::Contract), &contract_down)];
        for (orphaned, down) in orphans {
            let orphan = down.as_ref().filter(|_| orphaned);
            contents.problems.extend(orphan.map(|down| without_up(&down.file)));
        }
        let (mut down, mut contract_down) = (down, contract_down);
        for (phase, up) in ups {
            let back = match phase {
                Phase::Contract => contract_down.take(),
                _ => down.take_if(|_| Some(phase) == carrier),
            };
            let shared = carrier.filter(|carrier| {
                phase != Phase::Contract
                    && phase != *carrier
                    && contents.has_step_down(version, *carrier)
            });
            let down = way_back(&up, back, shared, &mut contents.problems);
            contents.migrations.extend(up.into_migration(
                MigrationId::new(version, phase),
                &name,
                down,
            ));
        }
    }
}

impl Contents {
    fn has_step_down(&self, version: Version, phase: Phase) -> bool {
        let last = self.migrations.iter().rev().find(|m| m.id == MigrationId::new(version, phase));
        last.is_some_and(|migration| matches!(migration.down, SqlDown::Steps(_)))
    }
}

fn without_up(file: &str) -> Problem {
    let help = "Add the file that it undoes, with the same version and name, or remove it.";
    Problem::error(file, "a way back without the migration that it undoes", help)
}

fn way_back(
    up: &Parsed,
    back: Option<Parsed>,
    shared: Option<Phase>,
    problems: &mut Vec<Problem>,
) -> SqlDown {
    let reason = up.header.irreversible.clone();
    if let (Some(_), Some(back)) = (&reason, &back) {
        let message = format!("says that it is irreversible, and has a way back: {}", back.file);
        problems.push(Problem::error(&up.file, message, "Remove the directive or the file."));
    }
    match (back.and_then(|back| back.step), shared, reason) {
        (Some(step), ..) => step.into(),
        (None, Some(phase), _) => SqlDown::With(phase),
        (None, None, Some(reason)) => SqlDown::Irreversible(Cow::Owned(reason)),
        (None, None, None) => SqlDown::Missing,
    }
}

impl Parsed {
    fn into_migration(self, id: MigrationId, name: &str, down: SqlDown) -> Option<SqlMigration> {
        let Header { after, lock_timeout, .. } = self.header;
        Some(SqlMigration {
            id,
            name: Cow::Owned(name.to_owned()),
            up: self.step?,
            down,
            checksum: self.checksum,
            after: Cow::Owned(after),
            lock_timeout,
        })
    }
}

fn unreleased(
    migrations: &[SqlMigration],
    released: Option<Version>,
) -> impl Iterator<Item = &SqlMigration> {
    migrations.iter().filter(move |migration| Some(migration.id.version) > released)
}

fn check_afters(contents: &mut Contents) {
    let Contents { migrations, problems, .. } = contents;
    for migration in migrations.iter() {
        for after in migration.after.iter() {
            let known = migrations.binary_search_by_key(after, |other| other.id).is_ok();
            let message = match known {
                true if *after < migration.id => continue,
                true => format!("is to run after {after}, which comes later"),
                false => format!("is to run after {after}, which does not exist"),
            };
            let help = "Name a migration that has a smaller version, and its phase.";
            problems.push(Problem::error(file_of(migration), message, help));
        }
    }
}

fn file_of(migration: &SqlMigration) -> &str {
    migration.up.script().map_or("", |script| &script.file)
}

fn check_ways_back(
    folder: &str,
    way_back: WayBack,
    released: Option<Version>,
    contents: &mut Contents,
) {
    let Contents { migrations, problems, .. } = contents;
    let missing = unreleased(migrations, released).filter(|m| m.down == SqlDown::Missing);
    let mut missing = missing.map(file_of);
    match way_back {
        WayBack::Ignore => {}
        WayBack::Require => problems.extend(missing.map(no_way_back)),
        WayBack::Warn => {
            let first = missing.next();
            problems.extend(first.map(|first| no_ways_back(folder, first, missing.count())));
        }
    }
}

/// The file that `sqlx migrate add -r` writes, and nobody filled in: the version can be taken back, and nothing happens.
fn check_empty_ways_back(
    folder: &str,
    way_back: WayBack,
    released: Option<Version>,
    contents: &mut Contents,
) {
    let Contents { migrations, problems, .. } = contents;
    let steps = unreleased(migrations, released).flat_map(|m| m.down.steps());
    let scripts = steps.filter_map(Step::script);
    let mut empty =
        scripts.filter(|script| script.statements.is_empty()).map(|script| &*script.file);
    match way_back {
        WayBack::Ignore => {}
        WayBack::Require => problems.extend(empty.map(empty_way_back)),
        WayBack::Warn => {
            let first = empty.next();
            problems.extend(first.map(|first| empty_ways_back(folder, first, empty.count())));
        }
    }
}

const EMPTY_WAY_BACK: &str = "Write what undoes the migration; or remove the file, and say in the first lines of \
    the migration why there is no way back: `-- migrate: irreversible because <reason>`.";

fn empty_way_back(file: &str) -> Problem {
    Problem::error(file, "the way back holds no statement", EMPTY_WAY_BACK)
}

fn empty_ways_back(folder: &str, first: &str, others: usize) -> Problem {
    let message = match others {
        0 => format!("{first} holds no statement: to revert it changes nothing"),
        _ => format!("{first} and {others} more hold no statement: to revert them changes nothing"),
    };
    Problem::error(folder, message, EMPTY_WAY_BACK).as_warning()
}

const NO_WAY_BACK: &str = "Write the way back in a file that ends in `.down.sql`, or say in the first lines \
    why there is none: `-- migrate: irreversible because <reason>`.";

fn no_way_back(file: &str) -> Problem {
    Problem::error(file, "has no way back", NO_WAY_BACK)
}

fn no_ways_back(folder: &str, first: &str, others: usize) -> Problem {
    let message = match others {
        0 => format!("{first} has no way back"),
        _ => format!("{first} and {others} more have no way back"),
    };
    Problem::error(folder, message, NO_WAY_BACK).as_warning()
}

#[cfg(test)]
mod tests;
