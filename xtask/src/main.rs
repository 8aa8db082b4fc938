//! Our own chores: one file each, and a line in the table.

use std::ffi::OsString;
use std::process::ExitCode;

mod bench;
mod crash;
mod findings;
mod migrate;
mod model;
mod oracle;
mod page;
mod postgres;
mod real;
mod rules;
mod script;
mod soak;
mod test;

/// A chore gets the words behind its name.
struct Chore {
    name: &'static str,
    what: &'static str,
    run: fn(Vec<OsString>) -> ExitCode,
}

const CHORES: [Chore; 11] = [
    Chore {
        name: "migrate",
        what: "migrate's commands, for the quickstart's folder",
        run: migrate::run,
    },
    Chore {
        name: "bench",
        what: "the benchmarks: `bench peers [--quick]`, `bench build [--quick]`, `bench lint [--quick]`, `bench freeze [--quick]`, `bench backfill [--quick]`, `bench rehearse [--quick]`; `bench page` writes docs/measured.md",
        run: bench::run,
    },
    Chore { name: "real", what: "the folders that other people wrote, end to end", run: real::run },
    Chore {
        name: "rules",
        what: "writes docs/rules.md, the page of the linter's rules",
        run: rules::run,
    },
    Chore {
        name: "findings",
        what: "what the linter finds in them, and what a person says of that",
        run: findings::run,
    },
    Chore {
        name: "oracle",
        what: "what the linter takes for SQL, against servers: `oracle [--quick] [--postgres all]`",
        run: oracle::run,
    },
    Chore {
        name: "crash-matrix",
        what: "cuts, kills and crashes at every message of every kind of run: `crash-matrix [--quick] [--planted] [--postgres all]`",
        run: crash::run,
    },
    Chore {
        name: "soak",
        what: "a service is killed and restarted while migrations land: `soak [--quick | --minutes N] [--seed N]`",
        run: soak::run,
    },
    Chore {
        name: "backfill-model",
        what: "an application writes what it likes while its table is filled: `backfill-model [--operations N] [--seed N]`",
        run: model::run,
    },
    Chore {
        name: "postgres",
        what: "brings servers of other versions: `postgres 13 18`, or all of them",
        run: postgres::run,
    },
    Chore {
        name: "test",
        what: "the tests on servers of other versions: `test --postgres all`",
        run: test::run,
    },
];

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    let name = words.next().unwrap_or_default();
    match CHORES.iter().find(|chore| name == chore.name) {
        Some(chore) => (chore.run)(words.collect()),
        None => script::usage(&CHORES.map(|chore| (chore.name, chore.what))),
    }
}
