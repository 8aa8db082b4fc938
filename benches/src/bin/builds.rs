//! What embedding migrations costs the compiler and the program.
//!
//! `cargo xtask bench build` compiles minimal applications from nothing: the driver alone, migrate, sqlx's
//! `migrate!`, and other migrators; then again after an edit of one file; and looks at what came out. On a quiet
//! machine it takes half an hour. With `--quick` it takes a third of that, and leaves out what those cost that
//! compile code for each migration (refinery, sea-orm) with a thousand of them: minutes for each edit. What it finds
//! goes to `target/bench/build.json` of the main workspace and to stdout, with the targets beside it. The exit code
//! is 0 when they are met, 1 when one is missed. A peer that does not compile is left out and named.

use std::process::ExitCode;

use migrate_benches::apps::App;
use migrate_benches::figures::{Figures, Key};
use migrate_benches::run::Run;
use migrate_benches::server::{self, Bench, url};
use migrate_benches::targets::{self, APPLIED, MANY, ONE};
use migrate_benches::{Result, output, progress, record};

/// How often each thing is measured.
#[derive(Clone, Copy)]
struct Rounds {
    command: &'static str,
    clean: usize,
    edits: usize,
    /// Edits of many files, where each takes a minute; with none, many are not built at all.
    heavy: usize,
}

const FULL: Rounds = Rounds { command: "cargo xtask bench build", clean: 3, edits: 5, heavy: 2 };
const QUICK: Rounds =
    Rounds { command: "cargo xtask bench build --quick", clean: 1, edits: 3, heavy: 0 };
const USAGE: &str = "usage: builds [--quick]
  without: about half an hour, refinery and sea-orm with 1000 migrations included
  --quick: a third of it, without those";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rounds = match arguments.first().map(String::as_str) {
        None => FULL,
        Some("--quick") => QUICK,
        Some(_) => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match server::on_disk().and_then(|()| measure(rounds)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("failed to measure: {error}");
            ExitCode::from(2)
        }
    }
}

fn measure(rounds: Rounds) -> Result<bool> {
    let bench = Bench::start()?;
    let run = Run::begin(rounds.command, &bench.describe())?;
    let mut figures = Figures::default();
    let mut apps = App::EMBEDDING.to_vec();
    for _ in 0..rounds.clean {
        clean_build(&mut figures, App::Driver)?;
        from_nothing(&mut figures, &mut apps)?;
    }
    for app in &apps {
        figures.compare(key("build_cpu_s", *app, ONE), key("build_cpu_s", App::Driver, ONE));
        figures.compare(key("build_s", *app, ONE), key("build_s", App::Driver, ONE));
    }
    for migrations in [ONE, APPLIED, MANY] {
        for app in &apps {
            with(&mut figures, &bench, *app, migrations, rounds)?;
        }
        for measure in ["binary_mb", "peak_rss_mib"] {
            figures.compare(
                key(measure, App::Migrate, migrations),
                key(measure, App::Sqlx, migrations),
            );
        }
    }
    let path = output().join("build.json");
    record::write(&path, &run, &figures)?;
    figures.print();
    let met = targets::print(&targets::of_build(&figures));
    progress(&format!("written to {}; `cargo xtask bench page` shows it", path.display()));
    Ok(met)
}

fn key(measure: &'static str, app: App, migrations: usize) -> Key {
    Key { measure, ..targets::app(app, migrations) }
}

/// Drops those from the list that do not compile here.
fn from_nothing(figures: &mut Figures, apps: &mut Vec<App>) -> Result<()> {
    let mut compiling = Vec::new();
    for app in apps.drain(..) {
        match (clean_build(figures, app), app.peer()) {
            (Ok(()), _) => compiling.push(app),
            (Err(error), None) => return Err(error),
            (Err(error), Some(peer)) => {
                progress(&format!("{error} and is left out: {}", peer.needs()))
            }
        }
    }
    *apps = compiling;
    Ok(())
}

fn clean_build(figures: &mut Figures, app: App) -> Result<()> {
    app.write(ONE)?;
    app.clean()?;
    let built = app.build()?;
    progress(&format!(
        "{} from nothing: {:.1} s, {:.1} s of CPU",
        app.name(),
        built.seconds,
        built.cpu
    ));
    figures.add(key("build_s", app, ONE), built.seconds);
    figures.add(key("build_cpu_s", app, ONE), built.cpu);
    Ok(())
}

/// Builds an application with so many files, edits and builds it again, and starts it.
fn with(
    figures: &mut Figures,
    bench: &Bench,
    app: App,
    migrations: usize,
    rounds: Rounds,
) -> Result<()> {
    let edits = match (app.is_heavy(), migrations) {
        (true, MANY) => 0, // it takes longer than anybody waits
        (true, APPLIED) => rounds.heavy,
        _ => rounds.edits,
    };
    if edits == 0 {
        return Ok(());
    }
    app.write(migrations)?;
    app.build()?;
    let size = std::fs::metadata(app.binary())?.len();
    figures.add(key("binary_mb", app, migrations), size as f64 / 1e6);
    for number in 1..=edits {
        app.edit(number, migrations)?;
        let built = app.build()?;
        figures.add(key("rebuild_s", app, migrations), built.seconds);
        figures.add(key("rebuild_cpu_s", app, migrations), built.cpu);
        progress(&format!(
            "{} with {migrations} after an edit: {:.2} s",
            app.name(),
            built.seconds
        ));
    }
    memory(figures, bench, app, migrations)
}

/// Of the program, where everything is applied.
fn memory(figures: &mut Figures, bench: &Bench, app: App, migrations: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let url = url(bench.address, &runtime.block_on(bench.create())?);
    app.run(&url)?;
    figures.add(key("peak_rss_mib", app, migrations), app.run(&url)?);
    Ok(())
}
