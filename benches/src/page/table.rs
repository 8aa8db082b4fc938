//! Which figures stand where: a table is rows of measures, and a column for each tool.
//!
//! Owns how figures are found and shown. A row names its measure; what a tool's way is called in the figures
//! depends on both.

use super::Found;
use crate::figures::{Key, unit};
use crate::targets::{APPLIED, FEW, MANY, ONE};

/// In place of a figure.
pub(super) const NOT_MEASURED: &str = "\u{2013}";

const TOOLS: [&str; 5] = ["migrate", "sqlx", "refinery", "diesel", "sea-orm"];

/// Rows under a heading.
pub(super) struct Table {
    heading: &'static str,
    /// What the last column has.
    least: &'static str,
    rows: &'static [Row],
}

struct Row {
    what: &'static str,
    way: Way,
    measure: &'static str,
    migrations: usize,
}

/// What of a tool is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Applying, with a transaction for each migration.
    Each,
    /// Applying, many migrations to a transaction.
    Many,
    /// Calling it on what is connected.
    Connected,
    /// The same, and what passes to the server.
    OnTheWire,
    /// A process that connects and finds nothing to do.
    Process,
    /// A program that has the migrations embedded.
    Embedded,
}

const fn row(what: &'static str, way: Way, measure: &'static str, migrations: usize) -> Row {
    Row { what, way, measure, migrations }
}

/// All of them.
pub(super) const TABLES: [Table; 3] = [
    Table {
        heading: "Applying to an empty database",
        least: "psql",
        rows: &[
            row("10, a transaction each, s", Way::Each, "apply_s", FEW),
            row("10, many in a transaction, s", Way::Many, "apply_s", FEW),
            row("1,000, a transaction each, s", Way::Each, "apply_s", APPLIED),
            row("1,000, many in a transaction, s", Way::Many, "apply_s", APPLIED),
            row("5,000, a transaction each, s", Way::Each, "apply_s", MANY),
            row("5,000, many in a transaction, s", Way::Many, "apply_s", MANY),
            row(
                "10, a transaction each, round trips of 1 ms, s",
                Way::Each,
                "apply_delayed_s",
                FEW,
            ),
            row(
                "1,000, a transaction each, round trips of 1 ms, s",
                Way::Each,
                "apply_delayed_s",
                APPLIED,
            ),
            row(
                "1,000, many in a transaction, round trips of 1 ms, s",
                Way::Many,
                "apply_delayed_s",
                APPLIED,
            ),
            row(
                "round trips for each migration, a transaction each",
                Way::Each,
                "round_trips_per_migration",
                APPLIED,
            ),
            row(
                "round trips for each migration, many in a transaction",
                Way::Many,
                "round_trips_per_migration",
                APPLIED,
            ),
            row(
                "pings of the pool for each migration, a transaction each",
                Way::Each,
                "pool_pings_per_migration",
                APPLIED,
            ),
        ],
    },
    Table {
        heading: "Starting with nothing to do",
        least: "`SELECT 1`",
        rows: &[
            row("the call, connected, 10 applied, ms", Way::Connected, "noop_call_ms", FEW),
            row("the call, connected, 1,000 applied, ms", Way::Connected, "noop_call_ms", APPLIED),
            row("the call, connected, 5,000 applied, ms", Way::Connected, "noop_call_ms", MANY),
            row("its round trips, 1,000 applied", Way::OnTheWire, "noop_round_trips", APPLIED),
            row("pings of the pool for it", Way::OnTheWire, "noop_pool_pings", APPLIED),
            row(
                "peak memory, 1,000 read from a folder, MiB",
                Way::Process,
                "peak_rss_mib",
                APPLIED,
            ),
            row("peak memory, 5,000 read from a folder, MiB", Way::Process, "peak_rss_mib", MANY),
        ],
    },
    Table {
        heading: "Embedding, in a minimal application built for release",
        least: "driver",
        rows: &[
            row("clean build, CPU s", Way::Embedded, "build_cpu_s", ONE),
            row("clean build, s", Way::Embedded, "build_s", ONE),
            row("build after an edit, 1 migration, s", Way::Embedded, "rebuild_s", ONE),
            row("build after an edit, 1,000 migrations, s", Way::Embedded, "rebuild_s", APPLIED),
            row("build after an edit, 5,000 migrations, s", Way::Embedded, "rebuild_s", MANY),
            row("stripped program, 1 migration, MB", Way::Embedded, "binary_mb", ONE),
            row("stripped program, 1,000 migrations, MB", Way::Embedded, "binary_mb", APPLIED),
            row("stripped program, 5,000 migrations, MB", Way::Embedded, "binary_mb", MANY),
            row("peak memory, 1,000 applied, MiB", Way::Embedded, "peak_rss_mib", APPLIED),
            row("peak memory, 5,000 applied, MiB", Way::Embedded, "peak_rss_mib", MANY),
        ],
    },
];

