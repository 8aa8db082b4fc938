//! Cuts, kills and crashes at every message of every kind of run, and what the next run makes of it.
//!
//! A run (`runs`) is done once without disturbance through a proxy that knows the protocol; that tells what it sends and
//! what it makes. For every message and everything that can go wrong there (`point`), it is done again on a copy of the
//! database it begins with, disturbed at that message (`disturb`), and then again and again by somebody who does what
//! the errors say (`person`). Then catalog, rows and history (`snapshot`) have to be those of the undisturbed run; and
//! whatever a run said of itself has to be true when it said so (`story`).
//!
//! | argument | |
//! |---|---|
//! | none | every point |
//! | `--quick` | one in sixteen, of every run and of everything that can go wrong |
//! | `--planted` | is each of the bugs found that are planted on the wire (`planted`)? |
//! | `--postgres 13,18` | on these servers instead of the one that is installed |
//! | `--run NAME` | only one of the runs |
//!
//! The exit code is 0 when nothing differs, 1 when something does, 2 when something else was typed.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

mod child;
mod code;
mod disturb;
mod lab;
mod matrix;
mod person;
mod planted;
mod point;
mod run;
mod runs;
mod snapshot;
mod story;
mod wish;

use matrix::Tally;
use wish::Wish;

/// Whatever went wrong, in words.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Does what the arguments ask for.
pub fn main(arguments: impl Iterator<Item = String>) -> ExitCode {
    let words: Vec<String> = arguments.collect();
    let done = match words.as_slice() {
        [word, run, url] if word == child::WORD => as_child(run, url),
        words => match Wish::parse(words) {
            Some(wish) => carried_out(&wish),
            None => {
                failed(wish::USAGE);
                return ExitCode::from(2);
            }
        },
    };
    done.unwrap_or_else(|error| {
        failed(&error.to_string());
        ExitCode::FAILURE
    })
}

fn as_child(run: &str, url: &str) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(child::main(run, url))
}

fn carried_out(wish: &Wish) -> Result<ExitCode> {
    let bins = wish.majors.iter().map(|major| Ok(Some(migrate_testing::fetch(*major)?)));
    let mut bins = bins.collect::<Result<Vec<Option<PathBuf>>>>()?;
    if bins.is_empty() {
        bins.push(None); // the one that is installed
    }
    let green =
        if wish.planted { all_are_found(wish, &bins)? } else { nothing_differs(wish, &bins)? };
    Ok(if green { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn nothing_differs(wish: &Wish, bins: &[Option<PathBuf>]) -> Result<bool> {
    let (mut points, mut differences) = (0, 0);
    for bin in bins {
        let began = Instant::now();
        let tally = matrix::tried(&matrix_of(wish, bin.as_deref()))?;
        report(&tally, began)?;
        points += tally.points;
        differences += tally.differences.len();
    }
    say(&format!("{points} points, {differences} differences"))?;
    Ok(differences == 0)
}

fn report(tally: &Tally, began: Instant) -> Result<()> {
    for (kind, points) in &tally.kinds {
        say(&format!("{points:6} {kind}"))?;
    }
    let (points, seconds) = (tally.points, began.elapsed().as_secs());
    say(&format!("{points} points in {seconds} s; {} were none", tally.void))
}

fn all_are_found(wish: &Wish, bins: &[Option<PathBuf>]) -> Result<bool> {
    let mut missed = 0;
    for bin in bins {
        for plant in planted::ALL {
            let began = Instant::now();
            let wish = matrix::Wish {
                rewrite: Some(plant.rewrite),
                until_found: true,
                ..matrix_of(wish, bin.as_deref())
            };
            let tally = matrix::tried(&wish)?;
            let (points, seconds) = (tally.points, began.elapsed().as_secs());
            let found = tally.differences.first();
            missed += usize::from(found.is_none());
            let told = found.map_or("NOT FOUND", String::as_str);
            say(&format!(
                "planted: {}\n  after {points} points and {seconds} s: {told}",
                plant.name
            ))?;
        }
    }
    say(&format!("{} bugs planted, {missed} not found", planted::ALL.len() * bins.len()))?;
    Ok(missed == 0)
}

fn matrix_of<'w>(wish: &'w Wish, bin: Option<&'w Path>) -> matrix::Wish<'w> {
    matrix::Wish {
        bin,
        quick: wish.quick,
        only: wish.only.as_deref(),
        rewrite: None,
        until_found: false,
    }
}

fn failed(why: &str) {
    // With nobody to tell there is still the exit code.
    let _ = writeln!(std::io::stderr(), "{why}");
}

pub(crate) fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
