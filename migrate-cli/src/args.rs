//! What was typed.
//!
//! Owns the words of the command line and its help. Knows nothing of what they do: a value that is of the
//! right form may still make no sense, and `commands` say so.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use migrate_core::{Phase, Version, nearest};
use migrate_postgres::Migrator;

use crate::render;

mod backfill;
mod help;

pub(crate) use backfill::{Backfill, Told, Which};

/// Migrations of a PostgreSQL database.
#[derive(Debug, Parser)]
#[command(name = "migrate", disable_help_subcommand = true, subcommand_required = true)]
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
    /// Which database; else DATABASE_URL, else .env
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) database_url: Option<String>,
    /// How to connect for work, past a pooler; else MIGRATE_DIRECT_URL, else as DATABASE_URL says
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) direct_url: Option<String>,
    /// The folder of migrations
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
    /// The result as one JSON object on stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// auto, always or never; auto minds NO_COLOR
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    #[arg(hide_default_value = true)]
    pub(crate) color: When,
    /// The set, where several share a database
    #[arg(long, global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) set: Option<String>,
    /// The schema of the history
    #[arg(long, global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) schema: Option<String>,
    /// The table of the history
    #[arg(long, global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) table: Option<String>,
    /// The role that everything is done as
    #[arg(long, global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) role: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write what a project needs: folder, first migration, test, xtask
    Init(Init),
    /// Write the files of a new migration
    New(New),
    /// Judge what the SQL of the migrations does to a live database
    Lint(Lint),
    /// Say what a rule of `lint` finds, why, and what to write instead
    Explain(Explain),
    /// Apply what is pending
    Run(Run),
    /// Go on with changes of data in batches until they are done; pause, cancel or slow one down
    Backfill(Backfill),
    /// Show what `run` would do: SQL, transactions, what waits and why
    Plan(Plan),
    /// Say before `run` what it would do: locks, rewrites, log, time; nothing of it stays
    Rehearse(Rehearse),
    /// Show every migration and where it stands
    Status(Status),
    /// Is anything pending? Tells by its exit code; only reads
    Check(Check),
    /// Run contracts whose gate is open, and say of the others what would open it
    Contract(Contract),
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
    /// Print what a shell needs to complete these commands
    Completions(Completions),
    /// Write the manual pages
    Man(Man),
}

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Completions {
    /// Which shell
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
pub(crate) struct Man {
    /// Where to; `man1` of a folder that MANPATH names
    pub(crate) dir: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Init {
    /// The package that is to have migrations [default: this one]
    pub(crate) project: Option<PathBuf>,
    /// Depend on a checkout of migrate [default: what this program was built from]
    #[arg(long, value_name = "DIR", conflicts_with = "git")]
    pub(crate) path: Option<PathBuf>,
    /// Depend on a repository of migrate
    #[arg(long, value_name = "URL")]
    pub(crate) git: Option<String>,
}

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

#[derive(Args, Debug)]
pub(crate) struct Lint {
    /// The folder of migrations, whatever they were written for [default: --folder]
    pub(crate) path: Option<PathBuf>,
    /// Tell only of files that were added or changed since a commit, as git tells
    #[arg(long, value_name = "REV")]
    pub(crate) since: Option<String>,
    /// human, json, sarif or github [default: human]
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) format: Option<Format>,
    /// Write the safe form where it is mechanical and nothing else would be found; tells what it wrote
    #[arg(long, conflicts_with = "db")]
    pub(crate) fix: bool,
    /// Ask the database too: its own grammar, without running anything, and how large its tables are
    #[arg(long)]
    pub(crate) db: bool,
    /// Fail for warnings too
    #[arg(long, short = 'D', value_name = "warnings", hide_possible_values = true)]
    pub(crate) deny: Option<Deny>,
}

/// Who reads what `lint` finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Human,
    Json,
    Sarif,
    Github,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deny {
    Warnings,
}

#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// As `lint` names it in brackets [default: all of them, a line each]
    pub(crate) rule: Option<String>,
}

/// How far and what.
#[derive(Args, Debug)]
pub(crate) struct Target {
    /// Contracts too: they remove what older code still needs
    #[arg(long, conflicts_with = "phases")]
    pub(crate) contract: bool,
    /// Of expand, migrate, contract [default: expand,migrate]
    #[arg(long, value_name = "PHASES", value_delimiter = ',')]
    pub(crate) phases: Vec<Phase>,
    /// Apply expands that are older than the newest applied one
    #[arg(long)]
    pub(crate) allow_late: bool,
    #[command(flatten)]
    pub(crate) evidence: Evidence,
}

