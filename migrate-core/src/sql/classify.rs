//! Questions about one statement: does it control the transaction, does PostgreSQL refuse it
//! inside one, does data follow it, is it a concurrent index. Owns as much of the grammar as the
//! answers need, for PostgreSQL 13 to 18. Pure: must not know what the library does with an answer.
//!
//! Every question takes the text of one statement, with or without comments around and a `;`.

use super::lexer::{Lexer, Token, TokenKind};

mod removed;
mod trace;

pub use removed::{Fate, Removal, Removed, removals};
pub use trace::{
    AddedValue, ConcurrentDetach, Reindex, Validation, Whole, added_value, concurrent_detach,
    is_setting, isolation_level, may_be_enclosed, may_be_repeated, reindex, sets_session,
    validation, whole,
};

/// PostgreSQL's limit for names, in bytes.
const NAME_LIMIT: usize = 63;

/// A name as the catalog has it: unquoted letters lowered, quotes removed, cut to 63 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct QualifiedName {
    /// The schema, if the statement names it.
    pub schema: Option<String>,
    /// The name itself.
    pub name: String,
}

/// A statement that creates or drops an index `CONCURRENTLY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConcurrentIndex {
    /// `CREATE INDEX CONCURRENTLY`
    Create {
        /// The index, if the statement names it. It is in the schema of its table.
        index: Option<QualifiedName>,
        /// The table.
        table: QualifiedName,
        /// Whether it says `IF NOT EXISTS`.
        if_not_exists: bool,
        /// Whether it says `UNIQUE`.
        unique: bool,
    },
    /// `DROP INDEX CONCURRENTLY`
    Drop {
        /// The indexes.
        indexes: Vec<QualifiedName>,
        /// Whether it says `IF EXISTS`.
        if_exists: bool,
    },
}

/// The name of the statement if it begins or ends a transaction. Savepoints do not.
#[must_use]
pub fn transaction_control(stmt: &str) -> Option<&'static str> {
    let mut reader = Reader::new(stmt);
    if let Some(name) = reader.one_of(&["BEGIN", "END", "ABORT"]) {
        return Some(name);
    }
    if reader.eat("START TRANSACTION") {
        return Some("START TRANSACTION");
    }
    if reader.eat("PREPARE TRANSACTION") {
        // PREPARE may also name a prepared statement `transaction`.
        let gid = reader.next().is_some_and(|token| is_string(token.kind));
        return gid.then_some("PREPARE TRANSACTION");
    }
    if reader.eat("COMMIT") {
        return Some(if reader.eat("PREPARED") { "COMMIT PREPARED" } else { "COMMIT" });
    }
    if !reader.eat("ROLLBACK") {
        return None;
    }
    if reader.eat("PREPARED") {
        return Some("ROLLBACK PREPARED");
    }
    reader.one_of(&["WORK", "TRANSACTION"]);
    (!reader.eat("TO")).then_some("ROLLBACK")
}

/// The name of the statement if PostgreSQL refuses it inside a transaction block, as far as its
/// text tells: it also refuses some statements on partitioned tables and procedures that commit.
/// `DROP SUBSCRIPTION` counts, although one without a replication slot is permitted.
#[must_use]
pub fn refuses_transaction(stmt: &str) -> Option<&'static str> {
    let mut reader = Reader::new(stmt);
    match reader.one_of(&["CREATE", "DROP", "ALTER", "REINDEX", "VACUUM", "CLUSTER", "DISCARD"])? {
        "CREATE" => refuses_create(reader),
        "DROP" => refuses_drop(reader),
        "ALTER" => refuses_alter(reader),
        "REINDEX" => refuses_reindex(reader),
        "CLUSTER" => refuses_cluster(reader),
        "DISCARD" => reader.eat("ALL").then_some("DISCARD ALL"),
        vacuum => Some(vacuum),
    }
}

