//! An application that writes whatever it likes while its table is filled, and what has to come of it.
//!
//! In each round (`round`) a table (`shape`) is filled by two workers while four sessions of an application write it, old
//! code one column and new code the other, which a trigger keeps together: what they do comes of a seed (`operation`), and
//! each keeps in memory what its rows have to be (`session`). In the end every row is what its session knows, the new
//! column is computed from the old one, and the filling has changed no row twice.
//!
//! | argument | |
//! |---|---|
//! | none | a million operations |
//! | `--operations N` | so many |
//! | `--seed N` | those of another time |
//!
//! The exit code is 0 when nothing differs.

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::process::ExitCode;

use migrate_testing::Server;

mod operation;
mod round;
mod session;
mod shape;

/// Whatever went wrong, in words.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const USAGE: &str = "usage: backfill-model [--operations N] [--seed N]";

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wish {
    operations: u64,
    seed: u64,
}

impl Wish {
    fn parse(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let seed = RandomState::new().hash_one(0u8) % 1_000_000;
        let mut wish = Self { operations: 1_000_000, seed };
        while let Some(word) = words.next() {
            let number = words.next()?.parse().ok()?;
            match word.as_str() {
                "--operations" => wish.operations = number,
                "--seed" => wish.seed = number,
                _ => return None,
            }
        }
        Some(wish)
    }
}

/// Fills and writes as long as the arguments ask for.
pub fn main(arguments: impl Iterator<Item = String>) -> ExitCode {
    let Some(wish) = Wish::parse(arguments) else {
        complain(USAGE);
        return ExitCode::from(2);
    };
    match tried(wish) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            complain(&format!("failed to go on with seed {}: {error}", wish.seed));
            ExitCode::FAILURE
        }
    }
}

/// How many differences there are.
fn tried(wish: Wish) -> Result<usize> {
    let Wish { operations, seed } = wish;
    say(&format!("seed {seed}, {operations} operations"))?;
    let server = Server::private()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let rounds = operations.div_ceil(round::OPERATIONS);
    let (mut differences, mut beside) = (0, 0);
    for number in 0..rounds {
        let told = runtime.block_on(round::played(&server, seed, number))?;
        beside += told.beside;
        differences += told.differences.len();
        for difference in &told.differences {
            say(&format!("seed {seed}, round {number}, {}: {difference}", told.shape))?;
        }
    }
    let all = rounds * round::OPERATIONS;
    say(&format!(
        "seed {seed}: {all} operations, {beside} of them beside a filling, {differences} differences"
    ))?;
    if beside == 0 {
        return Err("no filling was still under way when somebody wrote".into());
    }
    Ok(differences)
}

fn complain(why: &str) {
    // With nobody to tell there is still the exit code.
    let _ = writeln!(std::io::stderr(), "{why}");
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_written_beside_a_filling_every_row_is_what_it_has_to_be() {
        let seed = RandomState::new().hash_one(0u8) % 1_000_000;
        let differences = tried(Wish { operations: 20_000, seed });
        assert_eq!(differences.unwrap_or_else(|error| panic!("seed {seed}: {error}")), 0, "{seed}");
    }

    #[test]
    fn arguments_are_read() {
        let parse = |words: &str| Wish::parse(words.split_whitespace().map(str::to_owned));
        assert_eq!(
            parse("--operations 20000 --seed 7"),
            Some(Wish { operations: 20_000, seed: 7 })
        );
        assert_eq!(parse("").map(|wish| wish.operations), Some(1_000_000));
        assert_eq!(parse("--operations many"), None);
        assert_eq!(parse("--quick"), None);
    }
}
