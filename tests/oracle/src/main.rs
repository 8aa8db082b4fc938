//! Holds what migrate-lint takes for SQL against PostgreSQL's own grammar.
//!
//! `cargo xtask oracle` gathers statements (`real`, `corpus`), makes others of them that are wrong in one token
//! (`mutant`), asks our parser (`ours`), servers of several versions (`server`) and, if it is compiled in,
//! PostgreSQL's parser as a library (`library`), counts (`tally`) and tells (`report`). No statement is executed.
//!
//! | argument | |
//! |---|---|
//! | `--quick` | 2,000 mutants instead of 13,000 |
//! | `--postgres all`, `--postgres 13,18` | on these servers instead of 15 and 18 |
//!
//! The exit code is 0 when the bars are met (`bar`), 1 when one is missed, 2 when something else was typed. With the
//! feature `pg_query` (`cargo xtask oracle --pg-query`) the library is asked as well, which needs libclang.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

mod bar;
mod corpus;
mod judged;
mod library;
mod mutant;
mod ours;
mod real;
mod report;
mod server;
mod tally;
mod verdict;
mod wish;

use judged::Jury;
use report::Report;
use wish::Wish;

/// Whatever went wrong, in words.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some(wish) = Wish::parse(&words) else {
        tell_error(wish::USAGE);
        return ExitCode::from(2);
    };
    match run(&wish) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            tell_error(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Are the bars met?
fn run(wish: &Wish) -> Result<bool> {
    let real = real::cases()?;
    let mut jury = Jury::convene(&wish.majors)?;
    let mut judged = jury.judge(real.cases)?;
    judged.extend(jury.judge(corpus::cases()?)?);
    let mutants = mutant::of(judged.iter().filter(|one| one.is_sql()), wish.mutants);
    judged.extend(jury.judge(mutants)?);
    let report = Report::new(wish, &jury, &real.unreadable, &judged);
    tell(&report.text())?;
    report.write()?;
    Ok(report.bars_are_met())
}

fn tell(text: &str) -> Result<()> {
    Ok(write!(std::io::stdout(), "{text}")?)
}

fn tell_error(text: &str) {
    // With nobody to tell there is still the exit code.
    let _ = writeln!(std::io::stderr(), "{text}");
}
