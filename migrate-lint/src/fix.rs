//! Safe forms in place of what the rules find.
//!
//! Owns the shape of a fix and the promise about it: a file is only touched where the folder reads as well
//! afterwards, the finding is gone and no other has come. [`fix`] is pure: texts go in, texts come out. What a rule
//! would write is `remedy`'s; where in the folder that goes is `place`'s.

mod place;
mod remedy;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeMap, HashMap, HashSet};

use migrate_core::source::{self, File, WayBack};
use migrate_core::{Problem, Version};

use crate::facts::Facts;
use crate::finding::Finding;
use crate::judge::judge;

pub(crate) use place::{Site, stands_alone};
pub(crate) use remedy::{Patch, Remedy};
pub(crate) use words::Words;

/// How a finding may go away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fix {
    /// What changes in files that are there; places are of the texts before, and none meets another.
    pub edits: Vec<Edit>,
    /// Files that are not there yet.
    pub new_files: Vec<NewFile>,
}

/// Another text for a part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The file, as the user knows it.
    pub file: String,
    /// Where the part begins, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// What stands there afterwards.
    pub text: String,
}

/// A file to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// Its path, beside that of the finding.
    pub file: String,
    /// What is in it.
    pub text: String,
}

/// A folder, after what could be fixed was fixed.
#[derive(Clone, Debug, Default)]
pub struct Fixed {
    /// The files that are other than before or new, with their texts.
    pub files: BTreeMap<String, String>,
    /// What is gone, in order, each as it was told before.
    pub done: Vec<Finding>,
    /// What has a safe form that does not fit there, and why not.
    pub left: Vec<(Finding, String)>,
}

/// Fixes what can be fixed of the findings that are wanted, one after the other.
///
/// ```
/// use migrate_core::source::File;
/// use migrate_lint::{Facts, fix};
///
/// let files = [
///     File { path: "m/1_users.sql", bytes: b"CREATE TABLE users (id bigint PRIMARY KEY, email text);" },
///     File { path: "m/2_email.sql", bytes: b"CREATE INDEX users_email ON users (email);" },
/// ];
/// let fixed = fix("m", &files, &Facts::default(), |_| true);
/// assert_eq!(
///     fixed.files["m/2_email.sql"],
///     "-- migrate: no-transaction\nCREATE INDEX CONCURRENTLY users_email ON users (email);"
/// );
/// ```
pub fn fix(
    folder: &str,
    files: &[File<'_>],
    facts: &Facts,
    wanted: impl Fn(&Finding) -> bool,
) -> Fixed {
    let files = files.iter().map(|file| (file.path.to_owned(), file.bytes.to_vec())).collect();
    let mut bench = Bench { folder, facts, files, fixed: Fixed::default() };
    // What did not fit may do so when something else is gone.
    while bench.pass(&wanted) {}
    bench.fixed
}

/// What tells a finding from others, wherever its statement has gone in the meantime.
type Identity = (&'static str, Version, String);

fn identity(finding: &Finding) -> Identity {
    (finding.rule, finding.migration.version, finding.message.clone())
}

/// What is known of a folder's texts.
struct Seen {
    findings: Vec<Finding>,
    problems: Vec<Problem>,
}

/// The folder while it is worked on.
struct Bench<'f> {
    folder: &'f str,
    facts: &'f Facts,
    files: BTreeMap<String, Vec<u8>>,
    fixed: Fixed,
}

impl Bench<'_> {
    /// Tries each finding once; did any go away?
    fn pass(&mut self, wanted: &impl Fn(&Finding) -> bool) -> bool {
        let before = self.fixed.done.len();
        self.fixed.left.clear();
        let mut seen = self.look(&self.files);
        loop {
            let batch = self.next(&seen, wanted);
            if batch.is_empty() {
                return self.fixed.done.len() > before;
            }
            self.attempt(&mut seen, batch);
        }
    }

    /// One finding of each version, none of which was tried in vain: what they change, they do not share.
    fn next(&self, seen: &Seen, wanted: &impl Fn(&Finding) -> bool) -> Vec<Finding> {
        let key = |finding: &Finding| (finding.file.clone(), identity(finding));
        let tried: HashSet<_> = self.fixed.left.iter().map(|(finding, _)| key(finding)).collect();
        let is_next = |finding: &&Finding| {
            finding.fix.is_some() && wanted(finding) && !tried.contains(&key(finding))
        };
        let mut batch: Vec<Finding> = Vec::new();
        for finding in seen.findings.iter().filter(is_next) {
            let version = finding.migration.version;
            if batch.last().is_none_or(|last| last.migration.version != version) {
                batch.push(finding.clone());
            }
        }
        batch
    }

    /// Fixes them together where that keeps the promise, else half by half; one that does not is left.
    fn attempt(&mut self, seen: &mut Seen, mut batch: Vec<Finding>) {
        match self.keep(seen, &batch) {
            Ok(after) => {
                self.fixed.done.extend(batch);
                *seen = after;
            }
            Err(why) if batch.len() < 2 => {
                self.fixed.left.extend(batch.pop().map(|finding| (finding, why)));
            }
            Err(_) => {
                let rest = batch.split_off(batch.len() / 2);
                self.attempt(seen, batch);
                self.attempt(seen, rest);
            }
        }
    }

    fn look(&self, files: &BTreeMap<String, Vec<u8>>) -> Seen {
        let files: Vec<File<'_>> = files.iter().map(|(path, bytes)| File { path, bytes }).collect();
        let contents = source::read(self.folder, &files, WayBack::Ignore);
        Seen {
            findings: judge(&contents.migrations, self.facts).findings,
            problems: contents.problems,
        }
    }

    /// Keeps the texts with the fixes, if they keep the promise.
    fn keep(&mut self, before: &Seen, batch: &[Finding]) -> Result<Seen, String> {
        let changed = self.changed(batch).ok_or("its safe form does not fit the file")?;
        let mut files = self.files.clone();
        files.extend(changed.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes())));
        let after = self.look(&files);
        compare(before, &after, batch)?;
        self.files = files;
        self.fixed.files.extend(changed);
        Ok(after)
    }

    /// The texts of the files that fixes touch.
    fn changed(&self, batch: &[Finding]) -> Option<BTreeMap<String, String>> {
        let mut changed = BTreeMap::new();
        for fix in batch.iter().filter_map(|finding| finding.fix.as_ref()) {
            changed.extend(changed_by(&self.files, fix)?);
        }
        Some(changed)
    }
}

