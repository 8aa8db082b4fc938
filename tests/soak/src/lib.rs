//! A service that is restarted all the time while migrations land, and nothing is lost or done twice.
//!
//! [`main`] starts a server of its own and three replicas of a service, each a process: it migrates from the folder as it
//! is at that moment, serves a load, and is ended a few seconds later, by SIGTERM or by `kill -9`, often while it
//! migrates (`crew`, `replica`, `load`). Meanwhile one migration after the other lands in the folder (`releases`). In the
//! end nobody disturbs a last run, and everything is held against what has to be (`check`): what the history says, what
//! every migration has noted, every write that the service has acknowledged (`ledger`), the catalog of an undisturbed
//! run, and that the load saw no error. Whatever is left to chance comes of a seed, which is printed.
//!
//! | argument | |
//! |---|---|
//! | none | ten minutes |
//! | `--quick` | half a minute |
//! | `--minutes N` | so many |
//! | `--seed N` | the chances of another run; moments on the clock stay its own |
//! | `--prove` | damages the database in the end, in several ways, and fails unless each is found |
//!
//! The last line is `soak: N restarts, M migrations, K writes, D differences`; the exit code is 0 when there is none.
//!
//! The load uses what a service uses: prepared statements and named columns. Where a migration widens the type of a
//! column that it reads it casts (`note::text`): a prepared statement whose result gets another type fails once in any
//! service, whoever migrates.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

mod chance;
mod check;
mod crew;
mod ledger;
mod load;
mod releases;
mod replica;
mod story;

/// Whatever went wrong, in words.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const USAGE: &str = "usage: soak [--quick | --minutes N] [--seed N] [--prove]";

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) lasts: Duration,
    /// How many versions land meanwhile.
    pub(crate) versions: i64,
    pub(crate) seed: u64,
    pub(crate) prove: bool,
}

/// Seconds between two versions; the quick one has them land faster.
const EVERY: u64 = 6;

impl Wish {
    fn parse(arguments: &[String]) -> Option<Self> {
        let mut wish =
            Wish { lasts: minutes(10), versions: 100, seed: chance::seed(), prove: false };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--quick" => {
                    wish.lasts = Duration::from_secs(30);
                    wish.versions = 20;
                }
                "--minutes" => {
                    wish.lasts = minutes(words.next()?.parse().ok()?);
                    wish.versions = i64::try_from(wish.lasts.as_secs() / EVERY).ok()?;
                }
                "--seed" => wish.seed = words.next()?.parse().ok()?,
                "--prove" => wish.prove = true,
                _ => return None,
            }
        }
        (wish.versions > 0).then_some(wish)
    }
}

fn minutes(number: u64) -> Duration {
    Duration::from_secs(number.saturating_mul(60))
}

/// Lets the service run, or is a replica of it.
pub fn main(arguments: impl Iterator<Item = String>) -> ExitCode {
    let arguments: Vec<String> = arguments.collect();
    if let [word, task @ ..] = arguments.as_slice()
        && word == replica::WORD
    {
        return replica::main(task);
    }
    let Some(wish) = Wish::parse(&arguments) else {
        complain(USAGE);
        return ExitCode::from(2);
    };
    match story::tell(wish) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            complain(&format!("failed to soak: {error}"));
            ExitCode::FAILURE
        }
    }
}

pub(crate) fn complain(why: &str) {
    // With nobody to tell there is still the exit code.
    let _ = writeln!(std::io::stderr(), "{why}");
}

pub(crate) fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
