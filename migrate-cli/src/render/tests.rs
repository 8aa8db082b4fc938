//! What `status` and `plan` look like on terminals, wide and narrow.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use console::measure_text_width;
use migrate_core::source::{self, File, WayBack};
use migrate_core::{History, Plan, Problem, Set, Target, Version};
use migrate_postgres::{
    Activity, AtWork, Blocker, BlockerKind, Counted, Event, Kind, Line, MigrationId, Phase, Reason,
    Standing, Waiting,
};
use sqlx::postgres::PgConnectOptions;

use super::filling::Filling;
use super::live::Live;
use super::progress::{Pipe, passing};
use super::{Counted as LintCounted, Linted, Look, Planned, Rules, Show, Standings, Watched};
use crate::url::Place;

fn look(width: usize) -> Look {
    Look { width: Some(width), color: false }
}

fn line(version: i64, phase: Phase, name: &str, standing: Standing) -> Line {
    let at = "2026-11-21T09:30:12.123456Z".to_owned();
    let is_applied = standing == Standing::Applied;
    Line {
        id: MigrationId::new(Version::new(version), phase),
        name: name.to_owned(),
        standing,
        kind: is_applied.then_some(Kind::Transaction),
        at: is_applied.then_some(at),
        code: false,
        declared: true,
    }
}

const LONG: &str = "a_name_as_people_write_it_who_say_all_of_it_and_then_a_little_more_than_that";

fn standings() -> Standings<'static> {
    let lines = vec![
        line(20261121093000, Phase::Expand, LONG, Standing::Applied),
        line(
            20261121093001,
            Phase::Expand,
            "テーブルを作成してから列を追加する移行",
            Standing::Applied,
        ),
        line(20261121093002, Phase::Migrate, "backfill_names", Standing::Interrupted),
        line(
            20261121093002,
            Phase::Contract,
            "backfill_names",
            Standing::Deferred(Reason::PhaseNotAsked),
        ),
        line(20261121093003, Phase::Expand, "create_orders", Standing::Pending),
    ];
    Standings {
        database: "app at db.example.org:5432 as me".to_owned(),
        lines,
        notices: vec![],
        gates: vec![],
        divergence: None,
        running: None,
        backfills: Some(vec![]),
        rates: BTreeMap::new(),
        history: "public.schema_migrations".to_owned(),
        newest: None,
        program: "cargo xtask migrate",
    }
}

#[test]
fn a_status_fits_eighty_columns_whatever_the_names() {
    insta::assert_snapshot!(standings().text(look(80)));
}

#[test]
fn a_narrow_terminal_gets_no_time() {
    insta::assert_snapshot!(standings().text(look(60)));
}

#[test]
fn on_a_narrower_one_a_name_has_a_line_of_its_own() {
    insta::assert_snapshot!(standings().text(look(44)));
}

#[test]
fn a_pipe_gets_whole_lines() {
    let text = standings().text(Look::PLAIN);
    assert!(text.contains(LONG) && text.contains("追加する移行"), "{text}");
}

#[test]
fn colours_do_not_move_columns() {
    for width in [40, 44, 60, 80, 200] {
        let plain = standings().text(look(width));
        let painted = standings().text(Look { width: Some(width), color: true });
        assert_eq!(console::strip_ansi_codes(&painted), plain);
        assert_ne!(painted, plain);
        let widest = plain.lines().map(measure_text_width).max();
        assert!(widest <= Some(width), "{width}:\n{plain}");
    }
}

#[test]
fn a_plan_fits_but_for_the_sql() {
    let name = |ending: &str| format!("migrations/20261121093000_{LONG}{ending}.sql");
    let files = [
        (name(".expand"), "CREATE TABLE users (id bigint);"),
        (name(".contract"), "-- migrate: irreversible because it is gone\nDROP TABLE people;"),
    ];
    let files = files.each_ref().map(|(name, text)| File { path: name, bytes: text.as_bytes() });
    let contents = source::read("migrations", &files, WayBack::Ignore);
    let set = Set::new(contents.migrations.into_iter().map(Into::into)).unwrap();
    let plan = Plan::new(&set, &History::default(), &Target::default()).unwrap();
    let options = PgConnectOptions::new_without_pgpass().host("db.example.org").username("me");
    let place = Place { options: options.database("app"), found: String::new() };
    insta::assert_snapshot!(Planned::new(&place, &plan, &set).text(look(80)));
}

