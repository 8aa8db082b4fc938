//! Statements that read and write rows, and what the queries inside of others read.

use squawk_syntax::{SyntaxKind as K, SyntaxNode};

use super::expression::callee;
use super::node::Look;
use crate::name::Name;
use crate::statement::{Action, Write, WriteKind};

pub(super) fn action(node: &SyntaxNode) -> Option<Action> {
    match node.kind() {
        K::SELECT | K::INSERT | K::UPDATE | K::DELETE | K::MERGE | K::VALUES | K::TABLE => {
            Some(Action::Data(writes(node)))
        }
        K::COMPOUND_SELECT | K::PAREN_SELECT | K::EXPLAIN | K::DECLARE => {
            Some(Action::Data(writes(node)))
        }
        K::COPY => Some(Action::Data(copied(node).into_iter().collect())),
        K::TRUNCATE => {
            let list = node.sub(K::TABLE_LIST)?;
            let tables = list.children().filter_map(|table| table.name()).collect();
            Some(Action::Truncate { tables, cascade: node.has(K::CASCADE) })
        }
        _ => None,
    }
}

fn copied(node: &SyntaxNode) -> Option<Write> {
    let table = node.sub(K::COPY_TABLE).filter(|_| node.has(K::COPY_FROM))?.first_name()?;
    let kind = WriteKind::Copy;
    Some(Write { table, kind, filtered: true, by_value: true, limited: false })
}

/// All that the statement writes, in its `WITH` as well.
fn writes(node: &SyntaxNode) -> Vec<Write> {
    let limited =
        node.descendants().any(|inner| matches!(inner.kind(), K::LIMIT_CLAUSE | K::FETCH_CLAUSE));
    node.descendants().filter_map(|inner| write(&inner, limited)).collect()
}

fn write(node: &SyntaxNode, limited: bool) -> Option<Write> {
    let kind = match node.kind() {
        K::INSERT if node.has(K::VALUES) || node.has(K::DEFAULT_VALUES) => WriteKind::InsertValues,
        K::INSERT => WriteKind::InsertQuery,
        K::UPDATE => WriteKind::Update,
        K::DELETE => WriteKind::Delete,
        K::MERGE => WriteKind::Merge,
        _ => return None,
    };
    let is_target = |child: &SyntaxNode| {
        matches!(child.kind(), K::RELATION_NAME_REF | K::RELATION_NAME | K::TABLE_RELATION_NAME)
    };
    let table = node.children().find(is_target)?.name()?;
    let filtered =
        kind == WriteKind::Merge || node.has(K::WHERE_CLAUSE) || node.has(K::WHERE_CURRENT_OF);
    let by_value =
        filtered && node.sub(K::WHERE_CLAUSE).is_none_or(|clause| names_a_value(&clause));
    Some(Write { table, kind, filtered, by_value, limited })
}

/// A condition on columns alone holds for any number of rows.
fn names_a_value(clause: &SyntaxNode) -> bool {
    clause.descendants().any(|inner| match inner.kind() {
        K::LITERAL => {
            let word = inner.written().to_ascii_lowercase();
            !matches!(&*word, "null" | "true" | "false")
        }
        // What a query or a function gives, nobody knows.
        K::SELECT | K::CALL_EXPR => true,
        _ => false,
    })
}

/// What the queries below a node do.
#[derive(Default)]
pub(super) struct Queries {
    /// The relations that they read.
    pub(super) reads: Vec<Name>,
    /// Those whose rows they lock.
    pub(super) locks_rows: Vec<Name>,
    /// The functions that they call.
    pub(super) calls: Vec<Name>,
}

pub(super) fn queries(node: &SyntaxNode) -> Queries {
    let (mut found, mut own) = (Queries::default(), Vec::new());
    for inner in node.descendants() {
        match inner.kind() {
            K::RELATION_FROM_ITEM => found.reads.extend(inner.name_in(K::RELATION_NAME_REF)),
            K::TABLE => found.reads.extend(inner.first_name()),
            K::FROM_TABLE => found.reads.extend(inner.name_in(K::TABLE_NAME_REF)),
            K::COPY_TABLE if !node.has(K::COPY_FROM) => found.reads.extend(inner.first_name()),
            K::CALL_EXPR => found.calls.extend(callee(&inner)),
            K::CTE_NAME => own.extend(inner.ident()),
            K::LOCKING_CLAUSE => found.locks_rows.extend(rows_locked(&inner)),
            _ => {}
        }
    }
    let is_ours = |name: &Name| name.schema.is_none() && own.contains(&name.name);
    found.reads.retain(|read| !is_ours(read));
    found.locks_rows.retain(|locked| !is_ours(locked));
    found
}

/// `FOR UPDATE` locks rows of all that its query reads, or of what `OF` says.
fn rows_locked(clause: &SyntaxNode) -> Vec<Name> {
    let of: Option<Vec<Box<str>>> =
        clause.sub(K::LOCKING_OF).map(|of| of.children().filter_map(|name| name.ident()).collect());
    let from = clause.parent().and_then(|query| query.sub(K::FROM_CLAUSE));
    let items = from.iter().flat_map(SyntaxNode::descendants);
    let items = items.filter(|item| item.kind() == K::RELATION_FROM_ITEM);
    let locked = items.filter_map(|item| {
        let name = item.name_in(K::RELATION_NAME_REF)?;
        let called = item.sub(K::FROM_ALIAS).and_then(|alias| alias.children().next()?.ident());
        let called = called.unwrap_or_else(|| name.name.clone());
        of.as_ref().is_none_or(|of| of.contains(&called)).then_some(name)
    });
    locked.collect()
}
