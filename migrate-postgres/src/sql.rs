//! Our own statements, filled in.
//!
//! The statements stand in `sql/*.sql`; what goes into them passes through the core's quoting. Knows neither
//! when they are sent nor what comes back.

use std::time::Duration;

use migrate_core::sql::quote;
use migrate_core::{LockMode, MigrationId, Version};

use crate::wire::Backend;

mod names;

pub(crate) use names::Names;

/// Puts values into the `{holes}` of a statement; a value is never looked into for holes.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (hole, after) = after.split_once('}').unwrap_or((after, ""));
        let value = values.iter().find(|(name, _)| *name == hole).map(|(_, value)| *value);
        filled.push_str(value.unwrap_or("NULL"));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// A text as a literal. PostgreSQL has no NUL character in text, so one is shown as what it is.
pub(crate) fn literal(text: &str) -> String {
    quote::literal(text)
        .or_else(|_| quote::literal(&text.replace('\0', "\u{fffd}")))
        .unwrap_or_default()
}

/// What stands before the work of a migration, for whoever reads `pg_stat_activity`.
pub(crate) fn comment(verb: &str, id: MigrationId, name: &str) -> String {
    let name: String = name.chars().filter(|c| !matches!(c, '*' | '/' | '\0')).take(100).collect();
    format!("/* migrate: {verb} {id} {name} */")
}

/// A name, quoted.
pub(crate) fn ident(name: &str) -> String {
    let name = name.replace('\0', "\u{fffd}");
    quote::Ident::new(&name).map(|ident| ident.to_string()).unwrap_or_default()
}

macro_rules! statements {
    ($($name:ident = $file:literal),+ $(,)?) => {
        $(const $name: &str = include_str!(concat!("sql/", $file, ".sql"));)+
    };
}

statements! {
    CREATE_HISTORY = "create_history",
    SETTLED = "settled",
    SETTLE = "settle",
    LOAD = "load",
    TEXTS = "texts",
    RECORD = "record",
    ROW = "row",
    PLACE = "place",
    PLACE_LEASED = "place_leased",
    CREATE_LEASE = "create_lease",
    CREATE_GATE = "create_gate",
    GRANT_GATE = "grant_gate",
    BEAT = "beat",
    LEAVE = "leave",
    FLEET = "fleet",
    STRANGERS = "strangers",
    SOAKED = "soaked",
    DEPENDANTS = "dependants",
    APPROVAL = "approval",
    APPROVE = "approve",
    LOAD_OF = "load_of",
    TAKE_LEASE = "take_lease",
    RENEW_LEASE = "renew_lease",
    RELEASE_LEASE = "release_lease",
    LEASE_HOLDER = "lease_holder",
    AS_FOUND = "as_found",
    START_ANEW = "start_anew",
    WHEREABOUTS = "whereabouts",
    TABLES = "tables",
    HOLDER = "holder",
    AT_WORK = "at_work",
    PROGRESS = "progress",
    PROGRESS_OF_COPIES = "progress_of_copies",
    IN_THE_WAY = "in_the_way",
    QUEUE = "queue",
    COLUMNS = "columns",
    TRY_LOCK = "try_lock",
    RELEASE = "release",
    BACKEND = "backend",
    SCHEMA_MISSING = "schema_missing",
    CREATE_SCHEMA = "create_schema",
    GRANT = "grant",
    LIFT_TIMEOUTS = "lift_timeouts",
    WHO = "who",
    GRANTS_MISSING = "grants_missing",
    SQLX_TABLE = "sqlx_table",
    SQLX_USUAL = "sqlx_usual",
    SQLX_ROWS = "sqlx_rows",
    GRANT_SQLX = "grant_sqlx",
    MIRROR = "mirror",
    MIRROR_ROWS = "mirror_rows",
    IS_MIRRORED = "is_mirrored",
    STOP_MIRROR = "stop_mirror",
    FACTS = "facts",
    ROLES = "roles",
    BLOCKERS = "blockers",
    OF_SESSION = "of_session",
    END_BLOCKER = "end_blocker",
    STILL_SENT = "still_sent",
    UNDER_WAY = "under_way",
    STILL_IDLE = "still_idle",
    STILL_VACUUM = "still_vacuum",
    WAITED = "waited",
    LOCK_TABLES = "lock_tables",
    OUTLAST = "outlast",
    WAITING = "waiting",
    THROTTLE_SIGNALS = "throttle_signals",
    THROTTLE_CHECKPOINTS = "throttle_checkpoints",
    THROTTLE_CHECKPOINTS_16 = "throttle_checkpoints_16",
}

