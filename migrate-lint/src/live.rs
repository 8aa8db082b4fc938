//! Tables as a database has them, and what that makes of a finding.
//!
//! A hazard that grows with a table is none on a small one, and on a large one it has a figure. Which hazards grow,
//! the rules know already: those that find nothing where the project calls a table small. What a column is, a
//! database tells where the files do not. Pure: who asks it is not this crate.

use std::collections::HashMap;

use migrate_core::{LockTarget, SqlMigration, Work};

use crate::facts::Facts;
use crate::finding::{Finding, Level};
use crate::judge::judge;
use crate::name::Name;
use crate::parse;
use crate::statement::{Action, Change, Type};

/// A table or materialized view, as a database has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveTable {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// How many rows it has, as the planner estimates; `None` where nobody has counted yet.
    pub rows: Option<f64>,
    /// What it and its indexes take, those of its parts too.
    pub bytes: u64,
    /// Its columns.
    pub columns: Vec<LiveColumn>,
}

/// A column, as a database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveColumn {
    /// Its name.
    pub name: String,
    /// Its type, as `format_type` writes it.
    pub ty: String,
    /// Does it refuse nulls?
    pub not_null: bool,
}

impl LiveColumn {
    /// Its type, if that is one that we understand.
    pub(crate) fn understood(&self) -> Option<Type> {
        let text = format!("ALTER TABLE t ALTER COLUMN c TYPE {}", self.ty);
        match parse::statement(&text).ok()?.action {
            Action::AlterTable(alter) => {
                alter.changes.into_iter().find_map(|change| match change {
                    Change::AlterType { ty, .. } => Some(ty),
                    _ => None,
                })
            }
            _ => None,
        }
    }
}

/// The one table that a name may mean.
pub(crate) fn find<'t>(tables: &'t [LiveTable], name: &Name) -> Option<&'t LiveTable> {
    let is_it = |table: &&LiveTable| {
        *table.name == *name.name
            && name.schema.as_deref().is_none_or(|schema| schema == table.schema)
    };
    let mut all = tables.iter().filter(is_it);
    all.next().filter(|_| all.next().is_none())
}

/// With fewer rows and bytes than these, no lock lasts.
const SMALL_ROWS: f64 = 10_000.0;
const SMALL_BYTES: u64 = 10 << 20;
/// How much a server reads and writes in a second, where nobody has measured it.
const READ_RATE: u64 = 200 << 20;
const WRITE_RATE: u64 = 50 << 20;

impl LiveTable {
    fn is_small(&self) -> bool {
        self.bytes < SMALL_BYTES && self.rows.is_none_or(|rows| rows < SMALL_ROWS)
    }

    fn full_name(&self) -> String {
        Name::qualified(&self.schema, &self.name).to_string()
    }
}

/// What the rules find, each as bad as the [live tables](Facts::live) make it.
pub fn judge_live(migrations: &[SqlMigration], facts: &Facts) -> Vec<Finding> {
    let sizes = Sizes { all: &facts.live };
    let without = |is_it: fn(&LiveTable) -> bool| {
        let mut facts = facts.clone();
        facts.small_tables.extend(sizes.names(is_it));
        judge(migrations, &facts).findings
    };
    let small = without(LiveTable::is_small);
    let any = without(|_| true);
    let (mut stay, mut stay_of_any) = (Counts::of(&small), Counts::of(&any));
    let mut all = judge(migrations, facts).findings;
    let mut known = Counts::of(&all);
    for finding in &mut all {
        // Not `||`: each count has to be taken from.
        let (stays, stays_whatever) = (stay.take(finding), stay_of_any.take(finding));
        match (stays, stays_whatever) {
            (false, _) => sizes.soften(finding),
            (true, false) => sizes.measure(finding),
            (true, true) => {}
        }
    }
    // What another rule has kept silent until now.
    all.extend(small.into_iter().filter(|finding| !known.take(finding)));
    all.sort_by_key(|finding| finding.migration);
    all
}

