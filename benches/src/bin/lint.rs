//! What the review of the SQL costs: on the command line, and in the compiler.
//!
//! `cargo xtask bench lint` reads folders that other people wrote with `migrate lint` and with squawk; compiles a
//! minimal application from nothing, and after an edit of one of 1,000 and of 5,000 files, each with and without the
//! feature `lint`. On a quiet machine it takes a quarter of an hour, with `--quick` a third of that. What it finds goes
//! to `target/bench/lint.json` of the main workspace and to stdout, with the targets beside it. The exit code is 0 when
//! they are met, 1 when one is missed.

use std::process::ExitCode;

use migrate_benches::apps::App;
use migrate_benches::figures::{Figures, Key};
use migrate_benches::run::Run;
use migrate_benches::targets::{self, APPLIED, MANY, ONE};
use migrate_benches::{Result, linting, output, progress, record};

/// How often each thing is measured.
#[derive(Clone, Copy)]
struct Rounds {
    command: &'static str,
    reading: usize,
    clean: usize,
    edits: usize,
}

const FULL: Rounds = Rounds { command: "cargo xtask bench lint", reading: 7, clean: 3, edits: 5 };
const QUICK: Rounds =
    Rounds { command: "cargo xtask bench lint --quick", reading: 3, clean: 1, edits: 3 };

fn main() -> ExitCode {
    let rounds = match std::env::args().nth(1).as_deref() {
        None => FULL,
        Some("--quick") => QUICK,
        Some(_) => {
            eprintln!("usage: lint [--quick]");
            return ExitCode::from(2);
        }
    };
    match measure(rounds) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("failed to measure: {error}");
            ExitCode::from(2)
        }
    }
}

fn measure(rounds: Rounds) -> Result<bool> {
    let run = Run::begin(rounds.command, "Without a server")?;
    let mut figures = Figures::default();
    linting::measure(&mut figures, &linting::folders()?, rounds.reading)?;
    for _ in 0..rounds.clean {
        build_from_nothing(&mut figures, App::Migrate)?;
        build_from_nothing(&mut figures, App::MigrateLint)?;
    }
    for migrations in [APPLIED, MANY] {
        rebuild(&mut figures, migrations, rounds.edits)?;
    }
    let path = output().join("lint.json");
    record::write(&path, &run, &figures)?;
    figures.print();
    let met = targets::print(&targets::of_lint(&figures));
    progress(&format!("written to {}", path.display()));
    Ok(met)
}

fn key(measure: &'static str, app: App, migrations: usize) -> Key {
    Key { measure, ..targets::app(app, migrations) }
}

fn build_from_nothing(figures: &mut Figures, app: App) -> Result<()> {
    app.write(ONE)?;
    app.clean()?;
    let built = app.build()?;
    progress(&format!("{} from nothing: {:.1} s of CPU", app.name(), built.cpu));
    figures.add(key("build_cpu_s", app, ONE), built.cpu);
    figures.compare(key("build_cpu_s", app, ONE), key("build_cpu_s", App::Migrate, ONE));
    Ok(())
}

/// Both take turns, so that a busy moment does not count for one of them alone.
fn rebuild(figures: &mut Figures, migrations: usize, edits: usize) -> Result<()> {
    let both = [App::Migrate, App::MigrateLint];
    for app in both {
        app.write(migrations)?;
        app.build()?;
    }
    for number in 1..=edits {
        for app in both {
            app.edit(number, migrations)?;
            let built = app.build()?;
            progress(&format!(
                "{} with {migrations} after an edit: {:.2} s, {:.2} s of CPU",
                app.name(),
                built.seconds,
                built.cpu
            ));
            figures.add(key("rebuild_s", app, migrations), built.seconds);
            figures.add(key("rebuild_cpu_s", app, migrations), built.cpu);
        }
    }
    Ok(())
}
