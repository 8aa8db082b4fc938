//! The invariants of ARCHITECTURE.md that a test can keep.
//!
//! They read the sources as text and ask cargo for the dependency tree; no database.

use std::path::{Path, PathBuf};
use std::process::Command;

struct Source {
    path: PathBuf,
    /// Without the tests at the end of a file.
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn sources(folder: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    collect(&root().join(folder), &mut sources);
    assert!(!sources.is_empty(), "{folder} has no sources");
    sources
}

fn collect(folder: &Path, sources: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|e| e == "rs")
            && path.file_stem().is_none_or(|s| s != "tests")
        {
            let text = std::fs::read_to_string(&path).expect("a source");
            let text =
                text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
            sources.push(Source { path, text });
        }
    }
}

/// Lines of code that hold one of the words, with their places.
fn lines_with(sources: &[Source], words: &[&str]) -> Vec<String> {
    let lines = sources.iter().flat_map(|source| {
        let code = source
            .text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim_start().starts_with("//"));
        let found = code.filter(|(_, line)| words.iter().any(|word| line.contains(word)));
        found.map(|(number, line)| {
            format!("{}:{}: {}", source.path.display(), number + 1, line.trim())
        })
    });
    lines.collect()
}

fn without(mut sources: Vec<Source>, allowed: &[&str]) -> Vec<Source> {
    sources.retain(|source| {
        !allowed
            .iter()
            .any(|end| source.path.ends_with(end) || source.path.starts_with(root().join(end)))
    });
    sources
}

fn tree(package: &str, edges: &str) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments =
        ["tree", "--offline", "--package", package, "--edges", edges, "--prefix", "none"];
    let output =
        Command::new(cargo).args(arguments).current_dir(root()).output().expect("cargo tree");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_core_does_no_io() {
    let depth_one: Vec<String> =
        tree("migrate-core", "normal").lines().skip(1).map(ToOwned::to_owned).collect();
    for foreign in ["sqlx", "tokio", "async-std", "futures", "chrono", "time ", "rustix", "libc"] {
        // `cpufeatures` of sha2 asks libc about the processor on some systems.
        let found =
            depth_one.iter().any(|line| line.starts_with(foreign) && !line.starts_with("libc"));
        assert!(!found, "migrate-core depends on {foreign}: {depth_one:?}");
    }
    let words = [
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "std::io",
        "Instant",
        "SystemTime",
        "async ",
    ];
    assert_eq!(lines_with(&sources("migrate-core/src"), &words), [""; 0]);
}

#[test]
fn the_reading_of_sql_stands_alone() {
    let outside = lines_with(&sources("migrate-core/src/sql"), &["use crate::"]);
    let outside: Vec<_> =
        outside.into_iter().filter(|line| !line.contains("use crate::sql")).collect();
    assert_eq!(outside, [""; 0]);
}

#[test]
fn one_room_carries_steps_out() {
    let elsewhere = without(
        sources("migrate-postgres/src"),
        &["src/execute.rs", "migrate-postgres/src/execute"],
    );
    let kinds = ["Transaction(", "Standalone(", "Backfill(", "Statement(", "Code("];
    let words: Vec<String> =
        kinds.iter().flat_map(|kind| [format!("Step::{kind}"), format!("Unit::{kind}")]).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_eq!(lines_with(&elsewhere, &words), [""; 0]);
    let here = lines_with(&sources("migrate-postgres/src/execute"), &words);
    assert!(!here.is_empty(), "the words have changed, and this test looks for nothing");
}