/// How texts are read, here and by the compiler, whatever the default of a database or a role. A message is read
/// as a whole before any of it runs, so that its own head would come too late: it is set behind each message, for
/// the next, and ahead of the first.
pub(crate) const AS_WE_WRITE: &str =
    "SET standard_conforming_strings = on; RESET client_encoding; ";

/// The same for one transaction, where the session is not ours to set.
pub(crate) const AS_WE_WRITE_HERE: &str =
    "SET LOCAL standard_conforming_strings = on; SET LOCAL client_encoding = 'UTF8'; ";

impl Names {
    pub(crate) fn fill(&self, template: &str, values: &[(&str, &str)]) -> String {
        let (history_name, settled_name) = (literal(&self.history), literal(&self.settled));
        let lease_name = literal(&self.lease);
        let (backfill_name, range_name) = (literal(&self.backfill), literal(&self.range));
        let [instance_name, stranger_name, approval_name] =
            [&self.instance, &self.stranger, &self.approval].map(|name| literal(name));
        let key = self.key.to_string();
        let mirror_name = literal(&self.mirror_name);
        let mirror_ident = ident(&self.mirror_name);
        let mut all = values.to_vec();
        all.extend_from_slice(&[
            ("history", self.history.as_str()),
            ("history_name", &history_name),
            ("settled", &self.settled),
            ("settled_name", &settled_name),
            ("lease", &self.lease),
            ("lease_name", &lease_name),
            ("backfill", &self.backfill),
            ("range", &self.range),
            ("backfill_name", &backfill_name),
            ("range_name", &range_name),
            ("lease_relation", &self.lease_relation),
            ("instance", &self.instance),
            ("instance_name", &instance_name),
            ("stranger", &self.stranger),
            ("stranger_name", &stranger_name),
            ("approval", &self.approval),
            ("approval_name", &approval_name),
            ("unsettle", &self.unsettle),
            ("schema", &self.schema),
            ("schema_ident", &self.schema_ident),
            ("set", &self.set),
            ("key", &key),
            ("mirror", &self.mirror),
            ("mirror_name", &mirror_name),
            ("mirror_ident", &mirror_ident),
        ]);
        fill(template, &all)
    }

    pub(crate) fn create_history(&self) -> String {
        self.fill(CREATE_HISTORY, &[])
    }

    pub(crate) fn settled(&self, digest: &str) -> String {
        self.fill(SETTLED, &[("digest", &literal(digest))])
    }

    pub(crate) fn settle(&self, digest: &str, report: &str, stamp: i64) -> String {
        let stamp = stamp.to_string();
        let (digest, report) = (literal(digest), literal(report));
        self.fill(SETTLE, &[("digest", &digest), ("report", &report), ("stamp", &stamp)])
    }

    pub(crate) fn load(&self) -> String {
        self.fill(LOAD, &[])
    }

    pub(crate) fn texts(&self, id: migrate_core::MigrationId) -> String {
        let version = id.version.to_string();
        self.fill(TEXTS, &[("version", &version), ("phase", &literal(id.phase.as_str()))])
    }

    pub(crate) fn tables(&self) -> String {
        self.fill(TABLES, &[])
    }

    pub(crate) fn columns(&self) -> String {
        self.fill(COLUMNS, &[])
    }

    pub(crate) fn holder(&self, key: i64) -> String {
        self.fill_key(HOLDER, key)
    }

    pub(crate) fn at_work(&self) -> String {
        self.fill_key(AT_WORK, self.key)
    }

    /// The two halves under which `pg_locks` shows a lock of 64 bits.
    fn fill_key(&self, template: &str, key: i64) -> String {
        let bits = key.cast_unsigned();
        let (high, low) = ((bits >> 32).to_string(), (bits & u64::from(u32::MAX)).to_string());
        self.fill(template, &[("key_high", &high), ("key_low", &low)])
    }

    pub(crate) fn try_lock(&self, key: i64) -> String {
        self.fill(TRY_LOCK, &[("key", &key.to_string())])
    }

    pub(crate) fn release(&self, key: i64) -> String {
        self.fill(RELEASE, &[("key", &key.to_string())])
    }

    /// Looks at sqlx's table, which an expression finds.
    pub(crate) fn sqlx_table(&self, table: &str) -> String {
        self.fill(SQLX_TABLE, &[("table", table)])
    }

