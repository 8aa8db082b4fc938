//! The schema of matrix-synapse: a full schema, what has changed since, and what had changed before.
//!
//! Makes two folders of it, with the files in the order in which synapse's own program applies them: the full schema by the
//! names of its files, then version by version, the changes of all its databases together by their names; and the
//! older changes, whose own full schema is published no more. What is for SQLite is left out, and the one mark that
//! synapse fills in is filled in. Some changes are programs in Python: in the place of each stands a `DO` block of the
//! words that it holds, so that whoever reads the folder knows what may be otherwise from then on; nobody can run it.
//! In the place of the lost full schema stands a `CALL`, behind which there may be anything.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::packages::SYNAPSE;
use crate::workspace::Workspace;
use crate::{Result, fetch};

/// The version that has a full schema.
const FULL: u32 = 72;
/// The databases, whose files are applied together.
const DATABASES: [&str; 3] = ["common", "main", "state"];
/// How a file ends in whose place the words of a program stand.
const PROGRAM: &str = ".py.sql";
/// What stands for the full schema of the first version.
const LOST: &str = "CALL the_schema_before();\n";
/// What synapse fills in, and with what.
const KEY: (&str, &str) =
    ("$%AUTO_INCREMENT_PRIMARY_KEY%$", "BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY");

/// A file of theirs, and what it is called there, without the directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Theirs {
    name: String,
    path: PathBuf,
}

/// The folders: what each is called, and where it is.
pub(crate) fn folders(workspace: &Workspace) -> Result<Vec<(String, PathBuf)>> {
    let below = fetch::unpacked(workspace, &SYNAPSE)?.join(SYNAPSE.below);
    let version = format!("{}-{}", SYNAPSE.name, SYNAPSE.version);
    let prepared = workspace.below("prepared").join(version);
    let versions = versions(&below)?;
    let (old, new): (BTreeSet<u32>, BTreeSet<u32>) = versions.into_iter().partition(|v| *v <= FULL);
    let before = prepared.join("old");
    write(&changes(&below, &old)?, &before)?;
    std::fs::write(before.join(format!("0_lost{PROGRAM}")), LOST)?;
    let mut full = vec![Theirs::named("schema_version.sql", &below.join("common"))];
    full.extend(of_version(&below, "full_schemas", FULL)?);
    full.extend(changes(&below, &new)?);
    let since = prepared.join("new");
    write(&full, &since)?;
    let first_and_last = |versions: &BTreeSet<u32>| {
        let ends = [versions.first(), versions.last()];
        let ends = ends.map(|end| end.copied().unwrap_or_default().to_string());
        format!("{} ({})", SYNAPSE.below, ends.join(" to "))
    };
    Ok(vec![(first_and_last(&old), before), (first_and_last(&new), since)])
}

/// The versions that changed something.
fn versions(below: &Path) -> Result<BTreeSet<u32>> {
    let mut versions = BTreeSet::new();
    for database in DATABASES {
        for name in names(&below.join(database).join("delta"))? {
            versions.extend(name.parse::<u32>().ok());
        }
    }
    Ok(versions)
}

fn changes(below: &Path, versions: &BTreeSet<u32>) -> Result<Vec<Theirs>> {
    let of = |version: &u32| of_version(below, "delta", *version);
    Ok(versions.iter().map(of).collect::<Result<Vec<_>>>()?.concat())
}

/// By their names, whichever database they are of.
fn of_version(below: &Path, kind: &str, version: u32) -> Result<Vec<Theirs>> {
    let mut files = Vec::new();
    for database in DATABASES {
        let directory = below.join(database).join(kind).join(version.to_string());
        let theirs = names(&directory)?;
        let theirs = theirs.iter().filter(|name| is_for_postgresql(name));
        files.extend(theirs.map(|name| Theirs::named(name, &directory)));
    }
    files.sort();
    Ok(files)
}

impl Theirs {
    fn named(name: &str, directory: &Path) -> Self {
        Self { name: name.to_owned(), path: directory.join(name) }
    }
}

fn is_for_postgresql(name: &str) -> bool {
    [".sql", ".sql.postgres", ".py"].iter().any(|ending| name.ends_with(ending))
        && name != "__init__.py"
}

/// What is in a directory; not every database has every one.
fn names(directory: &Path) -> Result<Vec<String>> {
    if !directory.exists() {
        return Ok(Vec::new());
    }
    let names = std::fs::read_dir(directory)?;
    names.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// Writes them, numbered, to a folder that has nothing else then.
fn write(files: &[Theirs], folder: &Path) -> Result<()> {
    fetch::empty(folder)?;
    for (file, number) in files.iter().zip(1..) {
        let text = std::fs::read_to_string(&file.path)?;
        let stem = file.name.trim_end_matches(".postgres").trim_end_matches(".sql");
        let text = match stem.ends_with(".py") {
            true => words(&text),
            false => text.replace(KEY.0, KEY.1),
        };
        // Two of them hold a comment that says where their statements have gone.
        if migrate_core::sql::statements(&text).is_ok_and(|statements| statements.is_empty()) {
            continue;
        }
        std::fs::write(folder.join(format!("{number}_{stem}.sql")), text)?;
    }
    Ok(())
}

/// Does such a file stand for something that is no SQL?
pub(crate) fn is_program(name: &str) -> bool {
    name.ends_with(PROGRAM)
}

/// A block that names all that a program names, and does nothing that could be read.
fn words(program: &str) -> String {
    let words = program.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let is_name = |word: &&str| word.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    // These would make it do anything at all.
    let does = ["execute", "perform", "call"];
    let words: BTreeSet<&str> = words.filter(is_name).filter(|word| !does.contains(word)).collect();
    format!("DO $$ {} $$;\n", words.into_iter().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_another_database_is_left_out() {
        for (name, expected) in [
            ("01_a.sql", true),
            ("01_a.sql.postgres", true),
            ("01_a.py", true),
            ("01_a.sql.sqlite", false),
            ("README.md", false),
            ("__init__.py", false),
        ] {
            assert_eq!(is_for_postgresql(name), expected, "{name}");
        }
    }

    #[test]
    fn a_program_becomes_the_words_that_it_holds() {
        let program = "def run(cur):\n    cur.execute(\"CREATE INDEX a_idx ON a (b)\")\n";
        assert_eq!(words(program), "DO $$ a a_idx b cur def run $$;\n");
        assert!(is_program("7_a.py.sql") && !is_program("7_apy.sql"));
    }

    #[test]
    fn the_files_of_a_version_are_in_the_order_of_their_names() {
        let below = std::env::temp_dir().join(format!("synapse{}", std::process::id()));
        let there = ["main/delta/17/b.sql", "state/delta/17/a.py", "common/delta/18/a.sql"];
        for file in there {
            let file = below.join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "SELECT 1;").unwrap();
        }
        let all = versions(&below).unwrap();
        let found = changes(&below, &all).unwrap();
        std::fs::remove_dir_all(&below).unwrap();
        let names: Vec<_> = found.iter().map(|file| file.name.as_str()).collect();
        assert_eq!((names, all), (vec!["a.py", "b.sql", "a.sql"], BTreeSet::from([17, 18])));
    }
}
