//! The same migrations through migrate, sqlx, refinery, diesel, sea-orm and psql, in turn and in one run.
//!
//! `peers` measures for about ten minutes, `peers --quick` for three or four: fewer rounds, and one of the largest
//! folder. The first run compiles the other migrators before. What it finds goes to
//! `target/bench/peers.json` of the main workspace, one object a figure, and as a table to stdout with the targets
//! beside it. The exit code is 0 when they are met, 1 when one is missed. A peer that does not compile is left out
//! and named.

use std::process::ExitCode;
use std::time::Duration;

use migrate_benches::apply::{self, Network};
use migrate_benches::figures::Figures;
use migrate_benches::proxy::Proxy;
use migrate_benches::run::Run;
use migrate_benches::server::{self, Bench};
use migrate_benches::set::Folder;
use migrate_benches::targets::{APPLIED, FEW, MANY};
use migrate_benches::tools::{self, Tool};
use migrate_benches::{Result, fresh, noop, output, peer, progress, record, targets, trips};

/// On each way, so that a round trip takes a millisecond more.
const DELAY: Duration = Duration::from_micros(500);

/// How often each thing is measured.
#[derive(Clone, Copy)]
struct Rounds {
    command: &'static str,
    few: usize,
    applied: usize,
    many: usize,
    delayed: usize,
    calls: usize,
}

const FULL: Rounds = Rounds {
    command: "cargo xtask bench peers",
    few: 15,
    applied: 15,
    many: 3,
    delayed: 3,
    calls: 1_000,
};
const QUICK: Rounds = Rounds {
    command: "cargo xtask bench peers --quick",
    few: 5,
    applied: 5,
    many: 1,
    delayed: 1,
    calls: 200,
};

const USAGE: &str = "usage: peers [--quick]
  without: about ten minutes on a quiet machine
  --quick: three or four, with fewer rounds";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((first, rest)) if first == "child" => child(rest).map(|()| true),
        None => server::on_disk().and_then(|()| block_on(measure(FULL))),
        Some((first, [])) if first == "--quick" => {
            server::on_disk().and_then(|()| block_on(measure(QUICK)))
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("failed to measure: {error}");
            ExitCode::from(2)
        }
    }
}

/// What this program does when it starts itself.
fn child(arguments: &[String]) -> Result<()> {
    match arguments.split_first() {
        Some((first, rest)) if first == fresh::OURS => block_on(fresh::ours(rest)),
        Some((first, rest)) if first == fresh::THEIRS => fresh::theirs(rest),
        _ => block_on(tools::child(arguments)),
    }
}

fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

async fn measure(rounds: Rounds) -> Result<bool> {
    let peers = peer::build()?;
    let tools = Tool::with(&peers);
    let bench = Bench::start()?;
    let run = Run::begin(rounds.command, &bench.describe())?;
    println!("{}\n{}", run.machine, run.server);
    let sets = output().join("sets");
    let [few, applied, many] = [FEW, APPLIED, MANY].map(|count| Folder::write(&sets, count));
    let (few, applied, many) = (few?, applied?, many?);
    let mut figures = Figures::default();
    trips::measure(&mut figures, &bench, &peers, (&few, &applied)).await?;
    for folder in [&few, &applied, &many] {
        noop::measure(&mut figures, &bench, &peers, folder, rounds.calls).await?;
    }
    let near = Network { measure: "apply_s", address: bench.address };
    for (folder, rounds) in [(&few, rounds.few), (&applied, rounds.applied), (&many, rounds.many)] {
        apply::measure(&mut figures, &bench, near, folder, (&tools, rounds)).await?;
    }
    let proxy = Proxy::start(bench.address, DELAY)?;
    let far = Network { measure: "apply_delayed_s", address: proxy.address };
    for folder in [&few, &applied] {
        apply::measure(&mut figures, &bench, far, folder, (&tools, rounds.delayed)).await?;
    }
    fresh::measure(&mut figures, &sets, rounds.few)?;
    let path = output().join("peers.json");
    record::write(&path, &run, &figures)?;
    figures.print();
    let met = targets::print(&targets::of_peers(&figures));
    progress(&format!("written to {}; `cargo xtask bench page` shows it", path.display()));
    Ok(met)
}
