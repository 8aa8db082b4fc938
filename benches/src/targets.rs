//! What the figures have to be.

use crate::apps::App;
use crate::figures::{Figures, Key};
use crate::tools::Tool;

/// The largest folder, and the one that applying is judged by.
pub const MANY: usize = 5_000;
/// The folder that applying is judged by.
pub const APPLIED: usize = 1_000;
/// The smallest folder.
pub const FEW: usize = 10;
/// A folder has at least one file to be embedded; the macro around it is as good as empty.
pub const ONE: usize = 1;

/// Something that has to be, and what was found.
#[derive(Debug)]
pub struct Target {
    /// What it is about.
    pub what: String,
    /// The most that it may be.
    pub limit: f64,
    /// What it is; `None` where it was not measured.
    pub found: Option<f64>,
}

/// Prints each target beside what was found; were all met?
pub fn print(targets: &[Target]) -> bool {
    println!("\n{:<84} {:>8} {:>8}", "target", "at most", "found");
    for Target { what, limit, found } in targets {
        let (shown, verdict) = match found {
            Some(found) if found <= limit => (format!("{found:.3}"), "met"),
            Some(found) => (format!("{found:.3}"), "MISSED"),
            None => ("-".to_owned(), "not measured"),
        };
        println!("{what:<84} {limit:>8.3} {shown:>8}  {verdict}");
    }
    targets.iter().all(Target::is_met)
}

impl Target {
    /// Was it measured, and is it so?
    pub fn is_met(&self) -> bool {
        self.found.is_some_and(|found| found <= self.limit)
    }
}

/// Those of `peers`.
pub fn of_peers(figures: &Figures) -> Vec<Target> {
    trips(figures).chain(no_op(figures)).chain(applying(figures)).chain(fresh(figures)).collect()
}

/// Those of `build`.
pub fn of_build(figures: &Figures) -> Vec<Target> {
    let key = |measure, app, migrations| Key { measure, ..self::app(app, migrations) };
    let against = |measure, other, migrations| {
        figures.ratio(key(measure, App::Migrate, migrations), key(measure, other, migrations))
    };
    let longer = |migrations| {
        let rebuild = |migrations| figures.median(key("rebuild_s", App::Migrate, migrations));
        Some(rebuild(migrations)? - rebuild(1)?)
    };
    let target = |what: &str, limit, found| Target { what: what.to_owned(), limit, found };
    vec![
        target(
            "CPU of a clean build, against the driver alone",
            1.15,
            against("build_cpu_s", App::Driver, 1),
        ),
        target("seconds more to rebuild with 1000 files than with one", 1.0, longer(APPLIED)),
        target("seconds more to rebuild with 5000 files than with one", 2.0, longer(MANY)),
        target(
            "the stripped program with 5000 files, against sqlx's",
            1.0,
            against("binary_mb", App::Sqlx, MANY),
        ),
    ]
}

/// Those of `lint`.
pub fn of_lint(figures: &Figures) -> Vec<Target> {
    let key = |measure, app, migrations| Key { measure, ..self::app(app, migrations) };
    let more = |measure, migrations| {
        let of = |app| figures.median(key(measure, app, migrations));
        Some(of(App::MigrateLint)? - of(App::Migrate)?)
    };
    let each = |migrations| Some(more("rebuild_cpu_s", migrations)? * 1000.0 / migrations as f64);
    let target = |what: &str, limit, found| Target { what: what.to_owned(), limit, found };
    let speed = figures.median(crate::linting::key("migrate"));
    vec![
        // The fewer, the better: so it can stand among the others, which all have a most.
        target(
            "microseconds of CPU for each file on the command line",
            666.0, // 1,500 files for a second
            speed.map(|speed| 1e6 / speed),
        ),
        target("ms of CPU for each file to rebuild with 1000 of them", 1.5, each(APPLIED)),
        target("ms of CPU for each file to rebuild with 5000 of them", 1.5, each(MANY)),
        target("seconds of CPU more for a clean build", 16.0, more("build_cpu_s", ONE)),
    ]
}

/// Those of `freeze`: what an application feels of each kind of ALTER while somebody else holds the table for long.
pub fn of_freeze(figures: &Figures) -> Vec<Target> {
    use crate::freeze::{EVERY, READER, STALL, SUCCEEDED, Tool, key};
    let not_done = figures.total(key(SUCCEEDED, Tool::Migrate, EVERY));
    let ours = [
        Target {
            what: "ms of the longest stall of a load, under a long reader, by migrate".to_owned(),
            limit: 300.0,
            found: figures.most(key(STALL, Tool::Migrate, EVERY)),
        },
        Target {
            what: "kinds of ALTER that migrate did not get done under a long reader".to_owned(),
            limit: 0.0,
            found: not_done.map(|(done, of)| of as f64 - done),
        },
    ];
    // That theirs do stall shows that the reader was in the way: at least 90 % of its time.
    let theirs = [Tool::Sqlx, Tool::Psql].map(|tool| Target {
        what: format!("the time of the reader against the shortest stall, by {}", tool.name()),
        limit: 1.11,
        found: figures.most_ratio(key(READER, tool, EVERY), key(STALL, tool, EVERY)),
    });
    ours.into_iter().chain(theirs).collect()
}

