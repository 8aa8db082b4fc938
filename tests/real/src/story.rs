//! The same story twice, by psql and by migrate: there, back as far as a folder has ways back, and there again.
//!
//! Owns what is done to a folder and what counts as a difference.

use migrate_core::difference;
use migrate_core::source::WayBack;
use migrate_postgres::{Migrator, Version};

use crate::Result;
use crate::cluster::{Cluster, Database, HISTORY};
use crate::dump::Dump;
use crate::packages::{self, Need, Package};
use crate::subject::{Change, Subject};

mod failing;
mod phases;

/// What came of a folder.
pub(crate) struct Row {
    pub(crate) package: String,
    pub(crate) folder: &'static str,
    pub(crate) files: usize,
    pub(crate) statements: usize,
    pub(crate) objects: usize,
    pub(crate) lines: usize,
    pub(crate) times: usize,
    pub(crate) extensions: Vec<String>,
    pub(crate) versions: usize,
    pub(crate) reverted: usize,
    /// It cannot run here, by whatever program.
    pub(crate) fails: bool,
    pub(crate) notes: Vec<String>,
    pub(crate) failures: Vec<String>,
}

/// What a database looked like on the way.
struct Story {
    /// With everything applied.
    up: Dump,
    /// After the way back of each version, the newest first.
    back: Vec<(i64, Dump)>,
    /// With everything applied again.
    again: Dump,
}

/// Tells it both ways and compares; with `sabotage`, psql gets a statement that migrate does not get.
pub(crate) fn tell(cluster: &Cluster, subject: &Subject, sabotage: bool) -> Result<Row> {
    let changes = subject.changes()?;
    let mut row = row(cluster, subject, &changes)?;
    let told = match row.fails {
        true => failing::told(cluster, subject, &changes, sabotage, &mut row),
        false => told(cluster, subject, &changes, sabotage, &mut row),
    };
    row.failures.extend(told.err().map(|error| error.to_string()));
    Ok(row)
}

fn row(cluster: &Cluster, subject: &Subject, changes: &[Change]) -> Result<Row> {
    let said = subject.contents(subject.folder, WayBack::Warn)?.problems;
    let said = said.iter().map(|problem| format!("The reader warns: {}.", problem.message));
    let need = need(subject).map(|need| need.because.to_owned());
    let prepared = subject.prepared.map(ToOwned::to_owned);
    let package = packages::known(subject.package);
    let fails = package.and_then(|package| package.fails.as_ref());
    let because = fails.map(|fails| fails.because.to_owned());
    Ok(Row {
        package: package.map_or_else(|| subject.package.to_owned(), Package::shown),
        folder: subject.folder,
        files: changes.len() + changes.iter().filter(|change| change.down.is_some()).count(),
        statements: subject.statements().iter().sum(),
        objects: 0,
        lines: 0,
        times: 0,
        extensions: Vec::new(),
        versions: changes.len(),
        reverted: 0,
        notes: prepared.into_iter().chain(said).chain(need).chain(because).collect(),
        fails: fails.is_some_and(|fails| (fails.on)(cluster.major())),
        failures: Vec::new(),
    })
}

fn told(
    cluster: &Cluster,
    subject: &Subject,
    changes: &[Change],
    sabotage: bool,
    row: &mut Row,
) -> Result<()> {
    row.failures.extend(embedded_as_read(subject)?);
    row.failures.extend(split_otherwise(subject, changes, &mut row.notes));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    row.failures.extend(runtime.block_on(works_unprepared(cluster, subject, changes))?);
    row.notes.extend(wrong_ways_back(cluster, subject, changes)?);
    let (expected, extensions) = by_psql(cluster, subject, changes, sabotage)?;
    row.notes.extend(what_stays(cluster, subject, changes, &expected)?);
    (row.objects, row.lines) = (expected.up.objects(), expected.up.lines());
    (row.times, row.extensions) = (expected.up.times, extensions);
    let found = runtime.block_on(by_migrate(cluster, subject, changes))?;
    row.reverted = found.back.len();
    row.failures.extend(expected.differs_from(&found));
    let each = runtime.block_on(each_by_itself(cluster, subject))?;
    row.failures.extend(unlike("a transaction for each", &expected.up, &each));
    if changes.iter().any(|change| change.contract) {
        runtime.block_on(phases::told(cluster, subject, changes, row))?;
    }
    Ok(())
}