#[test]
fn our_sql_stands_in_files() {
    let elsewhere = sources("migrate-postgres/src");
    let verbs = [
        "SELECT ",
        "INSERT ",
        "UPDATE ",
        "DELETE ",
        "CREATE ",
        "ALTER ",
        "DROP ",
        "GRANT ",
        "TRUNCATE ",
    ];
    let words: Vec<String> = verbs.iter().map(|verb| format!("\"{verb}")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_eq!(lines_with(&elsewhere, &words), [""; 0]);
}

#[test]
fn only_the_command_line_prints() {
    let words = ["  println!", "  print!(", "  eprintln!", "  eprint!(", "dbg!("];
    for silent in ["migrate-core/src", "migrate-lint/src", "migrate-postgres/src"] {
        assert_eq!(lines_with(&sources(silent), &words), [""; 0]);
    }
    let testing =
        lines_with(&sources("migrate-testing/src"), &["  println!", "  print!(", "dbg!("]);
    assert_eq!(testing, [""; 0]);
}

#[test]
fn signatures_name_our_types_and_connections_only() {
    const CONNECTIONS: [&str; 3] = ["PgPool", "PgConnectOptions", "PgConnection"];
    for source in sources("migrate-postgres/src") {
        let foreign = foreign_names(&source.text);
        for signature in public_signatures(&source.text) {
            let words = signature.split(|c: char| !c.is_alphanumeric() && c != '_');
            let strangers = words.filter(|word| foreign.iter().any(|name| name == word));
            let strangers: Vec<_> = strangers.filter(|word| !CONNECTIONS.contains(word)).collect();
            assert!(
                strangers.is_empty(),
                "{}: {strangers:?} in `{signature}`",
                source.path.display()
            );
            for crate_name in ["sqlx::", "tokio::", "futures_util::", "tracing::", "metrics::"] {
                assert!(
                    !signature.contains(crate_name),
                    "{}: `{signature}`",
                    source.path.display()
                );
            }
        }
    }
}

/// What a file imports from other people's crates.
fn foreign_names(text: &str) -> Vec<String> {
    let imports = text.split("\nuse ").skip(1).filter_map(|rest| rest.split(';').next());
    let foreign = imports.filter(|import| {
        ["sqlx", "tokio", "futures_util", "tracing"].iter().any(|c| import.starts_with(c))
    });
    foreign
        .flat_map(|import| import.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .filter(|word| word.starts_with(char::is_uppercase))
        .map(ToOwned::to_owned)
        .collect()
}

fn public_signatures(text: &str) -> Vec<String> {
    let starts = text.match_indices("pub ").map(|(at, _)| &text[at..]);
    let items = starts.filter(|item| {
        ["pub fn", "pub async fn", "pub const fn", "pub type"].iter().any(|s| item.starts_with(s))
    });
    items.filter_map(|item| item.split(['{', ';']).next()).map(|s| s.replace('\n', " ")).collect()
}

#[test]
fn the_users_binary_links_no_parser() {
    let linked = tree("migrate-postgres", "normal,no-proc-macro");
    assert!(linked.contains("migrate-core "), "{linked}");
    let compiled = tree("migrate-postgres", "normal");
    assert!(
        compiled.contains("squawk-syntax "),
        "the compiler does not review the SQL: {compiled}"
    );
    for parser in
        ["squawk", "syn ", "quote ", "proc-macro2 ", "migrate-lint", "migrate-macros", "clap "]
    {
        let found: Vec<_> = linked.lines().filter(|line| line.starts_with(parser)).collect();
        assert_eq!(found, [""; 0]);
    }
}

/// Its interface promises nothing, so that a new release must touch one folder only.
#[test]
fn one_folder_names_the_parser() {
    let words = ["squawk_syntax", "squawk_parser", "rowan"];
    let elsewhere = without(
        sources("migrate-lint/src"),
        &["migrate-lint/src/parse", "migrate-lint/src/parse.rs"],
    );
    assert_eq!(lines_with(&elsewhere, &words), [""; 0]);
    let here = lines_with(&sources("migrate-lint/src/parse"), &words);
    assert!(!here.is_empty(), "the words have changed, and this test looks for nothing");
}

#[test]
fn functions_are_short() {
    let crates = ["core", "lint", "macros", "postgres", "testing", "cli"]
        .map(|name| format!("migrate-{name}/src"));
    let all = crates.iter().map(String::as_str).chain(["xtask/src"]).flat_map(sources);
    let long: Vec<String> = all.flat_map(|source| long_functions(&source)).collect();
    assert_eq!(long, [""; 0]);
}

/// A function ends at the first brace that is indented like its beginning.
fn long_functions(source: &Source) -> Vec<String> {
    let lines: Vec<&str> = source.text.lines().collect();
    let is_start = |line: &str| {
        let line = line.trim_start();
        let line = line
            .strip_prefix("pub ")
            .or(line.strip_prefix("pub(crate) "))
            .or(line.strip_prefix("pub(super) "))
            .unwrap_or(line);
        let line = line.trim_start_matches("const ").trim_start_matches("async ");
        line.starts_with("fn ") && !line.ends_with(';')
    };
    let starts = lines.iter().enumerate().filter(|(_, line)| is_start(line));
    let long = starts.filter_map(|(start, line)| {
        let indent = line.len() - line.trim_start().len();
        let end = format!("{}}}", " ".repeat(indent));
        let length = lines[start..].iter().position(|line| *line == end)?;
        (length > 70).then(|| format!("{}:{} has {length} lines", source.path.display(), start + 1))
    });
    long.collect()
}