fn linted<'l>(problems: &'l [Problem], findings: &'l [migrate_lint::Finding]) -> Linted<'l> {
    let counted = LintCounted { migrations: 41, released: 38, unchanged: 1 };
    let mut linted = Linted::new(migrate_lint::report::items(problems, findings), counted);
    linted.since = Some("origin/main");
    linted
}

/// Long lines, long names and words of other scripts.
fn judged() -> Vec<migrate_lint::Finding> {
    let table = "CREATE TABLE users (id bigint PRIMARY KEY, email text, 名前 text);";
    let long = "\tALTER TABLE users ADD COLUMN a int, ADD COLUMN b int, ADD COLUMN c int, ADD COLUMN d int, DROP COLUMN 名前, ADD COLUMN e int;";
    let files = [
        ("migrations/1_users.sql".to_owned(), table),
        (
            format!("migrations/20261121093000_{LONG}.sql"),
            "CREATE INDEX users_email ON users (email);",
        ),
        ("migrations/20261121093001_long.sql".to_owned(), long),
    ];
    let files = files.each_ref().map(|(path, text)| File { path, bytes: text.as_bytes() });
    let contents = source::read("migrations", &files, WayBack::Ignore);
    migrate_lint::judge(&contents.migrations, &migrate_lint::Facts::default()).findings
}

#[test]
fn findings_fit_eighty_columns_but_for_names_and_sql() {
    let problem =
        Problem::error("migrations/x.sql", "the name is not that of a migration", "Rename it.");
    let (problems, findings) = ([problem.as_warning()], judged());
    let text = linted(&problems, &findings).text(look(80));
    insta::assert_snapshot!(text);
    let painted = linted(&problems, &findings).text(Look { width: Some(80), color: true });
    assert_eq!(console::strip_ansi_codes(&painted), text);
}

#[test]
fn the_caret_stands_below_its_word_however_narrow_the_terminal_is() {
    let findings = judged();
    for width in [30, 60, 80, 200] {
        let text = linted(&[], &findings).text(look(width));
        let lines: Vec<&str> = text.lines().collect();
        let caret =
            lines.iter().rposition(|line| line.trim_end().ends_with("| ^") || line.ends_with(" ^"));
        let caret = caret.unwrap();
        let column = measure_text_width(lines[caret]) - 1;
        let above: String = lines[caret - 1].chars().collect();
        let at = above.char_indices().find(|(at, _)| measure_text_width(&above[..*at]) == column);
        let (at, _) = at.unwrap_or_else(|| panic!("{width}:\n{text}"));
        assert!(above[at..].starts_with("名前"), "{width}:\n{text}");
        assert!(measure_text_width(&above) <= width, "{width}:\n{text}");
    }
}

#[test]
fn the_list_of_rules_fits_eighty_columns() {
    let list = Rules { rules: migrate_lint::rules::all(), program: "cargo xtask migrate" };
    let text = list.text(look(80));
    assert!(text.lines().all(|line| measure_text_width(line) <= 80), "{text}");
    let painted = list.text(Look { width: Some(80), color: true });
    assert_eq!(console::strip_ansi_codes(&painted), text);
    // The level, and not the name that ends like it.
    assert!(!painted.contains("syntax_\x1b") && painted.contains("merror\x1b[0m"), "{painted}");
}

/// Somebody in the way.
fn blocker(pid: i32, application: &str) -> Blocker {
    let mut blocker = Blocker::default();
    (blocker.pid, blocker.kind) = (Some(pid), BlockerKind::IdleInTransaction);
    "public.orders".clone_into(&mut blocker.relation);
    application.clone_into(&mut blocker.application);
    "web".clone_into(&mut blocker.role);
    blocker.age = Duration::from_secs(31);
    "UPDATE orders SET note = ? WHERE id = ?".clone_into(&mut blocker.statement);
    blocker
}

