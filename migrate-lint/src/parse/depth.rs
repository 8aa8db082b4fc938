//! Statements so deep that reading them takes more stack than there is.
//!
//! The parser goes into what is nested by calling itself, and a tree is dropped the same way, along a chain of
//! operators as well. A stack that overflows takes the compiler with it. So the depth is estimated from the tokens:
//! what is deep is read on a stack of its own, and what is deeper than anybody writes is not read at all.

use std::thread;

use migrate_core::sql::lexer::{Lexer, Token, TokenKind};

/// So deep is what any stack has room for: that of a test has 2 MiB, and a build without optimisation needs the most.
const SHALLOW: usize = 100;
/// A thousand times `OR` is not too deep.
const DEEPEST: usize = 5_000;
/// So many parentheses in each other are. The parser looks ahead at each of them, so that time grows as their square.
const MOST_OPEN: usize = 200;
/// What a level takes in a build without optimisation, with something to spare.
const STACK_OF_A_LEVEL: usize = 24 * 1024;
/// Bodies within bodies: a function may make a function.
const BODIES: usize = 4;

/// Reads a statement where the stack is large enough; `None` if it is too deep for any.
pub(super) fn with_stack<T: Send>(text: &str, read: impl FnOnce() -> T + Send) -> Option<T> {
    match depth(text, BODIES) {
        ..=SHALLOW => Some(read()),
        depth @ ..=DEEPEST => with_stack_of(depth * STACK_OF_A_LEVEL, read),
        _ => None,
    }
}

