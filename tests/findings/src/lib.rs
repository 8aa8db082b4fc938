//! What the linter finds in folders that other people wrote, and whether a person agrees.
//!
//! [`main`] has the folders fetched (by migrate-real), lets the linter judge each as a project would that has just added
//! it (`judged`), draws findings by a fixed seed (`sample`), holds them against the verdicts that are committed
//! (`verdict`), looks whether it finds what a person has found by hand, and is silent where that has to be (`known`), runs those on a server of which a verdict says what was seen there (`server`), and writes or checks
//! the page (`page`). Nothing of others' SQL is committed but the names in a finding's message.
//!
//! | argument | |
//! |---|---|
//! | none | judge, and write `docs/findings.md` |
//! | `--check` | judge, and fail when `docs/findings.md` says something else |
//! | `--all` | print everything that is found, and write nothing |
//! | `--sample` | print what is drawn and has no verdict, and write nothing |
//! | `--run` | run all that is drawn on a server and print what is seen there, and write nothing |
//!
//! A change of a rule may change what is drawn. A finding that is drawn and has no verdict fails the check, and so does a
//! verdict of something that is not drawn.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

mod case;
mod judged;
mod known;
mod page;
mod sample;
mod server;
mod verdict;

/// Whatever went wrong, in words.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Write,
    Check,
    All,
    Sample,
    Run,
}

impl Wish {
    fn parse(arguments: &[String]) -> Option<Self> {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Some(match words[..] {
            [] => Wish::Write,
            ["--check"] => Wish::Check,
            ["--all"] => Wish::All,
            ["--sample"] => Wish::Sample,
            ["--run"] => Wish::Run,
            _ => return None,
        })
    }
}

/// Judges the folders, and does what the arguments ask for.
pub fn main(arguments: impl Iterator<Item = String>) -> ExitCode {
    let arguments: Vec<String> = arguments.collect();
    let Some(wish) = Wish::parse(&arguments) else {
        failed("usage: findings [--check | --all | --sample | --run]");
        return ExitCode::from(2);
    };
    match fulfilled(wish) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            failed(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn fulfilled(wish: Wish) -> Result<bool> {
    let judged = judged::all()?;
    let cases = case::all(&judged);
    let drawn = sample::draw(&cases);
    match wish {
        Wish::All => cases.iter().try_for_each(|case| say(&case.shown())).map(|()| true),
        Wish::Sample => {
            let verdicts = verdict::read()?;
            let mut without = drawn.iter().filter(|case| verdicts.of(case).is_none());
            without.try_for_each(|case| say(&case.shown())).map(|()| true)
        }
        Wish::Run => {
            server::seen(&drawn, |case, seen| say(&format!("{}\n    seen: {seen}\n", case.shown())))
                .map(|()| true)
        }
        Wish::Write | Wish::Check => told(wish, &judged, &cases, &drawn),
    }
}

fn told(
    wish: Wish,
    judged: &[judged::Judged],
    cases: &[case::Case<'_>],
    drawn: &[&case::Case<'_>],
) -> Result<bool> {
    let verdicts = verdict::read()?;
    let known = known::read()?;
    let mut wrong = verdicts.wrong(cases, drawn);
    wrong.extend(known.iter().filter_map(|hazard| hazard.wrong(judged)));
    let drawn_and_seen = drawn.iter().copied().filter(|case| verdicts.was_seen(case));
    let no_sql = cases.iter().filter(|case| case.is_no_sql());
    let run: Vec<_> = drawn_and_seen.chain(no_sql).collect();
    server::seen(&run, |case, seen| {
        wrong.extend(verdicts.seen_otherwise(case, seen));
        let is_accepted = case.is_no_sql() && seen != server::NO_SQL;
        wrong.extend(is_accepted.then(|| format!("{}    but a server says: {seen}", case.shown())));
        Ok(())
    })?;
    wrong.iter().try_for_each(|line| say(line))?;
    if !wrong.is_empty() {
        return Ok(false);
    }
    let text = page::text(judged, cases, drawn, &verdicts, &known);
    if wish == Wish::Check { page::is_fresh(&text) } else { page::write(&text) }
}

fn failed(why: &str) {
    // With nobody to tell there is still the exit code.
    let _ = writeln!(std::io::stderr(), "{why}");
}

pub(crate) fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