fn refuses_create(mut reader: Reader<'_>) -> Option<&'static str> {
    match reader.one_of(&["UNIQUE", "INDEX", "DATABASE", "TABLESPACE", "SUBSCRIPTION"])? {
        "UNIQUE" => reader.eat("INDEX CONCURRENTLY").then_some("CREATE INDEX CONCURRENTLY"),
        "INDEX" => reader.eat("CONCURRENTLY").then_some("CREATE INDEX CONCURRENTLY"),
        "DATABASE" => Some("CREATE DATABASE"),
        "TABLESPACE" => Some("CREATE TABLESPACE"),
        _ => {
            let makes_no_slot = reader.says_no_to(&["create_slot", "connect"]);
            (!makes_no_slot).then_some("CREATE SUBSCRIPTION")
        }
    }
}

fn refuses_drop(mut reader: Reader<'_>) -> Option<&'static str> {
    match reader.one_of(&["INDEX", "DATABASE", "TABLESPACE", "SUBSCRIPTION"])? {
        "INDEX" => reader.eat("CONCURRENTLY").then_some("DROP INDEX CONCURRENTLY"),
        "DATABASE" => Some("DROP DATABASE"),
        "TABLESPACE" => Some("DROP TABLESPACE"),
        _ => Some("DROP SUBSCRIPTION"),
    }
}

fn refuses_alter(mut reader: Reader<'_>) -> Option<&'static str> {
    match reader.one_of(&["SYSTEM", "TABLE", "DATABASE", "SUBSCRIPTION"])? {
        "SYSTEM" => Some("ALTER SYSTEM"),
        "TABLE" => refuses_detach(reader),
        "DATABASE" => {
            reader.next();
            reader.eat("SET TABLESPACE").then_some("ALTER DATABASE … SET TABLESPACE")
        }
        _ => refuses_alter_subscription(reader),
    }
}

fn refuses_detach(mut reader: Reader<'_>) -> Option<&'static str> {
    reader.eat("IF EXISTS");
    reader.eat("ONLY");
    reader.name()?;
    reader.symbol("*");
    if !reader.eat("DETACH PARTITION") {
        return None;
    }
    reader.name()?;
    reader.eat("CONCURRENTLY").then_some("ALTER TABLE … DETACH PARTITION … CONCURRENTLY")
}

fn refuses_alter_subscription(mut reader: Reader<'_>) -> Option<&'static str> {
    reader.next();
    match reader.one_of(&["REFRESH", "SET", "ADD", "DROP"])? {
        "REFRESH" => Some("ALTER SUBSCRIPTION … REFRESH"),
        _ if reader.eat("PUBLICATION") => {
            (!reader.says_no_to(&["refresh"])).then_some("ALTER SUBSCRIPTION … PUBLICATION")
        }
        "SET" => {
            let asks_publisher = reader.any(|word| is_one_of(word, &["failover", "two_phase"]));
            asks_publisher.then_some("ALTER SUBSCRIPTION … SET")
        }
        _ => None,
    }
}

fn refuses_reindex(mut reader: Reader<'_>) -> Option<&'static str> {
    let option = reader.parentheses().is_some_and(|mut options| {
        options.any(|word| word.eq_ignore_ascii_case("CONCURRENTLY")) && !options.no()
    });
    let target = reader.one_of(&["INDEX", "TABLE", "SCHEMA", "DATABASE", "SYSTEM"])?;
    if option || reader.eat("CONCURRENTLY") {
        return Some("REINDEX CONCURRENTLY");
    }
    match target {
        "SCHEMA" => Some("REINDEX SCHEMA"),
        "DATABASE" => Some("REINDEX DATABASE"),
        "SYSTEM" => Some("REINDEX SYSTEM"),
        _ => None,
    }
}

/// Without a table it clusters all of them, in a transaction each.
fn refuses_cluster(mut reader: Reader<'_>) -> Option<&'static str> {
    reader.eat("VERBOSE");
    reader.parentheses();
    let is_end = reader.next().is_none_or(|token| token.kind == TokenKind::Semicolon);
    is_end.then_some("CLUSTER")
}

/// The parts of a `CREATE INDEX CONCURRENTLY` or `DROP INDEX CONCURRENTLY`; `None` for any other
/// statement, one with a syntax error, and one with escapes in a `U&"…"` name.
#[must_use]
pub fn concurrent_index(stmt: &str) -> Option<ConcurrentIndex> {
    let mut reader = Reader::new(stmt);
    match reader.one_of(&["CREATE", "DROP"])? {
        "CREATE" => create_concurrent_index(reader),
        _ => drop_concurrent_index(reader),
    }
}

fn create_concurrent_index(mut reader: Reader<'_>) -> Option<ConcurrentIndex> {
    let unique = reader.eat("UNIQUE");
    if !reader.eat("INDEX CONCURRENTLY") {
        return None;
    }
    let if_not_exists = reader.eat("IF NOT EXISTS");
    let mut index = None;
    if !reader.eat("ON") {
        index = Some(reader.name()?);
        reader.eat("ON").then_some(())?;
    }
    reader.eat("ONLY");
    let table = reader.name()?;
    Some(ConcurrentIndex::Create { index, table, if_not_exists, unique })
}

fn drop_concurrent_index(mut reader: Reader<'_>) -> Option<ConcurrentIndex> {
    if !reader.eat("INDEX CONCURRENTLY") {
        return None;
    }
    let if_exists = reader.eat("IF EXISTS");
    let mut indexes = vec![reader.name()?];
    while reader.symbol(",") {
        indexes.push(reader.name()?);
    }
    Some(ConcurrentIndex::Drop { indexes, if_exists })
}

/// Whether the statement is a `COPY … FROM STDIN`. `STDOUT` means the same there.
#[must_use]
pub fn copies_from_stdin(stmt: &str) -> bool {
    copies(stmt, "FROM")
}

/// Whether the statement is `COPY … TO STDOUT`, whose data the client has to take.
#[must_use]
pub fn copies_to_stdout(stmt: &str) -> bool {
    copies(stmt, "TO")
}

fn copies(stmt: &str, way: &str) -> bool {
    let mut reader = Reader::new(stmt);
    if !reader.eat("COPY") {
        return false;
    }
    while !reader.eat(way) {
        if reader.parentheses().is_none() && reader.next().is_none() {
            return false;
        }
    }
    reader.one_of(&["STDIN", "STDOUT"]).is_some()
}

const fn is_string(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::String | TokenKind::DollarString)
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|candidate| word.eq_ignore_ascii_case(candidate))
}

/// Reads the tokens that mean something, one after the other.
#[derive(Clone)]
struct Reader<'t> {
    text: &'t str,
    lexer: Lexer<'t>,
    /// Where the last token ended.
    end: usize,
}

impl<'t> Reader<'t> {
    const fn new(text: &'t str) -> Self {
        Self { text, lexer: Lexer::new(text), end: 0 }
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.lexer.find(|token| !token.kind.is_trivia())?;
        self.end = token.end;
        Some(token)
    }

    /// Takes the next token if `wanted` wants it.
    fn next_if(&mut self, wanted: impl FnOnce(TokenKind, &'t str) -> bool) -> bool {
        let mut ahead = self.clone();
        let taken = ahead.next().is_some_and(|token| wanted(token.kind, token.text(ahead.text)));
        if taken {
            *self = ahead;
        }
        taken
    }

    fn word(&mut self, word: &str) -> bool {
        self.next_if(|kind, text| kind == TokenKind::Word && text.eq_ignore_ascii_case(word))
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        self.next_if(|_, text| text == symbol)
    }

    /// Takes these words, separated by blanks, or nothing.
    fn eat(&mut self, words: &str) -> bool {
        let mut ahead = self.clone();
        let taken = words.split(' ').all(|word| ahead.word(word));
        if taken {
            *self = ahead;
        }
        taken
    }

    /// Takes the next word if it is one of these.
    fn one_of(&mut self, words: &[&'static str]) -> Option<&'static str> {
        words.iter().copied().find(|word| self.word(word))
    }

    /// Whether a word satisfies `wanted` from here on.
    fn any(&mut self, wanted: impl Fn(&str) -> bool) -> bool {
        let (text, is_word) = (self.text, |token: &Token| token.kind == TokenKind::Word);
        self.lexer.by_ref().filter(is_word).any(|token| wanted(token.text(text)))
    }

    /// Whether one of these options is switched off from here on, as in `refresh = false`.
    fn says_no_to(&mut self, options: &[&str]) -> bool {
        while self.any(|word| is_one_of(word, options)) {
            if self.symbol("=") && self.no() {
                return true;
            }
        }
        false
    }

    /// Takes a value that means false.
    fn no(&mut self) -> bool {
        self.next_if(|_, text| is_one_of(text.trim_matches('\''), &["false", "off", "0"]))
    }

    /// Takes parentheses and gives what they contain.
    fn parentheses(&mut self) -> Option<Self> {
        if !self.symbol("(") {
            return None;
        }
        let (start, mut depth) = (self.end, 1_usize);
        while depth > 0 {
            match self.next()?.text(self.text) {
                "(" => depth += 1,
                ")" => depth -= 1,
                _ => {}
            }
        }
        self.text.get(start..self.end).map(Self::new)
    }

    /// Takes a name; of a database, a schema and a name, the last two count.
    fn name(&mut self) -> Option<QualifiedName> {
        let (mut schema, mut name) = (None, self.identifier()?);
        while self.symbol(".") {
            schema = Some(std::mem::replace(&mut name, self.identifier()?));
        }
        Some(QualifiedName { schema, name })
    }

    fn identifier(&mut self) -> Option<String> {
        let token = self.next()?;
        match token.kind {
            TokenKind::Word => Some(cut(token.text(self.text).to_ascii_lowercase())),
            TokenKind::QuotedIdent if token.closed && !self.clone().word("UESCAPE") => {
                unquoted(token.text(self.text)).map(cut)
            }
            _ => None,
        }
    }
}

/// The content of a quoted identifier, unless it has escapes to decode.
fn unquoted(token: &str) -> Option<String> {
    let (prefix, quoted) = token.strip_suffix('"')?.split_once('"')?;
    let decodable = prefix.is_empty() || !quoted.contains('\\');
    decodable.then(|| quoted.replace("\"\"", "\""))
}

fn cut(mut name: String) -> String {
    name.truncate(name.floor_char_boundary(NAME_LIMIT));
    name
}

#[cfg(test)]
mod tests {
    use super::{
        ConcurrentIndex, QualifiedName, concurrent_index, copies_from_stdin, refuses_transaction,
        transaction_control,
    };
    use proptest::prelude::*;

    #[test]
    fn statements_that_control_the_transaction() {
        for (stmt, expected) in [
            ("BEGIN", Some("BEGIN")),
            ("/* a */ begin -- b\n isolation level serializable;", Some("BEGIN")),
            ("START TRANSACTION", Some("START TRANSACTION")),
            ("commit and chain", Some("COMMIT")),
            ("COMMIT PREPARED 'a'", Some("COMMIT PREPARED")),
            ("END", Some("END")),
            ("ABORT WORK", Some("ABORT")),
            ("ROLLBACK", Some("ROLLBACK")),
            ("ROLLBACK WORK AND NO CHAIN", Some("ROLLBACK")),
            ("ROLLBACK PREPARED 'a'", Some("ROLLBACK PREPARED")),
            ("PREPARE TRANSACTION 'a'", Some("PREPARE TRANSACTION")),
            ("PREPARE TRANSACTION $$a$$", Some("PREPARE TRANSACTION")),
            ("PREPARE transaction AS SELECT 1", None),
            ("PREPARE a AS SELECT 1", None),
            ("ROLLBACK TO a", None),
            ("ROLLBACK TRANSACTION TO SAVEPOINT a", None),
            ("SAVEPOINT a", None),
            ("RELEASE a", None),
            ("SET TRANSACTION READ ONLY", None),
            ("\"BEGIN\"", None),
            ("SELECT 'BEGIN'", None),
            ("CREATE FUNCTION f() BEGIN ATOMIC a; END", None),
            ("", None),
        ] {
            assert_eq!(transaction_control(stmt), expected, "{stmt}");
        }
    }

    #[test]
    fn statements_that_refuse_a_transaction() {
        for (stmt, expected) in [
            ("CREATE INDEX CONCURRENTLY ON t (a)", "CREATE INDEX CONCURRENTLY"),
            ("create unique /* */ index concurrently i on t (a);", "CREATE INDEX CONCURRENTLY"),
            ("DROP INDEX CONCURRENTLY IF EXISTS i", "DROP INDEX CONCURRENTLY"),
            ("REINDEX TABLE CONCURRENTLY t", "REINDEX CONCURRENTLY"),
            ("REINDEX (VERBOSE) INDEX CONCURRENTLY i", "REINDEX CONCURRENTLY"),
            ("REINDEX (CONCURRENTLY, VERBOSE off) TABLE t", "REINDEX CONCURRENTLY"),
            ("REINDEX (CONCURRENTLY on) TABLE t", "REINDEX CONCURRENTLY"),
            ("REINDEX (CONCURRENTLY off) SCHEMA s", "REINDEX SCHEMA"),
            ("REINDEX DATABASE d", "REINDEX DATABASE"),
            ("REINDEX SYSTEM", "REINDEX SYSTEM"),
            ("VACUUM", "VACUUM"),
            ("VACUUM (FULL) t", "VACUUM"),
            ("CREATE DATABASE d", "CREATE DATABASE"),
            ("DROP DATABASE IF EXISTS d", "DROP DATABASE"),
            ("CREATE TABLESPACE t LOCATION '/a'", "CREATE TABLESPACE"),
            ("DROP TABLESPACE t", "DROP TABLESPACE"),
            ("ALTER SYSTEM RESET ALL", "ALTER SYSTEM"),
            ("ALTER DATABASE d SET TABLESPACE t", "ALTER DATABASE … SET TABLESPACE"),
            (
                "ALTER TABLE IF EXISTS ONLY s.t * DETACH PARTITION s.\"P\" CONCURRENTLY",
                "ALTER TABLE … DETACH PARTITION … CONCURRENTLY",
            ),
            ("CLUSTER", "CLUSTER"),
            ("CLUSTER (VERBOSE);", "CLUSTER"),
            ("CLUSTER VERBOSE", "CLUSTER"),
            ("DISCARD ALL", "DISCARD ALL"),
        ] {
            assert_eq!(refuses_transaction(stmt), Some(expected), "{stmt}");
        }
    }

    #[test]
    fn subscriptions_that_refuse_a_transaction() {
        for (stmt, expected) in [
            ("CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p", "CREATE SUBSCRIPTION"),
            (
                "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p WITH (create_slot = true)",
                "CREATE SUBSCRIPTION",
            ),
            ("DROP SUBSCRIPTION s", "DROP SUBSCRIPTION"),
            ("ALTER SUBSCRIPTION s REFRESH PUBLICATION", "ALTER SUBSCRIPTION … REFRESH"),
            ("ALTER SUBSCRIPTION s SET PUBLICATION p", "ALTER SUBSCRIPTION … PUBLICATION"),
            ("ALTER SUBSCRIPTION s SET (failover = true)", "ALTER SUBSCRIPTION … SET"),
        ] {
            assert_eq!(refuses_transaction(stmt), Some(expected), "{stmt}");
        }
    }

    #[test]
    fn statements_that_permit_a_transaction() {
        for stmt in [
            "",
            "SELECT 'VACUUM'",
            "CREATE INDEX i ON t (a)",
            "CREATE INDEX \"concurrently\" ON t (a)",
            "CREATE UNIQUE INDEX i ON t (concurrently)",
            "DROP INDEX i",
            "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
            "REINDEX TABLE t",
            "REINDEX (CONCURRENTLY off) TABLE t",
            "REINDEX (CONCURRENTLY 'false', VERBOSE) INDEX i",
            "ANALYZE",
            "ALTER TYPE t ADD VALUE 'a'",
            "ALTER TABLE t DETACH PARTITION p",
            "ALTER TABLE t DETACH PARTITION p FINALIZE",
            "ALTER TABLE t ADD COLUMN concurrently int",
            "ALTER DATABASE d SET work_mem = 1",
            "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p WITH (slot_name = x, connect = false)",
            "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p WITH (CREATE_SLOT = 'off')",
            "ALTER SUBSCRIPTION s SET PUBLICATION p WITH (refresh = false)",
            "ALTER SUBSCRIPTION s SET (slot_name = NONE)",
            "ALTER SUBSCRIPTION s DISABLE",
            "CLUSTER t",
            "CLUSTER VERBOSE t",
            "CLUSTER (VERBOSE) t USING i",
            "DISCARD PLANS",
            "CREATE TABLE vacuum ()",
        ] {
            assert_eq!(refuses_transaction(stmt), None, "{stmt}");
        }
    }

    fn name(schema: Option<&str>, name: &str) -> QualifiedName {
        QualifiedName { schema: schema.map(str::to_owned), name: name.to_owned() }
    }

    #[test]
    fn created_indexes() {
        let index = |index: Option<&str>, table, if_not_exists, unique| {
            let index = index.map(|index| name(None, index));
            Some(ConcurrentIndex::Create { index, table, if_not_exists, unique })
        };
        for (stmt, expected) in [
            ("CREATE INDEX CONCURRENTLY ON t (a)", index(None, name(None, "t"), false, false)),
            (
                "create unique index concurrently if not exists Ab on only S.\"T.\"\"\" using btree (a);",
                index(Some("ab"), name(Some("s"), "T.\""), true, true),
            ),
            (
                "CREATE INDEX CONCURRENTLY if ON d . s /* */ . tÉ (a)",
                index(Some("if"), name(Some("s"), "tÉ"), false, false),
            ),
            (
                "CREATE INDEX CONCURRENTLY U&\"A\" ON t (a)",
                index(Some("A"), name(None, "t"), false, false),
            ),
            ("CREATE INDEX CONCURRENTLY U&\"\\0041\" ON t (a)", None),
            ("CREATE INDEX CONCURRENTLY i ON U&\"!0041\" UESCAPE '!' (a)", None),
            ("CREATE INDEX i ON t (a)", None),
            ("CREATE INDEX CONCURRENTLY", None),
            ("CREATE INDEX CONCURRENTLY i t", None),
            ("CREATE INDEX CONCURRENTLY i ON 't'", None),
        ] {
            assert_eq!(concurrent_index(stmt), expected, "{stmt}");
        }
    }

    #[test]
    fn dropped_indexes() {
        let drop = |indexes, if_exists| Some(ConcurrentIndex::Drop { indexes, if_exists });
        for (stmt, expected) in [
            ("DROP INDEX CONCURRENTLY I", drop(vec![name(None, "i")], false)),
            (
                "drop index concurrently if exists s.a, \"B\" cascade",
                drop(vec![name(Some("s"), "a"), name(None, "B")], true),
            ),
            ("DROP INDEX i", None),
            ("DROP TABLE i", None),
            ("DROP INDEX CONCURRENTLY a,", None),
        ] {
            assert_eq!(concurrent_index(stmt), expected, "{stmt}");
        }
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        let long = "A".repeat(62) + "éb";
        let stmt = format!("DROP INDEX CONCURRENTLY {long}, \"{long}\"");
        let indexes = vec![name(None, &"a".repeat(62)), name(None, &"A".repeat(62))];
        let expected = ConcurrentIndex::Drop { indexes, if_exists: false };
        assert_eq!(concurrent_index(&stmt), Some(expected));
    }

    #[test]
    fn copies() {
        for (stmt, expected) in [
            ("COPY t FROM STDIN", true),
            ("copy s.t (a, b) from stdin with (format csv);", true),
            ("COPY BINARY t FROM /* */ stdin WHERE a > 1", true),
            ("COPY t FROM STDOUT", true),
            ("COPY t FROM 'stdin'", false),
            ("COPY t FROM \"stdin\"", false),
            ("COPY t FROM PROGRAM 'stdin'", false),
            ("COPY t TO STDOUT", false),
            ("COPY (SELECT a FROM stdin) TO STDOUT", false),
            ("COPY (SELECT (a) FROM stdin", false),
            ("SELECT a FROM stdin", false),
        ] {
            assert_eq!(copies_from_stdin(stmt), expected, "{stmt}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_answers(words in "((CREATE|DROP|ALTER|REINDEX|INDEX|CONCURRENTLY|ON|COPY|FROM\
            |SUBSCRIPTION|SET|WITH|TABLE|[a(),.;\"'é*=]) ?){0,12}") {
            let _ = (transaction_control(&words), refuses_transaction(&words));
            let _ = (concurrent_index(&words), copies_from_stdin(&words));
        }
    }
}
