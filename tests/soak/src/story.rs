//! The story of a soak: a server, a folder, replicas; time passes; and in the end everything is looked at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Instant;

use migrate_postgres::{Migrator, Phases, Source};
use migrate_testing::{PrivateServer, Server};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::chance::Chance;
use crate::check::{self, Check};
use crate::crew::Crew;
use crate::ledger::Ledger;
use crate::releases::Releases;
use crate::{Result, Wish, say};

const REPLICAS: u64 = 3;

/// Are there no differences?
pub(crate) fn tell(wish: Wish) -> Result<bool> {
    say(&format!("seed {}", wish.seed))?;
    // Vacuums come and go as they do in service.
    let server = Server::builder().setting("autovacuum", "on").private()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(soak(&server, wish))
}

async fn soak(server: &PrivateServer, wish: Wish) -> Result<bool> {
    let disturbed = create(server, "soak").await?;
    let mut releases = Releases::new()?;
    // The service is there already: on an empty database nobody would be disturbed.
    migrate(&releases, &disturbed).await?;
    let ledger = Ledger::default();
    disturb(server, wish, &mut releases, &ledger).await?;
    let under_load = check::done(&disturbed).await?;
    let last = migrate(&releases, &disturbed).await?;
    let fresh = create(server, "undisturbed").await?;
    migrate(&releases, &fresh).await?;
    let declared = source(&releases)?.set().map_err(|errors| format!("{errors:?}"))?;
    let check =
        Check { declared: &declared, ledger: &ledger, disturbed: &disturbed, fresh: &fresh };
    let mut differences = check.differences().await?;
    if migrate(&releases, &disturbed).await? != 0 {
        differences.push("the run after the last one found something to do".to_owned());
    }
    for difference in differences.iter().take(20) {
        say(&format!("  {difference}"))?;
    }
    let found_out = !wish.prove || check.finds_every_damage().await?;
    let told = ledger.open();
    say(&format!(
        "{} ended by SIGTERM, {} by kill -9, {} of them while they migrated; {} starts were behind the folder; \
         {under_load} migrations done under load, {last} by the last run",
        told.terminated, told.killed, told.while_migrating, told.behind
    ))?;
    say(&format!(
        "soak: {} restarts, {} migrations, {} writes, {} differences",
        told.restarts,
        declared.iter().count(),
        told.written.len(),
        differences.len()
    ))?;
    Ok(differences.is_empty() && found_out)
}

/// Migrations land while replicas come and go.
async fn disturb(
    server: &PrivateServer,
    wish: Wish,
    releases: &mut Releases,
    ledger: &Ledger,
) -> Result<()> {
    let (tell, landed) = watch::channel(1);
    let crew = Crew {
        url: server.url("soak"),
        folder: releases.current(),
        ledger: ledger.clone(),
        stop: Arc::new(AtomicBool::new(false)),
        next: Arc::new(AtomicI64::new(1)),
        landed,
    };
    let mut replicas = JoinSet::new();
    for number in 0..REPLICAS {
        replicas.spawn(crew.clone().replica(Chance::new(wish.seed, number)));
    }
    let began = Instant::now();
    for version in 1..=wish.versions {
        let due = began + wish.lasts.mul_f64(version as f64 / (wish.versions + 1) as f64);
        tokio::time::sleep_until(due.into()).await;
        let landed = releases.land()?;
        tell.send_replace(landed);
        if landed % 10 == 0 {
            let (writes, restarts) = {
                let told = ledger.open();
                (told.written.len(), told.restarts)
            };
            say(&format!("version {landed} has landed; {writes} writes, {restarts} restarts"))?;
        }
    }
    tokio::time::sleep_until((began + wish.lasts).into()).await;
    crew.stop.store(true, Ordering::Relaxed);
    while let Some(end) = replicas.join_next().await {
        end??;
    }
    Ok(())
}

fn source(releases: &Releases) -> Result<Source> {
    Source::read(releases.current()).map_err(|problems| format!("{problems:?}").into())
}

/// Undisturbed, contracts too; how many it applied.
async fn migrate(releases: &Releases, database: &PgConnectOptions) -> Result<usize> {
    let report = Migrator::new(source(releases)?)
        .phases(Phases::ALL)
        .waive_everything("only a test uses this database")
        .run(database)
        .await?;
    Ok(report.applied.len())
}

async fn create(server: &PrivateServer, name: &str) -> Result<PgConnectOptions> {
    let mut admin = server.options("postgres").connect().await?;
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await?;
    admin.close().await?;
    Ok(server.options(name))
}
