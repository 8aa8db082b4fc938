//! Texts that tear naive splitters apart: a table of the statements in each, checked against
//! `statements()` and against what psql really sends. Owns the table and just enough of
//! PostgreSQL's protocol to pass for a server. Must not share code with the lexer it judges.
//!
//! psql (from `PATH`) runs each text with `-X -f` against the fake server, so no PostgreSQL is
//! needed. psql sends a statement together with its `;`, with block comments before it, with
//! comments after the last one, and without its empty lines; these are the only differences
//! permitted. Empty statements and those of comments alone, which psql sends as well, do not count.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test may fail anywhere, and says what it leaves out"
)]

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;

use migrate_core::sql::{split, statements};

/// A text and the statements in it.
struct Case {
    sql: &'static str,
    expected: &'static [&'static str],
    /// Why psql finds others, if it does.
    psql_differs: Option<&'static str>,
}

const fn case(sql: &'static str, expected: &'static [&'static str]) -> Case {
    Case { sql, expected, psql_differs: None }
}

const fn unlike_psql(
    why: &'static str,
    sql: &'static str,
    expected: &'static [&'static str],
) -> Case {
    Case { sql, expected, psql_differs: Some(why) }
}

#[rustfmt::skip] // one line for each text, one for each statement
const CASES: &[Case] = &[
    // ends and blanks
    case("SELECT 1;", &["SELECT 1"]),
    case("SELECT 1", &["SELECT 1"]),
    case("SELECT 1;SELECT 2;", &["SELECT 1", "SELECT 2"]),
    case(";;SELECT 1;;\n;", &["SELECT 1"]),
    case("\n\n  SELECT\n\t1\n;\n\n", &["SELECT\n\t1"]),
    case("SELECT\n\n1, 'a\n\nb';\n\nSELECT 2", &["SELECT\n\n1, 'a\n\nb'", "SELECT 2"]),
    case("SELECT 1;\r\nSELECT\r\n 2;\r\n", &["SELECT 1", "SELECT\r\n 2"]),
    case("\u{feff}SELECT 1;", &["SELECT 1"]),
    case("SELECT 1\x0c;\x0cSELECT 2;", &["SELECT 1", "SELECT 2"]),
    case("", &[]),
    case("-- nothing", &[]),
    case("/* nothing; */ ;", &[]),
    // line comments
    case("-- it's; a comment\nSELECT 1;", &["SELECT 1"]),
    case("SELECT 1 -- it's; a comment\n, 2;", &["SELECT 1 -- it's; a comment\n, 2"]),
    case("SELECT 1; -- it's\nSELECT 2;", &["SELECT 1", "SELECT 2"]),
    case("SELECT 1 -- the end", &["SELECT 1"]),
    case("SELECT 1 --\n;SELECT 2", &["SELECT 1", "SELECT 2"]),
    case("SELECT 1 -- $$ \" /*\n;SELECT 2;", &["SELECT 1", "SELECT 2"]),
    case("SELECT 1--1;\n;SELECT 2;", &["SELECT 1", "SELECT 2"]),
    case("SELECT 1 -- a\r;SELECT 2;", &["SELECT 1", "SELECT 2"]),
    case("SELECT 1 -- \\d\n;SELECT 2;", &["SELECT 1", "SELECT 2"]),
    // block comments
    case("/* ; */ SELECT 1;", &["SELECT 1"]),
    case("SELECT /* ; ' \" $$ -- */ 1;", &["SELECT /* ; ' \" $$ -- */ 1"]),
    case("/* a /* b; */ c; */ SELECT 1;", &["SELECT 1"]),
    case("SELECT 1 /* /*/ ; */ ; */ ; SELECT 2;", &["SELECT 1", "SELECT 2"]),
    case("SELECT 1 /**/;/***/SELECT 2/*;**/;", &["SELECT 1", "SELECT 2"]),
    case("SELECT 1 -- /*\n; SELECT 2 -- */\n;", &["SELECT 1", "SELECT 2"]),
    case("/*\n;\n*/\nSELECT 1;", &["SELECT 1"]),
    case("/* a */ -- b;\n/* c */ SELECT 1;", &["SELECT 1"]),
    case("SELECT 1 /* end */", &["SELECT 1"]),
    // operators that touch comments
    case("SELECT 1 +/* ; */ 1;", &["SELECT 1 +/* ; */ 1"]),
    case("SELECT 1 <--;\n 2;", &["SELECT 1 <--;\n 2"]),
    case("SELECT 1 */*;*/ 2;", &["SELECT 1 */*;*/ 2"]),
    case("SELECT 1 /*/;*/ 2;", &["SELECT 1 /*/;*/ 2"]),
    case("SELECT a ->> 'b;' #>> c;SELECT @-1;", &["SELECT a ->> 'b;' #>> c", "SELECT @-1"]),
    // strings
    case("SELECT 'a;b';SELECT 2;", &["SELECT 'a;b'", "SELECT 2"]),
    case("SELECT 'it''s;';SELECT 2;", &["SELECT 'it''s;'", "SELECT 2"]),
    case("SELECT '\\';SELECT 2;", &["SELECT '\\'", "SELECT 2"]),
    case("SELECT E'\\';';SELECT 2;", &["SELECT E'\\';'", "SELECT 2"]),
    case("SELECT e'\\\\';SELECT 2;", &["SELECT e'\\\\'", "SELECT 2"]),
    case("SELECT E'it''s;\\'';SELECT 2;", &["SELECT E'it''s;\\''", "SELECT 2"]),
    case("SELECT U&'\\0041;\\';SELECT 2;", &["SELECT U&'\\0041;\\'", "SELECT 2"]),
    case("SELECT N'\\', B'01', X'1F';SELECT 2;", &["SELECT N'\\', B'01', X'1F'", "SELECT 2"]),
    case("SELECT '--', '/*';SELECT 2;", &["SELECT '--', '/*'", "SELECT 2"]),
    case("SELECT 'a\n;\r\nb';SELECT 2;", &["SELECT 'a\n;\r\nb'", "SELECT 2"]),
    case("SELECT 'a;'\n'b;';SELECT 2;", &["SELECT 'a;'\n'b;'", "SELECT 2"]),
    case("SELECT 'a' -- it's;\n'b;';SELECT 2;", &["SELECT 'a' -- it's;\n'b;'", "SELECT 2"]),
    case("SELECT name'\\';SELECT 2;", &["SELECT name'\\'", "SELECT 2"]),
    case("SELECT 'é;€';SELECT 'x';", &["SELECT 'é;€'", "SELECT 'x'"]),
    case("SELECT 1 'a;' $$b;$$;SELECT 2;", &["SELECT 1 'a;' $$b;$$", "SELECT 2"]),
    unlike_psql(
        "it scans line by line and misses that the server reads the second line as E'…' too",
        "SELECT E'a'\n'\\';';SELECT 2;",
        &["SELECT E'a'\n'\\';'", "SELECT 2"],
    ),
    // quoted identifiers
    case("SELECT 1 AS \";\";SELECT 2;", &["SELECT 1 AS \";\"", "SELECT 2"]),
    case("SELECT 1 AS \"a\"\";\";SELECT 2;", &["SELECT 1 AS \"a\"\";\"", "SELECT 2"]),
    case("SELECT 1 AS \"it's\";SELECT 2;", &["SELECT 1 AS \"it's\"", "SELECT 2"]),
    case("SELECT 1 AS U&\"\\0041;\\\";SELECT 2;", &["SELECT 1 AS U&\"\\0041;\\\"", "SELECT 2"]),
    case("SELECT 1 AS \"$$\"; SELECT '$$';", &["SELECT 1 AS \"$$\"", "SELECT '$$'"]),
    // dollar quotes
    case("SELECT $$;'$$;SELECT 2;", &["SELECT $$;'$$", "SELECT 2"]),
    case("SELECT $a$;$$;$b$;$a$;SELECT 2;", &["SELECT $a$;$$;$b$;$a$", "SELECT 2"]),
    case("SELECT $a$;$A$;$a$;SELECT 2;", &["SELECT $a$;$A$;$a$", "SELECT 2"]),
    case("SELECT $a$;$aa$;$a$;SELECT 2;", &["SELECT $a$;$aa$;$a$", "SELECT 2"]),
    case("SELECT $a$;a$;$$a$;SELECT 2;", &["SELECT $a$;a$;$$a$", "SELECT 2"]),
    case("SELECT $é$;$é$;SELECT 2;", &["SELECT $é$;$é$", "SELECT 2"]),
    case("SELECT a$b$;SELECT c$b$;", &["SELECT a$b$", "SELECT c$b$"]),
    case("SELECT é$b$;SELECT é$b$;", &["SELECT é$b$", "SELECT é$b$"]),
    case("SELECT $1;SELECT $1;", &["SELECT $1", "SELECT $1"]),
    case("SELECT 1$$;$$;SELECT 2;", &["SELECT 1$$;$$", "SELECT 2"]),
    case("SELECT $1$$;$$;SELECT 2;", &["SELECT $1$$;$$", "SELECT 2"]),
    case("SELECT $1$;SELECT $1$;", &["SELECT $1$", "SELECT $1$"]),
    case("SELECT $ a$;SELECT $ a$;", &["SELECT $ a$", "SELECT $ a$"]),
    case("SELECT $$\\d /* -- \n;$$;SELECT 2;", &["SELECT $$\\d /* -- \n;$$", "SELECT 2"]),
    case(
        "CREATE FUNCTION f() RETURNS void AS $f$ BEGIN EXECUTE $q$a;b$q$; END; $f$ LANGUAGE x;SELECT 2;",
        &[
            "CREATE FUNCTION f() RETURNS void AS $f$ BEGIN EXECUTE $q$a;b$q$; END; $f$ LANGUAGE x",
            "SELECT 2",
        ],
    ),
    case("DO $$ BEGIN; END $$;SELECT 2;", &["DO $$ BEGIN; END $$", "SELECT 2"]),
    // parentheses
    case(
        "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);SELECT 3;",
        &[
            "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)",
            "SELECT 3",
        ],
    ),
    case("SELECT (1;(2;)3;);SELECT 2;", &["SELECT (1;(2;)3;)", "SELECT 2"]),
    case("SELECT 1);SELECT (2);", &["SELECT 1)", "SELECT (2)"]),
    case("SELECT '(';SELECT \")\";", &["SELECT '('", "SELECT \")\""]),
    case("SELECT [1;SELECT 2];", &["SELECT [1", "SELECT 2]"]),
    case("SELECT (1;SELECT 2;", &["SELECT (1;SELECT 2;"]),
    // bodies
    case("BEGIN;SELECT 1;END;", &["BEGIN", "SELECT 1", "END"]),
    case(
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;SELECT 3;",
        &[
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END",
            "SELECT 3",
        ],
    ),
    case(
        "create or replace procedure p()\nbegin atomic\n  select 1;\n  select 2;\nend;\nselect 3;",
        &[
            "create or replace procedure p()\nbegin atomic\n  select 1;\n  select 2;\nend",
            "select 3",
        ],
    ),
    case(
        "CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN a THEN CASE b WHEN 1 THEN 2 END END; SELECT 2; END;SELECT 3;",
        &[
            "CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN a THEN CASE b WHEN 1 THEN 2 END END; SELECT 2; END",
            "SELECT 3",
        ],
    ),
    case(
        "CREATE /* a */ FUNCTION f() BEGIN ATOMIC SELECT 'END;', \"end\", $$END$$; SELECT 2; END;SELECT 3;",
        &[
            "CREATE /* a */ FUNCTION f() BEGIN ATOMIC SELECT 'END;', \"end\", $$END$$; SELECT 2; END",
            "SELECT 3",
        ],
    ),
    case(
        "CREATE FUNCTION f() BEGIN -- ;\nATOMIC SELECT 1; END;SELECT 2;",
        &[
            "CREATE FUNCTION f() BEGIN -- ;\nATOMIC SELECT 1; END",
            "SELECT 2",
        ],
    ),
    case(
        "CREATE FUNCTION f() RETURNS int RETURN CASE WHEN true THEN 1 END;SELECT 2;",
        &[
            "CREATE FUNCTION f() RETURNS int RETURN CASE WHEN true THEN 1 END",
            "SELECT 2",
        ],
    ),
    case(
        "CREATE FUNCTION f(a int DEFAULT (CASE WHEN b THEN 1 END)) BEGIN ATOMIC SELECT (CASE 1 WHEN 1 THEN 2 END); END;SELECT 2;",
        &[
            "CREATE FUNCTION f(a int DEFAULT (CASE WHEN b THEN 1 END)) BEGIN ATOMIC SELECT (CASE 1 WHEN 1 THEN 2 END); END",
            "SELECT 2",
        ],
    ),
    case(
        "CREATE FUNCTION f() BEGIN ATOMIC END;CREATE FUNCTION g() BEGIN ATOMIC SELECT 1; END;SELECT 2;",
        &[
            "CREATE FUNCTION f() BEGIN ATOMIC END",
            "CREATE FUNCTION g() BEGIN ATOMIC SELECT 1; END",
            "SELECT 2",
        ],
    ),
    case(
        "CREATE VIEW function AS SELECT 1;SELECT 2;",
        &[
            "CREATE VIEW function AS SELECT 1",
            "SELECT 2",
        ],
    ),
    case(
        "CREATE TRIGGER t EXECUTE FUNCTION begin();SELECT 2;",
        &[
            "CREATE TRIGGER t EXECUTE FUNCTION begin()",
            "SELECT 2",
        ],
    ),
    case(
        "CREATE FUNCTION f() BEGIN ATOMIC SELECT 1; SELECT 2;",
        &[
            "CREATE FUNCTION f() BEGIN ATOMIC SELECT 1; SELECT 2;",
        ],
    ),
    unlike_psql(
        "it takes every BEGIN in a routine for a body",
        "CREATE FUNCTION begin() RETURNS int RETURN 1;SELECT 2;",
        &["CREATE FUNCTION begin() RETURNS int RETURN 1", "SELECT 2"],
    ),
    unlike_psql(
        "it takes every END in a body for its end",
        "CREATE FUNCTION f() BEGIN ATOMIC SELECT t.end, 1 AS end FROM t; SELECT 2; END;SELECT 3;",
        &["CREATE FUNCTION f() BEGIN ATOMIC SELECT t.end, 1 AS end FROM t; SELECT 2; END", "SELECT 3"],
    ),
    // what looks like more than it is
    case(
        "SELECT a[1:2], :b, b::text;SELECT :'c', :\"d\";",
        &[
            "SELECT a[1:2], :b, b::text",
            "SELECT :'c', :\"d\"",
        ],
    ),
    case(
        "SELECT 1..10, .5, 1.e3, 1e, 0x1F;SELECT 2;",
        &[
            "SELECT 1..10, .5, 1.e3, 1e, 0x1F",
            "SELECT 2",
        ],
    ),
    case("COPY t FROM 'stdin';COPY t TO 'a;b';", &["COPY t FROM 'stdin'", "COPY t TO 'a;b'"]),
    case("SELECT 0x1$$;SELECT 0x1$$;", &["SELECT 0x1$$", "SELECT 0x1$$"]),
    case("SELECT {1;SELECT 2}", &["SELECT {1", "SELECT 2}"]),
    case("SELECT é;SELECT \u{a0}ü;", &["SELECT é", "SELECT \u{a0}ü"]),
    unlike_psql(
        "it replaces its variables",
        "SELECT a[1:{?b}];SELECT :VERSION_NUM;",
        &["SELECT a[1:{?b}]", "SELECT :VERSION_NUM"],
    ),
];

