//! The story of a rehearsal: set the stage, try each piece, strike it.
//!
//! Owns which pieces are tried where, what is measured of one, and what ends a rehearsal before its end. On a database
//! in use a piece is tried if the linter knows all that it locks and all of it is on the stage.

use std::collections::BTreeSet;
use std::time::Duration;

use migrate_core::sql::{classify, elsewhere, mask};
use migrate_core::{Backfill as Declared, LockMode, LockTarget, Script, Targets, Work};

use super::estimate::{self, Batched, Growth, Log, Size};
use super::names::{HELD, KEYS, MEASURE, MISSING, PARENTS, THERE, WEIGHT};
use super::sample::failed;
use super::stage::{Stage, Table, is_stage};
use super::{Basis, LockHeld, Rehearse, Rehearsed, holding};
use crate::backfill::{self, Broken};
use crate::error::{Error, sqlstate};
use crate::execute::pieces::{Piece, What};
use crate::options::Options;
use crate::session::Session;
use crate::sql::{self, Names, literal};
use crate::throttle::{Limits, wal_a_second};
use crate::wire::{number, rows, text};

mod measured;
mod policy;

use measured::Measured;

/// Tries all pieces and takes everything back.
pub(crate) async fn rehearse(
    session: &mut Session,
    (names, ours): (&Names, &Options),
    how: &Rehearse,
    pieces: &[Piece<'_>],
) -> Result<Vec<Rehearsed>, Error> {
    let relations = pieces.iter().flat_map(policy::relations).collect();
    let words = pieces.iter().flat_map(policy::words).collect();
    let stage = Stage::set(session, (names, ours), how, &relations, words).await?;
    let limits = &ours.filling.limits;
    let mut play = Play { stage, limits, over: None, has_gaps: false };
    let tried = play.all(pieces).await;
    play.stage.strike().await;
    let mut tried = tried?;
    holding::hold(&mut tried);
    Ok(tried)
}

/// A rehearsal on its stage.
pub(super) struct Play<'s> {
    pub(super) stage: Stage<'s>,
    /// What backfills keep to.
    limits: &'s Limits,
    /// Why nothing more is tried.
    over: Option<String>,
    /// Something was not done that others may need.
    has_gaps: bool,
}

