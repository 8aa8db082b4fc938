//! What the measurements are made with.
//!
//! Programs: `peers` applies the same migrations through migrate, other migrators and psql, `builds` and `lint` look at
//! what embedding and reviewing them costs the compiler, `freeze` and `backfill` at what an application feels of a migration,
//! `rehearse` at what is told of one beforehand, and `page` writes from what they found what people read. Everything that they
//! need is a module here. Linux only: memory and CPU
//! time are read from `/proc`.

pub mod apply;
pub mod apps;
pub mod backfill;
pub mod figures;
pub mod freeze;
pub mod fresh;
pub mod linting;
pub mod noop;
pub mod page;
pub mod peer;
pub mod proxy;
pub mod record;
pub mod rehearse;
pub mod run;
pub mod server;
pub mod set;
pub mod start;
pub mod targets;
pub mod tools;
pub mod trips;
pub mod usage;

/// A measurement that cannot be made ends the program with the reason.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Says what goes on, on stderr.
pub fn progress(text: &str) {
    eprintln!("  {text}");
}

/// The directory for what is made: `target/bench` of the main workspace.
pub fn output() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench")
}
