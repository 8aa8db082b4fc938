//! What may be tried, where, and how it grows.
//!
//! Owns the reasons for which a piece is not tried. Sends nothing.

use std::collections::BTreeSet;

use migrate_core::sql::lexer::{Lexer, TokenKind};
use migrate_core::sql::{classify, elsewhere, secret};
use migrate_core::{Targets, Work};

use super::super::Basis;
use super::super::estimate::Growth;
use super::measured::Seen;
use super::{Play, in_transaction, most_work};
use crate::execute::pieces::{Piece, What};
use crate::sql::ident;

/// The relations that a piece names.
pub(super) fn relations(piece: &Piece<'_>) -> BTreeSet<String> {
    let locks = targets(piece).map(|targets| &*targets.locks).unwrap_or_default();
    let mut all: BTreeSet<String> = locks.iter().map(|lock| lock.relation.to_string()).collect();
    all.extend(named(piece));
    if let What::Backfill { declared, .. } = &piece.what {
        all.extend(declared.header().backfill.map(|batches| batches.table));
    }
    all
}

/// The names in it.
pub(super) fn words(piece: &Piece<'_>) -> Vec<String> {
    let What::Statement { text, .. } = &piece.what else { return Vec::new() };
    let words = Lexer::new(text)
        .filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent));
    let word = |token: &str| match token.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => token.to_lowercase(),
    };
    words.map(|token| word(token.text(text))).collect()
}

/// Every word of it that may be a relation, quoted: what the linter has never met is there all the same.
pub(super) fn named(piece: &Piece<'_>) -> Vec<String> {
    let What::Statement { text, .. } = &piece.what else { return Vec::new() };
    let pairs = elsewhere::qualified(text);
    let pairs = pairs.iter().map(|one| format!("{}.{}", ident(&one.schema), ident(&one.name)));
    let words = words(piece);
    pairs.chain(words.iter().map(|word| ident(word))).collect()
}

/// What the linter says of it.
pub(super) fn targets<'p>(piece: &Piece<'p>) -> Option<&'p Targets> {
    match &piece.what {
        What::Statement { targets, .. } => *targets,
        _ => None,
    }
}

/// What is not given back when a transaction is rolled back.
const STAYS: [&str; 10] = [
    "nextval",
    "setval",
    "dblink",
    "dblink_exec",
    "dblink_connect",
    "pg_terminate_backend",
    "pg_cancel_backend",
    "pg_reload_conf",
    "pg_switch_wal",
    "lo_export",
];

/// What is made for a whole database or server, which others may be about to make as well.
const FOR_ALL: [&str; 13] = [
    "EXTENSION",
    "ROLE",
    "USER",
    "GROUP",
    "DATABASE",
    "TABLESPACE",
    "EVENT",
    "SERVER",
    "FOREIGN",
    "PUBLICATION",
    "SUBSCRIPTION",
    "CAST",
    "LANGUAGE",
];

impl Play<'_> {
    /// Why a piece is not tried.
    pub(super) fn refusal(&self, piece: &Piece<'_>) -> Option<String> {
        let in_use = self.stage.reader.is_some();
        match &piece.what {
            What::Statement { text, targets, is_judged, .. } => {
                let stays = words(piece).into_iter().find(|word| STAYS.contains(&&**word));
                if let Some(word) = stays {
                    return Some(format!("what {word} does cannot be rolled back"));
                }
                if !in_transaction(text) || classify::copies_from_stdin(text) {
                    return Some("it cannot be in a transaction that is rolled back".to_owned());
                }
                if !in_use {
                    return None;
                }
                self.refusal_in_use(text, *targets, *is_judged)
                    .or_else(|| named(piece).iter().find_map(|name| self.off_stage(name)))
            }
            What::Code { .. } if in_use => {
                Some("what code does, nobody can tell before; rehearse it on a copy".to_owned())
            }
            What::Code { in_transaction: false, .. } => {
                Some("it cannot be in a transaction that is rolled back".to_owned())
            }
            What::Code { code: None, .. } => Some(CODE_IS_ELSEWHERE.to_owned()),
            What::Code { .. } => None,
            What::Backfill { declared, code: None } if declared.script().is_none() => {
                Some(CODE_IS_ELSEWHERE.to_owned())
            }
            What::Backfill { declared, .. } if in_use => {
                if declared.script().is_none() {
                    return Some(
                        "what code does, nobody can tell before; rehearse it on a copy".to_owned(),
                    );
                }
                let table = declared.header().backfill.map(|batches| batches.table);
                self.off_stage(&table.unwrap_or_default())
            }
            What::Backfill { .. } => None,
        }
    }

    fn refusal_in_use(
        &self,
        text: &str,
        targets: Option<&Targets>,
        is_judged: bool,
    ) -> Option<String> {
        if !is_judged {
            return Some("the linter was not asked what it locks".to_owned());
        }
        let words = elsewhere::first_words(text, 2);
        let word = |at: usize| words.get(at).map(String::as_str).unwrap_or_default();
        let Some(targets) = targets else {
            let is_for_all = FOR_ALL.contains(&word(1)) || word(0) == "VACUUM";
            let is_about_it = matches!(word(0), "ALTER" | "DROP" | "GRANT" | "REVOKE" | "REASSIGN")
                && !matches!(
                    word(1),
                    "TABLE" | "INDEX" | "VIEW" | "TRIGGER" | "POLICY" | "SEQUENCE"
                );
            return (is_for_all || is_about_it).then(|| SHARED.to_owned());
        };
        if targets.opaque {
            return Some("its text does not tell what it locks; rehearse it on a copy".to_owned());
        }
        targets.locks.iter().find_map(|lock| self.off_stage(&lock.relation))
    }

    /// Why a relation that was there is not on the stage; what is not there yet, a step before makes.
    fn off_stage(&self, relation: &str) -> Option<String> {
        let table = self.stage.meant(relation)?;
        let why = table.unfit.as_ref()?;
        Some(format!("{} cannot be sampled, since {why}; rehearse it on a copy", table.relation))
    }
}