impl Play<'_> {
    async fn all(&mut self, pieces: &[Piece<'_>]) -> Result<Vec<Rehearsed>, Error> {
        let mut tried = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let measured = match (&self.over, self.refusal(piece)) {
                (Some(why), _) => Measured::of(Basis::NotRun(why.clone())),
                (None, Some(why)) => Measured::of(Basis::NotRun(why)),
                (None, None) => self.piece(piece).await?,
            };
            self.has_gaps |= matches!(measured.basis, Basis::NotRun(_) | Basis::Failed(_));
            tried.push(self.told(piece, measured));
        }
        Ok(tried)
    }

    fn told(&self, piece: &Piece<'_>, measured: Measured) -> Rehearsed {
        let (statement, what) = match &piece.what {
            What::Statement { text, number, .. } => (Some(*number), mask::masked(text, 200)),
            What::Code { .. } => (None, "Rust code of the application".to_owned()),
            What::Backfill { declared, .. } => {
                let batches = declared.header().backfill;
                let of = batches.map(|one| format!("backfill {} by {}", one.table, one.by));
                (None, of.unwrap_or_else(|| "backfill".to_owned()))
            }
        };
        let Measured { locks, rewrites, wal, time, basis } = measured;
        let locks = match locks {
            Some(locks) => locks,
            None => policy::targets(piece).map(told_locks).unwrap_or_default(),
        };
        Rehearsed {
            id: piece.id,
            name: piece.name.to_owned(),
            statement,
            what,
            locks,
            rewrites,
            wal: wal.filter(|_| self.stage.is_logged),
            time,
            basis,
            transaction: piece.transaction,
        }
    }

    async fn piece(&mut self, piece: &Piece<'_>) -> Result<Measured, Error> {
        match &piece.what {
            What::Statement { text, targets, .. } => {
                let named = policy::named(piece);
                self.statement(text, *targets, &named).await
            }
            What::Backfill { declared, code } => self.backfill(declared, code.as_ref()).await,
            What::Code { code, .. } => {
                let Some(code) = code else { return Ok(Measured::of(policy::elsewhere())) };
                let began = self.begin_step().await?;
                let done = code.up(&mut self.stage.session.connection).await;
                let done = done.map_err(|error| error.to_string());
                let (wal, time) = self.end_step(began).await?;
                Ok(match done {
                    Ok(()) => Measured { wal, time, ..Measured::of(Basis::Whole) },
                    Err(why) => {
                        self.take_back().await?;
                        Measured::of(Basis::Failed(why))
                    }
                })
            }
        }
    }

    /// One statement, as often as it takes for its time to be believed.
    async fn statement(
        &mut self,
        original: &str,
        targets: Option<&Targets>,
        named: &[String],
    ) -> Result<Measured, Error> {
        let concurrently = elsewhere::without_concurrently(original);
        let text = concurrently.as_deref().unwrap_or(original);
        let text = self.directed(text).await?;
        let before = self.stage.files().await.map_err(failed)?;
        let held = self.held().await?;
        let mut tried = self.once(&text).await?;
        if let (Err(error), true) = (&tried, self.stage.reader.is_some())
            && sqlstate(error).as_deref() == Some("23503")
        {
            self.bring_parents(&text).await?;
            tried = self.once(&text).await?;
        }
        let (wal, took) = match tried {
            Ok(measured) => measured,
            Err(error) => return Ok(Measured::of(self.failed(original, &error))),
        };
        let after = self.stage.files().await.map_err(failed)?;
        let seen = measured::changes(&before, &after);
        let grows = policy::growth(original, targets, &seen, concurrently.is_some());
        let mut size = self.size_of(targets, &seen.rewritten, named);
        if let Some((_, size)) = size.as_mut().filter(|_| !policy::is_helped(original)) {
            size.workers = 0;
        }
        let locks = self.locks_taken(&held, targets).await?;
        let mut measured = Measured { locks, ..Measured::of(Basis::Whole) };
        measured.rewrites = self.rewritten(original, &seen.rewritten);
        let Some((table, size)) = size.filter(|_| self.stage.reader.is_some()) else {
            measured.note(wal, estimate::time(took, concurrent_alone(grows), &WHOLE));
            return Ok(measured);
        };
        let (wal, took) = match grows {
            Growth::Not => (wal, took),
            _ if size.is_whole() => (wal, took),
            _ => self.again(&text, (wal, took)).await?,
        };
        measured.basis = match (grows, size.is_whole()) {
            (Growth::Not, _) => Basis::AnyNumber,
            (_, true) => Basis::Whole,
            (_, false) => measured::sample(table.relation, &table.size),
        };
        measured.note(estimate::wal(wal, grows, &size), estimate::time(took, grows, &size));
        Ok(measured)
    }

    /// The text about what is on the stage.
    async fn directed(&mut self, text: &str) -> Result<String, Error> {
        if self.stage.reader.is_none() {
            return Ok(text.to_owned());
        }
        let named = elsewhere::qualified(text).into_iter().map(|one| one.name).collect();
        self.stage.learn(&named).await?;
        Ok(self.stage.cast.direct(text))
    }

    async fn begin_step(&mut self) -> Result<(u64, std::time::Instant), Error> {
        let message = format!("SAVEPOINT migrate_step; {MEASURE}");
        let row = self.stage.session.send(message).await.map_err(failed)?;
        Ok((measured::wal(row.as_ref()), std::time::Instant::now()))
    }

    async fn end_step(
        &mut self,
        (before, began): (u64, std::time::Instant),
    ) -> Result<(Option<u64>, Option<Duration>), Error> {
        let took = began.elapsed();
        let row = self.stage.session.send(MEASURE.to_owned()).await;
        let wal = row.ok().map(|row| measured::wal(row.as_ref()).saturating_sub(before));
        Ok((wal, Some(took)))
    }

    async fn take_back(&mut self) -> Result<(), Error> {
        self.stage.send("ROLLBACK TO SAVEPOINT migrate_step".to_owned()).await
    }

    /// Runs it; what failed is taken back.
    async fn once(&mut self, text: &str) -> Result<Result<(u64, Duration), sqlx::Error>, Error> {
        let began = self.begin_step().await?;
        if let Err(error) = self.stage.session.send(text.to_owned()).await {
            self.take_back().await?;
            return Ok(Err(error));
        }
        let (wal, took) = self.end_step(began).await?;
        Ok(Ok((wal.unwrap_or_default(), took.unwrap_or_default())))
    }

    /// Four times more, if that is over soon: the one in the middle counts, whatever else the machine did meanwhile.
    async fn again(
        &mut self,
        text: &str,
        first: (u64, Duration),
    ) -> Result<(u64, Duration), Error> {
        const SOON: Duration = Duration::from_secs(1);
        let mut all = vec![first];
        while all.len() < 5 && first.1 < SOON {
            self.take_back().await?;
            match self.once(text).await? {
                Ok(measured) => all.push(measured),
                Err(error) => return Err(failed(error)),
            }
        }
        let wal = all.iter().map(|(wal, _)| *wal).min().unwrap_or_default();
        all.sort_by_key(|(_, took)| *took);
        let took = all.get(all.len() / 2).map(|(_, took)| *took).unwrap_or_default();
        Ok((wal, took))
    }

    /// What the server says against it; where something is missing that it may need, that is no verdict.
    fn failed(&self, statement: &str, error: &sqlx::Error) -> Basis {
        let said = policy::said(statement, error);
        match self.has_gaps {
            true => Basis::NotRun(format!(
                "it fails where what was not run before it is missing: {said}"
            )),
            false => Basis::Failed(said),
        }
    }

    /// The table by whose rows it grows: the first of those that most is done to.
    fn size_of(
        &self,
        targets: Option<&Targets>,
        rewritten: &[String],
        named: &[String],
    ) -> Option<(Table, Size)> {
        let locks = targets.map(|targets| &*targets.locks).unwrap_or_default();
        let most = locks.iter().map(|lock| (lock.work, lock.mode)).max();
        let first = locks.iter().position(|lock| Some((lock.work, lock.mode)) == most);
        let meant = |lock: &LockTarget| self.stage.meant(&lock.relation);
        let table = first.and_then(|first| meant(locks.get(first)?));
        let table = table.or_else(|| rewritten.iter().find_map(|name| self.stage.played(name)));
        let table = table.or_else(|| named.iter().find_map(|name| self.stage.meant(name)))?;
        // The other side of a foreign key is looked through as well.
        let looks_up = |lock: &&LockTarget| {
            most.is_some_and(|(work, _)| work == Work::Scan)
                && (lock.work == Work::Scan || lock.mode == LockMode::RowShare)
        };
        let others = locks.iter().filter(looks_up).filter_map(meant);
        let others = others.filter(|other| other.relation != table.relation);
        let size = others.fold(table.size, |size, other| size.with(&other.size));
        Some((table.clone(), size))
    }

    fn rewritten(&self, statement: &str, seen: &[String]) -> Vec<String> {
        if elsewhere::first_words(statement, 1).first().is_some_and(|word| word == "TRUNCATE") {
            return Vec::new();
        }
        let of = |name: &String| match self.stage.reader {
            Some(_) => self.stage.played(name).map(|table| table.relation.clone()),
            None => Some(name.clone()),
        };
        seen.iter().filter_map(of).collect()
    }

    /// What our transaction has locked by now of what was there before it.
    async fn held(&mut self) -> Result<BTreeSet<(i64, String, LockMode)>, Error> {
        let found = rows(&mut self.stage.session.connection, HELD.to_owned()).await;
        let found = found.map_err(failed)?;
        let found = found.iter().filter(|row| !is_stage(row)).filter_map(|row| {
            let mode = LockMode::of_shown(text(row, "mode")?)?;
            Some((number(row, "oid")?, text(row, "name")?.to_owned(), mode))
        });
        Ok(found.collect())
    }

    /// On a copy, what it was seen to lock and what the linter says. On a database in use nothing is to be locked: what
    /// is, ends the rehearsal.
    async fn locks_taken(
        &mut self,
        before: &BTreeSet<(i64, String, LockMode)>,
        targets: Option<&Targets>,
    ) -> Result<Option<Vec<LockHeld>>, Error> {
        let now = self.held().await?;
        let new = now.difference(before).filter(|(.., mode)| *mode > LockMode::AccessShare);
        if self.stage.reader.is_none() {
            let new = now.difference(before);
            let new = new.filter(|(oid, ..)| self.stage.before.contains(oid));
            return Ok(Some(measured::locks(new, targets.map(told_locks).unwrap_or_default())));
        }
        let new: Vec<_> = new.cloned().collect();
        let oids: Vec<_> = new.iter().map(|(oid, ..)| oid.to_string()).collect();
        if let (Some(reader), false) = (&mut self.stage.reader, oids.is_empty()) {
            let there = sql::fill(THERE, &[("oids", &oids.join(", "))]);
            let there = reader.ask(&there).await.map_err(failed)?;
            let is_there = |oid: i64| there.iter().any(|row| number(row, "oid") == Some(oid));
            if let Some((_, name, mode)) = new.iter().find(|(oid, ..)| is_there(*oid)) {
                self.stage.session.roll_back().await;
                let mode = mode.as_sql();
                self.over = Some(format!(
                    "the step before it locked {name}, which is in use ({mode}), and all was rolled back at once"
                ));
            }
        }
        Ok(None)
    }
}