/// Does the program hold what the reader reads?
fn embedded_as_read(subject: &Subject) -> Result<Option<String>> {
    let read = subject.contents(subject.dir, WayBack::Ignore)?;
    let same = Some(&read.migrations) == subject.embedded.folder.packed.unpack().as_ref();
    Ok((!same).then(|| "what the macro embedded is not what the reader reads".to_owned()))
}

/// Where a package says itself where its statements end, does the reader say the same, file by file?
fn split_otherwise(
    subject: &Subject,
    changes: &[Change],
    notes: &mut Vec<String>,
) -> Option<String> {
    let mark = packages::known(subject.package)?.prepare?.between?;
    let marked: Vec<_> =
        changes.iter().map(|change| change.up.text.matches(mark).count() + 1).collect();
    let all: usize = marked.iter().sum();
    notes.push(format!("Its own marks, `{mark}`, tell the same {all} statements apart."));
    let split = subject.statements();
    (marked != split).then(|| format!("statements as marked {marked:?}, as split {split:?}"))
}

fn need(subject: &Subject) -> Option<&'static Need> {
    packages::known(subject.package)?.needs.as_ref()
}

/// An empty database, but for what the package makes itself beforehand.
fn prepared<'c>(cluster: &'c Cluster, subject: &Subject) -> Result<Database<'c>> {
    let database = cluster.empty()?;
    if let Some(need) = need(subject) {
        database.ask(need.sql)?;
    }
    Ok(database)
}

/// What a package is given beforehand it must need, or it hides something.
async fn works_unprepared(
    cluster: &Cluster,
    subject: &Subject,
    changes: &[Change],
) -> Result<Option<String>> {
    if need(subject).is_none() {
        return Ok(None);
    }
    let database = cluster.empty()?;
    let by_psql = changes.iter().try_for_each(|change| database.psql(&change.up));
    let database = cluster.empty()?;
    let migrator = Migrator::new(&subject.source).schema(HISTORY);
    let by_migrate = migrator.run(database.connect()).await;
    let works = by_psql.is_ok() || by_migrate.is_ok();
    Ok(works.then(|| "it works without what it is given beforehand".to_owned()))
}

/// The versions that can be taken back, the newest first.
fn ways_back(changes: &[Change]) -> impl Iterator<Item = &Change> {
    changes.iter().rev().take_while(|change| change.down.is_some())
}

fn by_psql(
    cluster: &Cluster,
    subject: &Subject,
    changes: &[Change],
    sabotage: bool,
) -> Result<(Story, Vec<String>)> {
    let database = prepared(cluster, subject)?;
    changes.iter().try_for_each(|change| database.psql(&change.up))?;
    if sabotage {
        database.ask("CREATE TABLE this_is_found_out ()")?;
    }
    let (up, extensions) = (database.dump()?, database.extensions()?);
    let mut back = Vec::new();
    for change in ways_back(changes) {
        change.down.iter().try_for_each(|down| database.psql(down))?;
        back.push((change.version, database.dump()?));
    }
    let mut again = changes.iter().skip(changes.len() - back.len());
    again.try_for_each(|change| database.psql(&change.up))?;
    Ok((Story { up, back, again: database.dump()? }, extensions))
}

async fn by_migrate(cluster: &Cluster, subject: &Subject, changes: &[Change]) -> Result<Story> {
    let database = prepared(cluster, subject)?;
    let migrator = Migrator::new(&subject.source).schema(HISTORY);
    applies(&migrator, &database, changes.len()).await?;
    let up = database.dump()?;
    let mut back = Vec::new();
    for (change, nth) in ways_back(changes).zip(2..) {
        let below = changes.len().checked_sub(nth).and_then(|below| changes.get(below));
        let below = below.map(|change| Version::new(change.version));
        let report = migrator.revert(database.connect(), below).await?;
        expect("way back", report.applied.len(), 1)?;
        back.push((change.version, database.dump()?));
    }
    if back.len() < changes.len() {
        let last = back.last().map_or(&up, |(_, dump)| dump);
        is_refused(&migrator, &database, last).await?;
    }
    applies(&migrator, &database, back.len()).await?;
    Ok(Story { up, back, again: database.dump()? })
}

