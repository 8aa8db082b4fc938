//! The story of taking over what sqlx did.
//!
//! Look; if there is anything to take over, get our lock and then sqlx's, look again, and write all of it in one
//! transaction. sqlx's table is never dropped, and its rows are never changed here.

use migrate_core::adoption::{Adopted, Adoption, Proof, applied_by_sqlx};
use migrate_core::{Direction, Entry, Kind, MigrationId, Plan, State};
use sqlx::PgConnection;

use super::{At, Eye, Migrator};
use crate::adopt::table::{self, Found};
use crate::adopt::{AdoptionReport, FromSqlx};
use crate::error::Error;
use crate::history::{self, Loaded, Ran, Row};
use crate::lock;
use crate::observe::Event;
use crate::session::{Database, Session};

impl Migrator {
    /// Takes over the history of an application that migrated with sqlx: what its table says was applied is
    /// applied here too. To be called once before the first [`run`](Self::run), or at every start: where there is
    /// nothing to take over, it only reads.
    ///
    /// # Errors
    /// When a file is not what sqlx ran, when a version has no file, and wherever else the two histories disagree;
    /// nothing was changed then. See [`FromSqlx`] for what can be accepted.
    pub async fn adopt_sqlx(&self, database: impl Into<Database>) -> Result<AdoptionReport, Error> {
        self.adopt_sqlx_with(database, &FromSqlx::new()).await
    }

    /// The same, where sqlx's table has another name, something is to be accepted, or sqlx's table is to be
    /// written to from now on.
    ///
    /// # Errors
    /// As [`adopt_sqlx`](Self::adopt_sqlx).
    pub async fn adopt_sqlx_with(
        &self,
        database: impl Into<Database>,
        from: &FromSqlx,
    ) -> Result<AdoptionReport, Error> {
        let at = self.here(&self.options)?;
        let mut eye = Eye::open(database.into(), &self.options).await?;
        let seen = at.look(eye.connection(), from).await?;
        if seen.as_ref().is_none_or(|seen| seen.is_done(from)) {
            eye.close().await;
            return Ok(seen.map(|seen| seen.report(from)).unwrap_or_default());
        }
        at.alone(eye, async |session| at.adopt(session, from).await).await
    }

    /// What [`adopt_sqlx_with`](Self::adopt_sqlx_with) would do. Reads only.
    ///
    /// # Errors
    /// As [`adopt_sqlx`](Self::adopt_sqlx).
    pub async fn plan_adoption(
        &self,
        database: impl Into<Database>,
        from: &FromSqlx,
    ) -> Result<AdoptionReport, Error> {
        self.reading(database.into(), async |at, eye| {
            let seen = at.look(eye.connection(), from).await?;
            Ok(seen.map(|seen| seen.report(from)).unwrap_or_default())
        })
        .await
    }

    /// Ends the mirror that [`FromSqlx::mirror`] began; sqlx's table stays as it is. `Ok(false)` when there was
    /// none.
    ///
    /// # Errors
    /// When the database cannot be reached, or the role may not.
    pub async fn stop_mirror(&self, database: impl Into<Database>) -> Result<bool, Error> {
        self.writing(database.into(), &self.options, async |at, session| {
            let failed = |error| Error::driver("stop the mirror", error);
            let row = session.send(at.names.is_mirrored()).await.map_err(failed)?;
            let mirrored = row.is_some_and(|row| crate::wire::truth(&row, "mirrored"));
            let loaded = history::load_as_ourselves(session, &at.names).await?;
            at.clerk(session, &loaded).write_with(session, &[], &at.names.stop_mirror()).await?;
            Ok(mirrored)
        })
        .await
    }
}

/// What there is to take over.
struct Seen {
    table: Found,
    loaded: Loaded,
    decided: Adoption,
}

impl Seen {
    fn is_done(&self, from: &FromSqlx) -> bool {
        self.decided.is_empty() && (self.table.mirrored || !from.mirror)
    }

    /// What sqlx's table is to get because only we have it.
    fn written_back(&self, from: &FromSqlx) -> &[MigrationId] {
        if from.mirror { &self.decided.only_ours } else { &[] }
    }

    fn report(self, from: &FromSqlx) -> AdoptionReport {
        let written = self.written_back(from).to_vec();
        let mirrored = self.table.mirrored || from.mirror;
        AdoptionReport::new(self.table.name, self.decided, mirrored, written)
    }
}

