//! What a folder says of itself, in the file `migrate.toml` in it.
//!
//! Owns the few keys of that file, how they are read and how one is written. The form is the part of TOML that
//! a key with a string or a number needs. Judges nothing by what it reads.

use std::collections::BTreeSet;

use super::File;
use crate::{Problem, Version, nearest};

/// The name of the file.
pub const SETTINGS_FILE: &str = "migrate.toml";

const RELEASED: &str = "released";
const KEYS: [&str; 1] = [RELEASED];

/// What a folder says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The newest version that databases with data in them have: up to it files are history, and are replayed
    /// but not judged.
    pub released: Option<Version>,
}

/// A line that says something.
struct Line<'t> {
    key: &'t str,
    value: &'t str,
    /// Byte offsets into the text.
    start: usize,
    value_start: usize,
}

impl Settings {
    /// Reads the file; whatever is wrong with it is a problem at its place.
    pub fn read(path: &str, text: &str) -> (Self, Vec<Problem>) {
        let mut reader = Reader { path, text, settings: Self::default(), problems: Vec::new() };
        lines(text).for_each(|line| reader.line(&line));
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
        let old = lines(text).find(|line| line.key == RELEASED);
        match old.map(|line| line.value_start..line.value_start + line.value.len()) {
            Some(old) => {
                let mut text = text.to_owned();
                text.replace_range(old, &value);
                text
            }
            None => format!("{RELEASED} = {value}\n{text}"),
        }
    }
}

/// Lines with something on them, cut in two at the equals sign and before a comment.
fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut next = 0;
    text.split_inclusive('\n').filter_map(move |line| {
        let began = next;
        next += line.len();
        let said = without_comment(line).trim_end();
        let start = said.len() - said.trim_start_matches(is_blank).len();
        let said = said.get(start..)?;
        let (key, value) = said.split_once('=').unwrap_or((said, ""));
        let value = value.trim_start();
        let value_start = began + start + said.len() - value.len();
        let line = Line { key: key.trim_end(), value, start: began + start, value_start };
        (!said.is_empty()).then_some(line)
    })
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

/// A number sign in a string is no comment.
fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    let end = line.find(|c| {
        quoted ^= c == '"';
        c == '#' && !quoted
    });
    line.get(..end.unwrap_or(line.len())).unwrap_or(line)
}

struct Reader<'t> {
    path: &'t str,
    text: &'t str,
    settings: Settings,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn line(&mut self, line: &Line<'_>) {
        match line.key {
            RELEASED if self.settings.released.is_some() => {
                self.wrong(line.start, "`released` is given twice", "Remove one of the two.");
            }
            RELEASED => match unquoted(line.value).parse() {
                Ok(version) => self.settings.released = Some(version),
                Err(_) => {
                    self.wrong(line.value_start, "`released` is not a version", RELEASED_FORM)
                }
            },
            other => self.wrong(line.start, &unknown(other), RELEASED_FORM),
        }
    }

    fn wrong(&mut self, offset: usize, message: &str, help: &str) {
        self.problems.push(Problem::error(self.path, message, help).at(self.text, offset));
    }
}

const RELEASED_FORM: &str =
    "The file says which version is released, as in `released = \"20261121093000\"`.";

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value)
}

fn unknown(key: &str) -> String {
    match nearest(key, KEYS) {
        Some(known) => format!("unknown key `{key}`; did you mean `{known}`?"),
        None => format!("unknown key `{key}`"),
    }
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
        let place = lines(text).find(|line| line.key == RELEASED);
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
        assert_eq!(
            told("[lint]")[0].lines().next(),
            Some("m/migrate.toml:1:1: unknown key `[lint]`")
        );
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
