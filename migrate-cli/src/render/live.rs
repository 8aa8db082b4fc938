//! What goes on, as lines below the bar: how far it is, what it waits for, who is that, and who waits behind it.
//!
//! Owns the words for it and the pace. Keeps no clock: the events bring the time. Prints nothing.

use std::time::Duration;

use migrate_postgres::{Blocker, BlockerKind, Counted, Event, Progress};

use super::words::{amount, clean, count, duration, grouped, since};
use super::{Ink, Look};

/// What is remembered from one look to the next.
#[derive(Default)]
pub(super) struct Live {
    /// Where the present phase was when it was first seen.
    since: Option<Seen>,
}

struct Seen {
    phase: String,
    unit: String,
    elapsed: Duration,
    done: u64,
}

/// So many of a kind tell the story.
const SHOWN: usize = 6;

impl Live {
    /// The lines that are to stand now; `None` where an event changes nothing.
    pub(super) fn lines(&mut self, look: Look, event: &Event<'_>) -> Option<Vec<String>> {
        let lines = match event {
            Event::Blocked { blockers, waited, .. } => {
                let long = if waited.as_secs() == 0 { String::new() } else { since(*waited) };
                let head = format!("blocked{long}; it keeps nobody waiting meanwhile");
                let mut lines = vec![look.paint(Ink::Warn, &look.cut(&format!("  {head}")))];
                lines.extend(in_the_way(look, blockers));
                lines.extend(remedy_line(look, blockers));
                lines
            }
            Event::Queueing { at_most, blockers, .. } => {
                let head = format!("  asks for its locks, for {} at most", duration(*at_most));
                let mut lines = vec![look.cut(&head)];
                lines.extend(in_the_way(look, blockers));
                lines.extend(remedy_line(look, blockers));
                lines
            }
            Event::Working { elapsed, progress, blockers, waiting, .. } => {
                let mut lines = self.working(look, *elapsed, *progress);
                lines.extend(in_the_way(look, blockers));
                lines.extend(remedy_line(look, blockers));
                lines.extend(behind(look, *waiting));
                lines
            }
            Event::Retrying { attempt, pause, sqlstate, .. } => {
                let why = if *sqlstate == "40P01" { "a deadlock" } else { "a lock is held" };
                let pause = duration(*pause);
                vec![
                    look.cut(&format!("  again in {pause}: {why} (attempt {attempt}, {sqlstate})")),
                ]
            }
            Event::Notice { .. } | Event::Warning { .. } | Event::Planned { .. } => return None,
            _ => Vec::new(),
        };
        Some(lines)
    }

    fn working(
        &mut self,
        look: Look,
        elapsed: Duration,
        progress: Option<&Progress>,
    ) -> Vec<String> {
        let Some(progress) = progress else {
            return vec![look.cut(&format!("  for {}", duration(elapsed)))];
        };
        let Progress { phase, relation, partitions, .. } = progress;
        let on =
            if relation.is_empty() { String::new() } else { format!(" on {}", clean(relation)) };
        let mut head = format!("  for {}: {}{on}", duration(elapsed), clean(phase));
        if let Some(Counted { done, total: Some(total), .. }) = partitions {
            head += &format!(", partition {} of {total}", done.saturating_add(1).min(*total));
        }
        let mut lines = vec![look.cut(&head)];
        if let Some(counted) = &progress.counted {
            let pace = self.pace(phase, elapsed, counted);
            lines.push(look.cut(&format!("  {}", how_far(counted, pace))));
        }
        lines
    }

    /// So many a second, since the phase was first seen.
    fn pace(&mut self, phase: &str, elapsed: Duration, counted: &Counted) -> Option<f64> {
        let Counted { unit, done, .. } = counted;
        let goes_on = |seen: &&Seen| {
            seen.phase == phase
                && seen.unit == *unit
                && seen.elapsed <= elapsed
                && seen.done <= *done
        };
        let Some(seen) = self.since.as_ref().filter(goes_on) else {
            let (phase, unit) = (phase.to_owned(), unit.clone());
            self.since = Some(Seen { phase, unit, elapsed, done: *done });
            return None;
        };
        let seconds = (elapsed - seen.elapsed).as_secs_f64();
        #[allow(clippy::cast_precision_loss, reason = "a pace, for people")]
        let many = (done - seen.done) as f64;
        (seconds > 0.0 && many > 0.0).then(|| many / seconds)
    }
}