/// The texts of the files that a fix touches.
fn changed_by(files: &BTreeMap<String, Vec<u8>>, fix: &Fix) -> Option<BTreeMap<String, String>> {
    let mut changed = BTreeMap::new();
    let mut edits: Vec<&Edit> = fix.edits.iter().collect();
    edits.sort_by_key(|edit| (edit.start, edit.end));
    // From the end, so that the places before stay what they are; what is put at one place stays in its order.
    for edit in edits.into_iter().rev() {
        let text: &mut String = match changed.entry(edit.file.clone()) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(String::from_utf8(files.get(&edit.file)?.clone()).ok()?)
            }
        };
        text.get(edit.start..edit.end)?;
        text.replace_range(edit.start..edit.end, &edit.text);
    }
    for new in &fix.new_files {
        if files.contains_key(&new.file) {
            return None;
        }
        changed.insert(new.file.clone(), new.text.clone());
    }
    Some(changed)
}

/// Are the findings gone, and has nothing come?
fn compare(before: &Seen, after: &Seen, gone: &[Finding]) -> Result<(), String> {
    let told = |problem: &Problem| (problem.file.clone(), problem.message.clone());
    let known: HashSet<_> = before.problems.iter().map(told).collect();
    if let Some(problem) = after.problems.iter().find(|problem| !known.contains(&told(problem))) {
        return Err(format!("{}: {}", problem.file, problem.message));
    }
    let mut counts: HashMap<Identity, i64> = HashMap::new();
    for finding in &before.findings {
        *counts.entry(identity(finding)).or_default() += 1;
    }
    for finding in &after.findings {
        let count = counts.entry(identity(finding)).or_default();
        *count -= 1;
        if *count < 0 {
            let Finding { rule, message, .. } = finding;
            return Err(format!("its safe form would be found by {rule}: {message}"));
        }
    }
    for finding in gone {
        let count = counts.entry(identity(finding)).or_default();
        *count -= 1;
        if *count < 0 {
            return Err("its safe form would be found as well".to_owned());
        }
    }
    Ok(())
}