/// Memory for a stack is taken when it is used, not before.
fn with_stack_of<T: Send>(size: usize, read: impl FnOnce() -> T + Send) -> Option<T> {
    thread::scope(|scope| {
        let reader = thread::Builder::new().stack_size(size).spawn_scoped(scope, read).ok()?;
        match reader.join() {
            Ok(read) => Some(read),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// No tree of the text is deeper than a few times this: of what is open at a place, all tokens since the last comma.
fn depth(text: &str, bodies: usize) -> usize {
    let (mut deepest, mut depth) = (0, 0);
    let mut open = vec![0_usize];
    let mut has_body = false;
    for token in Lexer::new(text).filter(|token| !token.kind.is_trivia()) {
        let word = token.text(text);
        match word {
            "(" | "[" => open.push(0),
            ")" | "]" if open.len() > 1 => depth -= open.pop().unwrap_or(0),
            "," | ";" => depth -= open.last_mut().map(std::mem::take).unwrap_or(0),
            _ => {}
        }
        depth += 1;
        if let Some(here) = open.last_mut() {
            *here += 1;
        }
        has_body |= ["FUNCTION", "PROCEDURE"].iter().any(|it| word.eq_ignore_ascii_case(it));
        let inside = if has_body { body(token, word, bodies) } else { 0 };
        deepest = deepest.max(depth + inside);
        if open.len() > MOST_OPEN {
            return DEEPEST + 1;
        }
    }
    deepest
}

/// The body of a function is read as well, if it is SQL; and whether it is, is said behind it.
fn body(token: Token, text: &str, bodies: usize) -> usize {
    let inside = match token.kind {
        TokenKind::DollarString => {
            let tag = text.get(1..).and_then(|rest| rest.find('$')).map_or(0, |end| end + 2);
            text.get(tag..text.len().saturating_sub(tag))
        }
        TokenKind::String => text.split_once('\'').map(|(_, inside)| inside),
        _ => None,
    };
    match inside {
        None => 0,
        Some(inside) if bodies == 0 => inside.len(),
        Some(inside) => depth(inside, bodies - 1),
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::{BODIES, DEEPEST, MOST_OPEN, SHALLOW, depth};
    use crate::parse::statement;
    use crate::statement::Action;

    fn of(text: &str) -> usize {
        depth(text, BODIES)
    }

    #[test]
    fn what_is_open_counts() {
        assert_eq!(of("a"), 1);
        assert_eq!(of("a b c"), 3);
        assert_eq!(of("(a), (b), (c)"), 3);
        assert_eq!(of("a, b, c"), 2);
        assert_eq!(of("a (b (c, d (e"), 7);
        assert_eq!(of(")))"), 3);
        assert_eq!(of("f $$a ( b $$"), 2);
        assert_eq!(of("function $$a ( b $$"), 5);
        assert_eq!(of("procedure 'function $$ a ( b $$'"), 7);
    }

    /// All that a grammar can nest, and all that it can chain, where little of the stack is left.
    #[test]
    fn nothing_is_so_deep_that_the_stack_overflows() {
        let little = thread::Builder::new().stack_size(512 * 1024).spawn(read_what_is_deep);
        little.unwrap().join().unwrap();
    }

    fn read_what_is_deep() {
        for (one, inside, other) in NESTS {
            for times in [2, SHALLOW / 2, SHALLOW, MOST_OPEN - 10, 400] {
                for end in [other.repeat(times), String::new()] {
                    let text = format!("{}{inside}{end}", one.repeat(times));
                    let _ = statement(&text); // it comes back
                }
            }
        }
    }

    #[test]
    fn what_people_write_is_understood_however_long_it_is() {
        let many = |text: &str| text.repeat(3_000);
        for text in [
            format!("INSERT INTO t VALUES (1, 'a'){}", many(", (2, f('b'))")),
            format!("CREATE TABLE t (a int{})", many(", b text NOT NULL DEFAULT 'x'")),
            format!("DELETE FROM t WHERE a = 1{}", " OR a = 2".repeat(1_000)),
            format!("SELECT 1{}", " UNION ALL SELECT 2".repeat(1_000)),
            format!("SELECT {}1{}", "(".repeat(MOST_OPEN / 2), ")".repeat(MOST_OPEN / 2)),
        ] {
            let statement = statement(&text).unwrap_or_else(|mistake| panic!("{mistake:?}"));
            assert!(!matches!(statement.action, Action::Unknown | Action::TooDeep));
        }
    }

    #[test]
    fn what_nobody_writes_is_not_read() {
        for times in [MOST_OPEN, 20_000] {
            let text = format!("SELECT {}1{}", "(".repeat(times), ")".repeat(times));
            assert_eq!(statement(&text).unwrap().action, Action::TooDeep);
        }
        let text = format!("SELECT {}1", "NOT ".repeat(DEEPEST));
        assert_eq!(statement(&text).unwrap().action, Action::TooDeep);
    }

    const NESTS: &[(&str, &str, &str)] = &[
        ("SELECT (", "1", ")"),
        ("(", "SELECT 1", ")"),
        ("SELECT ((", "1", "))"),
        ("SELECT (SELECT ", "1", ")"),
        ("SELECT * FROM (SELECT * FROM ", "t", ") a"),
        ("SELECT * FROM (", "a JOIN b ON true", ")"),
        ("SELECT f(", "1", ")"),
        ("SELECT ARRAY[", "1", "]"),
        ("SELECT a[", "1", "]"),
        ("SELECT CASE WHEN ", "a", " THEN 1 END"),
        ("SELECT CASE WHEN a THEN 1 ELSE ", "a", " END"),
        ("SELECT NOT ", "a", ""),
        ("SELECT - ", "a", ""),
        ("SELECT @ ", "a", ""),
        ("SELECT ", "a", " OR a"),
        ("SELECT ", "a", " AND a"),
        ("SELECT ", "a", " || a"),
        ("SELECT ", "a", " + a"),
        ("SELECT ", "a", "::int"),
        ("SELECT ", "a", ".b"),
        ("SELECT ", "a", "[1]"),
        ("SELECT ", "a", " IS NULL"),
        ("SELECT ", "a", " AT TIME ZONE b"),
        ("SELECT ", "a", " COLLATE c"),
        ("SELECT ", "a", " BETWEEN 1 AND 2"),
        ("SELECT a BETWEEN ", "1", " AND 2"),
        ("SELECT CAST(", "a", " AS int)"),
        ("SELECT ROW(", "a", ")"),
        ("SELECT a IN (", "1", ")"),
        ("SELECT EXISTS (SELECT ", "1", ")"),
        ("SELECT 1 UNION ", "SELECT 1", ""),
        ("SELECT ", "1", " UNION SELECT 1"),
        ("WITH a AS (", "SELECT 1", ") SELECT 2"),
        ("SELECT * FROM ", "a", " JOIN b ON true"),
        ("SELECT * FROM a JOIN ", "b", " ON true"),
        ("EXPLAIN ", "SELECT 1", ""),
        ("PREPARE p AS ", "SELECT 1", ""),
        ("CREATE SCHEMA s ", "CREATE TABLE t ()", ""),
        ("CREATE RULE r AS ON INSERT TO t DO ", "NOTHING", ""),
        ("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC ", "SELECT 1;", " END;"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ ", "SELECT 1", " $$"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS '", "SELECT 1", "'"),
        ("CREATE TABLE t (a int CHECK (", "a > 1", "))"),
        ("CREATE TABLE t (a int", "", "[]"),
        ("CREATE TABLE t PARTITION OF u FOR VALUES FROM (", "1", ")"),
        ("ALTER TABLE t ADD CHECK (a = 1", "", " OR a = 1"),
        ("CREATE INDEX ON t ((", "a", "))"),
        ("CREATE TRIGGER x BEFORE INSERT ON t WHEN (", "a", ") EXECUTE FUNCTION f()"),
        ("INSERT INTO t VALUES ((", "1", "))"),
        ("UPDATE t SET a = (", "1", ")"),
        ("DO $$ ", "", " $$"),
        ("GROUP BY GROUPING SETS (", "a", ")"),
        ("SELECT a FROM t GROUP BY GROUPING SETS (", "a", ")"),
        ("SELECT * FROM json_table(a, '$' COLUMNS (NESTED '$' COLUMNS (", "a int", ")))"),
        ("SELECT * FROM xmltable('a' PASSING (", "b", ") COLUMNS c int)"),
        ("SELECT extract(year FROM ", "a", ")"),
        ("SELECT sum(a) OVER (PARTITION BY ", "b", ")"),
    ];
}