/// A bar, how much, how fast and how long still.
pub(super) fn how_far(counted: &Counted, pace: Option<f64>) -> String {
    let Counted { unit, done, total, .. } = counted;
    let Some((ratio, total)) = counted.ratio().zip(*total) else { return amount(*done, unit) };
    if unit == "transactions" {
        return format!("{done} of {} ended", amount(total, unit));
    }
    let mut text = format!("{}  {}", bar(ratio), percent(ratio));
    text += &match unit.as_str() {
        "bytes" => format!("  {} of {}", amount(*done, unit), amount(total, unit)),
        _ => format!("  {} of {}", grouped(*done), amount(total, unit)),
    };
    let Some(pace) = pace else { return text };
    #[allow(clippy::cast_precision_loss, reason = "a guess")]
    let left = total.saturating_sub(*done) as f64 / pace;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a pace is positive"
    )]
    let a_second = pace.round() as u64;
    let a_second = if unit == "bytes" { amount(a_second, unit) } else { grouped(a_second) };
    let left = Duration::try_from_secs_f64(left.ceil()).unwrap_or(Duration::MAX);
    text + &format!(", {a_second} a second, {} to go", rough(left))
}

/// To the second: it is a guess.
fn rough(left: Duration) -> String {
    if left < Duration::from_secs(60) { format!("{} s", left.as_secs()) } else { duration(left) }
}

fn percent(ratio: f64) -> String {
    format!("{:.0} %", (ratio * 100.0).floor())
}

const WIDE: usize = 20;

fn bar(ratio: f64) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 20")]
    let full = (ratio * 20.0).floor() as usize;
    let head = if full < WIDE { ">" } else { "" };
    format!("{:WIDE$}", "=".repeat(full) + head)
}

/// Who is in the way.
pub(super) fn in_the_way(look: Look, blockers: &[Blocker]) -> Vec<String> {
    if blockers.is_empty() {
        return Vec::new();
    }
    let shown: Vec<_> = blockers.iter().map(|blocker| (0, in_two(blocker))).collect();
    let mut lines = vec![look.cut("  waits for")];
    lines.extend(tree(look, &shown));
    lines
}

/// Who it is, and on a line of its own what it holds and does.
fn in_two(blocker: &Blocker) -> String {
    let mut who = blocker.clone();
    who.relation.clear();
    who.statement.clear();
    let (who, all) = (clean(&who.to_string()), clean(&blocker.to_string()));
    match all.strip_prefix(&who).map(|rest| rest.trim_start_matches([' ', ':'])) {
        Some(rest) if !rest.is_empty() => format!("{who}\n{rest}"),
        _ => all,
    }
}

/// Texts with how deep each stands, drawn as a tree; as many as anybody reads.
pub(super) fn tree(look: Look, items: &[(u32, String)]) -> Vec<String> {
    let (shown, rest) = items.split_at(items.len().min(SHOWN));
    let more = (!rest.is_empty()).then(|| (0, format!("{} more", rest.len())));
    let all: Vec<_> = shown.iter().cloned().chain(more).collect();
    let line = |number: usize, depth: u32, text: &str| {
        let rest = all.get(number + 1..).unwrap_or_default();
        let branches = (0..=depth).map(|level| {
            // Does one follow at this level, before one that stands nearer to the root?
            let next = rest.iter().map(|(other, _)| *other).find(|other| *other <= level);
            match (level == depth, next == Some(level)) {
                (true, true) => "├─ ",
                (true, false) => "└─ ",
                (false, true) => "│  ",
                (false, false) => "   ",
            }
        });
        let branches: String = branches.collect();
        let below = branches.replace("├─", "│ ").replace("└─", "  ");
        let starts = std::iter::once(branches.as_str()).chain(std::iter::repeat(below.as_str()));
        let lines = starts.zip(text.lines());
        lines.map(|(start, text)| look.cut(&format!("  {start}{text}"))).collect::<Vec<_>>()
    };
    all.iter().enumerate().flat_map(|(number, (depth, text))| line(number, *depth, text)).collect()
}

/// How one of those in the way is ended, for whoever has seen that it may be.
pub(super) fn remedy_line(look: Look, blockers: &[Blocker]) -> Option<String> {
    blockers.iter().find_map(remedy).map(|text| {
        let text = format!("  if it may go: {}", clean(&text));
        look.paint(Ink::Faint, &look.cut(&text))
    })
}

/// An autovacuum gives way by itself, or had better not be ended.
fn remedy(blocker: &Blocker) -> Option<String> {
    match (blocker.kind, blocker.pid) {
        (BlockerKind::IdleInTransaction | BlockerKind::Session, Some(pid)) => {
            Some(format!("SELECT pg_terminate_backend({pid});"))
        }
        (BlockerKind::Prepared, _) if !blocker.application.is_empty() => {
            Some(format!("ROLLBACK PREPARED '{}';", blocker.application.replace('\'', "''")))
        }
        _ => None,
    }
}

fn behind(look: Look, waiting: usize) -> Option<String> {
    (waiting > 0).then(|| {
        let text = format!("  {} behind it", waits(waiting));
        look.paint(Ink::Warn, &look.cut(&text))
    })
}

/// `1 session waits`, `3 sessions wait`.
pub(super) fn waits(sessions: usize) -> String {
    let verb = if sessions == 1 { "waits" } else { "wait" };
    format!("{} {verb}", count(sessions, "session"))
}