impl Table {
    pub(super) fn render(&self, peers: &Found, build: &Found) -> String {
        let Self { heading, least, rows } = self;
        let rows: String = rows.iter().map(|row| row.render(peers, build)).collect();
        let tools = TOOLS.join(" | ");
        format!("\n### {heading}\n\n| | {tools} | {least} |\n|---|{}\n{rows}", "---:|".repeat(6))
    }
}

impl Row {
    fn render(&self, peers: &Found, build: &Found) -> String {
        let found = if self.way == Way::Embedded { build } else { peers };
        let keys = TOOLS.iter().map(|tool| self.key(tool)).chain([self.least()]);
        let cells: Vec<String> = keys.map(|key| cell(found, key)).collect();
        format!("| {} | {} |\n", self.what, cells.join(" | "))
    }

    /// Under which the figure of a tool stands; `None` where the tool has no such way.
    fn key(&self, tool: &'static str) -> Option<Key> {
        let mode = match (self.way, tool) {
            (Way::Each, _) => "a transaction each",
            (Way::Many, "migrate") => "default",
            (Way::Many, "refinery") => "one transaction",
            (Way::Many, _) => return None,
            (Way::Connected | Way::OnTheWire, "refinery" | "diesel") => "connection",
            (Way::Connected, _) => "pool without ping",
            (Way::OnTheWire, _) => "pool",
            (Way::Process, _) => "no-op",
            (Way::Embedded, _) => "embedded",
        };
        Some(Key { measure: self.measure, tool, mode, migrations: self.migrations })
    }

    /// Under which the least stands; `None` where there is nothing to compare with.
    fn least(&self) -> Option<Key> {
        let key = |measure, tool, mode| Key { measure, tool, mode, migrations: self.migrations };
        match (self.way, self.measure, self.migrations) {
            (Way::Each, measure, _) => Some(key(measure, "psql", "a transaction each")),
            (Way::Many, measure, _) => Some(key(measure, "psql", "one transaction")),
            (Way::Connected, ..) => Some(key("select1_ms", "sqlx", "pool without ping")),
            (Way::Embedded, measure @ ("build_cpu_s" | "build_s"), ONE) => {
                Some(key(measure, "sqlx", "driver alone"))
            }
            _ => None,
        }
    }
}

fn cell(found: &Found, key: Option<Key>) -> String {
    let Some(key) = key else { return String::new() };
    match found.figures.median(key) {
        None => NOT_MEASURED.to_owned(),
        Some(count) if unit(key.measure).is_empty() => format!("{}", (count * 10.0).round() / 10.0),
        Some(figure) => number(figure),
    }
}

/// With as many digits as mean something.
pub(super) fn number(figure: f64) -> String {
    match figure {
        _ if figure >= 100.0 => format!("{figure:.0}"),
        _ if figure >= 10.0 => format!("{figure:.1}"),
        _ if figure >= 1.0 => format!("{figure:.2}"),
        _ => format!("{figure:.3}"),
    }
}