/// How often each finding is there.
struct Counts(HashMap<(&'static str, String, u32, u32, String), usize>);

impl Counts {
    fn of(findings: &[Finding]) -> Self {
        let mut counts = HashMap::new();
        for finding in findings {
            *counts.entry(Self::key(finding)).or_default() += 1;
        }
        Self(counts)
    }

    fn key(finding: &Finding) -> (&'static str, String, u32, u32, String) {
        let Finding { rule, file, place, message, .. } = finding;
        (rule, file.clone(), place.line, place.column, message.clone())
    }

    /// Is it there once more?
    fn take(&mut self, finding: &Finding) -> bool {
        match self.0.get_mut(&Self::key(finding)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }
}

/// The tables of a database by their names.
struct Sizes<'s> {
    all: &'s [LiveTable],
}

impl<'s> Sizes<'s> {
    /// Those of which all of the same name are such: a statement may leave open which it means.
    fn names(&self, is_it: fn(&LiveTable) -> bool) -> Vec<String> {
        let all_are = |name: &str| self.all.iter().filter(|size| size.name == name).all(is_it);
        let such = self.all.iter().filter(|size| is_it(size) && all_are(&size.name));
        such.map(LiveTable::full_name).collect()
    }

    /// The largest table that a statement locks.
    fn largest(&self, finding: &Finding) -> Option<(&'s LiveTable, Work)> {
        let of = |target: &LockTarget| {
            let is_it = |size: &&LiveTable| {
                *size.full_name() == *target.relation
                    || Name::bare(&size.name).to_string() == *target.relation
            };
            let size = self.all.iter().filter(is_it).max_by_key(|size| size.bytes)?;
            Some((size, target.work))
        };
        // Of equal ones the first, which the statement names; its parts stand behind it.
        finding.locks.iter().rev().filter_map(of).max_by_key(|(size, work)| (*work, size.bytes))
    }

    fn soften(&self, finding: &mut Finding) {
        finding.level = Level::Note;
        if let Some((size, _)) = self.largest(finding) {
            let so = format!("; but `{}` is small: {}", size.name, shown(size));
            finding.message.push_str(&so);
            finding.why.push_str("; on fewer than 10,000 rows and 10 MB that is over at once");
        }
    }

    fn measure(&self, finding: &mut Finding) {
        if let Some((size, work)) = self.largest(finding) {
            let so = format!("; `{}` has {}{}", size.name, shown(size), estimate(size, work));
            finding.message.push_str(&so);
        }
    }
}

fn shown(size: &LiveTable) -> String {
    format!("{}, {}", rows(size.rows), bytes(size.bytes))
}

/// `300 million rows`.
fn rows(rows: Option<f64>) -> String {
    let Some(rows) = rows else { return "rows that nobody has counted".to_owned() };
    let units = [(1e9, " billion"), (1e6, " million"), (1e3, " thousand"), (1.0, "")];
    let (unit, word) = units.into_iter().find(|(unit, _)| rows >= *unit).unwrap_or((1.0, ""));
    let noun = if rows.round() == 1.0 { "row" } else { "rows" };
    format!("{}{word} {noun}", two_digits(rows / unit))
}

/// `48 GB`, as `pg_size_pretty` counts.
fn bytes(bytes: u64) -> String {
    let units = [(40, "TB"), (30, "GB"), (20, "MB"), (10, "kB"), (0, "bytes")];
    let (shift, word) =
        units.into_iter().find(|(shift, _)| bytes >= 1 << shift).unwrap_or((0, "bytes"));
    #[expect(clippy::cast_precision_loss, reason = "two digits of it are shown")]
    let many = bytes as f64 / (1_u64 << shift) as f64;
    format!("{} {word}", two_digits(many))
}

fn two_digits(number: f64) -> String {
    if number < 9.95 && number.fract() >= 0.05 {
        format!("{number:.1}")
    } else {
        format!("{number:.0}")
    }
}

/// How long the work takes, and what that is made of.
fn estimate(size: &LiveTable, work: Work) -> String {
    let (verb, rate) = match work {
        Work::None => return String::new(),
        Work::Scan => ("read", READ_RATE),
        Work::Rewrite => ("write anew", WRITE_RATE),
    };
    let seconds = size.bytes / rate;
    let took = match seconds {
        0 => "less than a second".to_owned(),
        1 => "about 1 second".to_owned(),
        2..60 => format!("about {seconds} seconds"),
        60..3600 => format!("about {} min", seconds.div_ceil(60)),
        _ => format!("about {} hours", two_digits(two_decimals(seconds))),
    };
    format!(", {took} to {verb} at {} MB/s (assumed, not measured)", rate >> 20)
}

#[expect(clippy::cast_precision_loss, reason = "two digits of it are shown")]
fn two_decimals(seconds: u64) -> f64 {
    seconds as f64 / 3600.0
}

#[cfg(test)]
mod tests {
    use migrate_core::source::{File, WayBack, read};

    use super::*;

    fn size(schema: &str, name: &str, rows: impl Into<Option<f64>>, bytes: u64) -> LiveTable {
        let (schema, name) = (schema.to_owned(), name.to_owned());
        LiveTable { schema, name, rows: rows.into(), bytes, columns: Vec::new() }
    }

    const TABLES: &str = "CREATE TABLE a (id bigint PRIMARY KEY, n int, m int); CREATE TABLE b (id bigint PRIMARY KEY, a bigint);\
        CREATE INDEX ON b (a);";

    /// Level and message of each finding.
    fn told(text: &str, sizes: &[LiveTable]) -> Vec<(&'static str, Level, String)> {
        let files = [("1_a.sql", TABLES), ("2_b.sql", text)];
        let files = files.map(|(path, text)| File { path, bytes: text.as_bytes() });
        let contents = read("m", &files, WayBack::Ignore);
        let facts = Facts { live: sizes.to_vec(), ..Facts::default() };
        let findings = judge_live(&contents.migrations, &facts);
        findings.into_iter().map(|f| (f.rule, f.level, f.message)).collect()
    }

    const INDEX: &str = "CREATE INDEX i ON a (n);";
    const WAIT: &str = "writers of `a` wait while the index is built";

    #[test]
    fn a_hazard_on_a_small_table_is_a_note_with_its_size() {
        let small = size("public", "a", 120.0, 65_536);
        let so = format!("{WAIT}; but `a` is small: 120 rows, 64 kB");
        assert_eq!(told(INDEX, &[small]), [("create_index", Level::Note, so)]);
        let uncounted = size("public", "a", None, 65_536);
        let so = format!("{WAIT}; but `a` is small: rows that nobody has counted, 64 kB");
        assert_eq!(told(INDEX, &[uncounted]), [("create_index", Level::Note, so)]);
    }

    #[test]
    fn a_hazard_on_a_large_one_has_a_figure_and_says_what_it_is_made_of() {
        let large = size("public", "a", 3e8, 48 << 30);
        let so = format!(
            "{WAIT}; `a` has 300 million rows, 48 GB, about 5 min to read at 200 MB/s (assumed, not measured)"
        );
        assert_eq!(told(INDEX, &[large]), [("create_index", Level::Error, so)]);
        // Many rows in few bytes, and few in many, are no small tables.
        for large in [size("public", "a", 20_000.0, 1 << 20), size("public", "a", 10.0, 11 << 20)] {
            assert_eq!(told(INDEX, &[large])[0].1, Level::Error);
        }
    }

    #[test]
    fn what_no_table_is_too_small_for_stays_as_it_is() {
        let gone = "ALTER TABLE a DROP COLUMN n;";
        for bytes in [1 << 10, 1 << 40] {
            assert_eq!(told(gone, &[size("public", "a", 1.0, bytes)]), told(gone, &[]));
        }
        assert_eq!(told(INDEX, &[size("public", "other", 1.0, 1)]), told(INDEX, &[]));
    }

    #[test]
    fn each_table_counts_for_itself() {
        let both = format!("{INDEX} CREATE INDEX j ON b (a);");
        let sizes = [size("public", "a", 1.0, 1), size("public", "b", 1e6, 1 << 30)];
        let levels: Vec<_> = told(&both, &sizes).into_iter().map(|(_, level, _)| level).collect();
        assert_eq!(levels, [Level::Note, Level::Error]);
        // One that another statement locks as well is as bad as the larger.
        let key = "ALTER TABLE a ADD CONSTRAINT k FOREIGN KEY (n) REFERENCES b;";
        let tables = told(key, &sizes);
        assert_eq!(tables[0].1, Level::Note, "{tables:?}");
    }

    #[test]
    fn a_small_table_in_another_schema_is_not_it() {
        let elsewhere = [size("old", "a", 1.0, 1), size("public", "a", 1e9, 1 << 40)];
        assert_eq!(told(INDEX, &elsewhere)[0].1, Level::Error);
    }

    #[test]
    fn a_database_tells_what_a_column_is_where_the_files_do_not() {
        let column = |name: &str, ty: &str, not_null| LiveColumn {
            name: name.to_owned(),
            ty: ty.to_owned(),
            not_null,
        };
        let columns =
            vec![column("n", "character varying(50)", false), column("m", "integer", true)];
        let hidden = LiveTable { columns, ..size("public", "a", 1e9, 1 << 40) };
        let rules = |text: &str, tables: &[LiveTable]| {
            let text = format!("DO $$ BEGIN EXECUTE 'select 1'; END $$; {text}");
            told(&text, tables).into_iter().map(|(rule, ..)| rule).collect::<Vec<_>>()
        };
        for (text, expected) in [
            ("ALTER TABLE a ALTER n TYPE text;", vec![]),
            ("ALTER TABLE a ALTER n TYPE int;", vec!["change_type"]),
            ("ALTER TABLE a ALTER m TYPE bigint;", vec!["change_type"]),
            ("ALTER TABLE a ALTER n SET NOT NULL;", vec!["set_not_null"]),
            ("ALTER TABLE a ALTER m SET NOT NULL;", vec![]),
        ] {
            assert_eq!(rules(text, std::slice::from_ref(&hidden)), expected, "{text}");
            assert_eq!(rules(text, &[]), [""; 0], "{text}");
        }
        // What somebody has done by hand costs nothing when it is done again.
        assert_eq!(told("ALTER TABLE a ALTER m SET NOT NULL;", &[hidden]), []);
        assert_eq!(told("ALTER TABLE a ALTER m SET NOT NULL;", &[]).len(), 1);
    }

    #[test]
    fn figures_are_short() {
        let of = |rows_, bytes_| format!("{}, {}", rows(Some(rows_)), bytes(bytes_));
        assert_eq!(of(0.0, 0), "0 rows, 0 bytes");
        assert_eq!(of(1.0, 8192), "1 row, 8 kB");
        assert_eq!(of(1234.0, 1_300_000), "1.2 thousand rows, 1.2 MB");
        assert_eq!(of(2e9, 3 << 40), "2 billion rows, 3 TB");
        let took = |bytes, work| estimate(&size("", "", 0.0, bytes), work);
        assert_eq!(took(1 << 30, Work::None), "");
        assert!(took(1 << 20, Work::Scan).starts_with(", less than a second to read at 200 MB/s"));
        assert!(
            took(300 << 30, Work::Rewrite)
                .starts_with(", about 1.7 hours to write anew at 50 MB/s")
        );
    }
}