#[test]
fn statements_are_those_of_the_table() {
    assert!(CASES.len() >= 60);
    for case in CASES {
        let found = statements(case.sql).unwrap_or_else(|m| panic!("{:?}: {m:?}", case.sql));
        let found: Vec<_> = found.iter().map(|statement| statement.text(case.sql)).collect();
        assert_eq!(found, case.expected, "{:?}", case.sql);
        assert_eq!(split(case.sql).concat(), case.sql);
    }
}

#[test]
fn psql_sends_the_statements_of_the_table() {
    match psql_version() {
        Some(15..) => {}
        Some(old) => return left_out(&format!("psql {old} drops comments")),
        None => return left_out("psql is not on PATH"),
    }
    let wrong: Vec<_> = CASES.iter().filter_map(difference).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The table was compared with psql where it was written, and is so in CI: elsewhere it stands for itself.
fn left_out(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{why}: install PostgreSQL's client, 15 or later");
    let told = writeln!(io::stderr(), "the table of statements is not compared with psql: {why}");
    told.expect("somebody to tell");
}

/// What psql sends for a text, if that is not what the table says.
fn difference(case: &Case) -> Option<String> {
    if let Some(why) = case.psql_differs {
        println!("not compared, because {why}: {:?}", case.sql);
        return None;
    }
    let sent = sent_by_psql(case.sql);
    let bare: Vec<_> = sent.iter().map(|query| skip_trivia(query)).collect();
    let bare: Vec<_> = bare.into_iter().filter(|query| !is_end(query)).collect();
    let same = bare.len() == case.expected.len()
        && bare.iter().zip(case.expected).all(|(query, statement)| {
            let (query, statement) = (without_empty_lines(query), without_empty_lines(statement));
            query.strip_prefix(&statement).is_some_and(|rest| is_end(skip_trivia(rest)))
        });
    (!same).then(|| format!("{:?}\n  psql {sent:?}\n  here {:?}", case.sql, case.expected))
}

fn without_empty_lines(text: &str) -> String {
    let lines = text.split('\n').enumerate().filter(|(at, line)| *at == 0 || !line.is_empty());
    lines.map(|(_, line)| line).collect::<Vec<_>>().join("\n")
}

/// Whether nothing but a `;` and comments is left.
fn is_end(rest: &str) -> bool {
    skip_trivia(rest.strip_prefix(';').unwrap_or(rest)).is_empty()
}

/// The text after the blanks and comments at its beginning.
fn skip_trivia(text: &str) -> &str {
    let text = text.trim_start();
    if text.starts_with("--") {
        return text.find(['\n', '\r']).map_or("", |end| skip_trivia(&text[end..]));
    }
    if !text.starts_with("/*") {
        return text;
    }
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let two = text.as_bytes().get(at..at + 2).unwrap_or_default();
        let change = i32::from(two == b"/*") - i32::from(two == b"*/");
        depth += change;
        at += if change == 0 { 1 } else { 2 };
        if depth == 0 {
            return skip_trivia(&text[at..]);
        }
    }
    ""
}