impl At<'_> {
    /// Reads both histories and decides; `None` where sqlx has no table.
    async fn look(
        &self,
        connection: &mut PgConnection,
        from: &FromSqlx,
    ) -> Result<Option<Seen>, Error> {
        let Some(table) = table::find(connection, &self.names, from).await? else {
            return Ok(None);
        };
        let rows = table.table(connection, &self.names, from).await?;
        let loaded = history::load(connection, &self.names).await?;
        let decided = Adoption::new(&self.set, &loaded.history, &rows, from.accepted);
        let decided = decided.map_err(|found| Error::adoption(&table.name, &found))?;
        Ok(Some(Seen { table, loaded, decided }))
    }

    async fn adopt(&self, session: &mut Session, from: &FromSqlx) -> Result<AdoptionReport, Error> {
        if session.lease.is_some() {
            return Err(Error::needs_a_session("get the lock of sqlx's migrator"));
        }
        session
            .send(self.names.ourselves())
            .await
            .map_err(|e| Error::driver("take the role", e))?;
        let found = table::find(&mut session.connection, &self.names, from).await?;
        let Some(found) = found else { return Ok(AdoptionReport::default()) };
        let (ours, ear) = (self.options, &self.migrator.ear);
        lock::acquire_of_sqlx(session, &self.names, ours, found.key, ear).await?;
        let done = self.take_over(session, from).await;
        lock::release_key(session, &self.names, found.key).await;
        done
    }

    /// The part that is under both locks.
    async fn take_over(
        &self,
        session: &mut Session,
        from: &FromSqlx,
    ) -> Result<AdoptionReport, Error> {
        let seen = self.look(&mut session.connection, from).await?;
        let Some(seen) = seen else { return Ok(AdoptionReport::default()) };
        if from.mirror {
            seen.table.refuse_unwritable(&self.names)?;
        }
        history::prepare(session, &self.names, self.options, seen.loaded.exists).await?;
        let (name, now) = (&seen.table.name, &seen.table.now);
        let reasons = Reasons {
            verified: format!("adopted from {name}, {now}"),
            changed: format!("adopted from {name}, {now}, although its file had changed since"),
            reverted: format!("taken back by sqlx; seen in {name}, {now}"),
        };
        let mirror = match from.mirror {
            true => seen.table.mirror(&self.names, from, seen.written_back(from)),
            false => String::new(),
        };
        let rows = self.adopted_rows(&seen.decided, &reasons);
        self.clerk(session, &seen.loaded).write_with(session, &rows, &mirror).await?;
        self.settle(session).await?;
        Ok(seen.report(from))
    }

    fn adopted_rows<'r>(&'r self, decided: &'r Adoption, reasons: &'r Reasons) -> Vec<Row<'r>> {
        let adopted = decided.adopted.iter().filter_map(|adopted| {
            let Adopted { id, at, proof, .. } = adopted;
            let reason =
                if *proof == Proof::Changed { &reasons.changed } else { &reasons.verified };
            let row = Row::whole(&**self.set.get(*id)?, Kind::Adopted, State::Done);
            Some(Row { reason: Some(reason), ran: Ran::Then(at), ..row })
        });
        let reverted = decided.reverted.iter().map(|(id, name)| {
            let row = match self.set.get(*id) {
                Some(entry) => Row::whole(&**entry, Kind::Adopted, State::Reverted),
                None => Row::unknown(*id, name, Kind::Adopted, State::Reverted),
            };
            Row { direction: Direction::Down, reason: Some(&reasons.reverted), ..row }
        });
        adopted.chain(reverted).collect()
    }

    /// Refuses to do again what sqlx has done: a history that nobody took over is not an empty one.
    pub(super) async fn refuse_what_sqlx_did(
        &self,
        connection: &mut PgConnection,
        plan: &Plan,
        loaded: &Loaded,
    ) -> Result<(), Error> {
        if plan.is_empty() {
            return Ok(());
        }
        let found = table::find(connection, &self.names, &FromSqlx::new()).await?;
        let Some(found) = found else { return Ok(()) };
        let Some(rows) = found.rows(connection, &self.names).await? else {
            let text = format!("{} cannot be read: did sqlx apply any of this?", found.name);
            self.migrator.ear.tell(&Event::Warning { text: &text });
            return Ok(());
        };
        let planned: Vec<&Entry> =
            plan.actions.iter().filter_map(|action| self.set.get(action.id)).collect();
        match applied_by_sqlx(planned, &loaded.history, &rows).as_slice() {
            [] => Ok(()),
            applied => Err(Error::to_adopt(&found.name, applied)),
        }
    }
}

/// What the rows say of themselves.
struct Reasons {
    verified: String,
    changed: String,
    reverted: String,
}
