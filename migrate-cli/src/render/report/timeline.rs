//! The timeline of a run, drawn as SVG: a row for each migration or statement.
//!
//! Owns what each kind of time looks like, in colour and in hatching for those who see no colours, and the scale.

use std::time::Duration;

use migrate_postgres::{Doing, Outcome, Recording, Span, Track};

use super::escape::escaped;
use crate::render::words::{count, duration, grouped, migration};

/// A way to spend time, as it is drawn.
struct Kind {
    doing: Doing,
    /// The phase of a command; empty for all others.
    what: String,
    color: &'static str,
    hatch: Hatch,
    /// All of it in the run.
    spent: Duration,
}

#[derive(Clone, Copy)]
enum Hatch {
    Solid,
    Stripes(u16),
    Dots,
}

/// Phases differ from their neighbours in colour and in hatching.
const PHASES: [(&str, Hatch); 8] = [
    ("#0f9d78", Hatch::Solid),
    ("#56b4e9", Hatch::Stripes(45)),
    ("#8f6fd1", Hatch::Stripes(135)),
    ("#5b8c2a", Hatch::Stripes(90)),
    ("#3a87ad", Hatch::Stripes(0)),
    ("#c06c9c", Hatch::Dots),
    ("#0072b2", Hatch::Stripes(45)),
    ("#a58b3a", Hatch::Stripes(135)),
];

pub(super) struct Timeline<'r> {
    recording: &'r Recording,
    kinds: Vec<Kind>,
    whole: Duration,
}

impl<'r> Timeline<'r> {
    pub(super) fn new(recording: &'r Recording) -> Self {
        let mut kinds: Vec<Kind> = Vec::new();
        let spans = recording.tracks.iter().flat_map(|track| track.spans.iter().chain(&track.held));
        for span in spans {
            let spent = span.to.saturating_sub(span.from);
            match kinds.iter_mut().find(|kind| kind.is_of(span)) {
                Some(kind) => kind.spent += spent,
                None => {
                    let phases = kinds.iter().filter(|kind| !kind.what.is_empty()).count();
                    kinds.push(Kind::of(span, phases, spent));
                }
            }
        }
        let ends = recording.tracks.iter().map(|track| track.to).max().unwrap_or_default();
        let whole = ends.max(recording.took).max(Duration::from_millis(1));
        Self { recording, kinds, whole }
    }

    pub(super) fn section(&self) -> String {
        if self.recording.tracks.is_empty() {
            return String::new();
        }
        let legend: String = self.kinds.iter().zip(0..).map(|(kind, n)| kind.legend(n)).collect();
        let rows: String = self.recording.tracks.iter().map(|track| self.row(track)).collect();
        format!(
            "<h2>Where the time went</h2>\n{}<ul class=\"legend\">\n{legend}</ul>\n{}{rows}",
            self.patterns(),
            self.axis()
        )
    }

    fn patterns(&self) -> String {
        let patterns: String =
            self.kinds.iter().zip(0..).map(|(kind, n)| kind.pattern(n)).collect();
        format!(
            "<svg width=\"0\" height=\"0\" style=\"position:absolute\" aria-hidden=\"true\"><defs>\n{patterns}</defs></svg>\n"
        )
    }

    /// In percent of the whole.
    fn at(&self, time: Duration) -> f64 {
        100.0 * time.as_secs_f64() / self.whole.as_secs_f64()
    }

    fn axis(&self) -> String {
        let ticks = self.ticks().into_iter().map(|tick| {
            let x = self.at(tick);
            format!(
                "<line class=\"grid\" x1=\"{x:.3}%\" x2=\"{x:.3}%\" y1=\"16\" y2=\"22\"/>\
                 <text x=\"{x:.3}%\" y=\"12\" text-anchor=\"middle\">{}</text>",
                clock(tick)
            )
        });
        let ticks: String = ticks.collect();
        format!(
            "<div class=\"row axis\"><i></i><svg aria-hidden=\"true\">{ticks}</svg><i></i></div>\n"
        )
    }

