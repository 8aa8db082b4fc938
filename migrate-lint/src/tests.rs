//! Whatever stands in a file, there is an answer, soon, and on a small stack.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use migrate_core::source::{File, WayBack, read};
use migrate_core::sql::lexer::{Lexer, Token};
use migrate_core::sql::{self, split};
use proptest::prelude::*;

use crate::{Facts, Level, judge, mistake, report, rules};

/// Far more than any of them takes; for one that never comes back.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a compiler has left when it calls a macro, at least.
const STACK: usize = 1024 * 1024;

/// Splits a text, reads it, judges it as a way forward and as a way back.
fn answer(text: String) {
    let (done, is_done) = mpsc::channel();
    let shown: String = text.chars().take(200).collect();
    let work = move || {
        answer_here(&text);
        let _ = done.send(()); // nobody waits any more
    };
    let worker = thread::Builder::new().stack_size(STACK).spawn(work).unwrap();
    let end = is_done.recv_timeout(PATIENCE);
    assert_ne!(end, Err(mpsc::RecvTimeoutError::Timeout), "it does not come back from {shown}");
    worker.join().unwrap();
}

fn answer_here(text: &str) {
    assert_eq!(split(text).concat(), text);
    let statements = sql::statements(text).unwrap_or_default();
    let texts = statements.iter().map(|statement| statement.text(text));
    for text in texts.chain([text]) {
        let Some(mistake) = mistake(text) else { continue };
        assert!(text.is_char_boundary(mistake.offset), "{text:?}: {mistake:?}");
        assert!(!mistake.message.is_empty() && mistake.help.ends_with(['.', '?']), "{mistake:?}");
    }
    let files = [
        File { path: "m/1_before.up.sql", bytes: BEFORE.as_bytes() },
        File { path: "m/1_before.down.sql", bytes: text.as_bytes() },
        File { path: "m/2_it.up.sql", bytes: text.as_bytes() },
        File { path: "m/2_it.down.sql", bytes: BEFORE.as_bytes() },
        File { path: "m/3_it.sql", bytes: text.as_bytes() },
    ];
    let contents = read("m", &files, WayBack::Ignore);
    let findings = judge(&contents.migrations, &every_rule()).findings;
    let items = report::items(&[], &findings);
    assert!(report::json(&items).len() + report::sarif(&items).len() > 0);
    let _ = report::github(&items);
    let _ = findings.iter().map(ToString::to_string).collect::<String>();
}

fn every_rule() -> Facts {
    let levels = rules::all().iter().map(|rule| (rule.name.to_owned(), Level::Warn));
    Facts { levels: levels.collect(), ..Facts::default() }
}

const BEFORE: &str = "CREATE TABLE a (id bigint PRIMARY KEY, b int NOT NULL DEFAULT 1 CHECK (b > 0), c text);
CREATE TABLE b (a bigint REFERENCES a, c text UNIQUE) PARTITION BY LIST (a);
CREATE INDEX c ON a (b, lower(c)); CREATE VIEW d AS SELECT b FROM a; CREATE TYPE e AS ENUM ('x');
CREATE DOMAIN f AS int CHECK (VALUE > 0); CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1';";

/// What the examples of the rules are made of: statements that do something.
fn examples() -> Vec<&'static str> {
    let files = rules::all().iter().flat_map(|rule| rule.bad.iter().chain(rule.good));
    files.map(|(_, text)| *text).chain([BEFORE]).collect()
}

