//! What people expect of a command line: help that fits, colours when they are wanted, completion, pages.

use std::process::Command;

use crate::harness::{AGE, Database, Outcome, Project, USERS};

const COMMANDS: [&str; 19] = [
    "adopt",
    "backfill",
    "contract",
    "init",
    "new",
    "lint",
    "explain",
    "run",
    "plan",
    "rehearse",
    "status",
    "check",
    "revert",
    "baseline",
    "mark-applied",
    "repair",
    "resolve",
    "completions",
    "man",
];

#[test]
fn the_help_of_every_command_is_as_it_was_read() {
    let project = Project::empty();
    insta::assert_snapshot!("help", project.run(&["--help"]).ends(0).stdout);
    for command in COMMANDS {
        let help = project.run(&[command, "--help"]).ends(0).says("Examples:\n  # ");
        let help = help.says("Exit codes:\n  0  done");
        let wide = help.stdout.lines().filter(|line| line.chars().count() > 80);
        // A line that is there to be copied is not broken.
        assert_eq!(wide.filter(|line| !line.starts_with("  folder ")).count(), 0, "{help:#?}");
        insta::assert_snapshot!(format!("help_{command}"), help.stdout);
    }
}

/// A run in colours. The harness takes none in a pipe, and is right.
fn painted(
    project: &Project,
    database: &Database,
    words: &[&str],
    variables: &[(&str, &str)],
) -> String {
    let mut command = project.command("folder", words);
    let variables = variables.iter().copied();
    let output = command.env("DATABASE_URL", database.url()).envs(variables).output().unwrap();
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}

#[test]
fn colours_come_when_they_are_asked_for_and_not_in_a_pipe() {
    let (project, database) = (Project::of(&[USERS, AGE]), Database::fresh());
    for words in [["status"], ["plan"], ["check"]] {
        assert!(!painted(&project, &database, &words, &[]).contains('\x1b'));
        let always = [&words[..], &["--color", "always"]].concat();
        assert!(painted(&project, &database, &always, &[("NO_COLOR", "1")]).contains("\x1b["));
        let never = [&words[..], &["--color=never"]].concat();
        assert!(!painted(&project, &database, &never, &[]).contains('\x1b'));
    }
    let json = painted(&project, &database, &["status", "--json", "--color", "always"], &[]);
    assert!(!json.contains('\x1b'), "{json}");
    for words in [&["rum", "--color", "always"][..], &["run", "--to", "9", "--color=always"]] {
        let wrong = painted(&project, &database, words, &[]);
        assert!(
            wrong.starts_with("\x1b[1m\x1b[31merror:")
                || wrong.starts_with("\x1b[31m\x1b[1merror:"),
            "{wrong:?}"
        );
    }
}

/// As bash asks for them behind `migrate st` and the tabulator.
#[test]
fn bash_completes_commands_and_options() {
    let project = Project::empty();
    let ask = |script: &str, words: &str, last: usize| {
        project.write("completions.bash", script);
        let asked = format!(
            "source ./completions.bash; COMP_WORDS=({words}); COMP_CWORD={last}; \
             $(complete -p $NAME | sed 's/.*-F \\([^ ]*\\).*/\\1/') $NAME \"${{COMP_WORDS[$COMP_CWORD]}}\"; \
             echo \"${{COMPREPLY[@]}}\"; type -t migrate || true"
        );
        let name = words.split(' ').next().unwrap();
        let mut bash = Command::new("bash");
        let bash =
            bash.args(["--norc", "-c", &asked]).env("NAME", name).current_dir(project.path());
        Outcome::of(bash).ends(0).stdout
    };
    let program = project.run(&["completions", "bash"]).ends(0).stdout;
    assert_eq!(ask(&program, "folder st", 1), "status\n");
    assert_eq!(ask(&program, "folder run --cont", 2), "--contract\n");
    // What stands in for `cargo xtask migrate` is a function of the shell.
    let xtask = project.run(&["migrate", "completions", "bash"]).ends(0).stdout;
    assert!(xtask.starts_with("migrate() { folder migrate \"$@\"; }\n"), "{xtask}");
    assert_eq!(ask(&xtask, "migrate rev", 1), "revert\nfunction\n");
    for shell in ["zsh", "fish", "powershell", "elvish"] {
        project.run(&["migrate", "completions", shell]).ends(0).says("migrate").says("baseline");
    }
    project.run(&["completions", "tcsh"]).ends(2).complains("[possible values: bash, elvish, fish");
}

#[test]
fn every_command_has_a_page_of_the_manual() {
    let project = Project::empty();
    project.run(&["man", "pages/man1"]).ends(0).says("wrote  pages/man1/migrate-backfill-pause.1");
    let mut expected: Vec<_> = COMMANDS.iter().map(|name| format!("migrate-{name}.1")).collect();
    expected.push("migrate.1".to_owned());
    let told = ["pause", "resume", "cancel", "limit"];
    expected.extend(told.map(|told| format!("migrate-backfill-{told}.1")));
    expected.sort();
    assert_eq!(project.files("pages/man1"), expected);
    let page = project.read("pages/man1/migrate-run.1");
    assert!(page.contains(".SH NAME") && page.contains("contract"), "{page}");
}
