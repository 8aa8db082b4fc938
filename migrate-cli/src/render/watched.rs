//! The status again and again: in place on a terminal, as lines in a pipe where something has changed.
//!
//! Owns what is drawn over what. Knows no database.

use console::Term;
use migrate_postgres::Activity;
use serde::Serialize;

use super::status::Standings;
use super::{Look, Output, Show, activity, filling, print, words};
use crate::exit::Failure;

/// What one look at a database found.
#[derive(Serialize)]
pub(crate) struct Watched<'w> {
    #[serde(flatten)]
    pub(crate) standings: Standings<'w>,
    pub(crate) activity: Activity,
}

impl Show for Watched<'_> {
    fn text(&self, look: Look) -> String {
        let filling = |state| filling::word(state) == "filling";
        let now = match self.standings.backfills().any(filling) && self.activity.migrator.is_none()
        {
            true => "no run at this moment; a backfill is worked at, see above".to_owned(),
            false => activity::lines(look, &self.activity).join("\n"),
        };
        format!("{}\n\n{now}", self.standings.text(look))
    }
}

impl Watched<'_> {
    fn gist(&self) -> String {
        self.standings.gist() + &activity::gist(&self.activity)
    }
}

/// Where it is shown.
pub(crate) struct Screen<'o> {
    output: &'o Output,
    /// Of stdout, where that is one.
    terminal: Option<Term>,
    /// Lines that stand there now.
    drawn: usize,
    /// What was shown last, but for the time that passes.
    last: String,
}

impl<'o> Screen<'o> {
    pub(crate) fn new(output: &'o Output) -> Self {
        let terminal = Some(Term::stdout()).filter(|term| term.is_term() && !output.json);
        Self { output, terminal, drawn: 0, last: String::new() }
    }

    pub(crate) fn show(&mut self, watched: &Watched<'_>) {
        if self.output.json {
            return print(&serde_json::to_string(watched).unwrap_or_default());
        }
        if self.terminal.is_some() {
            return self.draw(&watched.text(self.output.results));
        }
        let gist = watched.gist();
        if gist != self.last {
            self.last = gist;
            print(&format!("{}\n", watched.text(self.output.results)));
        }
    }

    /// The server may be back at the next look.
    pub(crate) fn lost(&mut self, failure: &Failure) {
        let text = crate::secret::hide(&failure.to_string());
        let told = words::labelled(self.output.asides, &format!("error: {text}"));
        if self.terminal.is_some() {
            self.draw(&told);
        } else if text != self.last {
            self.last = text;
            super::tell(&told);
        }
    }

    /// Over what stood there; of what is higher than the terminal, the end.
    fn draw(&mut self, text: &str) {
        let Some(terminal) = &self.terminal else { return };
        let room = usize::from(terminal.size().0).saturating_sub(1).max(1);
        let lines: Vec<&str> = text.lines().collect();
        let shown = lines.get(lines.len().saturating_sub(room)..).unwrap_or_default();
        let up = if self.drawn > 0 { format!("\x1b[{}A", self.drawn) } else { String::new() };
        let over: String = shown.iter().map(|line| format!("{line}\x1b[K\n")).collect();
        super::write(&mut std::io::stdout(), &format!("{up}\r{over}\x1b[J"));
        self.drawn = shown.len();
    }
}
