//! What is said to a server about databases.
//!
//! The statements stand in `sql/*.sql`. Every name that goes into them is one that [`super::name`] or
//! [`super::template`] made, of small letters, digits and underscores, so none needs quoting. Knows
//! neither when they are sent nor what comes back.

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Executor};

/// A statement, ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Statement(String);

macro_rules! statement {
    ($file:literal $(, $hole:ident)*) => {
        Statement::of(
            include_str!(concat!("sql/", $file, ".sql")),
            &[$((concat!("{", stringify!($hole), "}"), &$hole.to_string())),*],
        )
    };
}

impl Statement {
    fn of(template: &str, values: &[(&str, &String)]) -> Statement {
        let fill = |text: String, (hole, value): &(&str, &String)| text.replace(hole, value);
        Statement(values.iter().fold(template.trim_end().to_owned(), fill))
    }

    /// By the simple protocol: one round trip, nothing prepared.
    pub(super) async fn rows(self, at: &mut PgConnection) -> Result<Vec<PgRow>, sqlx::Error> {
        at.fetch_all(sqlx::raw_sql(AssertSqlSafe(self.0))).await
    }

    pub(super) async fn run(self, at: &mut PgConnection) -> Result<(), sqlx::Error> {
        self.rows(at).await.map(|_| ())
    }
}

/// The databases that test processes made, with their notes; and the locale of `template0`.
pub(super) fn look() -> Statement {
    statement!("look")
}

pub(super) fn template(name: &str) -> Statement {
    statement!("template", name)
}

/// All templates of ours.
pub(super) fn templates() -> Statement {
    statement!("templates")
}

/// By default a clone goes through the write-ahead log, block by block.
pub(super) fn create(name: &str, template: &str) -> Statement {
    statement!("create", name, template)
}

/// Copies files between two checkpoints: three times as fast where a checkpoint is cheap.
pub(super) fn copy(name: &str, template: &str) -> Statement {
    statement!("copy", name, template)
}

pub(super) fn seal(name: &str) -> Statement {
    statement!("seal", name)
}

pub(super) fn unseal(name: &str) -> Statement {
    statement!("unseal", name)
}

pub(super) fn drop(name: &str) -> Statement {
    statement!("drop", name)
}

/// Fails when somebody is connected to it.
pub(super) fn drop_unused(name: &str) -> Statement {
    statement!("drop_unused", name)
}

pub(super) fn note(name: &str, note: &str) -> Statement {
    statement!("note", name, note)
}

pub(super) fn lock(key: i64) -> Statement {
    statement!("lock", key)
}

pub(super) fn try_lock(key: i64) -> Statement {
    statement!("try_lock", key)
}
