//! The comment lines at the head of a file that say how it runs: `-- migrate: …`.
//!
//! One grammar for all of them, in one table. Knows nothing of the statements below the head, nor of what
//! the runner makes of a directive.

use std::time::Duration;

use crate::backfill::Batches;
use crate::spelling::nearest;
use crate::sql::lexer::{Lexer, Token, TokenKind};
use crate::{MigrationId, Phase, Version};

/// What the head of a file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Each statement runs by itself, outside a transaction.
    pub no_transaction: bool,
    /// Why there is no way back.
    pub irreversible: Option<String>,
    /// Lint rules that are silent for this file.
    pub allow: Vec<Allow>,
    /// How long one attempt may wait for a lock.
    pub lock_timeout: Option<Duration>,
    /// What must have run before.
    pub after: Vec<MigrationId>,
    /// The statement runs in batches.
    pub backfill: Option<Batches>,
    /// What must be true of the database when the batches are done.
    pub verify: Vec<String>,
    /// What must be true of every row, for the database to prove and to keep so.
    pub prove: Option<String>,
    /// Indexes that grew by the batches are built anew, where a worker beside a run is the one that ends them.
    pub reindex: bool,
    /// What new code may rely on when this is done, by the names that it asks for.
    pub provides: Vec<String>,
    /// Of a contract: how long the phases before it have to have been done.
    pub soak: Option<Duration>,
    /// Of a contract: what every running instance of the application has to be capable of.
    pub needs: Vec<String>,
    /// Of a contract: somebody has to have seen the evidence and approved it.
    pub approval: bool,
    /// Of a contract: why older code works with it after all.
    pub compatible: Option<String>,
}

/// A rule that is silent, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// The rule's name.
    pub rule: String,
    /// The author's reason.
    pub reason: String,
}

/// A directive that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadDirective {
    /// Where it starts, in bytes.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

const PREFIX: &str = "migrate:";
/// The mark of sqlx, which it wants on the first line.
const SQLX_NO_TRANSACTION: &str = "no-transaction";

/// Name and form of each directive, and what reads its arguments.
const DIRECTIVES: [(&str, &str, Read); 14] = [
    ("no-transaction", "no-transaction", no_transaction),
    ("irreversible", "irreversible because <reason>", irreversible),
    ("allow", "allow(<rule>) because <reason>", allow),
    ("lock-timeout", "lock-timeout <number><ms|s|min>", lock_timeout),
    ("after", "after <version> [expand|migrate|contract]", after),
    (
        "backfill",
        "backfill <table> by <columns>|ctid [stripes 2|4|8|16|32|64] [batch <rows>]",
        backfill,
    ),
    ("verify", "verify <condition>", verify),
    ("prove", "prove <condition>", prove),
    ("reindex", "reindex", reindex),
    ("provides", "provides <name>", provides),
    ("soak", "soak <number><s|min|h|d>", soak),
    ("needs", "needs <name>", needs),
    ("approval", "approval", approval),
    ("compatible", "compatible because <reason>", compatible),
];

/// Puts what the arguments say into the header; `None` when they do not have the form.
type Read = fn(&mut Header, &str) -> Option<()>;

impl Header {
    /// Reads the head of a text; what cannot be understood is listed beside it.
    pub fn parse(text: &str) -> (Self, Vec<BadDirective>) {
        let mut header = Header::default();
        let mut bad = Vec::new();
        for (index, line) in head_comments(text).into_iter().enumerate() {
            let content = line.text.trim_start_matches('-').trim();
            if let Some(directive) = content.strip_prefix(PREFIX) {
                bad.extend(header.read(directive.trim()).err().map(|b| b.at(line.offset)));
            } else if index == 0 && line.first_line && is_mark_of_sqlx(line.text, content) {
                header.no_transaction = true;
            }
        }
        bad.extend(misplaced(text));
        (header, bad)
    }

