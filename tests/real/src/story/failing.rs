//! What is done to a folder whose files cannot run on this server: both must fail at the same place, for the same reason,
//! and leave the same behind. Owns what "the same reason" is.

use migrate_postgres::Migrator;

use super::{HISTORY, Row, embedded_as_read, prepared, unlike};
use crate::Result;
use crate::cluster::Cluster;
use crate::dump::Dump;
use crate::subject::{Change, Subject};

/// Why it failed, and what there is then.
type Failure = (String, Dump);

pub(super) fn told(
    cluster: &Cluster,
    subject: &Subject,
    changes: &[Change],
    sabotage: bool,
    row: &mut Row,
) -> Result<()> {
    row.failures.extend(embedded_as_read(subject)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (why, expected) = by_psql(cluster, subject, changes, sabotage)?;
    let (said, found) = runtime.block_on(by_migrate(cluster, subject))?;
    if !said.contains(&why) {
        row.failures.push(format!("psql says: {why}\nmigrate says: {said}"));
    }
    row.failures.extend(unlike("what ran before the failure", &expected, &found));
    (row.objects, row.lines, row.times) = (expected.objects(), expected.lines(), expected.times);
    Ok(())
}

fn by_psql(
    cluster: &Cluster,
    subject: &Subject,
    changes: &[Change],
    sabotage: bool,
) -> Result<Failure> {
    let database = prepared(cluster, subject)?;
    let Err(error) = changes.iter().try_for_each(|change| database.psql(&change.up)) else {
        return Err("psql has no difficulty with it here".into());
    };
    if sabotage {
        database.ask("CREATE TABLE this_is_found_out ()")?;
    }
    Ok((reason(&error.to_string()), database.dump()?))
}

/// What the server said first; psql puts file and line before it.
fn reason(said: &str) -> String {
    let line = said.lines().find_map(|line| line.split_once("ERROR:  "));
    line.map_or(said, |(_, reason)| reason).to_owned()
}

/// With a transaction for each migration, as psql does it.
async fn by_migrate(cluster: &Cluster, subject: &Subject) -> Result<Failure> {
    let database = prepared(cluster, subject)?;
    let migrator = Migrator::new(&subject.source).schema(HISTORY).group(1);
    let Err(error) = migrator.run(database.connect()).await else {
        return Err("migrate has no difficulty with it here".into());
    };
    Ok((error.to_string(), database.dump()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_what_the_server_said() {
        let said = "psql:a.sql:30: ERROR:  syntax error at or near \"trigger\"\nLINE 1: create";
        assert_eq!(reason(said), "syntax error at or near \"trigger\"");
    }
}