    /// Round times, not more than a page has room for.
    fn ticks(&self) -> Vec<Duration> {
        const SECONDS: [u64; 14] =
            [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 10_800];
        const MILLIS: [u64; 9] = [1, 2, 5, 10, 20, 50, 100, 200, 500];
        let millis = MILLIS.into_iter().chain(SECONDS.map(|seconds| seconds * 1_000));
        let fits = |step: &u64| self.whole.as_millis() / u128::from(*step) <= 8;
        let step = millis.into_iter().find(fits).unwrap_or(86_400_000);
        let times = (0u64..=8).map(|n| Duration::from_millis(n * step));
        times.take_while(|time| *time <= self.whole).collect()
    }

    fn row(&self, track: &Track) -> String {
        let name = escaped(&named(track));
        let (mark, class) = match track.outcome {
            Outcome::Failed => (" ✗ failed", " class=\"bad\""),
            Outcome::Undone => (" undone", " class=\"bad\""),
            Outcome::Left => (" left", ""),
            Outcome::Open => (" …", ""),
            _ => ("", ""),
        };
        let grid: String = self
            .ticks()
            .into_iter()
            .map(|tick| {
                let x = self.at(tick);
                format!("<line class=\"grid\" x1=\"{x:.3}%\" x2=\"{x:.3}%\" y1=\"0\" y2=\"22\"/>")
            })
            .collect();
        let spans: String = track.spans.iter().map(|span| self.bar(span, 2, 14)).collect();
        let held: String = track.held.iter().map(|span| self.bar(span, 17, 4)).collect();
        let took = duration(track.to.saturating_sub(track.from));
        format!(
            "<div class=\"row\"><b{class}>{name}{mark}</b><svg role=\"img\" aria-label=\"{name}\">{grid}{spans}{held}</svg>\
             <span class=\"took\">{took}</span>{}</div>\n",
            below(track)
        )
    }

    /// However short it was, it is to be seen.
    fn bar(&self, span: &Span, y: u32, height: u32) -> String {
        let number = self.kinds.iter().position(|kind| kind.is_of(span)).unwrap_or_default();
        let (x, width) = (self.at(span.from), self.at(span.to.saturating_sub(span.from)));
        let label = self.kinds.get(number).map(Kind::label).unwrap_or_default();
        let took = duration(span.to.saturating_sub(span.from));
        let why = match span.doing {
            Doing::Pausing if !span.what.is_empty() => format!(", SQLSTATE {}", span.what),
            Doing::Braked => format!(": {}", span.what),
            _ => String::new(),
        };
        let title = escaped(&format!("{label}: {took}, from {}{why}", clock(span.from)));
        format!(
            "<rect x=\"{x:.3}%\" y=\"{y}\" height=\"{height}\" rx=\"1\" style=\"width:max(2px,{width:.3}%)\" \
             fill=\"url(#k{number})\"><title>{title}</title></rect>"
        )
    }
}

/// Who was in the way, and what came of it.
fn below(track: &Track) -> String {
    let mut lines: Vec<String> = track
        .blockers
        .iter()
        .map(|met| {
            let seen = match met.to.saturating_sub(met.from) {
                time if time.is_zero() => format!("at {}", clock(met.from)),
                time => format!("from {} for {}", clock(met.from), duration(time)),
            };
            format!("in the way {seen}: {}", met.blocker)
        })
        .collect();
    match track.retries {
        0 => {}
        1 => lines.push("tried again once".to_owned()),
        many => lines.push(format!("tried again {many} times")),
    }
    if track.batches > 0 {
        let batches = if track.batches == 1 { "batch" } else { "batches" };
        let (many, changed) = (grouped(track.batches), grouped(track.changed));
        let paused = duration(track.paused);
        lines.insert(
            0,
            format!("{many} {batches}, {changed} rows changed; {paused} of pauses between them"),
        );
    }
    if track.waiting > 0 {
        lines.push(format!("at most {} waited behind it", count(track.waiting, "session")));
    }
    if lines.is_empty() {
        return String::new();
    }
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    lines.extend((more > 0).then(|| format!("and {more} more")));
    let items: String = lines.iter().map(|line| format!("<li>{}</li>", escaped(line))).collect();
    format!("<ul>{items}</ul>")
}

