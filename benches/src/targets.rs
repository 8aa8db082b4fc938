//! What the figures have to be.

use crate::figures::{Figures, Key};
use crate::tools::Tool;

/// The largest folder, and the one that applying is judged by.
pub const MANY: usize = 5_000;
/// The folder that applying is judged by.
pub const APPLIED: usize = 1_000;
/// The smallest folder.
pub const FEW: usize = 10;

struct Target {
    what: String,
    limit: f64,
    found: Option<f64>,
}

/// Prints each target beside what was found; were all met?
pub fn print(figures: &Figures) -> bool {
    println!("\n{:<84} {:>8} {:>8}", "target", "at most", "found");
    let targets: Vec<Target> =
        trips(figures).chain(no_op(figures)).chain(applying(figures)).collect();
    for Target { what, limit, found } in &targets {
        let (shown, verdict) = match found {
            Some(found) if found <= limit => (format!("{found:.3}"), "met"),
            Some(found) => (format!("{found:.3}"), "MISSED"),
            None => ("-".to_owned(), "not measured"),
        };
        println!("{what:<84} {limit:>8.3} {shown:>8}  {verdict}");
    }
    targets.iter().all(|target| target.found.is_some_and(|found| found <= target.limit))
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
