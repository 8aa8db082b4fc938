//! A plan as the SQL that a run will send, with the ends of its transactions.
//!
//! Owns how a plan reads. The text can be read from top to bottom as what happens; whatever is not the
//! user's SQL stands in comments. Decides nothing: groups, order and reasons are the plan's.

use std::borrow::Cow;
use std::collections::BTreeMap;

use migrate_core::sql::classify;
use migrate_core::{
    Action, Backfill, Batches, By, Code, Deferred, Direction, Down, Header, MigrationId, Notice,
    Plan, Script, Set, Step, TextOf, Unit, units,
};
use serde::Serialize;

use super::words::{clean, count, migration, note, why};
use super::{Ink, Look, Show};
use crate::url::Place;

/// A plan and the texts that it means.
pub(crate) struct Planned<'p> {
    database: String,
    plan: &'p Plan,
    declared: &'p Set,
    /// What takes back those that nobody declares any more.
    pub(crate) texts: BTreeMap<MigrationId, String>,
}

impl<'p> Planned<'p> {
    pub(crate) fn new(place: &Place, plan: &'p Plan, declared: &'p Set) -> Self {
        Self { database: place.to_string(), plan, declared, texts: BTreeMap::new() }
    }

    fn steps(&self, action: &Action) -> Cow<'p, [Step]> {
        let entry = self.declared.get(action.id);
        match (action.text, self.plan.direction, entry.map(|entry| (entry.up(), entry.down()))) {
            (TextOf::History, ..) => Cow::Owned(self.step_from_history(action.id)),
            (_, Direction::Up, Some((up, _))) => Cow::Borrowed(up),
            (_, Direction::Down, Some((_, Down::Steps(down)))) => Cow::Borrowed(down),
            _ => Cow::Borrowed(&[]),
        }
    }

    fn step_from_history(&self, id: MigrationId) -> Vec<Step> {
        let Some(text) = self.texts.get(&id) else { return Vec::new() };
        let script = Script::parse("the history", text.clone());
        let standalone = Header::parse(text).0.no_transaction;
        let step = if standalone { Step::Standalone } else { Step::Transaction };
        script.map(step).into_iter().collect()
    }

    fn headline(&self) -> String {
        let Plan { actions, deferred, direction, .. } = self.plan;
        let verb = if *direction == Direction::Up { "apply" } else { "revert" };
        let waits = match deferred.len() {
            0 => String::new(),
            1 => ", 1 waits".to_owned(),
            many => format!(", {many} wait"),
        };
        match actions.len() {
            0 => format!("-- {}: nothing to {verb}{waits}", self.database),
            many => format!("-- {}: {} to {verb}{waits}", self.database, count(many, "migration")),
        }
    }

    /// Runs of neighbours that share a transaction; the others by themselves.
    fn groups(&self) -> impl Iterator<Item = &'p [Action]> {
        self.plan.actions.chunk_by(|a, b| a.group.is_some() && a.group == b.group)
    }

    fn group(&self, look: Look, actions: &[Action]) -> String {
        match actions {
            [alone] => self.alone(look, alone),
            many => {
                let inside = many.iter().map(|action| {
                    let steps = self.steps(action);
                    let script = steps.first().and_then(Step::script);
                    format!("{}\n{}", head(look, action), script.map(whole).unwrap_or_default())
                });
                let inside = inside.collect::<Vec<_>>().join("\n\n");
                let grouped = format!("-- grouped: {} migrations in one transaction", many.len());
                let grouped = comment(look, &grouped);
                format!("{grouped}\nBEGIN;\n\n{inside}\n\nCOMMIT;")
            }
        }
    }

    fn alone(&self, look: Look, action: &Action) -> String {
        let steps = self.steps(action);
        let units = units(&steps);
        let of = units.len();
        let parts =
            units.iter().zip(1..).map(|(unit, number)| part(look, action, unit, number, of));
        std::iter::once(head(look, action)).chain(parts).collect::<Vec<_>>().join("\n")
    }
}

/// What it is, where its text stands, and what else it settles.
fn head(look: Look, action: &Action) -> String {
    let mut head = format!("-- {}", migration(action.id, &action.name));
    if action.text == TextOf::History {
        head += "\n-- not declared any more: this way back is from the history";
    }
    let others: Vec<_> = action.covers.iter().filter(|id| **id != action.id).collect();
    for other in others {
        head += &format!("\n-- takes back {other} too");
    }
    comment(look, &head)
}

/// One unit of a migration that runs by itself.
fn part(look: Look, action: &Action, unit: &Unit<'_>, number: u32, of: usize) -> String {
    let begun = match number {
        _ if number <= action.done_units => "; done by a run before",
        _ if number == action.done_units + 1 && action.interrupted => {
            "; begun by a run before, which was cut short: the run looks first what became of it"
        }
        _ => "",
    };
    match unit {
        Unit::Transaction(script) => {
            format!("{}\nBEGIN;\n{}\nCOMMIT;", file(look, script), whole(script))
        }
        Unit::Statement(script, statement) => {
            let text = script.statement(statement);
            let how = match classify::may_be_enclosed(text) {
                true => "in a transaction of its own",
                false => "by itself, outside a transaction",
            };
            let which = format!("-- statement {number} of {of}, {how}{begun}");
            let which = comment(look, &which);
            let first = if number == 1 { file(look, script) + "\n" } else { String::new() };
            match number <= action.done_units {
                true => format!("{first}{which}"),
                false => format!("{first}{which}\n{text};"),
            }
        }
        Unit::Code(Code { revision, transaction, .. }) => {
            let how = if *transaction { "in" } else { "outside" };
            let code = "-- Rust code of the application";
            comment(look, &format!("{code}, revision {revision}, {how} a transaction{begun}"))
        }
        Unit::Backfill(backfill) => filled(look, backfill),
        other => format!("-- {other:?}"),
    }
}