/// Indexes that are so many times as large as before have got an entry for each row that was changed.
const GROWN: f64 = 1.3;

/// All that there is was measured.
const WHOLE: Size = Size { sample: 1.0, rows: 1.0, pages: 0.0, fetch: 0.0, workers: 0 };

/// Of what was run on everything, what it would do more if it were not in a transaction.
fn concurrent_alone(growth: Growth) -> Growth {
    if growth == Growth::SortConcurrently { growth } else { Growth::Not }
}

fn told_locks(targets: &Targets) -> Vec<LockHeld> {
    let told = targets.locks.iter();
    told.map(|lock| LockHeld { relation: lock.relation.to_string(), mode: lock.mode, held: None })
        .collect()
}

impl Play<'_> {
    /// Rows that a foreign key looks for are not in a sample of the other table by themselves.
    async fn bring_parents(&mut self, text: &str) -> Result<(), Error> {
        self.stage.send("SAVEPOINT migrate_keys".to_owned()).await?;
        let unchecked = format!("{} NOT VALID", text.trim_end().trim_end_matches(';'));
        let _is_added = self.stage.attempt(&unchecked).await?;
        let keys = rows(&mut self.stage.session.connection, KEYS.to_owned()).await;
        let keys = keys.map_err(failed)?;
        self.stage.send("ROLLBACK TO SAVEPOINT migrate_keys".to_owned()).await?;
        for key in &keys {
            let of = |column: &str| {
                sqlx::Row::try_get_raw(key, column)
                    .ok()
                    .and_then(|v| v.as_str().ok())
                    .unwrap_or_default()
                    .to_owned()
            };
            let width = number(key, "width").unwrap_or(1).clamp(1, 32);
            let names: Vec<_> = (1..=width).map(|at| format!("c{at}")).collect();
            let arrays: Vec<_> = names
                .iter()
                .map(|name| format!("array_agg({name}::text)::text AS {name}"))
                .collect();
            let (names, arrays) = (names.join(", "), arrays.join(", "));
            let (child, parent) = (sql::ident(&of("child")), sql::ident(&of("parent")));
            let values = [
                ("arrays", &*arrays),
                ("columns", &*of("columns")),
                ("child", &*child),
                ("referenced", &*of("referenced")),
                ("parent", &*parent),
                ("names", &*names),
            ];
            let missing = rows(&mut self.stage.session.connection, sql::fill(MISSING, &values));
            let missing = missing.await.map_err(failed)?;
            let arrays = (1..=width).map(|at| {
                let found = missing.first().and_then(|row| text_of(row, &format!("c{at}")));
                found.map(|found| format!("{}::text[]", literal(&found)))
            });
            let Some(arrays) = arrays.collect::<Option<Vec<_>>>() else { continue };
            self.bring_rows(
                &of("parent"),
                &of("referenced"),
                &of("typed"),
                (&arrays.join(", "), &names),
            )
            .await?;
        }
        Ok(())
    }

    async fn bring_rows(
        &mut self,
        parent: &str,
        referenced: &str,
        typed: &str,
        (arrays, names): (&str, &str),
    ) -> Result<(), Error> {
        let Some(table) = self.stage.played(parent).cloned() else { return Ok(()) };
        let Some(reader) = &mut self.stage.reader else { return Ok(()) };
        let values = [
            ("columns", &*table.columns),
            ("relation", &*table.relation),
            ("referenced", referenced),
            ("typed", typed),
            ("arrays", arrays),
            ("names", names),
        ];
        let data = reader.copy(&sql::fill(PARENTS, &values)).await.map_err(failed)?;
        self.stage.copy_in(&table.name, &table.columns, &data).await.map_err(failed)?;
        let brought = data.iter().filter(|byte| **byte == b'\n').count();
        self.stage.grew(parent, brought);
        self.stage.analyze(parent).await
    }

    async fn backfill(
        &mut self,
        declared: &Declared,
        code: Option<&std::sync::Arc<dyn backfill::Backfill>>,
    ) -> Result<Measured, Error> {
        let Some(batches) = declared.header().backfill else {
            return Ok(Measured::of(Basis::NotRun("its head names no table".to_owned())));
        };
        let table = self.stage.meant(&batches.table);
        let (relation, size) = match table {
            Some(table) => (table.relation.clone(), table.size),
            None => (batches.table.clone(), Size::default()),
        };
        let directed = self.directed_backfill(declared, &batches.table).await?;
        let before = self.log(&batches.table, &size).await?.indexes;
        let began = self.begin_step().await?;
        let cast = self.stage.cast.clone();
        let on_copy = self.stage.reader.is_none();
        let direct = |condition: &str| match on_copy {
            true => condition.to_owned(),
            false => cast.direct(condition),
        };
        let connection = &mut self.stage.session.connection;
        let done = backfill::rehearse(connection, &directed, code, direct).await;
        let (wal, _) = self.end_step(began).await?;
        let done = match done {
            Ok(done) => done,
            Err(broken) => {
                self.take_back().await?;
                return Ok(Measured::of(self.broken(declared, broken)));
            }
        };
        let size = if on_copy { WHOLE } else { size };
        let (first, second) = (done.first, done.second);
        let wal = wal.unwrap_or_default();
        let batched = Batched { first, second, verified: done.verified, wal };
        let basis = match size.is_whole() {
            true => Basis::Whole,
            false => measured::sample(relation.clone(), &size),
        };
        let mut log = self.log(&batches.table, &size).await?;
        if log.indexes < before * GROWN {
            log.entries = 0.0; // new rows have stayed in their pages
        }
        log.indexes = before; // in a sample many pages are split that are not in the table
        if let Some(reader) = &mut self.stage.reader {
            log.safe_byte = reader.safe_byte().await.map_err(failed)?;
        }
        let mut measured = Measured::of(basis);
        measured.note(
            estimate::backfill_wal(&batched, &size, &log),
            estimate::backfill(&batched, &size, &log),
        );
        let held = |mode, held| LockHeld { relation: relation.clone(), mode, held: Some(held) };
        let mut locks = vec![held(LockMode::RowExclusive, done.longest)];
        locks.extend(done.proof.map(|took| held(LockMode::AccessExclusive, took)));
        measured.locks = Some(locks);
        Ok(measured)
    }

    /// What its commits will wait for.
    async fn log(&mut self, table: &str, size: &Size) -> Result<Log, Error> {
        if self.stage.reader.is_none() {
            return Ok(Log::default());
        }
        let relation = self.directed(table).await?;
        let look = sql::fill(WEIGHT, &[("relation", &literal(&relation))]);
        let row = self.stage.session.send(look).await.map_err(failed)?;
        let of = |column: &str| {
            let number = row.as_ref().and_then(|row| text(row, column));
            number.and_then(|number| number.parse::<f64>().ok()).unwrap_or_default()
        };
        let is_whole = row.as_ref().and_then(|row| text(row, "full_pages")) == Some("on");
        Ok(Log {
            indexes: of("indexes") * size.ratio(),
            page: if is_whole { of("page") } else { 0.0 },
            // The one of its key is in order.
            entries: (of("number") - 1.0).max(0.0),
            between_checkpoints: of("most_wal") / 2.0,
            safe_byte: 0.0,
            a_second: wal_a_second(of("most_wal"), self.limits),
        })
    }

    /// The same about what is on the stage.
    async fn directed_backfill(
        &mut self,
        declared: &Declared,
        table: &str,
    ) -> Result<Declared, Error> {
        if self.stage.reader.is_none() {
            return Ok(declared.clone());
        }
        let on_stage = self.directed(table).await?;
        let head = |text: &str| {
            text.replacen(&format!("backfill {table} by"), &format!("backfill {on_stage} by"), 1)
        };
        Ok(match declared {
            Declared::Code { revision, head: text } => {
                Declared::Code { revision: *revision, head: head(text).into() }
            }
            Declared::Sql(script) => {
                let text = head(&self.directed(&script.text).await?);
                match Script::parse(script.file.to_string(), text) {
                    Ok(script) => Declared::Sql(script),
                    Err(_) => declared.clone(),
                }
            }
        })
    }

    fn broken(&self, declared: &Declared, broken: Broken) -> Basis {
        let text = declared.script().map(|script| &*script.text).unwrap_or_default();
        match broken {
            Broken::Ours(error) => Basis::NotRun(error.to_string()),
            Broken::Code(error) => match error.downcast::<sqlx::Error>() {
                Ok(error) => self.failed(text, &error),
                Err(other) => Basis::Failed(other.to_string()),
            },
        }
    }
}

fn text_of(row: &sqlx::postgres::PgRow, column: &str) -> Option<String> {
    text(row, column).map(ToOwned::to_owned)
}

/// Is a statement one that may be tried in a transaction?
pub(super) fn in_transaction(statement: &str) -> bool {
    let text = elsewhere::without_concurrently(statement);
    classify::refuses_transaction(text.as_deref().unwrap_or(statement)).is_none()
}

/// What is done to rows tells how it grows.
pub(super) fn most_work(targets: Option<&Targets>) -> Work {
    let locks = targets.map(|targets| &*targets.locks).unwrap_or_default();
    locks.iter().map(|lock| lock.work).max().unwrap_or(Work::None)
}