    /// The directives that change what runs, in one fixed spelling; the checksum is taken over them.
    pub fn execution_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(self.no_transaction.then(|| SQLX_NO_TRANSACTION.to_owned()));
        lines.extend(self.after.iter().map(|id| format!("after {id}")));
        lines.extend(self.backfill.as_ref().map(|batches| format!("backfill {batches}")));
        lines.extend(self.verify.iter().map(|condition| format!("verify {condition}")));
        lines.extend(self.prove.iter().map(|condition| format!("prove {condition}")));
        lines
    }

    /// The first directive that only a contract has.
    pub(crate) fn of_contracts(&self) -> Option<&'static str> {
        let said = [
            ("soak", self.soak.is_some()),
            ("needs", !self.needs.is_empty()),
            ("approval", self.approval),
            ("compatible", self.compatible.is_some()),
        ];
        said.into_iter().find(|(_, is_said)| *is_said).map(|(name, _)| name)
    }

    fn read(&mut self, directive: &str) -> Result<(), BadDirective> {
        let end =
            directive.find(|c: char| c.is_whitespace() || c == '(').unwrap_or(directive.len());
        let (name, arguments) = directive.split_at(end);
        let Some((_, form, read)) = DIRECTIVES.iter().find(|(known, ..)| *known == name) else {
            return Err(unknown(name));
        };
        read(self, arguments.trim()).ok_or_else(|| BadDirective {
            offset: 0,
            message: format!("cannot read the directive `{directive}`"),
            help: format!("Write `-- migrate: {form}`."),
        })
    }
}

/// sqlx looks at nothing behind the mark, so that people write a reason there.
fn is_mark_of_sqlx(line: &str, content: &str) -> bool {
    let behind = line.strip_prefix("-- ").and_then(|line| line.strip_prefix(SQLX_NO_TRANSACTION));
    behind.is_some() || content == SQLX_NO_TRANSACTION
}

impl BadDirective {
    fn at(mut self, offset: usize) -> Self {
        self.offset = offset;
        self
    }
}

fn unknown(name: &str) -> BadDirective {
    let known = DIRECTIVES.map(|(known, ..)| known);
    let help = match nearest(name, known) {
        Some(meant) => format!("Did you mean `{meant}`?"),
        None => format!("Known directives: {}.", known.join(", ")),
    };
    BadDirective { offset: 0, message: format!("unknown directive `{name}`"), help }
}

struct Comment<'t> {
    offset: usize,
    text: &'t str,
    first_line: bool,
}

/// The line comments before the first statement.
fn head_comments(text: &str) -> Vec<Comment<'_>> {
    let head = Lexer::new(text).take_while(|token| token.kind.is_trivia());
    let comments = head.filter(|token| token.kind == TokenKind::LineComment);
    comments
        .map(|token| Comment {
            offset: token.start,
            text: token.text(text),
            first_line: token.start <= '\u{feff}'.len_utf8(),
        })
        .collect()
}

/// A directive below the first statement would be overlooked; `allow` may stand above the statement it is about.
fn misplaced(text: &str) -> Vec<BadDirective> {
    if !text.contains(PREFIX) {
        return Vec::new();
    }
    let body = Lexer::new(text).skip_while(|token| token.kind.is_trivia());
    let comments = body.filter(|token| token.kind == TokenKind::LineComment);
    comments
        .filter_map(|token| {
            let content = token.text(text).trim_start_matches('-').trim();
            let directive = content.strip_prefix(PREFIX)?.trim();
            (!directive.starts_with("allow")).then(|| BadDirective {
                offset: token.start,
                message: format!("the directive `{directive}` stands below a statement"),
                help: "Move it to the head of the file, above the first statement.".to_owned(),
            })
        })
        .collect()
}

fn no_transaction(header: &mut Header, arguments: &str) -> Option<()> {
    header.no_transaction = true;
    arguments.is_empty().then_some(())
}

fn irreversible(header: &mut Header, arguments: &str) -> Option<()> {
    header.irreversible = Some(reason(arguments)?);
    Some(())
}

