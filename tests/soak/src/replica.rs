//! One replica of the service: a process that migrates, serves and is ended.
//!
//! What it tells is lines on the standard output, for the driver: `migrating`, `serving`, `wrote ID`, `error …`,
//! `behind …`. It ends by itself when its standard input does, so that nothing outlives the driver.

use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use migrate_postgres::{Event, Migrator, Observer, Phases, Source};
use sqlx::postgres::{PgPool, PgPoolOptions};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use crate::load::{OF_ONE, serve};
use crate::releases::release;
use crate::{Result, complain};

/// The first argument of a process that is one.
pub(crate) const WORD: &str = "replica";

const CONNECTIONS: u32 = 3;

/// It can only start again: what it read is older than what is done.
const BEHIND: u8 = 3;

pub(crate) fn tell(line: &str) {
    if writeln!(std::io::stdout(), "{line}").is_err() {
        std::process::exit(4); // nobody listens any more
    }
}

pub(crate) fn main(task: &[String]) -> ExitCode {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new()); // its end is all that matters
        std::process::exit(4);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(live(task))) {
        Ok(code) => code,
        Err(error) => {
            tell(&format!("error {}", error.to_string().replace('\n', " ")));
            ExitCode::FAILURE
        }
    }
}

/// Tells when there is something to apply.
struct Teller;

impl Observer for Teller {
    fn event(&self, event: &Event<'_>) {
        if let Event::Started { .. } = event {
            tell("migrating");
        }
    }
}

async fn live(task: &[String]) -> Result<ExitCode> {
    let [url, folder, number, phases] = task else {
        complain("a replica without a task");
        return Ok(ExitCode::from(2));
    };
    let mut asked_to_end = signal(SignalKind::terminate())?;
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await?;
    tokio::select! {
        migrated = migrate(&pool, folder.as_ref(), phases == "all") => match migrated? {
            ExitCode::SUCCESS => {}
            code => return Ok(code),
        },
        _ = asked_to_end.recv() => return Ok(ExitCode::SUCCESS),
    }
    tell("serving");
    let (next, stop) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
    let first = number.parse::<i64>()? * OF_ONE;
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (pool, next, stop) = (pool.clone(), Arc::clone(&next), Arc::clone(&stop));
        connections.spawn(async move { serve(pool, first, &next, &stop).await });
    }
    asked_to_end.recv().await;
    stop.store(true, Ordering::Relaxed);
    while let Some(end) = connections.join_next().await {
        end?;
    }
    pool.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn migrate(pool: &PgPool, folder: &Path, all: bool) -> Result<ExitCode> {
    let before = release(folder);
    let source = Source::read(folder).map_err(|problems| format!("{problems:?}"))?;
    let phases = if all { Phases::ALL } else { Phases::START_UP };
    match Migrator::new(source)
        .phases(phases)
        .waive_everything("its processes are as old as can be")
        .observer(Teller)
        .run(pool)
        .await
    {
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(error) if error.is_divergence() && release(folder) != before => {
            tell(&format!("behind {}", error.to_string().replace('\n', " ")));
            Ok(ExitCode::from(BEHIND))
        }
        Err(error) => Err(error.into()),
    }
}
