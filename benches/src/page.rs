//! The page that people read: targets and tables, from the figures of the last runs and nothing else.
//!
//! Owns its words. What was not measured is shown as that. Knows nothing of how anything is measured.

mod backfill;
mod freeze;
mod rehearse;
mod table;

use crate::figures::Figures;
use crate::run::Run;
use crate::targets::{self, Target};

/// What a measurement found, and in which run.
#[derive(Debug, Default)]
pub struct Found {
    /// `None` where the measurement was not made.
    pub run: Option<Run>,
    /// Empty then.
    pub figures: Figures,
}

/// What all of them found.
#[derive(Debug, Default)]
pub struct Measured {
    /// Starting and applying.
    pub peers: Found,
    /// What embedding costs the compiler.
    pub build: Found,
    /// What the review of the SQL costs.
    pub lint: Found,
    /// What an application feels of an ALTER.
    pub freeze: Found,
    /// How fast a column is filled, and what an application feels of it.
    pub backfill: Found,
    /// What a rehearsal predicts.
    pub rehearse: Found,
}

const HEAD: &str = "\
<!-- Written by `cargo xtask bench page`; what is changed here by hand is lost. -->

# Measured

How fast migrate is, beside the least that the work takes and beside other migrators. Absolute figures drift between
machines and with what else a machine does. The ratios do so less: everybody takes turns in one run, each on a database
of its own, and ratios are taken round by round. Shown are medians.

To repeat it:

- `cargo xtask bench peers` measures starting and applying, and writes `target/bench/peers.json`.
- `cargo xtask bench build` measures what embedding costs the compiler, and writes `target/bench/build.json`.
- `cargo xtask bench lint` measures what the review of the SQL costs, and writes `target/bench/lint.json`.
- `cargo xtask bench freeze` measures what an application feels of an ALTER, and writes `target/bench/freeze.json`.
- `cargo xtask bench backfill` measures how fast a column is filled and what an application feels of it, and writes
  `target/bench/backfill.json`.
- `cargo xtask bench rehearse` measures what a rehearsal predicts against what is, and writes `target/bench/rehearse.json`.
- `cargo xtask bench page` writes this page from all six.

What stands below was found by:
";

const TARGETS: &str = "
## Targets

| | at most | found | |
|---|---:|---:|---|
";

const PEERS: &str = "
## Beside other migrators

Each is used as its documentation has it, with the fewest features that do the work: sqlx with `Migrator` and
`migrate!`; refinery with tokio-postgres, a transaction each and grouped; diesel with libpq, which is not counted in the
size of its program; sea-orm with a type for each migration that executes its SQL. The compiler does not review the SQL of
anybody here, of migrate neither; what that costs stands among the targets. What is connected is a pool that does
not ping a connection before it hands it out (migrate, sqlx, sea-orm), or a connection. Round trips are counted on the
wire, and the pings that a pool sends by default apart from them. The last column is the least that the work takes: psql
with the same files and no history, a `SELECT 1` on a pool like migrate's, sqlx's driver without a migrator.

\u{2013}: not measured in these runs. Empty: the tool has no such way.
";

/// The whole page.
pub fn render(measured: &Measured) -> String {
    let Measured { peers, build, lint, freeze, backfill, rehearse } = measured;
    let runs = [
        ("Starting and applying", &peers.run),
        ("Embedding", &build.run),
        ("The review of the SQL", &lint.run),
        ("Altering under load", &freeze.run),
        ("Filling under load", &backfill.run),
        ("Rehearsing", &rehearse.run),
    ];
    let runs: String = runs.into_iter().map(|(what, run)| described(what, run.as_ref())).collect();
    let targets = targets::of_peers(&peers.figures).into_iter();
    let targets = targets.chain(targets::of_build(&build.figures));
    let targets = targets.chain(targets::of_lint(&lint.figures));
    let targets = targets.chain(targets::of_freeze(&freeze.figures));
    let targets = targets.chain(targets::of_backfill(&backfill.figures));
    let targets = targets.chain(targets::of_rehearsal(&rehearse.figures));
    let targets: String = targets.map(|target| row(&target)).collect();
    let tables: String = table::TABLES.iter().map(|table| table.render(peers, build)).collect();
    let versions = versions([peers, build, freeze, backfill]);
    let freeze = freeze::render(&freeze.figures);
    let backfill = backfill::render(&backfill.figures);
    let rehearse = rehearse::render(&rehearse.figures);
    format!(
        "{HEAD}\n{runs}- Versions: {versions}.\n{TARGETS}{targets}{PEERS}{tables}{freeze}{backfill}{rehearse}"
    )
}

fn described(what: &str, run: Option<&Run>) -> String {
    let Some(Run { command, date, machine, server, .. }) = run else {
        return format!("- {what}: not measured.\n");
    };
    format!("- {what}: `{command}`, {date}. {machine}. {server}.\n")
}

fn versions(found: [&Found; 4]) -> String {
    let runs = found.into_iter().filter_map(|found| found.run.as_ref());
    let mut all: Vec<String> = runs
        .flat_map(|run| &run.versions)
        .map(|(tool, version)| format!("{tool} {version}"))
        .collect();
    all.sort();
    all.dedup();
    all.join(", ")
}

fn row(target: &Target) -> String {
    let verdict = match target.found {
        None => "not measured",
        Some(_) if target.is_met() => "met",
        Some(_) => "**missed**",
    };
    let found = target.found.map_or_else(|| table::NOT_MEASURED.to_owned(), table::number);
    format!("| {} | {} | {found} | {verdict} |\n", target.what, target.limit)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::record;

    fn found(file: &str) -> Found {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/page/fixture");
        let (run, figures) = record::read(&fixture.join(file)).expect("figures");
        Found { run: Some(run), figures }
    }

    #[test]
    fn the_page_shows_what_stands_in_the_files() {
        let page = render(&Measured {
            peers: found("peers.json"),
            build: found("build.json"),
            freeze: found("freeze.json"),
            backfill: found("backfill.json"),
            ..Measured::default()
        });
        let expected = include_str!("page/fixture/page.md");
        for (line, expected) in page.lines().zip(expected.lines()) {
            assert_eq!(line, expected, "the page is now:\n{page}");
        }
        assert_eq!(page.len(), expected.len(), "the page is now:\n{page}");
    }

    #[test]
    fn what_was_not_measured_is_shown_as_that() {
        let page = render(&Measured::default());
        let cells = |line: &str| line.split('|').map(|c| c.trim().to_owned()).collect::<Vec<_>>();
        let (_, tables) = page.split_once("## Beside").expect("tables");
        let rows = tables.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| |"));
        for row in rows {
            let figures = cells(row).split_off(2);
            assert!(
                figures.iter().all(|cell| cell.is_empty() || cell == table::NOT_MEASURED),
                "{row}"
            );
        }
        assert!(page.contains("- Embedding: not measured."), "{page}");
        assert!(!page.contains("| met |") && !page.contains("missed"), "{page}");
    }
}
