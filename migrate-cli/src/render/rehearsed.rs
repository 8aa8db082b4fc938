//! What a rehearsal found: as a table on a terminal, and as one for a pull request.
//!
//! Owns its words, and what is worth a warning or an error.

use std::time::Duration;

use migrate_postgres::{Basis, Deferred, LockHeld, LockMode, Rehearsal, Rehearsed as Step};
use serde::Serialize;

use super::words::{amount, clean, count, duration, grouped, migration, waits};
use super::{Ink, Look, Show};

/// From when on the time of a step is a warning, and an error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) warn: Duration,
    pub(crate) fail: Duration,
}

/// For longer than this a run does not let a statement keep everybody out of a table.
const KEEPS_OUT: Duration = Duration::from_secs(5);

/// What a rehearsal found.
#[derive(Serialize)]
pub(crate) struct Rehearsed<'r> {
    database: String,
    on_copy: bool,
    steps: Vec<Judged<'r>>,
    deferred: &'r [Deferred],
    time_ms: f64,
    wal: u64,
    took_ms: f64,
    #[serde(skip)]
    rehearsal: &'r Rehearsal,
}

/// A step, and what is to be said against it.
#[derive(Serialize)]
struct Judged<'r> {
    #[serde(flatten)]
    step: &'r Step,
    /// `ok`, `warning` or `error`.
    verdict: Verdict,
    remarks: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Warning,
    Error,
}

impl<'r> Judged<'r> {
    fn of(step: &'r Step, limits: Limits) -> Self {
        let mut judged = Self { step, verdict: Verdict::Ok, remarks: Vec::new() };
        if let Basis::Failed(why) = &step.basis {
            judged.remark(Verdict::Error, format!("it fails: {}", clean(why)));
        }
        match step.time {
            Some(time) if time > limits.fail => {
                let limit = duration(limits.fail);
                judged.remark(Verdict::Error, format!("it takes longer than {limit}"));
            }
            Some(time) if time > limits.warn => {
                let limit = duration(limits.warn);
                judged.remark(Verdict::Warning, format!("it takes longer than {limit}"));
            }
            _ => {}
        }
        for LockHeld { relation, mode, held, .. } in &step.locks {
            if let (LockMode::AccessExclusive, Some(held)) =
                (mode, held.filter(|held| *held > KEEPS_OUT))
            {
                let held = duration(held);
                let remark = format!("it keeps everybody out of {relation} for {held}");
                judged.remark(Verdict::Warning, remark);
            }
        }
        judged
    }

    fn remark(&mut self, verdict: Verdict, remark: String) {
        self.verdict = self.verdict.max(verdict);
        self.remarks.push(remark);
    }

    fn locks(&self) -> Vec<String> {
        let lock = |LockHeld { relation, mode, held, .. }: &LockHeld| {
            let held = held.map(|held| format!(" for {}", duration(held))).unwrap_or_default();
            format!("{} on {relation}{held}", mode.as_sql())
        };
        self.step.locks.iter().map(lock).collect()
    }

    fn time(&self) -> String {
        self.step.time.map_or_else(|| "?".to_owned(), duration)
    }

    fn log(&self) -> String {
        self.step.wal.map_or_else(|| "?".to_owned(), |wal| amount(wal, "bytes"))
    }

    /// `statement 2: ALTER TABLE …`
    fn what(&self) -> String {
        let what = clean(&self.step.what);
        match self.step.statement {
            Some(number) if number > 1 => format!("statement {number}: {what}"),
            _ => what,
        }
    }

    fn remarks(&self) -> impl Iterator<Item = (Verdict, String)> {
        let label = match self.verdict {
            Verdict::Error => "error",
            _ => "warning",
        };
        self.remarks.iter().map(move |remark| (self.verdict, format!("{label}: {remark}")))
    }
}

/// What the numbers are made of.
fn basis(basis: &Basis) -> String {
    match basis {
        Basis::Whole => "run on all rows and rolled back".to_owned(),
        Basis::AnyNumber => {
            "run on a sample and rolled back; the number of rows makes no difference".to_owned()
        }
        Basis::Sample { relation, rows, of } => {
            let (rows, of) = (grouped(*rows), grouped(*of));
            format!("sample of {rows} of {of} rows of {relation}, extrapolated by rows")
        }
        Basis::NotRun(why) => format!("not run: {}", clean(why)),
        Basis::Failed(_) => "run on a sample, where it fails".to_owned(),
        other => format!("{other:?}"),
    }
}

impl<'r> Rehearsed<'r> {
    pub(crate) fn new(
        database: String,
        on_copy: bool,
        rehearsal: &'r Rehearsal,
        limits: Limits,
    ) -> Self {
        let steps = rehearsal.steps.iter().map(|step| Judged::of(step, limits)).collect();
        Self {
            database,
            on_copy,
            steps,
            deferred: &rehearsal.deferred,
            time_ms: rehearsal.time().as_secs_f64() * 1e3,
            wal: rehearsal.wal(),
            took_ms: rehearsal.took.as_secs_f64() * 1e3,
            rehearsal,
        }
    }

