//! The statements of a rehearsal, and those of migrations said of what is on the stage.
//!
//! Knows neither when they are sent nor what comes back.

use std::collections::BTreeSet;

use migrate_core::sql::elsewhere;

use crate::sql::ident;

macro_rules! statements {
    ($($name:ident = $file:literal),+ $(,)?) => {
        $(pub(super) const $name: &str = include_str!(concat!("../sql/rehearse/", $file, ".sql"));)+
    };
}

statements! {
    STAGE = "stage",
    NAMED = "named",
    TABLE = "table",
    OPEN_NOT_NULL = "open_not_null",
    AROUND = "around",
    READ = "read",
    RANGE = "range",
    WHOLE = "whole",
    SOME = "some",
    COPY_OUT = "copy_out",
    COPY_IN = "copy_in",
    MAKE = "make",
    ANALYZE = "analyze",
    MEASURE = "measure",
    HELD = "held",
    THERE = "there",
    FILES = "files",
    ON_STAGE = "on_stage",
    KEYS = "keys",
    MISSING = "missing",
    PARENTS = "parents",
    EMIT = "emit",
    WEIGHT = "weight",
}

/// What of the names of migrations is on the stage.
#[derive(Clone, Debug, Default)]
pub(super) struct Cast {
    /// The schemas that its tables are from.
    pub(super) schemas: BTreeSet<String>,
    /// Everything on it, by its name alone.
    pub(super) names: BTreeSet<String>,
}

impl Cast {
    /// A statement about what is on the stage. What it makes is made there, too.
    pub(super) fn direct(&self, text: &str) -> String {
        let makes = elsewhere::first_words(text, 1).first().is_some_and(|word| word == "CREATE");
        elsewhere::renamed(text, |index, one| {
            let is_there = self.names.contains(&one.name) || makes && index == 0;
            (self.schemas.contains(&one.schema) && is_there)
                .then(|| format!("migrate_rehearsal.{}", ident(&one.name)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_said_of_the_stage_as_far_as_what_it_names_is_there() {
        let cast = Cast { schemas: ["app".into()].into(), names: ["users".into()].into() };
        assert_eq!(
            cast.direct("CREATE INDEX i ON app.users (app.f(name))"),
            "CREATE INDEX i ON migrate_rehearsal.\"users\" (app.f(name))"
        );
        assert_eq!(
            cast.direct(
                "CREATE TABLE app.roles (u int REFERENCES app.users, r int REFERENCES app.other)"
            ),
            "CREATE TABLE migrate_rehearsal.\"roles\" (u int REFERENCES migrate_rehearsal.\"users\", r int REFERENCES \
             app.other)"
        );
        assert_eq!(cast.direct("UPDATE other.users SET a = 1"), "UPDATE other.users SET a = 1");
    }
}