fn scanning(done: u64) -> migrate_postgres::Progress {
    let mut progress = migrate_postgres::Progress::default();
    "building index: scanning table".clone_into(&mut progress.phase);
    "public.orders".clone_into(&mut progress.relation);
    let mut blocks = Counted::default();
    "blocks".clone_into(&mut blocks.unit);
    (blocks.done, blocks.total) = (done, Some(360_021));
    progress.counted = Some(blocks);
    progress
}

const INDEX: MigrationId = MigrationId::new(Version::new(20261121093000), Phase::Expand);

/// What is told of a statement that works.
fn working<'e>(
    seconds: u64,
    progress: &'e migrate_postgres::Progress,
    blockers: &'e [Blocker],
    waiting: usize,
) -> Event<'e> {
    let (statement, elapsed) = (Some(2), Duration::from_secs(seconds));
    Event::Working { id: INDEX, statement, elapsed, progress: Some(progress), blockers, waiting }
}

#[test]
fn below_the_bar_stands_how_far_it_is_what_it_waits_for_and_who_waits_behind() {
    let mut live = Live::default();
    let (first, second) = (scanning(20_410), scanning(122_410));
    let blockers = [blocker(4711, "shop"), blocker(4712, "reports")];
    let mut shown = Vec::new();
    let events = [
        working(1, &first, &[], 0),
        working(11, &second, &blockers, 3),
        Event::Blocked { id: INDEX, blockers: &blockers[..1], waited: Duration::from_secs(12) },
        Event::Queueing {
            id: INDEX,
            attempt: 1,
            at_most: Duration::from_millis(250),
            blockers: &[],
        },
        Event::Retrying { id: INDEX, attempt: 2, pause: Duration::from_secs(3), sqlstate: "55P03" },
    ];
    for event in &events {
        shown.push(live.lines(look(80), event).unwrap().join("\n"));
    }
    insta::assert_snapshot!(shown.join("\n---\n"));
    assert!(shown.iter().flat_map(|text| text.lines()).all(|line| measure_text_width(line) <= 80));
    let done = Event::FellBack { sqlstate: "55P04" };
    assert_eq!(live.lines(look(80), &done), Some(vec![]));
}

#[test]
fn a_pipe_hears_of_changes_and_then_seldom() {
    let (mut pipe, began) = (Pipe::default(), Instant::now());
    let progress = scanning(1);
    let mut sorting = progress.clone();
    "building index: sorting live tuples".clone_into(&mut sorting.phase);
    let blockers = [blocker(4711, "shop")];
    let mut news =
        |seconds, event: &Event<'_>| pipe.is_news(event, began + Duration::from_secs(seconds));
    assert!(news(1, &working(1, &progress, &[], 0)), "at once");
    assert!(!news(2, &working(2, &progress, &[], 0)) && !news(9, &working(9, &progress, &[], 0)));
    assert!(news(11, &working(11, &progress, &[], 0)), "every ten seconds");
    assert!(news(12, &working(12, &sorting, &[], 0)), "another phase");
    assert!(news(13, &working(13, &sorting, &blockers, 0)), "somebody in the way");
    assert!(news(14, &working(14, &sorting, &blockers, 1)), "somebody waits behind");
    assert!(!news(15, &working(15, &sorting, &blockers, 2)));
    let text = passing(&working(14, &progress, &blockers, 1)).unwrap();
    insta::assert_snapshot!(text);
}

fn activity() -> Activity {
    let waiting = |pid, depth, name: &str| {
        let mut one = Waiting::default();
        (one.pid, one.depth, one.waited) = (pid, depth, Some(Duration::from_secs(4)));
        (one.application, one.role) = (name.to_owned(), "web".to_owned());
        "INSERT INTO orders VALUES (?, ?)".clone_into(&mut one.statement);
        one
    };
    let mut at_work = AtWork::default();
    (at_work.pid, at_work.role) = (812, "owner".to_owned());
    "migrate default on web-1:7".clone_into(&mut at_work.application);
    at_work.doing = Some("apply 20261121093000 expand orders_by_customer".to_owned());
    at_work.elapsed = Some(Duration::from_secs(72));
    at_work.progress = Some(scanning(122_410));
    at_work.blockers = vec![blocker(4711, "shop")];
    at_work.waiting =
        vec![waiting(900, 0, "shop"), waiting(901, 1, "shop"), waiting(902, 0, "cron")];
    let mut activity = Activity::default();
    activity.migrator = Some(at_work);
    activity
}

