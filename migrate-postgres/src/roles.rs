//! As whom a run works, and whom else that concerns.
//!
//! Owns the warnings of a role that may too much, once a run, where a database is in use: on a fresh one, and on
//! somebody's own machine, a superuser is usual. Changes nothing, and fails nothing: a run is not worth less for
//! it. Knows nothing of migrations.

use sqlx::postgres::PgRow;

use crate::observe::{Ear, Event};
use crate::session::Session;
use crate::sql::{self, Names};
use crate::wire::{number, text, truth};

/// Looks who else is there, and warns where the migrating role is a superuser or that of the application.
pub(crate) async fn warn(session: &mut Session, names: &Names, ear: &Ear) {
    let look = session.as_ourselves(names) + &sql::roles(&session.application);
    match session.send(look).await {
        Ok(Some(row)) => warnings(&row).iter().for_each(|text| ear.tell(&Event::Warning { text })),
        Ok(None) => {}
        Err(error) => tracing::debug!(%error, "migrate: nobody knows who else is there"),
    }
}

fn warnings(row: &PgRow) -> Vec<String> {
    let of = |column| text(row, column).unwrap_or("?");
    let count = |column| number(row, column).unwrap_or_default();
    let (clients, served) = (count("clients"), count("served"));
    let superuser = (clients > 0 && truth(row, "is_superuser")).then(|| superuser(of("worker")));
    let serves = (served > 0).then(|| serves(of("login"), served));
    superuser.into_iter().chain(serves).collect()
}

fn superuser(worker: &str) -> String {
    format!(
        "this run works as {worker}, a superuser, on a database in use: no right bounds what a migration does, and \
         what it creates belongs to a superuser. Migrate as a role that owns the schema and is none: connect as it, \
         or name it with `Migrator::role` (`--role`)."
    )
}

fn serves(login: &str, sessions: i64) -> String {
    let sessions = match sessions {
        1 => "1 other session".to_owned(),
        many => format!("{many} other sessions"),
    };
    format!(
        "{login} migrates and serves as well ({sessions} in this database), so that the application may drop and alter \
         whatever a migration creates. Migrate as another role, for work alone with `Migrator::direct` \
         (`--direct-url`), and grant the application what it needs."
    )
}
