//! What embedding migrations costs the compiler and the program.
//!
//! `cargo xtask bench build` compiles minimal applications from nothing: the driver alone, migrate, and sqlx's
//! `migrate!`; then again after an edit of one file; and looks at what came out. It takes a quarter of an hour,
//! with `--quick` half of it. What it finds goes to `target/bench/build.json` of the main workspace and to
//! stdout, with the targets beside it. The exit code is 0 when they are met, 1 when one is missed.

use std::process::ExitCode;

use migrate_benches::apps::App;
use migrate_benches::figures::{Figures, Key};
use migrate_benches::server::{self, Bench, url};
use migrate_benches::targets::{self, APPLIED, MANY};
use migrate_benches::{Result, output, progress};

/// A folder has at least one file; the macro around it is as good as empty.
const ONE: usize = 1;

/// How often each thing is measured.
#[derive(Clone, Copy)]
struct Rounds {
    clean: usize,
    edits: usize,
}

const FULL: Rounds = Rounds { clean: 3, edits: 5 };
const QUICK: Rounds = Rounds { clean: 1, edits: 3 };

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rounds = match arguments.first().map(String::as_str) {
        None => FULL,
        Some("--quick") => QUICK,
        Some(_) => {
            eprintln!("usage: builds [--quick]");
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
    let mut figures = Figures::default();
    for _ in 0..rounds.clean {
        for app in [App::Driver, App::Migrate, App::Sqlx] {
            clean_build(&mut figures, app)?;
        }
    }
    for app in [App::Migrate, App::Sqlx] {
        figures.compare(key("build_cpu_s", app, ONE), key("build_cpu_s", App::Driver, ONE));
        figures.compare(key("build_s", app, ONE), key("build_s", App::Driver, ONE));
    }
    for migrations in [ONE, APPLIED, MANY] {
        for app in [App::Migrate, App::Sqlx] {
            edits(&mut figures, app, migrations, rounds.edits)?;
        }
        figures.compare(
            key("binary_mb", App::Migrate, migrations),
            key("binary_mb", App::Sqlx, migrations),
        );
    }
    memory(&mut figures)?;
    let path = output().join("build.json");
    figures.write(&path)?;
    figures.print();
    let met = targets::print(&targets::of_build(&figures));
    progress(&format!("written to {}", path.display()));
    Ok(met)
}

fn key(measure: &'static str, app: App, migrations: usize) -> Key {
    Key { measure, ..targets::app(app, migrations) }
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

fn edits(figures: &mut Figures, app: App, migrations: usize, edits: usize) -> Result<()> {
    app.write(migrations)?;
    app.build()?;
    let size = std::fs::metadata(app.binary())?.len();
    figures.add(key("binary_mb", app, migrations), size as f64 / 1e6);
    for number in 1..=edits {
        app.edit(number)?;
        let built = app.build()?;
        figures.add(key("rebuild_s", app, migrations), built.seconds);
        figures.add(key("rebuild_cpu_s", app, migrations), built.cpu);
        progress(&format!(
            "{} with {migrations} after an edit: {:.2} s",
            app.name(),
            built.seconds
        ));
    }
    Ok(())
}

/// Of the programs with the most files, where everything is applied.
fn memory(figures: &mut Figures) -> Result<()> {
    let bench = Bench::start()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for app in [App::Migrate, App::Sqlx] {
        let url = url(bench.address, &runtime.block_on(bench.create())?);
        app.run(&url)?;
        figures.add(key("peak_rss_mib", app, MANY), app.run(&url)?);
    }
    figures.compare(key("peak_rss_mib", App::Migrate, MANY), key("peak_rss_mib", App::Sqlx, MANY));
    Ok(())
}
