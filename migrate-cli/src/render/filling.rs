//! How far a backfill is: below the bar of whoever works at it, in a pipe, and in a status.
//!
//! Owns the words for it. What happens is told it, with the time. Prints nothing.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use migrate_postgres::{BackfillState, Counted, Event, MigrationId, Phase, Steps, Wanted};

use super::live::how_far;
use super::words::{clean, grouped, migration};
use super::{Ink, Look};

/// Backfills that are worked at, by all workers of this program together.
#[derive(Default)]
pub(super) struct Filling {
    all: BTreeMap<MigrationId, Gone>,
}

/// How far one is.
#[derive(Default)]
struct Gone {
    pass: u32,
    seen: u64,
    changed: u64,
    expected: u64,
    /// From where its rate counts.
    since: Option<(Instant, u64)>,
    rate: Option<f64>,
    limited_by: Option<String>,
    /// What it waits for, and when that is over.
    brake: Option<(String, String)>,
}

/// The rate is that of the last seconds, so that it follows a change of pace.
const WINDOW: Duration = Duration::from_secs(30);
/// Before, it says little.
const SOON: Duration = Duration::from_secs(1);

impl Filling {
    /// Hears an event; is it one of a backfill?
    pub(super) fn hear(&mut self, event: &Event<'_>, now: Instant) -> bool {
        match event {
            Event::Batch { id, steps, limited_by, .. } => {
                self.all.entry(*id).or_default().add(steps, limited_by, now);
            }
            Event::Braked { id, why, opens } => {
                let brake = (clean(why), clean(opens));
                self.all.entry(*id).or_default().brake = Some(brake);
            }
            _ => return false,
        }
        true
    }

    /// Rows changed, of one that was worked at; it is forgotten.
    pub(super) fn end(&mut self, id: MigrationId) -> Option<u64> {
        self.all.remove(&id).map(|gone| gone.changed)
    }

    /// What stands below the bar.
    pub(super) fn lines(&self, look: Look, id: MigrationId) -> Vec<String> {
        let Some(gone) = self.all.get(&id) else { return Vec::new() };
        let mut lines = Vec::new();
        if gone.pass > 0 {
            lines.push(look.cut(&format!("  {}", gone.bar())));
            lines.push(look.cut(&format!("  {}", gone.sum())));
        }
        if let (Some(by), None) = (&gone.limited_by, &gone.brake) {
            lines.push(look.cut(&format!("  limited by {by}")));
        }
        if let Some((why, opens)) = &gone.brake {
            lines.push(look.paint(Ink::Warn, &look.cut(&format!("  waits: {why}"))));
            lines.push(look.cut(&format!("  goes on {opens}")));
        }
        lines
    }

    /// The same in one line.
    pub(super) fn line(&self, id: MigrationId) -> Option<String> {
        let gone = self.all.get(&id)?;
        Some(match &gone.brake {
            Some((why, opens)) => format!("waiting   {id}: {why}; it goes on {opens}"),
            None => {
                let part = gone.counted().ratio().map(|ratio| format!("{}, ", percent(ratio)));
                let left = gone.left().map(|left| format!(", {left}"));
                let (part, left) = (part.unwrap_or_default(), left.unwrap_or_default());
                let by = gone.limited_by.as_ref().map(|by| format!("; limited by {by}"));
                format!("filling   {id}: {part}{}{left}{}", gone.sum(), by.unwrap_or_default())
            }
        })
    }
}

impl Gone {
    /// One worker knows of the others what stood in the table when it took its range; what all of them tell adds up.
    fn add(&mut self, steps: &Steps, limited_by: &str, now: Instant) {
        let is_new = self.pass != steps.pass;
        if is_new {
            (self.pass, self.seen, self.since) = (steps.pass, 0, None);
        }
        self.seen = steps.seen.max(self.seen + steps.batch_seen);
        self.changed = steps.changed.max(self.changed + steps.batch_changed);
        self.expected = steps.expected;
        self.limited_by = limited(Some(limited_by));
        self.brake = None;
        let (since, from) = *self.since.get_or_insert((now, self.seen));
        let seconds = now.saturating_duration_since(since);
        if seconds >= SOON {
            #[expect(clippy::cast_precision_loss, reason = "a rate, for people")]
            let gone = self.seen.saturating_sub(from) as f64;
            self.rate = Some(gone / seconds.as_secs_f64());
        }
        if seconds >= WINDOW {
            self.since = Some((now, self.seen));
        }
    }

