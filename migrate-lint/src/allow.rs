//! `-- migrate: allow(rule) because …`, for a file or for one statement.

use migrate_core::Header;
use migrate_core::sql::lexer::{Lexer, TokenKind};

use crate::finding::Level;
use crate::read::Piece;
use crate::rules::{self, Hit};

/// The permissions of a file.
#[derive(Debug, Default)]
pub(crate) struct Allows {
    all: Vec<Allow>,
    /// What is wrong with them: where, and what.
    pub(crate) mistakes: Vec<(usize, Hit)>,
}

#[derive(Debug)]
struct Allow {
    rule: String,
    offset: usize,
    /// Which statement it is about; `None` for all.
    statement: Option<usize>,
    used: bool,
}

const MARK: &str = "migrate:";

impl Allows {
    /// Finds them in the comments of a text.
    pub(crate) fn read(text: &str, pieces: &[Piece<'_>]) -> Self {
        let mut allows = Self::default();
        if text.contains(MARK) {
            let comments = Lexer::new(text).filter(|token| token.kind == TokenKind::LineComment);
            for comment in comments {
                allows.comment(comment.text(text), comment.start, pieces);
            }
        }
        allows
    }

    fn comment(&mut self, text: &str, offset: usize, pieces: &[Piece<'_>]) {
        let content = text.trim_start_matches('-').trim();
        let directive = content.strip_prefix(MARK).map(str::trim);
        if !directive.is_some_and(|directive| directive.starts_with("allow")) {
            return;
        }
        let next = pieces.iter().position(|piece| piece.offset > offset);
        let statement = next.filter(|index| *index > 0).or((next.is_none()).then_some(usize::MAX));
        let (header, bad) = Header::parse(text);
        for allow in header.allow {
            if rules::find(&allow.rule).is_none() {
                let help = rules::meant(&allow.rule);
                let message = format!("allows `{}`, which is no rule", allow.rule);
                self.mistakes.push((offset, Hit::new(&allow.rule, message, help)));
            } else {
                self.all.push(Allow { rule: allow.rule, offset, statement, used: false });
            }
        }
        // At the head of a file core has told the same.
        if statement.is_some() {
            self.mistakes
                .extend(bad.into_iter().map(|bad| (offset, Hit::new("", bad.message, bad.help))));
        }
    }

    /// Is a rule silent for a statement? Whatever allows it, has been of use.
    pub(crate) fn silences(&mut self, rule: &str, statement: usize) -> bool {
        let mut silences = false;
        for allow in self.all.iter_mut().filter(|allow| allow.rule == rule) {
            if allow.statement.is_none_or(|index| index == statement) {
                allow.used = true;
                silences = true;
            }
        }
        silences
    }

    /// Those that were of no use, of rules that were asked.
    pub(crate) fn unused(
        &self,
        level: impl Fn(&str) -> Level,
    ) -> impl Iterator<Item = (usize, Hit)> {
        let unused =
            self.all.iter().filter(move |allow| !allow.used && level(&allow.rule) > Level::Off);
        unused.map(|allow| {
            let message = format!("allows `{}`, and nothing here needs it", allow.rule);
            (allow.offset, Hit::new(&allow.rule, message, "Remove the line."))
        })
    }
}