/// A change of data in batches: through what, and what must hold in the end.
fn filled(look: Look, backfill: &Backfill) -> String {
    let header = backfill.header();
    let mut lines = Vec::new();
    if let Backfill::Code { revision, .. } = backfill {
        lines.push(format!("-- Rust code of the application, revision {revision}"));
    }
    lines.extend(backfill.script().map(|script| format!("-- from {}", clean(&script.file))));
    if let Some(Batches { table, by, batch }) = &header.backfill {
        let by = match by {
            By::Key(columns) => format!("by ({})", columns.join(", ")),
            By::Pages { stripes: 1 } => "by its pages".to_owned(),
            By::Pages { stripes } => format!("by its pages, in {stripes} stripes"),
        };
        let table = clean(table);
        lines.push(format!(
            "-- in batches: through {table} {by}, {batch} rows at first, a transaction each, until a pass finds none left"
        ));
    }
    let verify = header.verify.iter().map(|condition| format!("-- then must hold: {condition}"));
    lines.extend(verify);
    let prove = header
        .prove
        .iter()
        .map(|condition| format!("-- then is proved of every row, by a constraint: {condition}"));
    lines.extend(prove);
    if header.reindex {
        lines.push(
            "-- then indexes that grew are built anew, concurrently, if `backfill` or the application's own task finishes it"
                .to_owned(),
        );
    }
    lines.push("-- what is not done within the budget of a run is left to `backfill`".to_owned());
    let head = comment(look, &lines.join("\n"));
    match backfill.script() {
        Some(script) => format!("{head}\n{}", whole(script)),
        None => head,
    }
}

fn file(look: Look, script: &Script) -> String {
    comment(look, &format!("-- from {}", clean(&script.file)))
}

/// The text as it is, and the semicolon that the last statement may lack.
fn whole(script: &Script) -> String {
    let text = script.text.trim_start_matches('\u{feff}').trim();
    let last = script.statements.last().map_or(0, |statement| statement.end as usize);
    let rest = script.text.get(last..).unwrap_or_default();
    match rest.trim() {
        _ if script.statements.is_empty() => text.to_owned(),
        "" => format!("{text};"),
        rest if rest.starts_with(';') => text.to_owned(),
        _ => format!("{text}\n;"),
    }
}

impl Show for Planned<'_> {
    fn text(&self, look: Look) -> String {
        let mut head = self.headline();
        if !self.plan.is_empty() {
            head += OURS;
        }
        // Only there do migrations share a transaction.
        if self.plan.actions.iter().any(|action| action.group.is_some()) {
            head += FRESH;
        }
        let mut parts = vec![comment(look, &head)];
        parts.extend(self.groups().map(|actions| self.group(look, actions)));
        let waits = self.plan.deferred.iter();
        let waits =
            waits.map(|d| format!("-- waits: {}\n--   {}", migration(d.id, &d.name), why(d)));
        let notes =
            self.plan.notices.iter().map(|notice| format!("-- {}", note(Look::PLAIN, notice)));
        let rest: Vec<String> = waits.chain(notes).collect();
        parts.extend((!rest.is_empty()).then(|| comment(look, &rest.join("\n"))));
        parts.join("\n\n")
    }
}

/// What we say about the SQL, which itself is never broken: each line is a comment, and stays one.
fn comment(look: Look, text: &str) -> String {
    let wrapped = look.wrap(text, "--   ");
    let lines = wrapped.lines().map(|line| look.paint(Ink::Faint, &look.cut(line)));
    lines.collect::<Vec<_>>().join("\n")
}

const OURS: &str = "\n-- each transaction also sets its timeouts and writes its row of the history";
const FRESH: &str =
    "\n-- the database is fresh: there is no old code to mind, and contracts run too";

impl Serialize for Planned<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Plan { direction, actions, deferred, notices } = self.plan;
        let actions = actions.iter().map(|action| {
            let steps = self.steps(action);
            let script = steps.first().and_then(Step::script);
            let file = script.map(|script| script.file.to_string());
            ActionAsData { action, file, sql: script.map(|script| script.text.to_string()) }
        });
        let database = &self.database;
        let actions = actions.collect();
        PlanAsData { database, direction, actions, deferred, notices }.serialize(serializer)
    }
}

#[derive(Serialize)]
struct PlanAsData<'p> {
    database: &'p str,
    direction: &'p Direction,
    actions: Vec<ActionAsData<'p>>,
    deferred: &'p [Deferred],
    notices: &'p [Notice],
}

#[derive(Serialize)]
struct ActionAsData<'p> {
    #[serde(flatten)]
    action: &'p Action,
    /// `None` for Rust code.
    file: Option<String>,
    sql: Option<String>,
}
