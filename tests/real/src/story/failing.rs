//! What is done to a folder whose files cannot run on this server: both must fail at the same place, for the same reason,
//! and leave the same behind. Owns what "the same reason" is.

use std::path::Path;

use migrate_postgres::Migrator;

use super::{HISTORY, Row, embedded_as_read, prepared, unlike};
use crate::Result;
use crate::cluster::Cluster;
use crate::dump::Dump;
use crate::subject::{Change, Subject};

/// How it failed, and what there is then.
struct Failure {
    file: String,
    why: String,
    left: Dump,
}

pub(super) fn told(
    cluster: &Cluster,
    subject: &Subject,
    changes: &[Change],
    sabotage: bool,
    row: &mut Row,
) -> Result<()> {
    row.failures.extend(embedded_as_read(subject)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let expected = by_psql(cluster, subject, changes, sabotage)?;
    let found = runtime.block_on(by_migrate(cluster, subject))?;
    row.failures.extend(expected.differs_from(&found));
    let left = expected.left;
    (row.objects, row.lines, row.times) = (left.objects(), left.lines(), left.times);
    Ok(())
}

fn by_psql(
    cluster: &Cluster,
    subject: &Subject,
    changes: &[Change],
    sabotage: bool,
) -> Result<Failure> {
    let database = prepared(cluster, subject)?;
    let failed = changes.iter().find_map(|change| Some((change, database.psql(&change.up).err()?)));
    let (change, error) = failed.ok_or("psql has no difficulty with it here")?;
    if sabotage {
        database.ask("CREATE TABLE this_is_found_out ()")?;
    }
    let file = name(&change.up.path);
    Ok(Failure { file, why: reason(&error.to_string()), left: database.dump()? })
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
    let file = error.place().map(|(file, ..)| name(Path::new(file))).unwrap_or_default();
    Ok(Failure { file, why: error.to_string(), left: database.dump()? })
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

impl Failure {
    fn differs_from(&self, found: &Failure) -> Vec<String> {
        let Failure { file, why, left } = self;
        let mut differences = Vec::new();
        if *file != found.file || !found.why.contains(why) {
            let Failure { file: other, why: said, .. } = found;
            differences.push(format!("psql stops at {file}: {why}\nmigrate at {other}: {said}"));
        }
        differences.extend(unlike("what ran before the failure", left, &found.left));
        differences
    }
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
