//! The examples of the rules run: forward with all phases, back where there is a way back, and forward again.
//!
//! What an example is about may be that it fails. Then the server says the right thing, and nothing else is wrong
//! with it.

use std::fmt;
use std::sync::Arc;

use migrate_core::source::{File, WayBack, read};
use migrate_lint::rules::{self, Example};
use migrate_lint::{Facts, judge};
use migrate_postgres::{Error, Migrator, Phases, Source};
use migrate_testing::TestDatabase;
use tokio::sync::Semaphore;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bad,
    Good,
}

/// Where an example stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Forward,
    Back,
    ForwardAgain,
}

/// The examples that fail: where, and what the server says.
const FAILING: &[(&str, Kind, Way, &str)] = &[
    ("syntax_error", Kind::Bad, Way::Forward, "42601"),
    ("duplicate_column", Kind::Bad, Way::Forward, "42701"),
    ("missing_object", Kind::Bad, Way::Forward, "42P01"),
    ("existing_object", Kind::Bad, Way::Forward, "42P07"),
    ("needed_object", Kind::Bad, Way::Forward, "2BP01"),
    ("enum_value_in_use", Kind::Bad, Way::Forward, "55P04"),
    ("down_leaves_traces", Kind::Bad, Way::ForwardAgain, "42710"),
];

/// The examples that an old version does not know: they fail before this one, with this.
const NEW: &[(&str, Kind, u32, &str)] = &[("detach_partition", Kind::Good, 14, "42601")];

/// As many databases at once.
const AT_ONCE: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_a_rule_runs_or_fails_as_it_is_meant_to() {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let all = rules::all()
        .iter()
        .flat_map(|rule| [(rule.name, Kind::Bad, rule.bad), (rule.name, Kind::Good, rule.good)]);
    let running: Vec<_> = all
        .map(|(rule, kind, example)| {
            let room = room.clone();
            tokio::spawn(async move {
                let _place = room.acquire_owned().await.unwrap();
                let database = TestDatabase::empty().await.expect("a database");
                let expected = expected(rule, kind, database.server().version() / 10_000);
                let found = run(example, &database).await;
                (found != expected).then(|| {
                    let found = shown(found.as_ref());
                    format!("{kind:?} example of {rule}: {found}, not {}", shown(expected.as_ref()))
                })
            })
        })
        .collect();
    let mut wrong = Vec::new();
    for one in running {
        wrong.extend(one.await.unwrap());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where something stopped, and what the server said.
#[derive(Debug)]
struct Stop {
    way: Way,
    state: String,
    /// For whoever reads it.
    words: String,
}

impl PartialEq for Stop {
    fn eq(&self, other: &Self) -> bool {
        (self.way, &self.state) == (other.way, &other.state)
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fails with {} ({:?}) {}", self.state, self.way, self.words)
    }
}

fn shown(stop: Option<&Stop>) -> String {
    stop.map_or_else(|| "runs".to_owned(), ToString::to_string)
}

fn expected(rule: &str, kind: Kind, major: u32) -> Option<Stop> {
    let of_new =
        NEW.iter().find(|(of, which, since, _)| *of == rule && *which == kind && major < *since);
    let of_new = of_new.map(|(.., state)| (Way::Forward, *state));
    let failing = FAILING.iter().find(|(of, which, ..)| *of == rule && *which == kind);
    let stop = of_new.or(failing.map(|(.., way, state)| (*way, *state)));
    stop.map(|(way, state)| Stop { way, state: state.to_owned(), words: String::new() })
}

/// All the way forward, and back and forward again where the example has a way back.
async fn run(example: Example, database: &TestDatabase) -> Option<Stop> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in example {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    let source = match Source::read(folder.path()) {
        Ok(source) => source,
        Err(problems) => panic!("{example:?}: {problems:?}"),
    };
    // As on a live database: what an earlier migration has made is committed when the next one comes.
    let migrator = Migrator::new(source)
        .phases(Phases::ALL)
        .waive_everything("only a test uses this database")
        .group(1);
    let stop = |way, error: Error| Stop {
        way,
        state: error.sqlstate().unwrap_or("no SQLSTATE").to_owned(),
        words: error.to_string(),
    };
    if let Err(error) = migrator.run(database.options()).await {
        return Some(stop(Way::Forward, error));
    }
    if !example.iter().any(|(name, _)| name.ends_with(".down.sql")) {
        return None;
    }
    if let Err(error) = migrator.revert(database.options(), None).await {
        return Some(stop(Way::Back, error));
    }
    migrator.run(database.options()).await.err().map(|error| stop(Way::ForwardAgain, error))
}

/// What a rule says depends on the oldest version, and each version does what is said of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_an_enum_that_is_new_as_well_can_be_used_since_17() {
    const FOLDER: Example = &[(
        "1_tone.sql",
        "CREATE TYPE tone AS ENUM ('low'); ALTER TYPE tone ADD VALUE 'high';
         CREATE TABLE songs (id bigint PRIMARY KEY, tone tone DEFAULT 'high');",
    )];
    let database = TestDatabase::empty().await.expect("a database");
    let postgres = database.server().version() / 10_000;
    let files = FOLDER.iter().map(|(path, text)| File { path, bytes: text.as_bytes() });
    let contents = read("m", &files.collect::<Vec<_>>(), WayBack::Ignore);
    let found = judge(&contents.migrations, &Facts { postgres, ..Facts::default() }).findings;
    let found: Vec<_> = found.iter().map(|finding| finding.rule).collect();
    match run(FOLDER, &database).await {
        Some(stop) => assert_eq!((&*stop.state, &*found), ("55P04", &["enum_value_in_use"][..])),
        None => assert_eq!(found, [""; 0]),
    }
}

/// The lists name examples that are there.
#[test]
fn the_lists_name_rules() {
    let names = FAILING.iter().map(|(name, ..)| name).chain(NEW.iter().map(|(name, ..)| name));
    for name in names {
        assert!(rules::find(name).is_some(), "{name} is no rule");
    }
}
