//! How results are said: as text for people, as one JSON object for programs.
//!
//! The only room that prints. Results go to stdout; progress, warnings, questions and errors go to stderr.
//! Every error passes through `secret`. Decides nothing.

use std::io::{BufRead, IsTerminal, Write};

use console::Term;
use migrate_postgres::Error;
use serde::Serialize;
use serde_json::json;

use crate::args::When;
use crate::exit::{Exit, Failure};
use crate::secret;

mod activity;
mod adoption;
mod explained;
mod filled;
mod filling;
mod gates;
mod linted;
mod live;
mod look;
mod plan;
mod progress;
mod rehearsed;
mod report;
mod results;
mod setup;
mod status;
mod watched;
mod words;

pub(crate) use adoption::{Adoption, MirrorStopped, Released};
pub(crate) use explained::{Explained, Rules};
pub(crate) use filled::{Filled, Turned, Waiting};
pub(crate) use gates::{Contracted, Gates};
pub(crate) use linted::{Counted, Fixes, Linted};
pub(crate) use look::{Ink, Look};
pub(crate) use plan::Planned;
pub(crate) use progress::Progress;
pub(crate) use rehearsed::{Limits, Rehearsed};
pub(crate) use report::{ReportFile, Reported};
pub(crate) use results::{Differences, Done, Pending, Recorded};
pub(crate) use setup::{Files, Setup, ToDo};
pub(crate) use status::Standings;
pub(crate) use watched::{Screen, Watched};

/// A result: its fields are the JSON, this is the text.
pub(crate) trait Show: Serialize {
    /// Lines that fit the terminal where they can.
    fn text(&self, look: Look) -> String;
}

/// Who listens.
pub(crate) struct Output {
    json: bool,
    /// Of stdout, for results.
    results: Look,
    /// Of stderr, for all else.
    asides: Look,
}

impl Output {
    pub(crate) fn new(json: bool, color: When) -> Self {
        let results = Look::of(&Term::stdout(), color);
        Self { json, results, asides: Look::of(&Term::stderr(), color) }
    }

    /// A text that is for another program, and that the program is to get as it is.
    pub(crate) fn raw(&self, text: &str) {
        print(text);
    }

    /// What a command came to.
    pub(crate) fn result(&self, result: &impl Show) {
        match self.json {
            true => print(&as_json(result)),
            false => print(&result.text(self.results)),
        }
    }

    /// What a command is about to do, before it asks.
    pub(crate) fn beforehand(&self, result: &impl Show) {
        match self.json {
            true => tell(&result.text(self.asides)),
            false => print(&result.text(self.results)),
        }
    }

    /// Worth knowing, and no result.
    pub(crate) fn aside(&self, line: &str) {
        if !self.json {
            tell(&self.asides.paint(Ink::Faint, line));
        }
    }

    pub(crate) fn progress(&self) -> Progress {
        Progress::new((!self.json).then_some(self.results), self.asides)
    }

    /// Asks on a terminal; where there is none, only `--yes` will do.
    pub(crate) fn ask(&self, yes: bool, question: &str) -> Result<(), Failure> {
        if yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            let help = "Pass --yes when you have read what stands above.";
            return Err(Failure::usage(
                format!("failed to ask, because there is no terminal: {question}"),
                help,
            ));
        }
        write(&mut std::io::stderr(), &format!("\n{question} [y/N] "));
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        read.map_err(Failure::file("read the answer"))?;
        match answer.trim() {
            "y" | "Y" | "yes" => Ok(()),
            _ => Err(Failure::Declined),
        }
    }

    /// `database` is what could not be reached, and where its name is from.
    pub(crate) fn failure(&self, failure: &Failure, database: Option<&str>) {
        let database = database.map(|at| format!("\n  database: {at}")).unwrap_or_default();
        let text = secret::hide(&(failure.to_string() + &database));
        if self.json {
            print(&as_json(&failure_as_data(failure, &text)));
        }
        if matches!(failure, Failure::Declined) {
            return tell(&text);
        }
        tell(&words::labelled(self.asides, &format!("error: {text}")));
    }
}

fn as_json(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value);
    text.unwrap_or_else(|error| json!({ "error": { "message": error.to_string() } }).to_string())
}

fn failure_as_data(failure: &Failure, text: &str) -> serde_json::Value {
    let error = match failure {
        Failure::Database(error) => Some(&**error),
        _ => None,
    };
    let place = error.and_then(Error::place);
    let place =
        place.map(|(file, line, column)| json!({ "file": file, "line": line, "column": column }));
    json!({
        "error": {
            "message": text,
            "sqlstate": failure.sqlstate(),
            "place": place,
            "applied": error.map(Error::applied).unwrap_or_default(),
            "exit_code": failure.exit().code(),
        }
    })
}

/// Help that was asked for, or why what was typed makes no sense.
pub(crate) fn usage(told: &clap::Error, color: When) -> Exit {
    let text = |terminal: Term| match Look::of(&terminal, color).color {
        true => told.render().ansi().to_string(),
        false => told.render().to_string(),
    };
    if told.exit_code() == 0 {
        print(&text(Term::stdout()));
        return Exit::Done;
    }
    tell(&secret::hide(&text(Term::stderr())));
    Exit::Usage
}

/// How wide the help may be: as the terminal, and no wider than is read with ease.
pub(crate) fn help_width() -> usize {
    let terminal = Term::stdout();
    let width = if terminal.is_term() { terminal.size().1.into() } else { 80 };
    usize::clamp(width, 40, 100)
}

fn print(text: &str) {
    write(&mut std::io::stdout(), &ended(text));
}

fn tell(text: &str) {
    write(&mut std::io::stderr(), &ended(text));
}

fn ended(text: &str) -> String {
    format!("{}\n", text.trim_end_matches('\n'))
}

/// Whoever closed the other end (`| head`) wants no more, and the work goes on all the same.
fn write(to: &mut impl Write, text: &str) {
    let written = to.write_all(text.as_bytes()).and_then(|()| to.flush());
    drop(written);
}

#[cfg(test)]
mod tests;
