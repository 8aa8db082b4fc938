//! The schema of matrix-synapse: a full schema of three versions, and what changed from each to the next.
//!
//! Makes three folders of it, with the files in the order in which synapse's own program applies them: a full schema by the
//! names of its files, then version by version, the changes of all its databases together by their names. What is for
//! SQLite is left out. Some changes are programs in Python: in the place of each stands a `DO` block of the words that it
//! holds, so that whoever reads the folder knows what may be otherwise from then on; nobody can run it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::packages::SYNAPSE;
use crate::workspace::Workspace;
use crate::{Result, fetch};

/// The versions that have a full schema; from each the changes lead to the next.
const FULL: [u32; 3] = [16, 54, 72];
/// The databases, whose files are applied together.
const DATABASES: [&str; 3] = ["common", "main", "state"];
/// How a file ends in whose place the words of a program stand.
const PROGRAM: &str = ".py.sql";

/// A file of theirs, and what it is called there, without the directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Theirs {
    name: String,
    path: PathBuf,
}

/// The folders: what each is called, and where it is.
pub(crate) fn folders(workspace: &Workspace) -> Result<Vec<(String, PathBuf)>> {
    let below = fetch::unpacked(workspace, &SYNAPSE)?.join(SYNAPSE.below);
    let prepared =
        workspace.below("prepared").join(format!("{}-{}", SYNAPSE.name, SYNAPSE.version));
    let last = versions(&below)?.into_iter().next_back().unwrap_or_default();
    let mut folders = Vec::new();
    for (place, from) in FULL.into_iter().enumerate() {
        let to = FULL.get(place + 1).copied().unwrap_or(last);
        let path = prepared.join(format!("{from}-{to}"));
        write(&files(&below, from, to)?, &path)?;
        folders.push((format!("{}, {from} to {to}", SYNAPSE.below), path));
    }
    Ok(folders)
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

fn files(below: &Path, from: u32, to: u32) -> Result<Vec<Theirs>> {
    let mut files = Vec::new();
    if below.join("common/schema_version.sql").exists() {
        let path = below.join("common/schema_version.sql");
        files.push(Theirs { name: "schema_version.sql".to_owned(), path });
    }
    files.extend(of_version(below, "full_schemas", from)?);
    for version in from + 1..=to {
        files.extend(of_version(below, "delta", version)?);
    }
    Ok(files)
}

/// By their names, whichever database they are of.
fn of_version(below: &Path, kind: &str, version: u32) -> Result<BTreeSet<Theirs>> {
    let mut files = BTreeSet::new();
    for database in DATABASES {
        let directory = below.join(database).join(kind).join(version.to_string());
        let is_ours = |name: &String| is_for_postgresql(name);
        let theirs = names(&directory)?.into_iter().filter(is_ours);
        files.extend(theirs.map(|name| Theirs { path: directory.join(&name), name }));
    }
    Ok(files)
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
        let (name, text) = match stem.ends_with(".py") {
            true => (format!("{number}_{stem}.sql"), words(&text)),
            false => (format!("{number}_{stem}.sql"), text),
        };
        std::fs::write(folder.join(name), text)?;
    }
    Ok(())
}

/// Does such a file stand for a program?
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
        for file in [
            "main/delta/17/b.sql",
            "state/delta/17/a.py",
            "common/delta/18/a.sql",
            "main/full_schemas/16/z.sql",
        ] {
            let file = below.join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "SELECT 1;").unwrap();
        }
        let found = files(&below, 16, 18).unwrap();
        let last = versions(&below).unwrap().into_iter().next_back();
        std::fs::remove_dir_all(&below).unwrap();
        let names: Vec<_> = found.iter().map(|file| file.name.as_str()).collect();
        assert_eq!((names, last), (vec!["z.sql", "a.py", "b.sql", "a.sql"], Some(18)));
    }
}
