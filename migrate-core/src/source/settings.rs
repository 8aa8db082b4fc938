//! What a folder says of itself, in the file `migrate.toml` in it.
//!
//! Owns the few keys of that file, how they are read and how one is written; `form` says what a key and a value
//! look like. Judges nothing by what it reads: which rules there are, only the linter knows.

use std::collections::BTreeSet;

mod form;

use super::File;
use crate::problem::Place;
use crate::{Problem, Version, nearest};
use form::{Line, Value, lines};

/// The name of the file.
pub const SETTINGS_FILE: &str = "migrate.toml";

const RELEASED: &str = "released";
const KEYS: [&str; 4] = [RELEASED, "postgres", "small_tables", "existing"];
/// The table of levels.
const LINT: &str = "lint";
/// The oldest PostgreSQL that the library is for.
const OLDEST: u32 = 13;

/// What a folder says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The newest version that databases with data in them have: up to it files are history, and are replayed
    /// but not judged.
    pub released: Option<Version>,
    /// The oldest PostgreSQL that the migrations have to run on, as its major version.
    pub postgres: Option<u32>,
    /// Tables so small that no lock on them lasts.
    pub small_tables: Vec<String>,
    /// Tables, views and types that something other than these files makes.
    pub existing: Vec<String>,
    /// What rules of the linter do to a build, as it was written.
    pub levels: Vec<RuleLevel>,
}

/// A line below `[lint]`: `create_index = "warn"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleLevel {
    /// The rule's name, which the linter may not know.
    pub rule: String,
    /// The level's name, of which the same is true.
    pub level: String,
    /// Where that stands.
    pub file: String,
    /// Where in the file.
    pub place: Place,
}

impl Settings {
    /// Reads the file; whatever is wrong with it is a problem at its place.
    pub fn read(path: &str, text: &str) -> (Self, Vec<Problem>) {
        let mut reader = Reader {
            path,
            text,
            settings: Self::default(),
            seen: BTreeSet::new(),
            problems: Vec::new(),
        };
        lines(text).iter().for_each(|line| reader.line(line));
        (reader.settings, reader.problems)
    }

    /// The file's text with another `released`; everything else stays as it is.
    ///
    /// ```
    /// use migrate_core::{Version, source::Settings};
    /// let text = Settings::with_released("# ours\nreleased = \"1\" # first\n", Version::new(7));
    /// assert_eq!(text, "# ours\nreleased = \"7\" # first\n");
    /// ```
    pub fn with_released(text: &str, version: Version) -> String {
        let value = format!("\"{version}\"");
        let old =
            lines(text).into_iter().find(|line| line.table.is_empty() && line.key == RELEASED);
        match old.map(|line| line.value_start..line.value_end) {
            Some(old) => {
                let mut text = text.to_owned();
                text.replace_range(old, &value);
                text
            }
            None => format!("{RELEASED} = {value}\n{text}"),
        }
    }
}

struct Reader<'t> {
    path: &'t str,
    text: &'t str,
    settings: Settings,
    /// Tables and keys that were read.
    seen: BTreeSet<(&'t str, &'t str)>,
    problems: Vec<Problem>,
}

impl<'t> Reader<'t> {
    fn line(&mut self, line: &Line<'t>) {
        if line.key.is_empty() {
            return self.head(line);
        }
        if !self.seen.insert((line.table, line.key)) {
            let message = format!("`{}` is given twice", line.key);
            return self.wrong(line.start, &message, "Remove one of the two.");
        }
        match line.table {
            "" => self.key(line),
            LINT => self.level(line),
            _ => {} // its head was told of
        }
    }

    fn head(&mut self, line: &Line<'t>) {
        if line.table != LINT || matches!(line.value, Value::Broken) {
            let message = format!("unknown table `[{}]`", line.table);
            self.wrong(line.start, &message, "There is one, `[lint]`, with the levels of rules.");
        }
    }

    fn key(&mut self, line: &Line<'t>) {
        let word = match line.value {
            Value::Text(word) | Value::Word(word) => word,
            Value::List(_) | Value::Broken => "",
        };
        match line.key {
            RELEASED => match word.parse() {
                Ok(version) => self.settings.released = Some(version),
                Err(_) => {
                    self.wrong(line.value_start, "`released` is not a version", RELEASED_FORM)
                }
            },
            "postgres" => match word.parse() {
                Ok(major) if (OLDEST..1000).contains(&major) => {
                    self.settings.postgres = Some(major)
                }
                _ => {
                    self.wrong(line.value_start, "`postgres` is not a major version", POSTGRES_FORM)
                }
            },
            "small_tables" => self.settings.small_tables = self.names(line),
            "existing" => self.settings.existing = self.names(line),
            other => self.wrong(line.start, &unknown(other), &known()),
        }
    }

    fn names(&mut self, line: &Line<'t>) -> Vec<String> {
        match &line.value {
            Value::List(names) => return names.iter().map(|name| (*name).to_owned()).collect(),
            _ => {
                let message = format!("`{}` is not a list of names", line.key);
                let help =
                    format!("Write the names in quotes, as in `{} = [\"countries\"]`.", line.key);
                self.wrong(line.value_start, &message, &help);
            }
        }
        Vec::new()
    }

    fn level(&mut self, line: &Line<'t>) {
        let (rule, file) = (line.key.to_owned(), self.path.to_owned());
        match line.value {
            Value::Text(level) => {
                let (level, place) = (level.to_owned(), Place::at(self.text, line.start));
                self.settings.levels.push(RuleLevel { rule, level, file, place });
            }
            _ => {
                let message = format!("the level of `{rule}` is not a word in quotes");
                self.wrong(line.value_start, &message, "Write \"off\", \"warn\" or \"error\".");
            }
        }
    }