const SHARED: &str =
    "others may use what it changes, of which there is no sample; rehearse it on a copy";

const CODE_IS_ELSEWHERE: &str = "its code is not part of this program";

pub(super) fn elsewhere() -> Basis {
    Basis::NotRun(CODE_IS_ELSEWHERE.to_owned())
}

/// How a statement grows with its table.
pub(super) fn growth(
    text: &str,
    targets: Option<&Targets>,
    seen: &Seen,
    concurrently: bool,
) -> Growth {
    let words = elsewhere::first_words(text, 1);
    let word = words.first().map(String::as_str).unwrap_or_default();
    let is_about_rows = matches!(
        word,
        "UPDATE" | "DELETE" | "INSERT" | "MERGE" | "WITH" | "SELECT" | "CLUSTER" | "REFRESH"
    );
    let work = most_work(targets);
    match (seen.has_index || word == "REINDEX", work) {
        (true, _) if concurrently => Growth::SortConcurrently,
        (true, _) => Growth::Sort,
        (false, Work::None)
            if is_about_rows || !seen.rewritten.is_empty() && word != "TRUNCATE" =>
        {
            Growth::Rows
        }
        (false, Work::None) => Growth::Not,
        (false, Work::Scan | Work::Rewrite) => Growth::Rows,
    }
}

/// Do workers help to build the index? With those that are no trees, they seldom do.
pub(super) fn is_helped(text: &str) -> bool {
    let words: Vec<_> = elsewhere::first_words(text, 40);
    let method = words.iter().position(|word| word == "USING").and_then(|at| words.get(at + 1));
    method.is_none_or(|method| matches!(method.as_str(), "BTREE" | "INDEX"))
}

/// What a server says, without what it repeats of a statement that may hold a secret.
pub(super) fn said(statement: &str, error: &sqlx::Error) -> String {
    let Some(told) = error.as_database_error() else { return error.to_string() };
    let code = told.code().unwrap_or_default();
    let message = match secret::may_hold_one(statement) {
        true => secret::masked_words(told.message(), statement, &[]),
        false => told.message().to_owned(),
    };
    format!("{message} (SQLSTATE {code})")
}

#[cfg(test)]
mod tests {
    use migrate_core::{LockMode, LockTarget, MigrationId, Phase, Version};

    use super::*;

    fn targets(work: Work) -> Targets {
        let lock =
            LockTarget { relation: "t".into(), mode: LockMode::Share, work, is_guess: false };
        let migration = MigrationId::new(Version::new(1), Phase::Expand);
        Targets { migration, offset: 0, locks: vec![lock].into(), opaque: false }
    }

    #[test]
    fn what_touches_no_row_does_not_grow() {
        let (none, nothing) = (targets(Work::None), Seen::default());
        let of = |text, targets: &Targets, seen: &Seen| growth(text, Some(targets), seen, false);
        assert_eq!(of("ALTER TABLE t ADD a int", &none, &nothing), Growth::Not);
        assert_eq!(of("UPDATE t SET a = 1", &none, &nothing), Growth::Rows);
        assert_eq!(
            of("ALTER TABLE t VALIDATE CONSTRAINT c", &targets(Work::Scan), &nothing),
            Growth::Rows
        );
        let rewritten = Seen { rewritten: vec!["t".into()], has_index: false };
        assert_eq!(of("ALTER TABLE t ADD a int", &none, &rewritten), Growth::Rows);
        assert_eq!(of("TRUNCATE t", &none, &rewritten), Growth::Not);
        let indexed = Seen { has_index: true, ..Seen::default() };
        let scan = targets(Work::Scan);
        assert_eq!(of("CREATE INDEX ON t (a)", &scan, &indexed), Growth::Sort);
        assert_eq!(growth("CREATE", Some(&scan), &indexed, true), Growth::SortConcurrently);
    }
}
