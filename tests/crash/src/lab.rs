//! A server for the matrix alone, and databases on it that are copies of what a run begins with.
//!
//! Owns their making and their end. A server that has just been killed is waited for.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use migrate_testing::{PrivateServer, Server};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};

use crate::Result;
use crate::run::Run;
use crate::runs::OWNER;

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Lab {
    pub(crate) server: PrivateServer,
    next: AtomicUsize,
}

/// A database of one point.
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) options: PgConnectOptions,
}

impl Lab {
    pub(crate) async fn start(bin: Option<&Path>) -> Result<Self> {
        // What a server of tests forgets when it is killed, others keep.
        let builder = Server::builder().setting("synchronous_commit", "on");
        let builder = bin.into_iter().fold(builder, |builder, bin| builder.bin(bin));
        let lab = Self { server: builder.private()?, next: AtomicUsize::new(0) };
        lab.execute(&format!("CREATE ROLE {OWNER}")).await?;
        Ok(lab)
    }

    pub(crate) fn major(&self) -> u32 {
        self.server.version() / 10_000
    }

    /// The database that a run begins with, to be copied.
    pub(crate) async fn template(&self, run: &Run) -> Result<Place> {
        let name = format!("begin_{}", run.name.replace('-', "_"));
        self.execute(&format!("CREATE DATABASE {name}")).await?;
        let options = self.server.options(&name);
        run.seed(&options).await?;
        Ok(Place { name, options })
    }

    pub(crate) async fn copy(&self, template: &Place) -> Result<Place> {
        let name = format!("point_{}", self.next.fetch_add(1, Ordering::Relaxed));
        let strategy = if self.major() >= 15 { "STRATEGY file_copy" } else { "" }; // half the time
        let template = &template.name;
        self.execute(&format!("CREATE DATABASE {name} TEMPLATE {template} {strategy}")).await?;
        Ok(Place { options: self.server.options(&name), name })
    }

    pub(crate) async fn drop(&self, place: &Place) -> Result<()> {
        self.execute(&format!("DROP DATABASE {} WITH (FORCE)", place.name)).await
    }

    pub(crate) async fn admin(&self) -> Result<PgConnection> {
        Ok(self.server.options("postgres").connect().await?)
    }

    async fn execute(&self, sql: &str) -> Result<()> {
        let mut admin = self.admin().await?;
        admin.execute(AssertSqlSafe(sql.to_owned())).await?;
        Ok(admin.close().await?)
    }

    /// Waits until a query is true.
    pub(crate) async fn until(&self, sql: &str) -> Result<()> {
        let mut admin = self.admin().await?;
        let began = Instant::now();
        while !sqlx::query_scalar::<_, bool>(AssertSqlSafe(sql.to_owned()))
            .persistent(false)
            .fetch_one(&mut admin)
            .await?
        {
            if began.elapsed() > PATIENCE {
                return Err(format!("never came true: {sql}").into());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(admin.close().await?)
    }

    /// Waits until the server serves again.
    pub(crate) async fn serves(&self) -> Result<()> {
        let began = Instant::now();
        loop {
            match self.admin().await {
                Ok(connection) => return Ok(connection.close().await?),
                Err(error) if began.elapsed() > PATIENCE => return Err(error),
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    }
}