fn psql_version() -> Option<u32> {
    let output = Command::new("psql").arg("--version").output().ok()?;
    let line = String::from_utf8(output.stdout).ok()?; // psql (PostgreSQL) 15.4 (…)
    line.split([' ', '.']).find_map(|word| word.trim().parse().ok())
}

/// The queries that psql sends for a file with this text.
fn sent_by_psql(sql: &str) -> Vec<String> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("torture.sql");
    std::fs::write(&file, sql).expect("the target directory is writable");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("the listener is bound");
    let server = thread::spawn(move || serve(listener.accept()?.0));
    let status = Command::new("psql")
        .args(["-X", "-q", "-w", "-h", "127.0.0.1", "-U", "nobody", "-d", "none", "-f"])
        .arg(&file)
        .envs([("PGPORT", address.port().to_string().as_str()), ("PGSSLMODE", "disable")])
        .envs([("PGGSSENCMODE", "disable"), ("PGCLIENTENCODING", "UTF8")])
        .env_remove("PGOPTIONS")
        .status()
        .expect("psql runs");
    drop(TcpStream::connect(address)); // lets the server end if psql never came
    let sent = server.join().expect("the server does not panic").expect("psql was served");
    assert!(status.success(), "psql failed: {status}");
    sent
}

/// Passes for PostgreSQL on one connection: says yes to every query and keeps it.
fn serve(mut client: TcpStream) -> io::Result<Vec<String>> {
    client.set_nodelay(true)?;
    let mut queries = Vec::new();
    receive(&mut client)?; // the startup message
    send(&mut client, b'R', &[0; 4])?; // AuthenticationOk
    for parameter in ["server_version\x0015.0\0", "client_encoding\0UTF8\0"] {
        send(&mut client, b'S', parameter.as_bytes())?;
    }
    send(&mut client, b'S', b"standard_conforming_strings\0on\0")?;
    loop {
        send(&mut client, b'Z', b"I")?; // ReadyForQuery
        let mut kind = [0];
        if client.read(&mut kind)? == 0 || kind != *b"Q" {
            return Ok(queries);
        }
        let mut query = receive(&mut client)?;
        query.pop(); // the NUL at its end
        queries.push(String::from_utf8(query).map_err(io::Error::other)?);
        send(&mut client, b'C', b"OK\0")?; // CommandComplete
    }
}

fn receive(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    client.read_exact(&mut length)?;
    let mut body = vec![0; u32::from_be_bytes(length) as usize - 4];
    client.read_exact(&mut body)?;
    Ok(body)
}

fn send(client: &mut TcpStream, kind: u8, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len() + 4).map_err(io::Error::other)?;
    client.write_all(&[&[kind], &length.to_be_bytes()[..], body].concat())
}