/// As many blockers tell the story of a step.
const SHOWN: usize = 12;

/// A time from the beginning, as a clock shows it: `1:02:03`, `0:12`, `250 ms`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0) if time.is_zero() => "0".to_owned(),
        (0, 0, 0) => duration(time),
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

impl Kind {
    fn of(span: &Span, phases: usize, spent: Duration) -> Self {
        let (color, hatch) = match span.doing {
            Doing::WaitingForMigrator => ("#8e6bbf", Hatch::Stripes(90)),
            Doing::Looking => ("#8b96a3", Hatch::Stripes(45)),
            Doing::Queueing => ("#e69f00", Hatch::Stripes(135)),
            Doing::Pausing => ("#b9c1ca", Hatch::Dots),
            Doing::Braked => ("#c9a227", Hatch::Stripes(90)),
            Doing::Holding => ("#d64545", Hatch::Solid),
            _ if span.what.is_empty() => ("#2f7ed8", Hatch::Solid),
            _ if span.what.starts_with("waiting ") => ("#b08d3c", Hatch::Stripes(45)),
            _ => PHASES.get(phases % PHASES.len()).copied().unwrap_or(("#2f7ed8", Hatch::Solid)),
        };
        let what = if is_phase(span) { span.what.clone() } else { String::new() };
        Self { doing: span.doing, what, color, hatch, spent }
    }

    fn is_of(&self, span: &Span) -> bool {
        self.doing == span.doing && (if is_phase(span) { &*span.what } else { "" }) == self.what
    }

    fn label(&self) -> &str {
        match self.doing {
            Doing::WaitingForMigrator => "waiting for another migrator",
            Doing::Looking => "blocked: looking on, nobody kept waiting",
            Doing::Queueing => "queueing for locks: others wait too",
            Doing::Pausing => "pause before another attempt",
            Doing::Braked => "backfill braked: something else comes first",
            Doing::Holding => "locks held",
            _ if self.what.is_empty() => "working",
            _ => &self.what,
        }
    }

    fn legend(&self, number: usize) -> String {
        format!(
            "<li><svg width=\"22\" height=\"14\" aria-hidden=\"true\"><rect width=\"22\" height=\"14\" fill=\"url(#k{number})\"/></svg>\
             {} <span class=\"dim\">{}</span></li>\n",
            escaped(self.label()),
            duration(self.spent)
        )
    }

    fn pattern(&self, number: usize) -> String {
        let (turn, mark) = match self.hatch {
            Hatch::Solid => (0, ""),
            Hatch::Stripes(turn) => {
                (turn, "<rect width=\"3\" height=\"8\" fill=\"#fff\" fill-opacity=\".45\"/>")
            }
            Hatch::Dots => {
                (0, "<circle cx=\"4\" cy=\"4\" r=\"1.8\" fill=\"#fff\" fill-opacity=\".8\"/>")
            }
        };
        format!(
            "<pattern id=\"k{number}\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate({turn})\">\
             <rect width=\"8\" height=\"8\" fill=\"{}\"/>{mark}</pattern>\n",
            self.color
        )
    }
}

fn is_phase(span: &Span) -> bool {
    span.doing == Doing::Working && !span.what.is_empty()
}

/// `7 expand create_users, statement 2`.
pub(super) fn named(track: &Track) -> String {
    match (track.id, track.statement) {
        (Some(id), Some(number)) => format!("{}, statement {number}", migration(id, &track.name)),
        (Some(id), None) => migration(id, &track.name),
        (None, _) => format!("waiting for {}", track.name),
    }
}