/// Those of `backfill`: what an application feels of a fill by migrate, and what the fill costs.
pub fn of_backfill(figures: &Figures) -> Vec<Target> {
    use crate::backfill::{P99, PEAK, SPEED, Tool, WAL, key};
    let target = |what, tool: Tool, limit, found| Target {
        what: format!("{what}, by {}", tool.name()),
        limit,
        found,
    };
    let ratio = |measure, a, b| figures.ratio(key(measure, a), key(measure, b));
    let each = |tool| {
        [
            target(
                "p99 of the load during a fill, against the load alone",
                tool,
                1.5,
                ratio(P99, tool, Tool::None),
            ),
            target(
                "p99 of the load during a fill, against beside a session that only computes",
                tool,
                1.5,
                ratio(P99, tool, Tool::BusyBackend),
            ),
            // The other way round than it is said: at least half the rows.
            target(
                "rows per second of one UPDATE against those of a fill",
                tool,
                2.0,
                ratio(SPEED, Tool::GiantUpdate, tool),
            ),
            target(
                "MB of the runner's memory during a fill",
                tool,
                50.0,
                figures.most(key(PEAK, tool)).map(|bytes| bytes / 1e6),
            ),
        ]
    };
    let wal = target(
        "WAL of a fill, against a loop over the key in SQL",
        Tool::MigrateStriped,
        0.6,
        ratio(WAL, Tool::MigrateStriped, Tool::SqlKeyset),
    );
    Tool::OURS.into_iter().flat_map(each).chain([wal]).collect()
}

/// Those of `rehearse`.
pub fn of_rehearsal(figures: &Figures) -> Vec<Target> {
    use crate::rehearse::{FACTOR, key, steps};
    let of = |step| Target {
        what: format!("the factor between predicted and real: {step}"),
        limit: 2.0,
        found: figures.most(key(FACTOR, step)),
    };
    steps().map(of).collect()
}

/// The figure of an application.
pub fn app(app: App, migrations: usize) -> Key {
    let (tool, mode) = match app {
        App::Driver => (App::Sqlx.name(), "driver alone"),
        _ => (app.name(), "embedded"),
    };
    Key { measure: "", tool, mode, migrations }
}

fn fresh(figures: &Figures) -> impl Iterator<Item = Target> {
    use crate::fresh::{TABLES, key};
    let ratio = figures.ratio(key("migrate", TABLES), key("sqlx", TABLES));
    let found = figures.median(key("migrate", TABLES));
    let p50 = format!("ms to a fresh database with {TABLES} tables, on a quiet machine");
    let faster = format!("a fresh database after {TABLES} migrations, against sqlx::test");
    [Target { what: p50, limit: 20.0, found }, Target { what: faster, limit: 0.2, found: ratio }]
        .into_iter()
}

fn trips(figures: &Figures) -> impl Iterator<Item = Target> {
    let no_op = |migrations| {
        let key = Key { measure: "noop_round_trips", tool: "migrate", mode: "pool", migrations };
        let what = format!("round trips of a start with nothing to do, {migrations} applied");
        Target { what, limit: 1.0, found: figures.median(key) }
    };
    let each = |tool: Tool| Target {
        what: format!("round trips for each migration, {}", tool.mode()),
        limit: 1.0,
        found: figures.median(crate::apply::key("round_trips_per_migration", tool, APPLIED)),
    };
    [FEW, APPLIED].map(no_op).into_iter().chain([Tool::Migrate, Tool::MigrateEach].map(each))
}

fn no_op(figures: &Figures) -> impl Iterator<Item = Target> {
    let key = |measure, tool, mode, migrations| Key { measure, tool, mode, migrations };
    let to_select = move |(mode, migrations)| Target {
        what: format!("a start with nothing to do against SELECT 1, {migrations} applied, {mode}"),
        limit: 2.0,
        found: figures.ratio(
            key("noop_call_ms", "migrate", mode, migrations),
            key("select1_ms", "sqlx", mode, migrations),
        ),
    };
    let to_sqlx = move |mode| Target {
        what: format!("a start with nothing to do against sqlx's, {MANY} applied, {mode}"),
        limit: 0.05,
        found: figures.ratio(
            key("noop_call_ms", "migrate", mode, MANY),
            key("noop_call_ms", "sqlx", mode, MANY),
        ),
    };
    let modes = ["pool", "pool without ping"];
    let pairs = modes.into_iter().flat_map(|mode| [(mode, FEW), (mode, MANY)]);
    pairs.map(to_select).chain(modes.into_iter().map(to_sqlx))
}

fn applying(figures: &Figures) -> impl Iterator<Item = Target> {
    let against = |(measure, what, ours, theirs, limit): (_, &str, _, _, _)| Target {
        what: format!("applying {APPLIED}, {what}"),
        limit,
        found: figures.ratio(
            crate::apply::key(measure, ours, APPLIED),
            crate::apply::key(measure, theirs, APPLIED),
        ),
    };
    [
        (
            "apply_s",
            "a transaction each, against psql doing so",
            Tool::MigrateEach,
            Tool::PsqlEach,
            1.1,
        ),
        ("apply_s", "fresh database, against psql -1", Tool::Migrate, Tool::Psql, 1.2),
        (
            "apply_delayed_s",
            "1 ms of delay, a transaction each, against sqlx",
            Tool::MigrateEach,
            Tool::Sqlx,
            0.5,
        ),
        (
            "apply_delayed_s",
            "1 ms of delay, fresh database, against sqlx",
            Tool::Migrate,
            Tool::Sqlx,
            0.5,
        ),
    ]
    .map(against)
    .into_iter()
}
