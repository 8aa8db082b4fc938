//! The golden files: what each version locks, for people to read and for the test to hold on to.

use std::path::PathBuf;
use std::{env, fs};

use crate::case::Case;
use crate::seen::{Seen, words};

/// `MIGRATE_GOLDEN=overwrite` writes the files anew.
const VARIABLE: &str = "MIGRATE_GOLDEN";

/// A golden file while it is written.
pub struct Table {
    major: u32,
    text: String,
}

impl Table {
    pub fn new(major: u32) -> Self {
        let text = format!(
            "What statements lock on PostgreSQL {major}, in the schema of setup.sql: seen on a server by the test \
             `truth`.\n\nstatement | strongest lock on each relation | written anew | read as a whole\n"
        );
        Self { major, text }
    }

    pub fn head(&mut self, words: &str) {
        self.text.push_str(&format!("\n== {words}\n"));
    }

    pub fn line(&mut self, case: &Case, seen: &Seen, differences: &[String]) {
        let locks = seen.locked().map(|(name, mode)| format!("{name} {}", words(mode)));
        let locks = or_dash(&locks.collect::<Vec<_>>().join(", "));
        let (rewritten, scanned) =
            (or_dash(&seen.rewritten().join(", ")), or_dash(&seen.scanned().join(", ")));
        let scanned = if seen.waiting { "(seen while it waited)" } else { &scanned };
        self.text.push_str(&format!("{} | {locks} | {rewritten} | {scanned}\n", case.words()));
        for difference in differences {
            let why = case.differs(self.major).unwrap_or_default();
            self.text.push_str(&format!("    differs: {difference} ({why})\n"));
        }
    }

    /// Is it what the file says?
    pub fn hold(&self) {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join(format!("golden/locks-{}.txt", self.major));
        if env::var_os(VARIABLE).is_some_and(|value| value == "overwrite") {
            fs::write(&path, &self.text).expect("a golden file");
        }
        let how = format!("look at it and write it with {VARIABLE}=overwrite");
        let Ok(old) = fs::read_to_string(&path) else {
            panic!("there is no {} for this version: {how}", path.display());
        };
        let (old, new): (Vec<&str>, Vec<&str>) =
            (old.lines().collect(), self.text.lines().collect());
        let gone = old.iter().filter(|line| !new.contains(line)).map(|line| format!("- {line}"));
        let come = new.iter().filter(|line| !old.contains(line)).map(|line| format!("+ {line}"));
        let different: Vec<String> = gone.chain(come).collect();
        assert!(
            different.is_empty(),
            "{} is not what this server does: {how}\n{}",
            path.display(),
            different.join("\n")
        );
        assert_eq!(old, new, "{} has another order: {how}", path.display());
    }
}

fn or_dash(words: &str) -> String {
    if words.is_empty() { "-".to_owned() } else { words.to_owned() }
}
