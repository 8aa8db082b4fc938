//! What the page of a run says, and that it is a page whatever the names are.

use std::time::Duration;

use migrate_core::{MigrationId, Phase, Version};
use migrate_postgres::{
    Blocker, BlockerKind, Doing, Met, Outcome, Recording, Remark, Span, Stopped, Track,
};

use super::Reported;
use super::page::page;

fn span(doing: Doing, what: &str, from: u64, to: u64) -> Span {
    let mut span = Span::default();
    (span.doing, span.what) = (doing, what.to_owned());
    (span.from, span.to) = (Duration::from_millis(from), Duration::from_millis(to));
    span
}

fn track(version: i64, name: &str, from: u64, to: u64) -> Track {
    let mut track = Track::default();
    track.id = Some(MigrationId::new(Version::new(version), Phase::Expand));
    name.clone_into(&mut track.name);
    (track.from, track.to) = (Duration::from_millis(from), Duration::from_millis(to));
    track.outcome = Outcome::Done;
    track.spans = vec![span(Doing::Working, "", from, to)];
    track
}

fn blocker(application: &str) -> Blocker {
    let mut blocker = Blocker::default();
    (blocker.pid, blocker.kind) = (Some(4711), BlockerKind::IdleInTransaction);
    "public.orders".clone_into(&mut blocker.relation);
    application.clone_into(&mut blocker.application);
    blocker.age = Duration::from_secs(31);
    "SELECT ?".clone_into(&mut blocker.statement);
    blocker
}

fn recording(tracks: Vec<Track>) -> Recording {
    let mut recording = Recording::default();
    "2026-11-21T09:30:12Z".clone_into(&mut recording.began);
    recording.planned = tracks.len();
    recording.took = tracks.iter().map(|track| track.to).max().unwrap_or_default();
    recording.tracks = tracks;
    recording
}

fn drawn(recording: Recording) -> String {
    page(&Reported { database: "shop at db.example.org:5432 as me", plan: None, recording })
}

/// What somebody reads who hears the page.
fn read(page: &str) -> String {
    let body = page.split("<body>").nth(1).unwrap();
    let body = body.replace("</title>", ".</title>").replace("</li>", "\n</li>");
    let mut text = String::new();
    let mut is_tag = false;
    for c in body.chars() {
        match c {
            '<' => is_tag = true,
            '>' => is_tag = false,
            _ if !is_tag => text.push(c),
            _ => {}
        }
    }
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

#[test]
fn a_run_behind_a_blocker_is_told_in_full() {
    let mut slow = track(20261121093000, "orders_by_customer", 0, 60_000);
    slow.statement = Some(1);
    slow.spans = vec![
        span(Doing::Working, "waiting for writers before build", 0, 20_000),
        span(Doing::Working, "building index: scanning table", 20_000, 60_000),
    ];
    let mut met = Met::default();
    (met.blocker, met.to) = (blocker("web"), Duration::from_secs(19));
    (slow.blockers, slow.waiting) = (vec![met], 2);
    let mut failed = track(20261122093000, "orders_total", 60_000, 75_000);
    failed.spans = vec![
        span(Doing::Looking, "", 60_000, 70_000),
        span(Doing::Queueing, "", 70_000, 70_250),
        span(Doing::Pausing, "55P03", 70_250, 74_000),
        span(Doing::Working, "", 74_000, 75_000),
    ];
    failed.held = vec![span(Doing::Holding, "", 74_000, 75_000)];
    (failed.retries, failed.outcome) = (1, Outcome::Failed);
    let mut recording = recording(vec![slow, failed]);
    let mut stopped = Stopped::default();
    "failed to apply it: division by zero (SQLSTATE 22012)\nnow: nothing of it stayed\nnext: Correct it."
        .clone_into(&mut stopped.message);
    (stopped.file, stopped.line) = (Some("migrations/2.sql".to_owned()), Some(3));
    recording.stopped = Some(stopped);
    let mut remark = Remark::default();
    remark.at = Duration::from_millis(1500);
    "the connection was lost (attempt 1)".clone_into(&mut remark.text);
    recording.remarks = vec![remark];
    insta::assert_snapshot!(read(&drawn(recording)));
}

#[test]
fn no_name_is_markup_and_no_password_is_shown() {
    let evil = "<script>alert('x')</script>\u{1b}[2J\"&";
    let mut one = track(1, evil, 0, 10);
    let mut met = Met::default();
    met.blocker = blocker(evil);
    one.blockers = vec![met];
    one.spans = vec![span(Doing::Working, evil, 0, 10)];
    let mut recording = recording(vec![one]);
    let mut remark = Remark::default();
    "at postgres://me:s3cr3t@db/x".clone_into(&mut remark.text);
    recording.remarks = vec![remark];
    let page = drawn(recording);
    assert!(!page.contains("<script") && !page.contains('\u{1b}') && !page.contains("s3cr3t"));
    assert_eq!(page.matches("&lt;script&gt;").count(), 5, "{page}");
    // Nothing is fetched, and the page is well-formed: each tag that is opened is closed.
    assert!(!page.contains("http") && !page.contains(" src=") && !page.contains("@import"));
    for tag in
        ["svg", "defs", "pattern", "div", "ul", "li", "b", "span", "title", "table", "tr", "td"]
    {
        let opened =
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn two_hundred_migrations_have_a_row_each_and_the_longest_are_named() {
    let tracks =
        (0..200).map(|n| track(n + 1, "m", n.unsigned_abs() * 10, n.unsigned_abs() * 10 + 9));
    let page = drawn(recording(tracks.collect()));
    assert_eq!(page.matches("<div class=\"row\">").count(), 200);
    assert!(page.contains("<h2>Longest</h2>") && page.contains("200 migrations applied"), "{page}");
}

#[test]
fn a_run_with_nothing_to_do_says_so() {
    let page = drawn(recording(Vec::new()));
    assert!(page.contains("Nothing to do") && !page.contains("Where the time went"), "{page}");
}

#[test]
fn of_a_backfill_batches_and_brakes_are_told_apart() {
    let mut fill = track(20261122101500, "slugs", 0, 60_000);
    fill.spans = vec![
        span(Doing::Working, "batches, pass 1", 0, 40_000),
        span(Doing::Braked, "standby web-2 is 5.1 s behind", 40_000, 60_000),
    ];
    (fill.batches, fill.changed, fill.paused) = (1_234, 1_500_000, Duration::from_secs(7));
    fill.outcome = Outcome::Left;
    let page = drawn(recording(vec![fill]));
    let text = read(&page);
    assert!(text.contains("1,234 batches, 1,500,000 rows changed; 7.0 s of pauses"), "{text}");
    assert!(text.contains("backfill braked: something else comes first 20.0 s"), "{text}");
    assert!(text.contains("20261122101500 expand slugs left"), "{text}");
    assert!(text.contains("0 migrations applied, and a backfill was left to go on"), "{text}");
    assert!(page.contains(": standby web-2 is 5.1 s behind</title>"), "{page}");
}
