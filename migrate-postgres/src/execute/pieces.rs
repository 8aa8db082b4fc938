//! A plan in the pieces that are rehearsed one by one: each statement by itself, with what the linter says of it.
//!
//! Sends nothing.

use std::sync::Arc;

use migrate_core::{
    Action, Backfill as Declared, MigrationId, Plan, Script, Set, Targets, Unit, units,
};

use crate::backfill::Backfill;
use crate::source::{Code, Source};

/// One of them.
pub(crate) struct Piece<'p> {
    pub(crate) id: MigrationId,
    pub(crate) name: &'p str,
    /// Those that share a transaction have the same number.
    pub(crate) transaction: usize,
    pub(crate) what: What<'p>,
}

/// What it is.
pub(crate) enum What<'p> {
    Statement {
        text: &'p str,
        /// From 1.
        number: u32,
        /// `None` where it locks nothing of what was there.
        targets: Option<&'p Targets>,
        /// Whether the linter was asked.
        is_judged: bool,
    },
    Code {
        code: Option<Arc<dyn Code>>,
        in_transaction: bool,
    },
    Backfill {
        declared: &'p Declared,
        code: Option<Arc<dyn Backfill>>,
    },
}

/// All of them, in order, without what was done before.
pub(crate) fn pieces<'p>(
    plan: &'p Plan,
    set: &'p Set,
    source: &Source,
    targets: Option<&'p [Targets]>,
) -> Vec<Piece<'p>> {
    let mut pieces = Vec::new();
    let mut transaction = 0;
    for action in &plan.actions {
        let steps = set.get(action.id).map(|entry| entry.up()).unwrap_or_default();
        let targets = targets.filter(|_| !source.is_beside(action.id));
        let done = usize::try_from(action.done_units).unwrap_or_default();
        for unit in units(steps).iter().skip(done) {
            transaction += 1;
            let about = (action, targets, transaction);
            pieces.extend(of_unit(unit, source, about));
        }
    }
    pieces
}

fn of_unit<'p>(
    unit: &Unit<'p>,
    source: &Source,
    (action, targets, transaction): (&'p Action, Option<&'p [Targets]>, usize),
) -> Vec<Piece<'p>> {
    let (id, name) = (action.id, action.name.as_str());
    let piece = |what| Piece { id, name, transaction, what };
    let statement = |script: &'p Script, index: usize| {
        let statement = script.statements.get(index)?;
        let is_it = |one: &&Targets| one.migration == id && one.offset == statement.start;
        Some(piece(What::Statement {
            text: script.statement(statement),
            number: u32::try_from(index + 1).unwrap_or(u32::MAX),
            targets: targets.and_then(|targets| targets.iter().find(is_it)),
            is_judged: targets.is_some(),
        }))
    };
    match unit {
        Unit::Transaction(script) => {
            (0..script.statements.len()).filter_map(|index| statement(script, index)).collect()
        }
        Unit::Statement(script, one) => {
            let index = script.statements.iter().position(|other| other == *one);
            index.and_then(|index| statement(script, index)).into_iter().collect()
        }
        Unit::Code(code) => {
            let (function, in_transaction) = (source.code(id), code.transaction);
            vec![piece(What::Code { code: function, in_transaction })]
        }
        Unit::Backfill(declared) => {
            vec![piece(What::Backfill { declared, code: source.filling(id) })]
        }
        _ => Vec::new(),
    }
}
