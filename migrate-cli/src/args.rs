//! What was typed.
//!
//! Owns the words of the command line and its help. Knows nothing of what they do: a value that is of the
//! right form may still make no sense, and `commands` say so.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use migrate_core::{Phase, Version};

use crate::exit::Exit;

/// Migrations of a PostgreSQL database.
#[derive(Debug, Parser)]
#[command(disable_help_subcommand = true, subcommand_required = true)]
pub(crate) struct Typed {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// For every command.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Common {
    /// The database; else DATABASE_URL, else the nearest .env
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) database_url: Option<String>,
    /// The folder of migrations
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
    /// The result as one JSON object on stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The set of migrations, where several share a database
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) set: Option<String>,
    /// The schema of the history
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) schema: Option<String>,
    /// The table of the history
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) table: Option<String>,
    /// The role that everything is done as
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) role: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write what a project needs: folder, build script, xtask. Overwrites nothing
    Init(Init),
    /// Write the files of a new migration
    New(New),
    /// Apply what is pending
    Run(Run),
    /// Show what `run` would do: SQL, transactions, what waits and why
    Plan(Plan),
    /// Show every migration and where it stands
    Status(Status),
    /// Is anything pending? Tells by its exit code; only reads
    Check(Check),
    /// Take migrations back; shows the plan and asks first
    Revert(Revert),
    /// Take over the history of an application that migrated with sqlx
    Adopt(Adopt),
    /// Record everything up to a version as applied, without running it
    Baseline(Baseline),
    /// Record one migration as applied, without running it
    MarkApplied(MarkApplied),
    /// Record the present text of edited migrations; shows the difference and asks first
    Repair(Repair),
    /// Say what became of a statement that was cut short
    Resolve(Resolve),
}

#[derive(Args, Debug)]
pub(crate) struct Init {}

#[derive(Args, Debug)]
pub(crate) struct New {
    /// A few words, such as create_users
    #[arg(required = true)]
    pub(crate) name: Vec<String>,
    /// One file for each phase: expand, migrate, contract
    #[arg(long)]
    pub(crate) phases: bool,
    /// For statements that cannot be in a transaction, such as CREATE INDEX CONCURRENTLY
    #[arg(long)]
    pub(crate) no_transaction: bool,
}

/// How far and what.
#[derive(Args, Debug)]
pub(crate) struct Target {
    /// Contracts too: they remove what older code still needs
    #[arg(long, conflicts_with = "phases")]
    pub(crate) contract: bool,
    /// These phases only [default: expand,migrate]
    #[arg(long, value_name = "PHASES", value_delimiter = ',')]
    pub(crate) phases: Vec<Phase>,
    /// Apply expands that are older than the newest applied one
    #[arg(long)]
    pub(crate) allow_late: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Run {
    /// The newest version to apply
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<Version>,
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) waits: Waits,
}

/// How long things may take; `250ms`, `2s`, `10min`, `1h`.
#[derive(Args, Debug)]
pub(crate) struct Waits {
    /// For another migrator to finish [default: 10min]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) wait: Option<Duration>,
    /// For one attempt to lock a table; others queue behind it [default: 50ms, 100ms, then 250ms]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) lock_timeout: Option<Duration>,
    /// For all attempts of one migration to lock its tables [default: 10min]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) lock_deadline: Option<Duration>,
    /// For one statement in a transaction [default: no limit]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) statement_timeout: Option<Duration>,
}

#[derive(Args, Debug)]
pub(crate) struct Plan {
    /// The newest version to apply
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<Version>,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Args, Debug)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Args, Debug)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Args, Debug)]
pub(crate) struct Revert {
    #[command(flatten)]
    pub(crate) until: Until,
    /// Do not ask; needed where there is no terminal
    #[arg(long, short)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) waits: Waits,
}

#[derive(Args, Clone, Copy, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct Until {
    /// The version that stays; every newer one is taken back, newest first
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<Version>,
    /// Take everything back
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Adopt {
    /// sqlx's table, as `table-name` in sqlx.toml has it [default: _sqlx_migrations]
    #[arg(long, value_name = "NAME")]
    pub(crate) sqlx_table: Option<String>,
    /// What sqlx's checksums pass over, as `ignored-chars` in sqlx.toml; knows \\r, \\n and \\t
    #[arg(long, value_name = "CHARS", value_parser = chars)]
    pub(crate) ignored_chars: Option<String>,
    /// Files that are not what sqlx ran count as applied, with their present text
    #[arg(long)]
    pub(crate) accept_changed: bool,
    /// Versions that no file has stay in sqlx's table alone
    #[arg(long)]
    pub(crate) accept_missing: bool,
    /// Adopted versions that sqlx's table has no longer count as taken back
    #[arg(long)]
    pub(crate) accept_reverted: bool,
    /// Write to sqlx's table too, from now on, so that a build with sqlx can come back
    #[arg(long, conflicts_with = "stop_mirror")]
    pub(crate) mirror: bool,
    /// End that
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) stop_mirror: bool,
    /// Only say what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Baseline {
    /// The newest version that the database has already
    pub(crate) version: Version,
}

#[derive(Args, Debug)]
pub(crate) struct MarkApplied {
    /// Of the migration
    pub(crate) version: Version,
    /// Of the migration
    #[arg(long, default_value = "expand")]
    pub(crate) phase: Phase,
    /// Why; it stays in the history
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Args, Debug)]
pub(crate) struct Repair {
    /// Do not ask; needed where there is no terminal
    #[arg(long, short)]
    pub(crate) yes: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Resolve {
    /// Of the migration
    pub(crate) version: Version,
    /// Of the migration
    #[arg(long)]
    pub(crate) phase: Phase,
    #[command(flatten)]
    pub(crate) became: Became,
}

#[derive(Args, Clone, Copy, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct Became {
    /// The statement took effect; the next run goes on behind it
    #[arg(long)]
    pub(crate) done: bool,
    /// It did not; the next run does it again
    #[arg(long)]
    pub(crate) redo: bool,
}

impl Typed {
    /// Reads what was typed; `program` is what the help calls the program.
    pub(crate) fn read(program: &str, words: Vec<OsString>) -> Result<Self, clap::Error> {
        let command =
            Self::command().bin_name(program).no_binary_name(true).after_help(Exit::help());
        let matches = command.try_get_matches_from(words)?;
        Self::from_arg_matches(&matches)
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a time is a number and ms, s, min or h, such as `30s`".to_owned();
    migrate_core::duration(text).ok_or_else(wrong)
}

/// As they stand in sqlx.toml.
fn chars(text: &str) -> Result<String, String> {
    Ok(text.replace("\\r", "\r").replace("\\n", "\n").replace("\\t", "\t"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_consistent() {
        Typed::command().debug_assert();
    }
}