fn allow(header: &mut Header, arguments: &str) -> Option<()> {
    let (rule, rest) = arguments.strip_prefix('(')?.split_once(')')?;
    let rule = rule.trim().to_owned();
    header.allow.push(Allow { rule, reason: reason(rest.trim())? });
    Some(())
}

fn reason(text: &str) -> Option<String> {
    let reason = text.strip_prefix("because ")?.trim();
    (!reason.is_empty()).then(|| reason.to_owned())
}

fn lock_timeout(header: &mut Header, arguments: &str) -> Option<()> {
    header.lock_timeout = Some(duration(arguments)?);
    Some(())
}

/// The longest wait that a setting of PostgreSQL can express.
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

/// `250ms`, `2s`, `1min`, `1h`, `1d`: something that a server may wait for.
pub fn duration(text: &str) -> Option<Duration> {
    time(text).filter(|time| *time <= LONGEST)
}

/// The same for people, who wait longer than any setting can say.
fn time(text: &str) -> Option<Duration> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let number: u64 = number.parse().ok()?;
    let millis = match unit.trim() {
        "ms" => 1,
        "s" => 1_000,
        "min" | "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(millis).filter(|ms| *ms > 0).map(Duration::from_millis)
}

fn after(header: &mut Header, arguments: &str) -> Option<()> {
    let (version, phase) =
        arguments.split_once(char::is_whitespace).unwrap_or((arguments, "expand"));
    let version: Version = version.parse().ok()?;
    let phase: Phase = phase.trim().parse().ok()?;
    header.after.push(MigrationId::new(version, phase));
    Some(())
}

fn backfill(header: &mut Header, arguments: &str) -> Option<()> {
    header.backfill = Some(Batches::parse(arguments)?);
    Some(())
}

fn verify(header: &mut Header, arguments: &str) -> Option<()> {
    header.verify.push(condition(arguments)?);
    Some(())
}

fn prove(header: &mut Header, arguments: &str) -> Option<()> {
    let is_first = header.prove.is_none();
    header.prove = Some(condition(arguments)?);
    is_first.then_some(())
}

/// An expression that stands in a statement of ours, and must not end it.
fn condition(text: &str) -> Option<String> {
    let tokens = || Lexer::new(text).filter(|token| !token.kind.is_trivia());
    let is_open = |token: &Token| !token.closed || token.kind == TokenKind::Semicolon;
    let depths = tokens().map(|token| match token.text(text) {
        "(" => 1,
        ")" => -1,
        _ => 0,
    });
    let depths: Vec<i32> = depths
        .scan(0, |depth, step| {
            *depth += step;
            Some(*depth)
        })
        .collect();
    let is_balanced = depths.last() == Some(&0) && depths.iter().all(|depth| *depth >= 0);
    (is_balanced && !tokens().any(|token| is_open(&token))).then(|| text.to_owned())
}

fn reindex(header: &mut Header, arguments: &str) -> Option<()> {
    header.reindex = true;
    arguments.is_empty().then_some(())
}

fn provides(header: &mut Header, arguments: &str) -> Option<()> {
    header.provides.push(capability(arguments)?);
    Some(())
}

/// The name of what code can do, or rely on.
fn capability(text: &str) -> Option<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (!text.is_empty() && text.chars().all(is_name)).then(|| text.to_owned())
}

fn soak(header: &mut Header, arguments: &str) -> Option<()> {
    header.soak = Some(time(arguments)?);
    Some(())
}

fn needs(header: &mut Header, arguments: &str) -> Option<()> {
    header.needs.push(capability(arguments)?);
    Some(())
}

fn approval(header: &mut Header, arguments: &str) -> Option<()> {
    header.approval = true;
    arguments.is_empty().then_some(())
}

