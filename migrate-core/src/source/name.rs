//! What a file name says: version, name, and which part of the change the file is.

use crate::spelling::distance;
use crate::{Phase, Problem, Version};

/// Which part of a change a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Up(Phase),
    /// Undoes expand and migrate.
    Down,
    ContractDown,
}

impl Role {
    pub(super) fn is_down(self) -> bool {
        !matches!(self, Role::Up(_))
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) version: Version,
    pub(super) name: String,
    pub(super) role: Role,
}

/// The longer ones first, because they end like the shorter ones.
const ENDINGS: [(&str, Role); 6] = [
    (".contract.down", Role::ContractDown),
    (".down", Role::Down),
    (".up", Role::Up(Phase::Expand)),
    (".expand", Role::Up(Phase::Expand)),
    (".migrate", Role::Up(Phase::Migrate)),
    (".contract", Role::Up(Phase::Contract)),
];

const FORM: &str = "A migration is called `<version>_<name>.sql`, with `.up`, `.down`, `.expand`, `.migrate`, \
    `.contract` or `.contract.down` before the `.sql` where it is one part of a change; other files do not end \
    in `.sql`.";

pub(super) fn file_name(path: &str) -> &str {
    let separators: &[char] = if cfg!(windows) { &['/', '\\'] } else { &['/'] };
    path.rsplit(separators).next().unwrap_or(path)
}

pub(super) fn is_sql(path: &str) -> bool {
    let name = file_name(path);
    let ending = name.len().checked_sub(4).and_then(|start| name.get(start..));
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case(".sql"))
}

pub(super) fn parse(path: &str) -> Result<Parts, Box<Problem>> {
    let wrong = |message: String| Box::new(Problem::error(path, message, FORM));
    let not_one = || wrong("the name is not that of a migration".to_owned());
    let stem = file_name(path).strip_suffix(".sql").ok_or_else(not_one)?;
    let (version, rest) = stem.split_once('_').ok_or_else(not_one)?;
    let version = version.parse().map_err(|_| not_one())?;
    let ending =
        ENDINGS.iter().find_map(|(ending, role)| Some((rest.strip_suffix(ending)?, *role)));
    let (name, role) = ending.unwrap_or((rest, Role::Up(Phase::Expand)));
    if let Some(meant) = misspelt(name) {
        return Err(wrong(format!("the name ends almost in `{meant}`")));
    }
    if name.is_empty() {
        return Err(not_one());
    }
    Ok(Parts { version, name: name.to_owned(), role })
}

/// `.contrct` would make a contract an expand; `.v2` is a name.
fn misspelt(name: &str) -> Option<&'static str> {
    let (_, last) = name.rsplit_once('.')?;
    let words =
        ENDINGS.iter().filter_map(|(ending, _)| ending.rsplit_once('.').map(|(_, word)| word));
    let near = |word: &&str| distance(last, word) <= if word.len() > 4 { 2 } else { 1 };
    words.into_iter().find(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(path: &str) -> Option<(i64, String, Role)> {
        parse(path).ok().map(|parts| (parts.version.get(), parts.name, parts.role))
    }

    #[test]
    fn each_ending_is_a_part() {
        let up = |phase| Role::Up(phase);
        for (path, expected) in [
            ("m/1_a.sql", up(Phase::Expand)),
            ("m/1_a.up.sql", up(Phase::Expand)),
            ("m/1_a.expand.sql", up(Phase::Expand)),
            ("m/1_a.migrate.sql", up(Phase::Migrate)),
            ("m/1_a.contract.sql", up(Phase::Contract)),
            ("m/1_a.down.sql", Role::Down),
            ("m/1_a.contract.down.sql", Role::ContractDown),
        ] {
            assert_eq!(role(path), Some((1, "a".to_owned(), expected)), "{path}");
        }
        assert_eq!(role("007_release_v1.2.sql").map(|r| r.1).as_deref(), Some("release_v1.2"));
        let path = format!("m{}20261121093000_a\\b.sql", std::path::MAIN_SEPARATOR);
        assert_eq!(role(&path).map(|r| r.0), (!cfg!(windows)).then_some(20261121093000));
    }

    #[test]
    fn other_names_are_refused() {
        for path in [
            "a.sql",
            "1.sql",
            "1_.sql",
            "V1__a.sql",
            "_a.sql",
            "1_a.SQL",
            "99999999999999999999_a.sql",
            "1_a.contrct.sql",
            "1_a.dwn.sql",
            "1_a.migrated.sql",
        ] {
            assert!(parse(path).is_err(), "{path}");
        }
        assert!(!is_sql("README.md") && !is_sql("m/sql") && !is_sql("é.s") && is_sql("1_a.SQL"));
    }
}
