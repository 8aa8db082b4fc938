//! A server on which statements are run to be looked at.
//!
//! Each meets the same schema. What can be in a transaction is taken back; what cannot gets a database of its own, has
//! to wait for another session, and is looked at while it waits.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use migrate_testing::{PrivateServer, Server};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row as _};

use crate::case::Case;
use crate::seen::{Relation, Seen, mode};

/// No index is used, so that who reads a table reads all of it; and nobody but us is there.
const SETTINGS: &str =
    "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off;
    SET client_min_messages = error";

/// The schema that statements meet, on a version.
pub fn setup(major: u32) -> String {
    let new = if major >= 18 { include_str!("setup-18.sql") } else { "" };
    format!("{}{new}", include_str!("setup.sql"))
}

pub struct Lab {
    server: PrivateServer,
    connection: PgConnection,
    major: u32,
}

impl Lab {
    /// Its own server: it has a tablespace and a role that would be in the way of others.
    pub async fn open() -> Lab {
        let server = tokio::task::spawn_blocking(Server::private).await.unwrap().expect("a server");
        let major = server.version() / 10_000;
        let mut admin = connect(&server, "postgres").await;
        // It reads what it is given: else the server says that nobody did.
        run(&mut admin, "COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; mkdir \"$PWD/../elsewhere\"'")
            .await;
        let data: String =
            sqlx::query_scalar("SHOW data_directory").fetch_one(&mut admin).await.unwrap();
        let place = data.rsplit_once('/').expect("a directory of its own").0;
        run(&mut admin, &format!("CREATE TABLESPACE elsewhere LOCATION '{place}/elsewhere'")).await;
        run(&mut admin, "CREATE DATABASE original").await;
        let mut original = connect(&server, "original").await;
        run(&mut original, &setup(major)).await;
        original.close().await.unwrap();
        let connection = copy(&server, &mut admin, "lab").await;
        admin.close().await.unwrap();
        Lab { server, connection, major }
    }

    pub fn major(&self) -> u32 {
        self.major
    }

    /// Runs a statement, takes it back, and tells what it did meanwhile.
    pub async fn look(&mut self, case: &Case) -> Result<Seen, sqlx::Error> {
        match case.behind {
            Some(lock) => self.look_from_aside(case, lock).await,
            None => self.look_from_within(case).await,
        }
    }

    async fn look_from_within(&mut self, case: &Case) -> Result<Seen, sqlx::Error> {
        let mut transaction = self.connection.begin().await?;
        let us = &mut *transaction;
        us.execute(case.settings).await?;
        let before = Relations::read(us).await?;
        let pid = pid(us).await?;
        us.execute(case.statement).await?;
        let after = Relations::read(us).await?;
        let locks = locks(us, pid).await?;
        transaction.rollback().await?;
        Ok(before.seen(&after, &locks, false))
    }

    async fn look_from_aside(&self, case: &Case, lock: &'static str) -> Result<Seen, sqlx::Error> {
        let mut admin = connect(&self.server, "postgres").await;
        let mut us = copy(&self.server, &mut admin, "aside").await;
        let (mut other, mut observer) =
            (connect(&self.server, "aside").await, connect(&self.server, "aside").await);
        let before = Relations::read(&mut observer).await?;
        other.execute("BEGIN").await?;
        other.execute(lock).await?;
        let pid = pid(&mut us).await?;
        let statement = case.statement;
        let done = tokio::spawn(async move { us.execute(statement).await.map(|_| us) });
        until_it_waits(&mut observer, pid).await?;
        let locks = locks(&mut observer, pid).await?;
        other.execute("COMMIT").await?;
        let us = done.await.unwrap()?;
        let after = Relations::read(&mut observer).await?;
        for connection in [us, other, observer] {
            connection.close().await?;
        }
        run(&mut admin, "DROP DATABASE aside").await;
        admin.close().await?;
        Ok(before.seen(&after, &locks, true))
    }
}

async fn connect(server: &Server, database: &str) -> PgConnection {
    let mut connection = server.options(database).connect().await.expect("a connection");
    run(&mut connection, SETTINGS).await;
    connection
}

async fn copy(server: &Server, admin: &mut PgConnection, name: &str) -> PgConnection {
    run(admin, &format!("CREATE DATABASE {name} TEMPLATE original")).await;
    connect(server, name).await
}

async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.expect(sql);
}

async fn pid(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(connection).await
}

async fn until_it_waits(observer: &mut PgConnection, pid: i32) -> Result<(), sqlx::Error> {
    let waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted)";
    for _ in 0..2000 {
        if sqlx::query_scalar(waits).bind(pid).fetch_one(&mut *observer).await? {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it does not wait");
}

/// The locks on relations that a session has or waits for.
async fn locks(connection: &mut PgConnection, pid: i32) -> Result<Vec<(i64, String)>, sqlx::Error> {
    let locks =
        "SELECT relation::int8, mode FROM pg_locks WHERE pid = $1 AND locktype = 'relation'";
    sqlx::query_as(locks).bind(pid).fetch_all(connection).await
}

/// The user's relations at one moment, by oid.
struct Relations(BTreeMap<i64, Row>);

struct Row {
    name: String,
    kind: char,
    file: i64,
    size: i64,
    scans: i64,
    owner: Option<i64>,
}

impl Relations {
    async fn read(connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let rows = sqlx::query(include_str!("relations.sql")).fetch_all(connection).await?;
        let row = |row: &PgRow| -> Result<(i64, Row), sqlx::Error> {
            let kind: String = row.try_get("relkind")?;
            let relation = Row {
                name: row.try_get("name")?,
                kind: kind.chars().next().unwrap_or(' '),
                file: row.try_get("relfilenode")?,
                size: row.try_get("size")?,
                scans: row.try_get("scans")?,
                owner: row.try_get("owner")?,
            };
            Ok((row.try_get("oid")?, relation))
        };
        rows.iter().map(row).collect::<Result<_, _>>().map(Self)
    }

    /// What became of them, under the names that they had.
    fn seen(&self, after: &Relations, locks: &[(i64, String)], waiting: bool) -> Seen {
        let strongest =
            |oid: i64| locks.iter().filter(|(of, _)| *of == oid).map(|(_, name)| mode(name)).max();
        let relations = self.0.iter().map(|(oid, old)| {
            let new = after.0.get(oid);
            // One that is emptied has a new file too, and nobody has to write it.
            let is_emptied = |new: &Row| new.size == 0 && old.size > 0;
            let relation = Relation {
                mode: strongest(*oid),
                kind: old.kind,
                owner: old.owner.and_then(|owner| Some(self.0.get(&owner)?.name.clone())),
                rewritten: new.is_some_and(|new| new.file != old.file && !is_emptied(new)),
                scanned: new.is_some_and(|new| new.scans > old.scans && !is_emptied(new)),
            };
            (old.name.clone(), relation)
        });
        let names: BTreeSet<&String> = self.0.values().map(|old| &old.name).collect();
        assert_eq!(names.len(), self.0.len(), "two relations of one name");
        Seen { relations: relations.collect(), waiting }
    }
}