    fn counted(&self) -> Counted {
        counted(self.seen, self.expected)
    }

    fn bar(&self) -> String {
        let left = self.left().map(|left| format!(", {left}"));
        how_far(&self.counted(), None) + &left.unwrap_or_default()
    }

    fn left(&self) -> Option<String> {
        let rows = self.expected.checked_sub(self.seen).filter(|_| self.expected > 0)?;
        let rate = self.rate.filter(|rate| *rate > 0.0)?;
        #[expect(clippy::cast_precision_loss, reason = "a guess")]
        let seconds = (rows as f64 / rate).ceil();
        let left = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        Some(format!("{} to go", rough(left)))
    }

    /// `pass 1, 45,210 rows a second, 2,900,123 changed`
    fn sum(&self) -> String {
        let mut text = passes(self.pass.into());
        text += &self.rate.map(|rate| format!(", {}", a_second(rate))).unwrap_or_default();
        text + &format!(", {} changed", grouped(self.changed))
    }
}

fn counted(seen: u64, expected: u64) -> Counted {
    // Where there are more than the statistics knew of, nobody knows how many.
    let total = (expected > 0 && seen <= expected).then_some(expected);
    let mut counted = Counted::default();
    (counted.unit, counted.done, counted.total) = ("rows".to_owned(), seen, total);
    counted
}

/// Later ones look for what was changed behind the first.
fn passes(pass: i64) -> String {
    match pass {
        1 => "pass 1".to_owned(),
        pass => format!("pass {pass} (late writes)"),
    }
}

fn percent(ratio: f64) -> String {
    format!("{:.0} %", (ratio * 100.0).floor())
}

fn a_second(rate: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is positive")]
    let rate = rate.round() as u64;
    format!("{} rows a second", grouped(rate))
}

/// To the second: it is a guess.
fn rough(left: Duration) -> String {
    match left.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// What kept a batch from being larger or sooner, for those who do not know the words.
fn limited(by: Option<&str>) -> Option<String> {
    Some(match by? {
        "" | "nothing" => return None,
        "batch_time" => "the time that a batch may take".to_owned(),
        "wal" => "the WAL that may be written".to_owned(),
        "rows" => "the rows that a batch may have".to_owned(),
        "duty" => "the pauses that were asked for".to_owned(),
        "load" => "how busy the server is".to_owned(),
        "locks" => "locks of others".to_owned(),
        other => clean(other).replace('_', " "),
    })
}

/// What a status calls one, in a word.
pub(super) fn word(state: &BackfillState) -> &'static str {
    match (state.wanted, &*state.state) {
        (_, "done") => "applied",
        (Wanted::Cancel, _) => "cancelled",
        (Wanted::Pause, _) => "paused",
        (_, "failed") => "failed",
        _ if state.holders.is_some() => "filling",
        _ => "begun",
    }
}

/// Where one stands, for somebody who did not write it.
pub(super) fn block(
    look: Look,
    state: &BackfillState,
    rate: Option<f64>,
    program: &str,
) -> Vec<String> {
    let mut lines = vec![head(look, state)];
    let far = how_far(&counted(number(state.seen), number(state.expected)), None);
    let more = match state.expected {
        expected if (1..state.seen).contains(&expected) => {
            format!(", more than the {} that were expected", grouped(number(expected)))
        }
        _ => String::new(),
    };
    lines.push(look.cut(&format!("  {far}{more}, {}", passes(state.pass))));
    lines.push(look.cut(&format!("  {}", sum(state, rate))));
    lines.extend(who(state).map(|who| look.wrap(&format!("  {who}"), "    ")));
    lines.extend(slow(state).map(|slow| look.wrap(&format!("  {slow}"), "    ")));
    if state.holes > 0 {
        let holes = match state.holes {
            1 => "1 batch had locked rows in it, and comes back".to_owned(),
            many => format!("{many} batches had locked rows in them, and come back"),
        };
        lines.push(look.wrap(&format!("  {holes} at the end of the pass"), "    "));
    }
    if !state.limits.is_empty() {
        lines.push(look.wrap(&format!("  limits of its own: {}", clean(&state.limits)), "    "));
    }
    lines.extend(what_stays(state).map(|stays| look.wrap(&format!("  {stays}"), "    ")));
    lines.push(look.wrap(&format!("  next: {}", next(state, program)), "    "));
    lines
}