    /// Is there an error?
    pub(crate) fn fails(&self) -> bool {
        self.steps.iter().any(|step| step.verdict == Verdict::Error)
    }

    fn summary(&self) -> String {
        let Rehearsal { steps, took, .. } = self.rehearsal;
        let time = self.rehearsal.time();
        let log = match steps.iter().any(|step| step.wal.is_some()) {
            true => format!(" and {} of log", amount(self.rehearsal.wal(), "bytes")),
            false => String::new(),
        };
        let not_run = steps.iter().filter(|step| step.time.is_none()).count();
        let known = match not_run {
            0 => String::new(),
            n => format!(", without {} of which nothing is known", count(n, "step")),
        };
        let (many, took) = (count(steps.len(), "step"), duration(*took));
        let on = if self.on_copy { "on a copy" } else { "on samples" };
        format!(
            "{many}: {}{log}{known} (rehearsed {on} in {took}; nothing was changed)",
            duration(time)
        )
    }

    /// For a pull request.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("### Rehearsal on {}\n\n", cell(&self.database));
        if self.steps.is_empty() {
            return text + "Nothing is pending.\n";
        }
        text += "| migration | step | time | log | locks | based on |\n|---|---|--:|--:|---|---|\n";
        for step in &self.steps {
            let id = cell(&migration(step.step.id, &step.step.name));
            let mut cells = step.locks();
            cells.extend(rewrites(step.step));
            let locks: Vec<_> = cells.iter().map(|one| cell(one)).collect();
            let mut why = vec![cell(&basis(&step.step.basis))];
            why.extend(step.remarks().map(|(_, remark)| format!("**{}**", cell(&remark))));
            text += &format!(
                "| {id} | {} | {} | {} | {} | {} |\n",
                code(&step.what()),
                step.time(),
                step.log(),
                locks.join("<br>"),
                why.join("<br>")
            );
        }
        format!("{text}\n{}\n", cell(&self.summary()))
    }
}

fn rewrites(step: &Step) -> Option<String> {
    match step.rewrites.as_slice() {
        [] => None,
        tables => Some(format!("writes {} anew", tables.join(", "))),
    }
}

/// A text that cannot end its cell, nor be taken for more than a text.
fn cell(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' => shown.extend(['\\', c]),
            c if c.is_control() => shown.push(' '),
            c => shown.push(c),
        }
    }
    shown
}

/// A text as code, which ends at the first of its own marks.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'").replace('|', "\\|"))
}

impl Show for Rehearsed<'_> {
    fn text(&self, look: Look) -> String {
        if self.steps.is_empty() {
            let mut lines = waits(look, self.deferred);
            lines.push(format!("{}: nothing is pending", self.database));
            return lines.join("\n");
        }
        let head = format!("{:>12}  {:>9}  step", "time", "log");
        let mut lines = vec![look.paint(Ink::Faint, &head)];
        lines.extend(self.steps.iter().map(|step| row(look, step)));
        lines.extend(waits(look, self.deferred));
        lines.push(look.wrap(&self.summary(), ""));
        lines.join("\n")
    }
}

/// Where the third column begins.
const INDENT: &str = "                         ";

fn row(look: Look, judged: &Judged<'_>) -> String {
    let Step { id, name, .. } = judged.step;
    let ink = match judged.verdict {
        Verdict::Ok => Ink::Strong,
        Verdict::Warning => Ink::Warn,
        Verdict::Error => Ink::Bad,
    };
    let (time, log) = (judged.time(), judged.log());
    let time = look.paint(
        ink,
        &format!("{}{time}", " ".repeat(12_usize.saturating_sub(time.chars().count()))),
    );
    let mut lines = vec![format!("{time}  {log:>9}  {}", migration(*id, name))];
    let mut tell = |ink: Option<Ink>, text: &str| {
        let wrapped = look.wrap(&format!("{INDENT}{text}"), &format!("{INDENT}  "));
        for line in wrapped.lines() {
            let rest = line.trim_start();
            let margin = line.get(..line.len() - rest.len()).unwrap_or_default();
            lines.push(match ink {
                Some(ink) => format!("{margin}{}", look.paint(ink, rest)),
                None => line.to_owned(),
            });
        }
    };
    tell(None, &judged.what());
    judged.locks().iter().for_each(|lock| tell(None, lock));
    rewrites(judged.step).iter().for_each(|text| tell(None, text));
    tell(Some(Ink::Faint), &basis(&judged.step.basis));
    judged.remarks().for_each(|(_, remark)| tell(Some(ink), &remark));
    lines.join("\n")
}