/// What counts at the gates of contracts.
#[derive(Args, Debug)]
pub(crate) struct Evidence {
    /// Evidence that does not count for contracts (phases, soak, fleet, strangers, dependencies), and why
    #[arg(long, value_name = "SOURCE=REASON", value_parser = waiver)]
    pub(crate) waive: Vec<(String, String)>,
    /// A role or application_name whose sessions need nothing that contracts remove
    #[arg(long, value_name = "NAME")]
    pub(crate) known: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Contract {
    /// Of one contract [default: all that have not run yet]
    pub(crate) version: Option<Version>,
    /// Run nothing; show what is known of each gate, and what would open it
    #[arg(long)]
    pub(crate) explain: bool,
    /// Run nothing; approve what is known at this moment, and say why
    #[arg(long, value_name = "REASON", requires = "version", conflicts_with = "explain")]
    pub(crate) approve: Option<String>,
    #[command(flatten)]
    pub(crate) evidence: Evidence,
    #[command(flatten)]
    pub(crate) waits: Waits,
}

#[derive(Args, Debug)]
pub(crate) struct Run {
    /// The newest version to apply
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<Version>,
    /// How long to go on with backfills, all together [default: 10s]; on a fresh database, until they are done
    #[arg(long, value_name = "TIME", value_parser = budget)]
    pub(crate) budget: Option<Duration>,
    /// Write what the run did, also when it fails: a page to look at (.html), or data (.json)
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
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
    /// For one attempt to lock a table [default: 50ms, 100ms, 250ms]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) lock_timeout: Option<Duration>,
    /// For all attempts of one migration to lock its tables [default: 10min]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) lock_deadline: Option<Duration>,
    /// For one statement in a transaction [default: 5s while it keeps everybody out of a table, else no limit]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) statement_timeout: Option<Duration>,
    /// For a standby to be promoted [default: an error]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) wait_for_promotion: Option<Duration>,
    /// End sessions in the way of a lock that have done nothing in an open transaction for so long [default: never]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) end_idle_in_transaction: Option<Duration>,
    /// Cancel an autovacuum that is in the way of a lock
    #[arg(long)]
    pub(crate) cancel_autovacuum: bool,
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
pub(crate) struct Rehearse {
    /// The newest version to rehearse
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<Version>,
    /// Nobody else uses this database: run everything on the tables themselves, then roll back
    #[arg(long)]
    pub(crate) copy: bool,
    /// How many rows of a table are tried, where it has more [default: 100000]
    #[arg(long, value_name = "ROWS", conflicts_with = "copy", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) sample: Option<u64>,
    /// Warn of a step that takes longer
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5min")]
    pub(crate) warn_above: Duration,
    /// Fail for a step that takes longer
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60min")]
    pub(crate) fail_above: Duration,
    /// As a table for a pull request
    #[arg(long, conflicts_with = "json")]
    pub(crate) markdown: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Args, Debug)]
pub(crate) struct Status {
    /// Look again and again, and at what runs at this moment [default: every 2s]
    #[arg(long, value_name = "TIME", value_parser = seconds, num_args = 0..=1, require_equals = true, default_missing_value = "2s")]
    #[arg(hide_default_value = true)]
    pub(crate) watch: Option<Duration>,
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
    /// The migration's version, as `status` shows it
    pub(crate) version: Version,
    /// The migration's phase: expand, migrate or contract
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
    /// The migration's version, as `status` shows it
    pub(crate) version: Version,
    /// The migration's phase: expand, migrate or contract
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
    /// Is a program to read the result?
    pub(crate) fn wants_json(&self) -> bool {
        let of_command = match &self.command {
            Command::Lint(lint) => lint.format == Some(Format::Json),
            _ => false,
        };
        self.common.json || of_command
    }

    /// Reads what was typed; `program` is what the help calls the program.
    pub(crate) fn read(program: &str, words: Vec<OsString>) -> Result<Self, clap::Error> {
        let matches = command(program).no_binary_name(true).try_get_matches_from(words)?;
        Self::from_arg_matches(&matches)
    }
}

/// All commands with their help.
pub(crate) fn command(program: &str) -> clap::Command {
    let command = Typed::command().bin_name(program).term_width(render::help_width());
    help::with_examples(command, program)
}

/// What is typed may make no sense, and is to be told in the colours that were typed.
pub(crate) fn color_of(words: &[OsString]) -> When {
    let mut words = words.iter().map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--color=") {
            Some(value) => value.to_owned(),
            None if word == "--color" => words.next().unwrap_or_default().into_owned(),
            None => continue,
        };
        return When::from_str(&value, false).unwrap_or(When::Auto);
    }
    When::Auto
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a time is a number and ms, s, min or h, such as `30s`".to_owned();
    migrate_core::duration(text).ok_or_else(wrong)
}

/// No time at all is a budget too.
fn budget(text: &str) -> Result<Duration, String> {
    if matches!(text, "0" | "0s") { Ok(Duration::ZERO) } else { duration(text) }
}

/// A number alone is seconds, as elsewhere on a command line that looks again and again.
fn seconds(text: &str) -> Result<Duration, String> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    duration(&if is_number { format!("{text}s") } else { text.to_owned() })
}

/// `fleet=the old release is stopped`
fn waiver(text: &str) -> Result<(String, String), String> {
    let (source, reason) = text.split_once('=').unwrap_or((text, ""));
    let known = Migrator::sources_of_evidence();
    if !known.contains(&source) {
        let meant = nearest(source, known.iter().copied());
        let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
        return Err(format!("the sources are {}{meant}", known.join(", ")));
    }
    match reason.trim() {
        "" => Err(format!("a waiver has a reason: `--waive \"{source}=why it does not count\"`")),
        reason => Ok((source.to_owned(), reason.to_owned())),
    }
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
        command("migrate").debug_assert();
    }

    #[test]
    fn colours_are_known_before_the_rest_makes_sense() {
        let of = |words: &[&str]| color_of(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of(&["rum", "--color", "never"]), When::Never);
        assert_eq!(of(&["--color=always", "rum"]), When::Always);
        assert_eq!(of(&["rum", "--color"]), When::Auto);
    }
}