    /// The expression for a table of this name where the search path has it, as for sqlx, else beside our history.
    pub(crate) fn sqlx_usual(&self, usual: &str) -> String {
        self.fill(SQLX_USUAL, &[("usual", &literal(usual))])
    }

    /// Lets a role, quoted, do something with it.
    pub(crate) fn grant_sqlx(&self, sqlx: &str, rights: &str, role: &str) -> String {
        self.fill(GRANT_SQLX, &[("sqlx", sqlx), ("rights", rights), ("role", role)])
    }

    /// Reads it; here and below `sqlx` is its name, quoted.
    pub(crate) fn sqlx_rows(&self, sqlx: &str) -> String {
        self.fill(SQLX_ROWS, &[("sqlx", sqlx)])
    }

    pub(crate) fn mirror(&self, sqlx: &str, hash_of_new: &str) -> String {
        let name = literal(sqlx);
        self.fill(MIRROR, &[("sqlx", sqlx), ("sqlx_name", &name), ("hash_of_new", hash_of_new)])
    }

    pub(crate) fn mirror_rows(&self, sqlx: &str, hash: &str, versions: &[Version]) -> String {
        let versions: Vec<_> = versions.iter().map(ToString::to_string).collect();
        let versions = versions.join(", ");
        self.fill(MIRROR_ROWS, &[("sqlx", sqlx), ("hash_of_row", hash), ("versions", &versions)])
    }

    pub(crate) fn is_mirrored(&self) -> String {
        self.fill(IS_MIRRORED, &[])
    }

    pub(crate) fn stop_mirror(&self) -> String {
        self.fill(STOP_MIRROR, &[])
    }

    pub(crate) fn schema_missing(&self) -> String {
        self.fill(SCHEMA_MISSING, &[])
    }

    pub(crate) fn create_schema(&self) -> String {
        self.fill(CREATE_SCHEMA, &[])
    }

    /// Lets a role, quoted, read the history.
    pub(crate) fn grant(&self, role: &str) -> String {
        self.fill(GRANT, &[("role", role)])
    }

    /// Is there anything in `grant` that one of the roles does not have and we could give?
    pub(crate) fn grants_missing(&self, roles: &[String]) -> String {
        let roles: Vec<_> = roles.iter().map(|role| literal(role)).collect();
        self.fill(GRANTS_MISSING, &[("roles", &roles.join(", "))])
    }

    /// Writes rows of the history; each is made by [`row`](Self::row).
    pub(crate) fn record(&self, rows: &[String]) -> String {
        self.fill(RECORD, &[("rows", &rows.join(","))])
    }

    /// A place in the log, which nobody gets without the lock.
    pub(crate) fn place(&self, seq: i64) -> String {
        self.fill(PLACE, &[("seq", &seq.to_string())])
    }

    /// The same where the lock is a lease.
    pub(crate) fn place_leased(&self, seq: i64, fence: i64) -> String {
        let (seq, fence) = (seq.to_string(), fence.to_string());
        self.fill(PLACE_LEASED, &[("seq", &seq), ("fence", &fence)])
    }

    /// Makes the tables of evidence, where they are not there.
    pub(crate) fn create_gate(&self) -> String {
        self.fill(CREATE_GATE, &[])
    }

    /// Lets a role, quoted, say that it is alive and read what others say.
    pub(crate) fn grant_gate(&self, role: &str) -> String {
        self.fill(GRANT_GATE, &[("role", role)])
    }

    /// Says that an instance is alive; `values` say which.
    pub(crate) fn beat(&self, values: &[(&str, &str)], lasts: Duration) -> String {
        let lasts = interval(lasts.as_millis());
        let mut all = values.to_vec();
        all.push(("lasts", &lasts));
        self.fill(BEAT, &all)
    }

    /// Says that it is gone.
    pub(crate) fn leave(&self, id: &str) -> String {
        self.fill(LEAVE, &[("id", &literal(id))])
    }

    /// The instances that are alive, whether they have a contract, and what they lack of what it needs.
    pub(crate) fn fleet(&self, version: Version, needs: &[String]) -> String {
        let version = version.to_string();
        self.fill(FLEET, &[("version", &version), ("needs", &literals(needs))])
    }

    /// Sessions that no instance accounts for, now or in so long.
    pub(crate) fn strangers(&self, soak: Duration) -> String {
        self.fill(STRANGERS, &[("soak", &interval(soak.as_millis()))])
    }

    /// Is it so long ago that what comes before a contract was done? `which` compares versions with that of it.
    pub(crate) fn soaked(&self, version: Version, which: &str, soak: Duration) -> String {
        let (version, soak) = (version.to_string(), interval(soak.as_millis()));
        self.fill(SOAKED, &[("version", &version), ("which", which), ("soak", &soak)])
    }