    fn wrong(&mut self, offset: usize, message: &str, help: &str) {
        self.problems.push(Problem::error(self.path, message, help).at(self.text, offset));
    }
}

const RELEASED_FORM: &str =
    "The file says which version is released, as in `released = \"20261121093000\"`.";
const POSTGRES_FORM: &str =
    "Name the oldest PostgreSQL that the migrations run on, 13 or newer, as in `postgres = 15`.";

fn unknown(key: &str) -> String {
    match nearest(key, KEYS) {
        Some(known) => format!("unknown key `{key}`; did you mean `{known}`?"),
        None => format!("unknown key `{key}`"),
    }
}

fn known() -> String {
    format!(
        "The keys are {}; levels of rules stand below `[lint]`.",
        KEYS.map(|key| format!("`{key}`")).join(", ")
    )
}

/// Reads the one of a folder's files that has the settings, where there is one; `versions` are those of the folder.
pub(super) fn find(
    files: &[File<'_>],
    versions: &BTreeSet<Version>,
    problems: &mut Vec<Problem>,
) -> Settings {
    let is_it = |file: &&File<'_>| super::name::file_name(file.path) == SETTINGS_FILE;
    let Some(file) = files.iter().find(is_it) else { return Settings::default() };
    let Ok(text) = std::str::from_utf8(file.bytes) else {
        problems.push(Problem::error(file.path, "the text is not UTF-8", "Save it as UTF-8."));
        return Settings::default();
    };
    let (settings, wrong) = Settings::read(file.path, text);
    problems.extend(wrong);
    let strange = settings.released.filter(|released| !versions.contains(released));
    problems.extend(strange.map(|released| {
        let place = lines(text).into_iter().find(|line| line.key == RELEASED);
        released_nowhere(file.path, released).at(text, place.map_or(0, |line| line.value_start))
    }));
    settings
}

/// Complains of a released version that the folder does not have, wherever it was said.
pub fn released_nowhere(said_in: &str, released: Version) -> Problem {
    let message = format!("version {released} is called released, and no file has it");
    let help =
        "Name the newest version that databases with data in them have, as their history shows it.";
    Problem::error(said_in, message, help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let (_, problems) = Settings::read("m/migrate.toml", text);
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_version_may_be_a_string_or_a_number() {
        for text in [
            "released = \"7\"",
            "# a # b\r\n\r\nreleased=7 # c",
            "\u{feff}released = \"7\" # \"8\"",
        ] {
            let (settings, problems) = Settings::read("", text);
            assert_eq!((settings.released, problems), (Some(Version::new(7)), vec![]), "{text}");
        }
        assert_eq!(Settings::read("", "# nothing\n").0, Settings::default());
    }

    #[test]
    fn a_slip_is_shown_at_its_place() {
        let slip = told("# ours\n  relased = \"1\"\n");
        assert!(
            slip[0]
                .starts_with("m/migrate.toml:2:3: unknown key `relased`; did you mean `released`?"),
            "{slip:?}"
        );
        let slip = told("released = \"1_users\"");
        assert!(
            slip[0].starts_with("m/migrate.toml:1:12: `released` is not a version"),
            "{slip:?}"
        );
        let twice = told("released = 1\nreleased = 2");
        assert!(twice[0].starts_with("m/migrate.toml:2:1: `released` is given twice"), "{twice:?}");
        for (text, expected) in [
            ("[lnt]", "m/migrate.toml:1:1: unknown table `[lnt]`"),
            ("postgres = 12", "m/migrate.toml:1:12: `postgres` is not a major version"),
            ("existing = \"a\"", "m/migrate.toml:1:12: `existing` is not a list of names"),
            ("[lint]\na = warn", "m/migrate.toml:2:5: the level of `a` is not a word in quotes"),
            ("[lint]\na = \"off\"\na = \"off\"", "m/migrate.toml:3:1: `a` is given twice"),
        ] {
            assert_eq!(told(text)[0].lines().next(), Some(expected));
        }
    }

    #[test]
    fn the_linter_is_told_what_it_cannot_see() {
        let text = "postgres = 15\nsmall_tables = [\"flags\", \"ops.jobs\"]\nexisting = [\n  \"users\", # of auth\n]\n\n\
                    [lint]\ncreate_index = \"warn\"\nreleased = \"off\"\n";
        let (settings, problems) = Settings::read("m/migrate.toml", text);
        assert_eq!(problems, []);
        assert_eq!((settings.postgres, settings.released), (Some(15), None));
        assert_eq!(
            (settings.small_tables.join(" "), settings.existing.join(" ")),
            ("flags ops.jobs".into(), "users".into())
        );
        let levels: Vec<_> = settings
            .levels
            .iter()
            .map(|level| (&*level.rule, &*level.level, level.place.line))
            .collect();
        assert_eq!(levels, [("create_index", "warn", 8), ("released", "off", 9)]);
    }

    #[test]
    fn writing_one_key_leaves_the_rest() {
        let of = |text| Settings::with_released(text, Version::new(12));
        assert_eq!(of(""), "released = \"12\"\n");
        assert_eq!(of("# mine\n"), "released = \"12\"\n# mine\n");
        assert_eq!(of("# mine\nreleased = 3\n"), "# mine\nreleased = \"12\"\n");
        assert_eq!(of("#released = 3"), "released = \"12\"\n#released = 3");
    }
}
