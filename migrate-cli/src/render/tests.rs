//! What `status` and `plan` look like on terminals, wide and narrow.

use console::measure_text_width;
use migrate_core::source::{self, File, WayBack};
use migrate_core::{History, Plan, Set, Target, Version};
use migrate_postgres::{Kind, Line, MigrationId, Phase, Reason, Standing};
use sqlx::postgres::PgConnectOptions;

use super::{Look, Planned, Show, Standings};
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
        divergence: None,
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
