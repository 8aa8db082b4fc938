//! Migrated databases, made once and copied for each test.
//!
//! A template is named after everything that decides what is in it, so a changed migration is
//! another template, and processes need not agree on anything but the name. It is built under a
//! lock, and becomes a template, which nobody can connect to, as its last step: what is there and
//! is none was left by a builder that died. Must not know who gets the copies.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, PoisonError};

use migrate_postgres::Migrator;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection, Row};
use tokio::sync::OnceCell;

use super::desk::Desk;
use super::error::{DatabaseError, Doing, MISSING, is};
use super::name::now;
use super::statement;

/// The templates that this process has seen to be whole.
#[derive(Debug, Default)]
pub(super) struct Templates(Mutex<HashMap<String, Arc<OnceCell<()>>>>);

/// How many are left when one is built.
const KEPT: usize = 5;
/// Seconds for which one that was used is not dropped, however many there are: it is in use.
const IN_USE_FOR: u64 = 600;
/// How old the note of the last use may be, in seconds. To write it waits for all who copy.
const NOTE_HOLDS: u64 = 300;
const NOTE: &str = "last used at ";
const TRIES: u32 = 3;

/// A new database with everything that `migrator` declares.
pub(super) async fn copy(desk: &Desk, migrator: &Migrator) -> Result<String, DatabaseError> {
    migrator.is_current()?;
    let template = name(desk, migrator);
    let mut tries = TRIES;
    loop {
        tries -= 1;
        let cell = desk.templates.cell(&template);
        cell.get_or_try_init(|| ensure(desk, migrator, &template)).await?;
        match desk.create(&template).await {
            // Somebody has made room, and thought that nobody used this one.
            Err(error) if tries > 0 && is(&error, MISSING) => desk.templates.forget(&template),
            created => return created.doing("copy", &template),
        }
    }
}

impl Templates {
    fn cell(&self, template: &str) -> Arc<OnceCell<()>> {
        let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cells.entry(template.to_owned()).or_default().clone()
    }

    fn forget(&self, template: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(template);
    }
}

/// Everything that decides what is in a template.
fn name(desk: &Desk, migrator: &Migrator) -> String {
    let library = env!("CARGO_PKG_VERSION");
    let server = (desk.server.version() / 10_000, desk.locale(), desk.user());
    let program = migrator.has_code().then(this_program);
    let key = migrator.fingerprint().and(&format!("{library} {server:?} {program:?}"));
    let digits = key.as_bytes().iter().take(8).map(|byte| format!("{byte:02x}"));
    format!("mt_{}", digits.collect::<String>())
}

/// What changes when code does: no checksum covers the body of a function.
fn this_program() -> Option<(String, u64, i64, i64)> {
    let path = env::current_exe().ok()?;
    let found = fs::metadata(&path).ok()?;
    Some((path.display().to_string(), found.len(), found.mtime(), found.mtime_nsec()))
}

/// Processes that build the same template meet at this lock.
fn lock_key(template: &str) -> i64 {
    let digits = template.trim_start_matches("mt_");
    u64::from_str_radix(digits, 16).unwrap_or_default().cast_signed()
}

async fn ensure(desk: &Desk, migrator: &Migrator, template: &str) -> Result<(), DatabaseError> {
    let found = desk.rows(statement::template(template)).await.doing("look for", template)?;
    if is_whole(found.first()) {
        note_use(desk, template, found.first()).await;
        return Ok(());
    }
    let mut lock = desk.connect().await?;
    statement::lock(lock_key(template)).run(&mut lock).await.doing("wait for", template)?;
    let built = build_under_lock(desk, migrator, template, &mut lock).await;
    close(lock).await;
    built
}

fn is_whole(row: Option<&PgRow>) -> bool {
    row.is_some_and(|row| row.try_get("is_whole").unwrap_or(false))
}

/// Seconds since it was used, as far as is known.
fn age(row: &PgRow) -> u64 {
    let note: Option<String> = row.try_get("note").unwrap_or_default();
    let at = note.and_then(|note| note.strip_prefix(NOTE)?.parse().ok()).unwrap_or(0);
    now().saturating_sub(at)
}

async fn note_use(desk: &Desk, template: &str, row: Option<&PgRow>) {
    if row.is_some_and(|row| age(row) <= NOTE_HOLDS) {
        return;
    }
    let note = statement::note(template, &format!("{NOTE}{}", now()));
    if let Err(error) = desk.rows(note).await {
        tracing::debug!(%error, template, "failed to note the use of a template: it seems older");
    }
}

async fn build_under_lock(
    desk: &Desk,
    migrator: &Migrator,
    template: &str,
    lock: &mut PgConnection,
) -> Result<(), DatabaseError> {
    let found = statement::template(template).rows(lock).await.doing("look for", template)?;
    if is_whole(found.first()) {
        return Ok(()); // somebody has built it while we waited
    }
    statement::drop(template).run(lock).await.doing("drop the unfinished", template)?;
    let built = build(desk, migrator, template, lock).await;
    match &built {
        Ok(()) => make_room(template, lock).await,
        Err(_) => discard(template, lock).await,
    }
    built
}

async fn build(
    desk: &Desk,
    migrator: &Migrator,
    template: &str,
    lock: &mut PgConnection,
) -> Result<(), DatabaseError> {
    let create = desk.creation(template, "template0"); // template1 may hold anything
    create.run(lock).await.doing("create", template)?;
    migrator.run(desk.server.options(template)).await?;
    let note = statement::note(template, &format!("{NOTE}{}", now()));
    note.run(lock).await.doing("describe", template)?;
    statement::seal(template).run(lock).await.doing("seal", template)
}

/// Drops what could not be built; the next builder would, but perhaps there is none.
async fn discard(template: &str, lock: &mut PgConnection) {
    if let Err(error) = statement::drop(template).run(lock).await {
        tracing::debug!(%error, template, "failed to drop an unfinished template");
    }
}

/// Drops the templates that were not used for the longest time, and what dead builders left.
async fn make_room(but: &str, lock: &mut PgConnection) {
    if let Err(error) = try_make_room(but, lock).await {
        tracing::debug!(%error, "failed to drop old templates: the next builder will");
    }
}

async fn try_make_room(but: &str, lock: &mut PgConnection) -> Result<(), sqlx::Error> {
    let mut rows = statement::templates().rows(lock).await?;
    rows.sort_by_key(age);
    let (whole, unfinished): (Vec<&PgRow>, Vec<&PgRow>) =
        rows.iter().partition(|row| is_whole(Some(row)));
    let old = whole.into_iter().skip(KEPT).filter(|row| age(row) > IN_USE_FOR);
    for row in old.chain(unfinished) {
        let name: String = row.try_get("name")?;
        if name != but && try_lock(&name, lock).await? {
            statement::unseal(&name).run(lock).await?;
            statement::drop(&name).run(lock).await?;
        }
    }
    Ok(())
}

/// Whether nobody builds it now. The lock ends with the connection.
async fn try_lock(template: &str, lock: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let rows = statement::try_lock(lock_key(template)).rows(lock).await?;
    rows.first().map_or(Ok(false), |row| row.try_get("locked"))
}

async fn close(lock: PgConnection) {
    if let Err(error) = lock.close().await {
        tracing::debug!(%error, "the connection with the lock did not close in good order");
    }
}