/// What is done to the tokens of a text, one after the other.
#[derive(Clone, Debug)]
enum Change {
    Delete,
    Double,
    Swap,
    Replace(&'static str),
}

fn change() -> impl Strategy<Value = (prop::sample::Index, Change)> {
    let change = prop_oneof![
        Just(Change::Delete),
        Just(Change::Double),
        Just(Change::Swap),
        prop::sample::select(SOUP).prop_map(Change::Replace),
    ];
    (any::<prop::sample::Index>(), change)
}

fn changed(text: &str, at: prop::sample::Index, change: &Change) -> String {
    let tokens: Vec<Token> = Lexer::new(text).collect();
    let mut words: Vec<&str> = tokens.iter().map(|token| token.text(text)).collect();
    if words.is_empty() {
        return String::new();
    }
    let at = at.index(words.len());
    match change {
        Change::Delete => drop(words.remove(at)),
        Change::Double => words.insert(at, words[at]),
        Change::Swap => words.swap(at, (at + 2).min(tokens.len() - 1)), // over the blank between
        Change::Replace(other) => words[at] = other,
    }
    words.concat()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn any_characters_have_an_answer(text in any::<String>()) {
        answer(text);
    }

    #[test]
    fn any_bytes_that_are_characters_have_an_answer(text in "[ -~\n\t]{0,120}") {
        answer(text);
    }

    #[test]
    fn any_words_have_an_answer(words in prop::collection::vec(prop::sample::select(SOUP), 0..60)) {
        answer(words.join(" "));
    }

    #[test]
    fn any_tokens_without_blanks_have_an_answer(words in prop::collection::vec(prop::sample::select(SOUP), 0..30)) {
        answer(words.concat());
    }

    /// Nearly a statement is what a program that guesses gets wrong.
    #[test]
    fn any_statement_that_is_wrong_in_a_few_tokens_has_an_answer(
        text in prop::sample::select(examples()),
        changes in prop::collection::vec(change(), 1..4),
    ) {
        answer(changes.iter().fold(text.to_owned(), |text, (at, how)| changed(&text, *at, how)));
    }
}

#[test]
fn what_is_deep_has_an_answer() {
    for (one, inside, other) in [
        ("SELECT (", "1", ")"),
        ("SELECT CASE WHEN a THEN ", "1", " END"),
        ("CREATE TABLE t (a int CHECK (b", "", " OR b))"),
        ("CREATE TABLE a (b ", "", "("),
        ("CREATE SCHEMA s ", "", ""),
        ("CREATE VIEW v AS SELECT ", "a", " || a"),
        ("/*", "", "*/"),
        ("$a$ ", "", ""),
        ("BEGIN ATOMIC CASE ", "", ""),
    ] {
        for times in [50, 150, 1_000, 30_000] {
            answer(format!("{}{inside}{}", one.repeat(times), other.repeat(times)));
            let head = one.trim_end_matches(['(', ' ']);
            answer(format!("{head} {}{inside}{}", "(".repeat(times), other.repeat(times)));
        }
    }
}

#[rustfmt::skip]
const SOUP: &[&str] = &[
    "a", "b", "c", "d", "e", "f", "g", "s.a", "\"A\"", "é", "1", "1.5", "0x1", "'x'", "''", "E'\\n'", "U&'\\0061'", "U&\"\\0061\"",
    "$1", "$$ begin end $$", "$$ select 1 $$", "$a$", "$", "'", "\"", "(", ")", "[", "]", "()", "(a)", "(a int)", ",", ".", ";", ":", "::", ":=",
    "=>", "=", "<>", "*", "+", "-", "/", "||", "->>", "@", "~", "%", "?", "\\", "\\d", "--", "-- migrate: allow(x) because y\n", "/*", "*/", "\n",
    "action", "add", "after", "all", "alter", "always", "analyze", "and", "any", "array", "as", "atomic", "attach", "attribute", "authorization",
    "before", "begin", "between", "by", "call", "cascade", "case", "check", "cluster", "collate", "column", "comment", "commit", "concurrently",
    "conflict", "constraint", "copy", "create", "cross", "cube", "current_date", "cursor", "data", "database", "declare", "default", "deferrable",
    "delete", "desc", "detach", "disable", "discard", "distinct", "do", "domain", "drop", "each", "else", "enable", "end", "enum", "except",
    "exclude", "execute", "exists", "explain", "extension", "extract", "false", "fetch", "filter", "finalize", "first", "for", "force", "foreign",
    "from", "full", "function", "generated", "grant", "group", "grouping", "having", "identity", "if", "in", "include", "index", "inherit",
    "inherits", "inner", "insert", "instead", "int", "interval", "into", "is", "join", "json_table", "key", "language", "lateral", "left", "level",
    "like", "limit", "local", "lock", "match", "materialized", "merge", "name", "natural", "no", "not", "nothing", "null", "nulls", "of", "offset",
    "on", "only", "operator", "or", "order", "ordinality", "over", "overlaps", "owner", "partition", "period", "plpgsql", "policy", "prepare",
    "primary", "procedure", "public", "range", "recursive", "references", "refresh", "reindex", "rename", "replace", "reset", "restrict", "return",
    "returning", "returns", "revoke", "role", "rollback", "row", "rows", "rule", "savepoint", "schema", "security", "select", "sequence", "serial",
    "set", "setof", "show", "sql", "statement", "statistics", "storage", "stored", "system", "table", "tablesample", "temp", "text", "then", "time",
    "timestamp", "to", "transaction", "trigger", "truncate", "type", "union", "unique", "unlogged", "update", "using", "vacuum", "valid", "validate",
    "values", "varchar(3)", "variadic", "view", "virtual", "when", "where", "window", "with", "without", "xmltable", "zone",
];