    /// What the catalog knows of what is gone; each row is made of literals.
    pub(crate) fn dependants(&self, gone: &[String]) -> String {
        self.fill(DEPENDANTS, &[("gone", &gone.join(", "))])
    }

    pub(crate) fn approval_of(&self, version: Version) -> String {
        self.fill(APPROVAL, &[("version", &version.to_string())])
    }

    pub(crate) fn approve(&self, version: Version, values: &[(&str, &str)]) -> String {
        let version = version.to_string();
        let mut all = values.to_vec();
        all.push(("version", &version));
        self.fill(APPROVE, &all)
    }

    /// As much of the history as says whether some migrations are done.
    pub(crate) fn load_of(&self, ids: &[migrate_core::MigrationId]) -> String {
        let row = |id: &migrate_core::MigrationId| {
            format!("({}, {})", id.version, literal(id.phase.as_str()))
        };
        let ids: Vec<_> = ids.iter().map(row).collect();
        self.fill(LOAD_OF, &[("ids", &ids.join(", "))])
    }

    pub(crate) fn create_lease(&self) -> String {
        self.fill(CREATE_LEASE, &[])
    }

    /// Takes the lease if nobody has it, for as many milliseconds.
    pub(crate) fn take_lease(&self, holder: &str, lasts: u128) -> String {
        self.fill(TAKE_LEASE, &[("holder", &literal(holder)), ("lasts", &interval(lasts))])
    }

    /// Renews it; fails where it is not ours any more (`fence` is NULL) or the lock is not to be had (`heartbeat`).
    pub(crate) fn renew_lease(&self, fence: i64, lasts: u128) -> String {
        let fence = fence.to_string();
        self.fill(RENEW_LEASE, &[("fence", &fence), ("lasts", &interval(lasts))])
    }

    pub(crate) fn release_lease(&self, fence: i64) -> String {
        self.fill(RELEASE_LEASE, &[("fence", &fence.to_string())])
    }

    pub(crate) fn lease_holder(&self) -> String {
        self.fill(LEASE_HOLDER, &[])
    }

    pub(crate) fn row(&self, values: &[(&str, &str)]) -> String {
        self.fill(ROW, values)
    }
}

/// Texts as literals, between commas.
pub(crate) fn literals(texts: &[String]) -> String {
    texts.iter().map(|text| literal(text)).collect::<Vec<_>>().join(", ")
}

fn interval(millis: u128) -> String {
    format!("E'{millis} ms'::pg_catalog.interval")
}

/// Asks for the statements that make the session what it is now.
pub(crate) fn as_found() -> &'static str {
    AS_FOUND
}

/// Undoes for one transaction what others have set on the session.
pub(crate) fn start_anew() -> &'static str {
    START_ANEW
}

/// Asks which database of which server this is.
pub(crate) fn whereabouts() -> &'static str {
    WHEREABOUTS
}

/// Asks which backend of the server this is.
pub(crate) fn backend() -> &'static str {
    BACKEND
}

/// Lifts the timeouts of the session but for this one, where it is not zero, and says how to set them again.
pub(crate) fn lift_timeouts(lock: Duration) -> String {
    fill(LIFT_TIMEOUTS, &[("lock", &lock.as_millis().to_string())])
}

/// How far a session is; a server has no view of copies before PostgreSQL 14.
pub(crate) fn progress(server: u32, pid: i32) -> String {
    let copies = if server >= 140_000 { PROGRESS_OF_COPIES } else { "" };
    fill(PROGRESS, &[("copies", copies), ("pid", &pid.to_string())])
}

/// Whom a session waits for.
pub(crate) fn in_the_way(pid: i32) -> String {
    fill(IN_THE_WAY, &[("pid", &pid.to_string()), ("of_session", OF_SESSION)])
}

/// Everybody who waits for a lock, and for whom.
pub(crate) fn queue() -> &'static str {
    QUEUE
}

/// Asks who we are, quoted.
pub(crate) fn who() -> &'static str {
    WHO
}

/// What is to be known of the server and of us, once.
pub(crate) fn facts() -> &'static str {
    FACTS
}

/// Asks who works, and how many others are there but for the clients of the application that has called us.
pub(crate) fn roles(application: &str) -> String {
    fill(ROLES, &[("application", &literal(application))])
}