#[test]
fn whoever_watches_sees_what_runs_now_and_the_tree_around_it() {
    let mut standings = standings();
    standings.running = Some("20261121093002 migrate".to_owned());
    let watched = Watched { standings, activity: activity() };
    insta::assert_snapshot!(watched.text(look(80)));
    assert!(watched.text(look(60)).lines().all(|line| measure_text_width(line) <= 60));
}

#[test]
fn time_that_passes_is_no_change() {
    let gist = |activity: &Activity| super::activity::gist(activity);
    let (before, mut after) = (activity(), activity());
    let migrator = after.migrator.as_mut().unwrap();
    migrator.elapsed = Some(Duration::from_secs(99));
    migrator.waiting[0].waited = Some(Duration::from_secs(99));
    migrator.progress = Some(scanning(200_000));
    assert_eq!(gist(&before), gist(&after));
    after.migrator.as_mut().unwrap().waiting.pop();
    assert_ne!(gist(&before), gist(&after));
    assert_ne!(gist(&before), gist(&Activity::default()));
}

fn batch(steps: &migrate_postgres::Steps) -> Event<'_> {
    let id = MigrationId::new(Version::new(20261122101500), Phase::Migrate);
    Event::Batch { id, steps, limited_by: "batch_time", pause: Duration::ZERO }
}

fn steps(pass: u32, seen: u64, rows: u64) -> migrate_postgres::Steps {
    let mut steps = migrate_postgres::Steps::default();
    (steps.pass, steps.seen, steps.expected) = (pass, seen, 1_000_000);
    (steps.batch_seen, steps.batch_changed, steps.changed) = (rows, rows, seen);
    steps
}

/// Each knows of the others only what stood in the table when it took its range.
#[test]
fn what_several_workers_fill_adds_up_below_one_bar() {
    let (mut filling, begin) = (Filling::default(), Instant::now());
    let id = MigrationId::new(Version::new(20261122101500), Phase::Migrate);
    let at = |seconds| begin + Duration::from_secs(seconds);
    for second in 0..4 {
        let own = 100_000 * (second + 1);
        filling.hear(&batch(&steps(1, own, 100_000)), at(second));
        filling.hear(&batch(&steps(1, own, 100_000)), at(second));
    }
    let mut shown = filling.lines(look(80), id).join("\n");
    shown += &format!("\n{}", filling.line(id).unwrap());
    let (why, opens) = ("standby web-2 is 5.1 s behind (limit 2 s)", "when it has caught up");
    filling.hear(&Event::Braked { id, why, opens }, at(4));
    shown += &format!("\n\n{}", filling.lines(look(80), id).join("\n"));
    shown += &format!("\n{}", filling.line(id).unwrap());
    filling.hear(&batch(&steps(2, 100, 100)), at(5));
    shown += &format!("\n\n{}", filling.lines(look(80), id).join("\n"));
    insta::assert_snapshot!(shown);
    assert_eq!(filling.end(id), Some(800_100));
}

#[test]
fn a_pipe_hears_of_a_backfill_seldom() {
    let (mut pipe, begin) = (Pipe::default(), Instant::now());
    let (first, second) = (steps(1, 1, 1), steps(2, 1, 1));
    let id = MigrationId::new(Version::new(20261122101500), Phase::Migrate);
    let braked = Event::Braked { id, why: "it is 21:59", opens: "at 22:00" };
    let mut heard =
        |event: &Event<'_>, seconds| pipe.is_news(event, begin + Duration::from_secs(seconds));
    assert!(heard(&batch(&first), 0) && !heard(&batch(&first), 29) && heard(&batch(&first), 30));
    assert!(heard(&braked, 31), "a brake is news");
    assert!(!heard(&batch(&first), 32) && !heard(&braked, 33), "and then they take turns");
    assert!(heard(&batch(&second), 34), "another pass");
}
