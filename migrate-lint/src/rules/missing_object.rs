//! Statements about what is not there.

use super::{Check, Hit, Rule};
use crate::finding::Level;
use crate::schema::Clash;

pub(super) static RULE: Rule = Rule {
    name: "missing_object",
    level: Level::Error,
    finds: "a statement about something that no earlier migration creates",
    why: "it fails on every database that is made by these migrations alone: a new colleague's, the one of the tests, a new region's",
    instead: "Correct the name, or create it before; if something else makes it, list it as existing.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY);"),
        ("2_index.sql", "ALTER TABLE usres ADD COLUMN email text;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY);"),
        ("2_index.sql", "ALTER TABLE users ADD COLUMN email text;"),
    ],
    check: Check::Clash(check),
};

fn check(clash: &Clash) -> Option<Hit> {
    let (name, message, instead) = match clash {
        Clash::Missing { thing, similar } => {
            let instead = match similar {
                Some(similar) => format!("Did you mean `{similar}`?"),
                None if thing.on.is_some() => "Correct the name, or create it in an earlier migration.".to_owned(),
                None => "Correct the name, create it in an earlier migration, or list it as `existing` if something \
                         else makes it."
                    .to_owned(),
            };
            (&thing.name.name, format!("no earlier migration creates the {thing}"), instead)
        }
        Clash::Other { wanted, found, name } => {
            let instead = format!("Write `{}` instead of `{}`.", shout(found.as_str()), shout(wanted.as_str()));
            (&name.name, format!("`{name}` is a {found}, not a {wanted}"), instead)
        }
        _ => return None,
    };
    Some(Hit::new(name, message, instead).at(name))
}

fn shout(words: &str) -> String {
    words.to_ascii_uppercase()
}