/// Who is in the way; `wanted` are rows of a relation, a lock and those that it excludes.
pub(crate) fn blockers(wanted: &str) -> String {
    fill(BLOCKERS, &[("wanted", wanted), ("of_session", OF_SESSION)])
}

/// Ends the session of somebody who still does nothing in a transaction.
pub(crate) fn end_idle(pid: i32, patience: Duration) -> String {
    let patience = literal(&format!("{} ms", patience.as_millis()));
    let still = fill(STILL_IDLE, &[("patience", &patience)]);
    end_blocker("pg_terminate_backend", pid, &still)
}

/// Ends what an autovacuum does at this moment.
pub(crate) fn cancel_autovacuum(pid: i32) -> String {
    end_blocker("pg_cancel_backend", pid, STILL_VACUUM)
}

fn end_blocker(ending: &str, pid: i32, still: &str) -> String {
    fill(END_BLOCKER, &[("ending", ending), ("pid", &pid.to_string()), ("still", still)])
}

/// Tells how long the message that it stands in has waited so far.
pub(crate) fn waited() -> &'static str {
    WAITED
}

/// Takes a lock on tables; `tables` are quoted.
pub(crate) fn lock_tables(tables: &[&str], mode: LockMode, how: &str) -> String {
    let tables: Vec<_> = tables.iter().map(|table| format!("ONLY {table}")).collect();
    fill(LOCK_TABLES, &[("tables", &tables.join(", ")), ("mode", mode.as_sql()), ("how", how)])
}

/// Gets a lock and gives it back, in a transaction.
pub(crate) fn outlast(lock: &str) -> String {
    fill(OUTLAST, &[("lock", lock)])
}

/// Limits the waits for locks from here on, in a transaction.
pub(crate) fn lock_timeout(limit: Duration) -> String {
    format!("SET LOCAL lock_timeout = {}; ", limit.as_millis())
}

/// Limits what a statement may take from here on, in a transaction.
pub(crate) fn statement_timeout(limit: Duration) -> String {
    format!("SET LOCAL statement_timeout = {}; ", limit.as_millis())
}

/// Counts those who wait behind a backend, and says what it waits for itself and whether it is there at all.
pub(crate) fn waiting(backend: Backend) -> String {
    let (pid, began) = (backend.pid.to_string(), or_null(backend.began));
    fill(WAITING, &[("pid", &pid), ("began", &began)])
}

/// All that tells how busy a server is, for the fill of a table by a session; where checkpoints are counted changed with
/// PostgreSQL 17.
pub(crate) fn throttle_signals(
    server: u32,
    table: &str,
    filler: Option<i32>,
    zone: Option<&str>,
) -> String {
    let requested = if server >= 170_000 { THROTTLE_CHECKPOINTS } else { THROTTLE_CHECKPOINTS_16 };
    let pid = filler.map_or_else(|| "NULL".to_owned(), |pid| pid.to_string());
    let zone = zone.map_or_else(|| "NULL".to_owned(), literal);
    let table = literal(table);
    fill(
        THROTTLE_SIGNALS,
        &[("table", &table), ("pid", &pid), ("zone", &zone), ("requested", requested)],
    )
}

fn or_null(number: Option<i64>) -> String {
    number.map_or_else(|| "NULL".to_owned(), |number| number.to_string())
}

/// Asks when the message was sent that a backend is at, which tells it from the next one.
pub(crate) fn under_way(backend: Backend) -> String {
    fill(UNDER_WAY, &[("pid", &backend.pid.to_string())])
}

/// Ends what a backend does, if that is still the message that was sent then: whenever this gets there, it is not to
/// meet what comes after it.
pub(crate) fn cancel(backend: Backend, sent: Option<i64>) -> String {
    let (began, sent) = (or_null(backend.began), or_null(sent));
    let still = fill(STILL_SENT, &[("began", &began), ("sent", &sent)]);
    end_blocker("pg_cancel_backend", backend.pid, &still)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_not_a_template() {
        assert_eq!(fill("a {x} {y} {z}", &[("x", "{y}"), ("y", "2")]), "a {y} 2 NULL");
    }

    #[test]
    fn our_own_statements_are_whole() {
        let names = Names::new(("public", "schema_migrations"), "default", None).unwrap();
        let record = names.record(&[names.row(&[]), names.row(&[])]);
        assert!(record.contains("\"public\".\"schema_migrations\""));
        for text in [names.create_history(), names.settle("d", "r", 1), record, names.holder(7)] {
            assert!(migrate_core::sql::statements(&text).is_ok_and(|found| !found.is_empty()));
        }
    }
}
