//! What is done to a folder with contracts beside all else: on a database in use they wait, and run when they are asked
//! for. psql gets the files in the order that this makes.

use migrate_core::{MigrationId, Phase, Phases, Version};
use migrate_postgres::Migrator;

use super::{HISTORY, Row, expect, prepared, unlike};
use crate::Result;
use crate::cluster::Cluster;
use crate::dump::Dump;
use crate::subject::{Change, Subject};

/// Before the new code serves, and after.
type Both = [Dump; 2];

pub(super) async fn told(
    cluster: &Cluster,
    subject: &Subject,
    changes: &[Change],
    row: &mut Row,
) -> Result<()> {
    let [before, after] = by_psql(cluster, subject, changes)?;
    let [found_before, found_after] = by_migrate(cluster, subject, changes).await?;
    row.failures.extend(unlike("the contracts wait", &before, &found_before));
    row.failures.extend(unlike("the contracts run at last", &after, &found_after));
    row.notes.push(
        "On a database in use the contracts wait until they are asked for: the same as by psql in that order."
            .to_owned(),
    );
    Ok(())
}

fn by_psql(cluster: &Cluster, subject: &Subject, changes: &[Change]) -> Result<Both> {
    let database = prepared(cluster, subject)?;
    let runs = |contracts: bool| {
        let mut of_these = changes.iter().filter(|change| change.contract == contracts);
        of_these.try_for_each(|change| database.psql(&change.up))?;
        database.dump()
    };
    Ok([runs(false)?, runs(true)?])
}

async fn by_migrate(cluster: &Cluster, subject: &Subject, changes: &[Change]) -> Result<Both> {
    let database = prepared(cluster, subject)?;
    let migrator = Migrator::new(&subject.source).schema(HISTORY);
    // With its first migration it is in use.
    let second = changes.get(1).map(|change| Version::new(change.version));
    let first =
        migrator.part(second.map(|version| MigrationId::new(version, Phase::Expand)), Phases::ALL);
    expect("first migrations", first.run(database.connect()).await?.applied.len(), 1)?;
    let contracts = changes.iter().filter(|change| change.contract).count();
    let report = migrator.run(database.connect()).await?;
    expect("other expands", report.applied.len(), changes.len() - contracts - 1)?;
    let before = database.dump()?;
    let report = migrator
        .phases(Phases::ALL)
        .waive_everything("only a test uses this database")
        .run(database.connect())
        .await?;
    expect("contracts", report.applied.len(), contracts)?;
    Ok([before, database.dump()?])
}
