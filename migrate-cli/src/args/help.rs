//! What stands below the help of a command: examples and exit codes.
//!
//! Owns one table; each example is one that the parser takes, and a test sees to it.

use crate::exit::Exit;

/// What for, and the words behind the program's name.
type Example = (&'static str, &'static str);

const EXAMPLES: [(&str, &[Example]); 19] = [
    (
        "init",
        &[
            ("the package where you stand", "init"),
            ("another one", "init ../app"),
            ("with the crates from a repository", "init --git https://git.example.org/migrate"),
        ],
    ),
    (
        "new",
        &[
            ("one file, and one for the way back", "new create_customers"),
            ("a change that running code would notice, in its parts", "new split_name --phases"),
            ("an index on a live table", "new index_orders --no-transaction"),
        ],
    ),
    (
        "lint",
        &[
            ("the project's folder", "lint"),
            (
                "what a branch has changed, annotated in a pull request",
                "lint --since origin/main --format github",
            ),
            (
                "migrations of another tool, warnings fail too",
                "lint ../app/db/migrations -D warnings",
            ),
            ("let it write what needs no thought", "lint --fix"),
            (
                "with the sizes of the tables in production",
                "lint --db --database-url postgres://reader@db.example.org/app",
            ),
        ],
    ),
    ("explain", &[("a rule, with examples", "explain create_index"), ("all rules", "explain")]),
    (
        "run",
        &[
            ("everything but contracts", "run"),
            ("contracts too, where their gate is open", "run --contract"),
            ("up to a version", "run --to 20261102090000"),
            ("give up soon on a busy table", "run --lock-deadline 30s"),
            ("do not wait for forgotten transactions", "run --end-idle-in-transaction 5min"),
            ("with a page about it for those who were not there", "run --report run.html"),
        ],
    ),
    (
        "backfill",
        &[
            ("until all of them are done", "backfill"),
            ("by four workers, where the server has room", "backfill --ranges 4"),
            ("not now, whoever works at it", "backfill pause 20261102090000 --because sale"),
            ("go on", "backfill resume 20261102090000"),
            ("gently, from its next batch on", "backfill limit 20261102090000 batch_time=50ms"),
        ],
    ),
    (
        "plan",
        &[
            ("the SQL of the next run", "plan"),
            ("for another database", "plan --database-url postgres://me@db.example.org/app"),
            ("for a script", "plan --json"),
        ],
    ),
    (
        "rehearse",
        &[
            (
                "on samples of the tables in production",
                "rehearse --database-url postgres://me@db.example.org/app",
            ),
            ("on a copy that nobody uses, all rows", "rehearse --copy"),
            ("for a pull request", "rehearse --markdown"),
            ("fail for what takes longer than ten minutes", "rehearse --fail-above 10min"),
        ],
    ),
    (
        "status",
        &[
            ("where everything stands", "status"),
            ("what has not run yet", "status --json"),
            ("what runs now, and who is in its way", "status --watch"),
        ],
    ),
    (
        "check",
        &[
            ("in a pipeline: code 3 when something is pending", "check"),
            ("contracts too", "check --contract"),
        ],
    ),
    (
        "contract",
        &[
            ("what is in the way of each contract, and what would open it", "contract --explain"),
            ("run those whose gate is open", "contract"),
            (
                "one of them, although no instance says that it is alive",
                "contract 20261102090000 --waive \"fleet=stopped for the night\"",
            ),
            (
                "say that you have seen the evidence, where a file asks for it",
                "contract 20261102090000 --approve \"errors are at zero\"",
            ),
        ],
    ),
    (
        "revert",
        &[
            ("everything newer than a version", "revert --to 20261102090000"),
            ("everything, without a question", "revert --all --yes"),
        ],
    ),
    (
        "adopt",
        &[
            ("what it would do with the history of sqlx", "adopt --dry-run"),
            ("so that the build with sqlx can come back", "adopt --mirror"),
            ("when that is over", "adopt --stop-mirror"),
        ],
    ),
    ("baseline", &[("the database has the first migrations already", "baseline 20261102090000")]),
    (
        "mark-applied",
        &[(
            "somebody did by hand what it does",
            "mark-applied 20261102090000 --reason \"done in the incident\"",
        )],
    ),
    (
        "repair",
        &[("see what was edited, then decide", "repair"), ("without a question", "repair --yes")],
    ),
    (
        "resolve",
        &[
            ("you looked: it took effect", "resolve 20261102090000 --phase migrate --done"),
            ("you looked: it did not", "resolve 20261102090000 --phase migrate --redo"),
        ],
    ),
    (
        "completions",
        &[
            (
                "bash and zsh: then `source` the file where the shell starts",
                "completions bash > ~/.migrate.bash",
            ),
            ("fish", "completions fish > ~/.config/fish/conf.d/migrate.fish"),
        ],
    ),
    ("man", &[("then `man migrate`, `man migrate-run`", "man ~/.local/share/man/man1")]),
];

/// Each command with its examples, and those that may end otherwise with the codes of that.
pub(super) fn with_examples(command: clap::Command, program: &str) -> clap::Command {
    let command = command.after_help(Exit::help());
    EXAMPLES.iter().fold(command, |command, (name, examples)| {
        let examples =
            examples.iter().map(|(what, words)| format!("\n  # {what}\n  {program} {words}"));
        let examples = examples.collect::<String>();
        let below = format!("Examples:{examples}\n\n{}", Exit::help());
        command.mut_subcommand(*name, |command| command.after_help(below))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::command;

    #[test]
    fn every_command_has_examples_and_each_makes_sense() {
        let all = command("migrate");
        let mut named: Vec<_> = all.get_subcommands().map(clap::Command::get_name).collect();
        named.sort_unstable();
        let mut shown = EXAMPLES.map(|(name, _)| name).to_vec();
        shown.sort_unstable();
        assert_eq!(named, shown);
        for (_, words) in EXAMPLES.iter().flat_map(|(_, examples)| examples.iter()) {
            let words = words
                .split(" > ")
                .next()
                .unwrap_or_default()
                .replace("\"done in the incident\"", "x")
                .replace("\"fleet=stopped for the night\"", "fleet=x")
                .replace("\"errors are at zero\"", "x");
            let typed = all.clone().no_binary_name(true).try_get_matches_from(words.split(' '));
            assert!(typed.is_ok(), "{words}: {typed:?}");
        }
    }
}
