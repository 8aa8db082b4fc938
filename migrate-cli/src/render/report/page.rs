//! The page about a run, for somebody who was not there: what came of it, where the time went, who was in the way.
//!
//! Owns the page: one file without script and without the network, light or dark as its reader has it. Every text of
//! others passes through `escaped`.

use migrate_core::plan::Action;
use migrate_postgres::{Direction, Doing, Outcome, Plan, Recording, Stopped, Track};

use super::Reported;
use super::escape::escaped;
use super::timeline::{Timeline, named};
use crate::render::words::{count, duration, migration, why};
use crate::secret;

const STYLE: &str = include_str!("page.css");

pub(super) fn page(reported: &Reported<'_>) -> String {
    let Reported { database, plan, recording } = reported;
    let title = format!("Migrations of {}, {}", escaped(database), escaped(&recording.began));
    let parts = [
        head(database, recording),
        recording.stopped.as_ref().map(stopped).unwrap_or_default(),
        longest(recording),
        Timeline::new(recording).section(),
        remarks(recording),
        plan.as_ref().map(|plan| planned(plan, recording)).unwrap_or_default(),
    ];
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
        parts.concat()
    )
}

fn head(database: &str, recording: &Recording) -> String {
    let Recording { began, took, deferred, .. } = recording;
    let began = escaped(&began.replace('T', " ").replace('Z', " UTC"));
    let waits = match deferred {
        0 => String::new(),
        1 => "; 1 waits".to_owned(),
        many => format!("; {many} wait"),
    };
    let locked = recording.spent(Doing::Queueing) + recording.spent(Doing::Holding);
    let locked = match locked.is_zero() {
        true => String::new(),
        false => {
            format!("Locks that others wait for were held or queued for {}. ", duration(locked))
        }
    };
    format!(
        "<h1>{}</h1>\n<p>{}{waits}</p>\n<p class=\"dim\">Began {began}, took {}. {locked}{}</p>\n",
        escaped(database),
        verdict(recording),
        duration(*took),
        most_behind(recording),
    )
}

fn verdict(recording: &Recording) -> String {
    let mut done: Vec<_> = of_migrations(recording)
        .filter(|track| track.outcome == Outcome::Done)
        .filter_map(|track| track.id)
        .collect();
    done.dedup();
    let is_back = of_migrations(recording).any(|track| track.direction == Direction::Down);
    let verb = if is_back { "reverted" } else { "applied" };
    match &recording.stopped {
        Some(_) => format!(
            "<b class=\"bad\">Failed</b> when {} of {} had been {verb}",
            whole(recording, &done),
            count(recording.planned, "migration")
        ),
        None if of_migrations(recording).any(|track| track.outcome == Outcome::Left) => {
            let many = count(done.len(), "migration");
            format!("<b class=\"good\">{many} {verb}</b>, and a backfill was left to go on")
        }
        None if done.is_empty() => "<b class=\"good\">Nothing to do</b>".to_owned(),
        None => format!("<b class=\"good\">{} {verb}</b>", count(done.len(), "migration")),
    }
}

/// Of those that ended well, a migration is none whose later statement did not.
fn whole(recording: &Recording, done: &[migrate_postgres::MigrationId]) -> usize {
    let cut_short = |id| {
        of_migrations(recording).any(|track| track.id == Some(id) && track.outcome != Outcome::Done)
    };
    done.iter().filter(|id| !cut_short(**id)).count()
}

fn of_migrations(recording: &Recording) -> impl Iterator<Item = &Track> {
    recording.tracks.iter().filter(|track| track.id.is_some())
}

fn most_behind(recording: &Recording) -> String {
    match recording.tracks.iter().map(|track| track.waiting).max().unwrap_or_default() {
        0 => "Nobody was seen to wait behind it.".to_owned(),
        many => format!("At most {} waited behind it.", count(many, "session")),
    }
}

fn stopped(stopped: &Stopped) -> String {
    let place = match (&stopped.file, stopped.line) {
        (Some(file), Some(line)) => format!("\nin {}:{line}", escaped(file)),
        (Some(file), None) => format!("\nin {}", escaped(file)),
        _ => String::new(),
    };
    let message = escaped(&secret::hide(&stopped.message));
    format!("<h2 class=\"bad\">Why it failed</h2>\n<div class=\"error\">{message}{place}</div>\n")
}

/// Where there is much to scroll through.
const MANY: usize = 12;

fn longest(recording: &Recording) -> String {
    if recording.tracks.len() <= MANY {
        return String::new();
    }
    let mut tracks: Vec<_> = recording.tracks.iter().collect();
    tracks.sort_by_key(|track| std::cmp::Reverse(track.to - track.from));
    let rows = tracks.iter().take(5).map(|track| {
        let took = duration(track.to - track.from);
        format!("<tr><td>{}</td><td>{took}</td></tr>\n", escaped(&named(track)))
    });
    format!("<h2>Longest</h2>\n<table>\n{}</table>\n", rows.collect::<String>())
}

fn remarks(recording: &Recording) -> String {
    if recording.remarks.is_empty() {
        return String::new();
    }
    let rows = recording.remarks.iter().map(|remark| {
        let about = remark.id.map(|id| id.to_string()).unwrap_or_default();
        let text = escaped(&secret::hide(&remark.text));
        let at = duration(remark.at);
        format!("<tr><td class=\"dim\">at {at}</td><td>{about}</td><td>{text}</td></tr>\n")
    });
    format!("<h2>What was said on the way</h2>\n<table>\n{}</table>\n", rows.collect::<String>())
}

fn planned(plan: &Plan, recording: &Recording) -> String {
    let actions = plan.actions.iter().map(|action| {
        let name = escaped(&migration(action.id, &action.name));
        format!("<tr><td>{name}</td><td>{}</td></tr>\n", became(action, recording))
    });
    let deferred = plan.deferred.iter().map(|deferred| {
        let name = escaped(&migration(deferred.id, &deferred.name));
        format!(
            "<tr><td>{name}</td><td class=\"dim\">waits: {}</td></tr>\n",
            escaped(&why(deferred))
        )
    });
    let notices = plan.notices.iter().map(|notice| {
        let name = escaped(&migration(notice.id, &notice.name));
        let what = escaped(&notice.kind.to_string());
        format!("<tr><td>{name}</td><td class=\"dim\">it {what}</td></tr>\n")
    });
    let rows: String = actions.chain(deferred).chain(notices).collect();
    if rows.is_empty() {
        return String::new();
    }
    format!("<h2>The plan before the run</h2>\n<table>\n{rows}</table>\n")
}

fn became(action: &Action, recording: &Recording) -> &'static str {
    let mut tracks =
        of_migrations(recording).filter(|track| track.id == Some(action.id)).peekable();
    if tracks.peek().is_none() {
        return "<span class=\"dim\">not begun</span>";
    }
    match tracks.map(|track| track.outcome).last() {
        Some(Outcome::Done) => "<span class=\"good\">done</span>",
        Some(Outcome::Undone) => "<span class=\"bad\">undone</span>",
        Some(Outcome::Failed) => "<span class=\"bad\">failed</span>",
        _ => "<span class=\"dim\">begun</span>",
    }
}