/// Of one with which nobody goes on.
fn what_stays(state: &BackfillState) -> Option<&'static str> {
    match word(state) {
        "cancelled" => {
            Some("what was changed stays so, the other rows are as they were; nobody goes on")
        }
        "paused" => Some("nobody goes on meanwhile, and what comes after it waits too"),
        _ => None,
    }
}

fn head(look: Look, state: &BackfillState) -> String {
    let word = word(state);
    let ink = match word {
        "cancelled" | "failed" => Ink::Bad,
        _ => Ink::Warn,
    };
    let reason = match (word, &state.reason) {
        ("paused" | "cancelled" | "failed", Some(reason)) => format!(": {}", clean(reason)),
        _ => String::new(),
    };
    let text = format!("{word} {}{reason}", migration(state.id, &state.name));
    super::words::first_word(look, ink, &look.wrap(&text, "  "))
}

fn sum(state: &BackfillState, rate: Option<f64>) -> String {
    let (changed, batches) = (grouped(number(state.changed)), grouped(number(state.batches)));
    let mut text = format!("{changed} rows changed in {batches} batches");
    text += &rate.map(|rate| format!(", {}", a_second(rate))).unwrap_or_default();
    if state.ranges > 1 {
        text += &format!("; {} of {} ranges done", state.ranges_done, state.ranges);
    }
    text
}

/// Who works at it, and when it last moved.
fn who(state: &BackfillState) -> Option<String> {
    let idle = Duration::from_millis(number(state.idle_ms));
    let moved = match (&state.at, idle.as_secs()) {
        (None, _) => return None,
        (Some(_), 0) => "it moved just now".to_owned(),
        (Some(_), seconds @ 1..86_400) => {
            format!("it last moved {} ago", rough(Duration::from_secs(seconds)))
        }
        (Some(at), _) => format!("it last moved at {at}"),
    };
    Some(match &state.holders {
        Some(holders) => format!("at work: {}; {moved}", clean(holders)),
        None => format!("nobody works at it; {moved}"),
    })
}

/// What makes it slow, or lets it wait.
fn slow(state: &BackfillState) -> Option<String> {
    state.holders.as_ref()?;
    match (&state.why, limited(state.limited_by.as_deref())) {
        (Some(why), _) => Some(format!("held up: {}", clean(why))),
        (None, by) => by.map(|by| format!("limited by {by}")),
    }
}

/// The command that goes on, or what somebody has to do first.
pub(super) fn next(state: &BackfillState, program: &str) -> String {
    let which = which(state.id);
    match word(state) {
        "cancelled" => {
            format!("`{program} backfill resume {which}`, if it is to be done after all")
        }
        "paused" => format!("`{program} backfill resume {which}` lets it go on"),
        "failed" => {
            format!("remove the reason; then `{program} backfill` or the next run goes on")
        }
        "filling" => format!("nothing to do; `{program} backfill pause {which}` lets it wait"),
        _ if state.state == "filled" => format!(
            "no row is left to change; `{program} backfill` or the next run verifies what it promises"
        ),
        _ => format!("`{program} backfill` or the next run goes on"),
    }
}

/// As it is typed behind a command.
pub(super) fn which(id: MigrationId) -> String {
    match id.phase {
        Phase::Migrate => id.version.to_string(),
        phase => format!("{} --phase {phase}", id.version),
    }
}

/// What of a state is news to a pipe: not each batch.
pub(super) fn gist(state: &BackfillState) -> String {
    let far = counted(number(state.seen), number(state.expected)).ratio();
    let tenth = far.map(|far| (far * 10.0).floor());
    let BackfillState { id, pass, holders, reason, limits, why, .. } = state;
    let is_held_up = why.is_some();
    format!("{id} {} {pass} {tenth:?} {holders:?} {reason:?} {limits} {is_held_up}", word(state))
}

fn number(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