/// Runs, and runs once more with nothing to do.
async fn applies(migrator: &Migrator, database: &Database<'_>, count: usize) -> Result<()> {
    let report = migrator.run(database.connect()).await?;
    expect("migrations applied", report.applied.len(), count)?;
    let report = migrator.run(database.connect()).await?;
    expect("migrations applied by a second run", report.applied.len(), 0)
}

fn expect(what: &str, found: usize, expected: usize) -> Result<()> {
    match found == expected {
        true => Ok(()),
        false => Err(format!("{what}: {found} instead of {expected}").into()),
    }
}

/// Where there is no way back, to ask for it changes nothing.
async fn is_refused(migrator: &Migrator, database: &Database<'_>, before: &Dump) -> Result<()> {
    match migrator.revert(database.connect(), None).await {
        Ok(report) => return Err(format!("reverted without a way back: {report}").into()),
        Err(error) if !error.is_divergence() => return Err(error.into()),
        Err(_) => {}
    }
    let after = database.dump()?;
    unlike("a refused revert", before, &after).map_or(Ok(()), |difference| Err(difference.into()))
}

/// By default the migrations of a fresh database share transactions.
async fn each_by_itself(cluster: &Cluster, subject: &Subject) -> Result<Dump> {
    let database = prepared(cluster, subject)?;
    let migrator = Migrator::new(&subject.source).schema(HISTORY).group(1);
    migrator.run(database.connect()).await?;
    database.dump()
}

impl Story {
    fn differs_from(&self, found: &Story) -> Vec<String> {
        let mut differences = Vec::from_iter(unlike("everything applied", &self.up, &found.up));
        for ((version, expected), (_, found)) in self.back.iter().zip(&found.back) {
            differences.extend(unlike(&format!("{version} taken back"), expected, found));
        }
        if self.back.len() != found.back.len() {
            differences.push(format!(
                "{} ways back instead of {}",
                found.back.len(),
                self.back.len()
            ));
        }
        differences.extend(unlike("everything applied again", &self.again, &found.again));
        differences
    }
}

pub(crate) fn unlike(when: &str, expected: &Dump, found: &Dump) -> Option<String> {
    (expected != found).then(|| {
        let shown = difference(&expected.text, &found.text);
        format!("{when}: psql (-) and migrate (+) differ\n{shown}")
    })
}

/// Ways back of theirs that do not restore what was before; each by itself, by psql.
fn wrong_ways_back(
    cluster: &Cluster,
    subject: &Subject,
    changes: &[Change],
) -> Result<Vec<String>> {
    let mut notes = Vec::new();
    for (change, nth) in ways_back(changes).zip(1..) {
        let database = prepared(cluster, subject)?;
        let mut earlier = changes.iter().take(changes.len() - nth);
        earlier.try_for_each(|change| database.psql(&change.up))?;
        let before = database.dump()?;
        let files = [Some(&change.up), change.down.as_ref()];
        files.into_iter().flatten().try_for_each(|file| database.psql(file))?;
        let after = database.dump()?;
        if before != after {
            let empty = change.down.as_ref().is_some_and(|down| is_comment(&down.text));
            let why = if empty { ", because it holds no statement" } else { "" };
            let version = change.version;
            notes.push(format!(
                "Their way back of {version} does not restore what was before{why}."
            ));
        }
    }
    Ok(notes)
}

fn is_comment(text: &str) -> bool {
    text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with("--"))
}

/// Objects that are left when everything was taken back.
fn what_stays(
    cluster: &Cluster,
    subject: &Subject,
    changes: &[Change],
    story: &Story,
) -> Result<Option<String>> {
    let Some((_, last)) = story.back.last().filter(|_| story.back.len() == changes.len()) else {
        return Ok(None);
    };
    let empty = prepared(cluster, subject)?.dump()?;
    let names = last.text.lines().filter_map(|line| line.strip_prefix("-- Name: "));
    let new = names.filter(|name| !empty.text.contains(name));
    let new: Vec<_> = new.filter(|name| !name.starts_with("EXTENSION ")).collect();
    let new: Vec<_> =
        new.iter().map(|name| name.split("; Schema").next().unwrap_or(name)).collect();
    let stays = format!("With everything taken back there is still: {}.", new.join(", "));
    Ok((last != &empty).then_some(stays))
}
