//! What runs at this moment, who is in its way and who waits behind it.
//!
//! Owns the words and the tree for it, and what of it is a change: time that passes is none.

use migrate_postgres::{Activity, AtWork, Waiting};

use super::live::{how_far, in_the_way, remedy_line, tree, waits};
use super::words::{clean, duration};
use super::{Ink, Look};

/// A line for each thing that somebody on call asks.
pub(super) fn lines(look: Look, activity: &Activity) -> Vec<String> {
    let Some(migrator) = &activity.migrator else {
        return vec![look.paint(Ink::Faint, "nobody migrates at this moment")];
    };
    let mut lines = vec![look.wrap(&head(migrator), "  ")];
    lines.push(look.cut(&format!("  by {}", who(migrator))));
    if let Some(progress) = &migrator.progress {
        let on = &progress.relation;
        let on = if on.is_empty() { String::new() } else { format!(" on {on}") };
        lines.push(look.cut(&format!("  {}{on}", clean(&progress.phase))));
        let counted = progress.counted.iter().chain(&progress.partitions);
        lines.extend(counted.map(|counted| look.cut(&format!("  {}", how_far(counted, None)))));
    }
    lines.extend(in_the_way(look, &migrator.blockers));
    lines.extend(remedy_line(look, &migrator.blockers));
    lines.extend(behind(look, &migrator.waiting));
    lines
}

fn head(migrator: &AtWork) -> String {
    let verb = |doing: &str| match doing.split_once(' ') {
        Some(("apply", rest)) => format!("applying {}", clean(rest)),
        Some(("revert", rest)) => format!("reverting {}", clean(rest)),
        _ => clean(doing),
    };
    match (&migrator.doing, migrator.elapsed) {
        (Some(doing), Some(elapsed)) => format!("now: {}, for {}", verb(doing), duration(elapsed)),
        (Some(doing), None) => format!("now: {}", verb(doing)),
        (None, _) => "now: a migrator has the lock".to_owned(),
    }
}

fn who(migrator: &AtWork) -> String {
    let AtWork { application, pid, role, connected, .. } = migrator;
    let connected = connected.map(|time| format!(", connected for {}", duration(time)));
    let known = format!("pid {pid}, role {}{}", clean(role), connected.unwrap_or_default());
    format!("{} ({known})", clean(application))
}

fn behind(look: Look, waiting: &[Waiting]) -> Vec<String> {
    if waiting.is_empty() {
        return Vec::new();
    }
    let head = format!("  {} behind it", waits(waiting.len()));
    let mut lines = vec![look.paint(Ink::Warn, &look.cut(&head))];
    let items: Vec<_> = waiting.iter().map(|one| (one.depth, one_waiting(one))).collect();
    lines.extend(tree(look, &items));
    lines
}

fn one_waiting(one: &Waiting) -> String {
    let Waiting { pid, role, application, waited, statement, .. } = one;
    let name = if application.is_empty() { "a session" } else { application };
    let waited = waited.map(|time| format!(", for {}", duration(time))).unwrap_or_default();
    let text = clean(&format!("{name} (pid {pid}, role {role}){waited}"));
    if statement.is_empty() { text } else { format!("{text}\n{}", clean(statement)) }
}

/// What it comes to but for the time that passes: a pipe hears of it when this changes.
pub(super) fn gist(activity: &Activity) -> String {
    let Some(migrator) = &activity.migrator else { return String::new() };
    let phase = migrator.progress.as_ref().map(|progress| &progress.phase);
    let blockers: Vec<_> = migrator.blockers.iter().map(|b| (b.pid, b.kind)).collect();
    let waiting: Vec<_> = migrator.waiting.iter().map(|one| (one.pid, one.depth)).collect();
    format!("{} {:?} {phase:?} {blockers:?} {waiting:?}", migrator.pid, migrator.doing)
}