fn compatible(header: &mut Header, arguments: &str) -> Option<()> {
    header.compatible = Some(reason(arguments)?);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_directive_of_the_manual_is_read() {
        let text = "\
-- Customers get an id.
-- migrate: no-transaction
-- migrate: irreversible because the column's data cannot be rebuilt
-- migrate: allow(drop_column) because read by nobody since release 41
-- migrate: lock-timeout 2s

/* and */
-- migrate: after 20261120080000 contract
-- migrate: backfill users by id batch 5000
update users set x = 1;";
        let (header, bad) = Header::parse(text);
        assert_eq!(bad, []);
        assert!(header.no_transaction);
        assert_eq!(header.irreversible.as_deref(), Some("the column's data cannot be rebuilt"));
        assert_eq!(header.allow.len(), 1);
        assert_eq!(header.lock_timeout, Some(Duration::from_secs(2)));
        assert_eq!(header.after, [MigrationId::new(Version::new(20261120080000), Phase::Contract)]);
        assert_eq!(header.backfill.as_ref().map(|b| b.batch), Some(5000));
        let lines =
            ["no-transaction", "after 20261120080000 contract", "backfill users by id batch 5000"];
        assert_eq!(header.execution_lines(), lines);
    }

    #[test]
    fn what_opens_a_gate_is_read_and_may_be_said_later() {
        let text = "\
-- migrate: soak 30d
-- migrate: needs email
-- migrate: needs new-prices
-- migrate: approval
-- migrate: compatible because nobody ever read it
drop table t;";
        let (header, bad) = Header::parse(text);
        assert_eq!(bad, []);
        assert_eq!(header.soak, Some(Duration::from_secs(30 * 24 * 3600)));
        assert_eq!(header.needs, ["email", "new-prices"]);
        assert!(header.approval);
        assert_eq!(header.compatible.as_deref(), Some("nobody ever read it"));
        assert_eq!(header.execution_lines(), [""; 0], "an applied file may say so");
        for wrong in ["soak", "soak 0s", "soak 3 weeks", "needs", "needs a b", "compatible"] {
            let wrong = format!("-- migrate: {wrong}\nselect 1;");
            assert_eq!(Header::parse(&wrong).1.len(), 1, "{wrong}");
        }
    }

    #[test]
    fn a_server_cannot_wait_for_as_long_as_people() {
        assert_eq!(duration("24d"), Some(Duration::from_secs(24 * 24 * 3600)));
        assert_eq!(duration("30d"), None);
        assert_eq!(time("30d"), Some(Duration::from_secs(30 * 24 * 3600)));
    }

    #[test]
    fn the_mark_of_sqlx_counts_on_the_first_line_only() {
        assert!(Header::parse("-- no-transaction\nvacuum;").0.no_transaction);
        assert!(Header::parse("\u{feff}-- no-transaction\r\nvacuum;").0.no_transaction);
        assert!(!Header::parse("-- hello\n-- no-transaction\nvacuum;").0.no_transaction);
    }

    #[test]
    fn the_mark_of_sqlx_may_be_followed_by_a_reason() {
        assert!(Header::parse("-- no-transaction: vacuum wants none\nvacuum;").0.no_transaction);
        assert!(Header::parse("-- no-transaction please\nvacuum;").0.no_transaction);
        assert!(!Header::parse("-- has no-transaction\nvacuum;").0.no_transaction);
    }

    #[test]
    fn a_mistake_names_the_remedy() {
        let help = |text: &str| Header::parse(text).1.first().map(|bad| bad.help.clone());
        assert_eq!(
            help("-- migrate: no-transactoin\n").as_deref(),
            Some("Did you mean `no-transaction`?")
        );
        assert!(
            help("-- migrate: teleport\n").is_some_and(|h| h.starts_with("Known directives: "))
        );
        assert!(help("-- migrate: irreversible\n").is_some_and(|h| h.contains("because <reason>")));
        assert!(help("-- migrate: lock-timeout soon\n").is_some());
        assert!(help("-- migrate: backfill users by id batch 0\n").is_some());
        assert!(
            help("select 1;\n-- migrate: no-transaction\n").is_some_and(|h| h.contains("head"))
        );
        assert_eq!(help("select '\n-- migrate: no-transaction\n';"), None);
        assert_eq!(help("select 1;\n-- migrate: allow(x) because y\nselect 2;"), None);
    }
}
