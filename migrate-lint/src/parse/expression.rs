//! Expressions: what they call, which columns they name, what they prove.

use squawk_syntax::{SyntaxKind as K, SyntaxNode};

use super::node::Look;
use super::table::ty;
use crate::name::Name;
use crate::statement::Expression;

/// The expression of `DEFAULT …` or `CHECK (…)`: the first child that is one.
pub(super) fn in_clause(clause: &SyntaxNode) -> Option<Expression> {
    let is_part = |kind| {
        matches!(
            kind,
            K::CONSTRAINT_NAME_CLAUSE
                | K::GENERATED_ALWAYS
                | K::GENERATED_BY_DEFAULT
                | K::NOT_VALID
                | K::NO_INHERIT
        )
    };
    clause.children().find(|child| !is_part(child.kind())).map(|node| expression(&node))
}

/// What of an expression matters.
pub(super) fn expression(node: &SyntaxNode) -> Expression {
    let mut found =
        Expression { text: node.written(), is_null: is_null(node), ..Expression::default() };
    for inner in node.descendants() {
        match inner.kind() {
            K::CALL_EXPR => found.calls.extend(callee(&inner)),
            K::NAME_REF if !is_part_of_a_name(&inner) => found.columns.extend(inner.ident()),
            K::CAST_EXPR => found.casts.extend(inner.children().find_map(|child| ty(&child))),
            _ => {}
        }
    }
    found.casts.reverse();
    found.not_null = not_null(node);
    found
}

fn is_null(node: &SyntaxNode) -> bool {
    match node.kind() {
        K::LITERAL => node.has(K::NULL_KW),
        K::CAST_EXPR | K::PAREN_EXPR => node.children().next().is_some_and(|inner| is_null(&inner)),
        _ => false,
    }
}

/// The function of `f(…)` and `s.f(…)`; what has a syntax of its own (`extract`) is PostgreSQL's and harmless.
pub(super) fn callee(call: &SyntaxNode) -> Option<Name> {
    let function =
        call.children().find(|child| matches!(child.kind(), K::NAME_REF | K::FIELD_EXPR))?;
    function.name()
}

/// What PostgreSQL calls a key of an index that is an expression: its function, or `expr`.
pub(super) fn name_of_key(item: &SyntaxNode) -> Box<str> {
    let Some(key) = item.children().next() else { return "expr".into() };
    match key.kind() {
        K::NAME_REF => key.ident(),
        K::CALL_EXPR => callee(&key).map(|function| function.name),
        K::PAREN_EXPR => return name_of_key(&key),
        _ => None,
    }
    .unwrap_or_else(|| "expr".into())
}

/// The name of a function, or what stands before a dot.
fn is_part_of_a_name(name: &SyntaxNode) -> bool {
    let Some(parent) = name.parent() else { return false };
    match parent.kind() {
        K::CALL_EXPR => true,
        K::FIELD_EXPR => {
            parent.parent().is_some_and(|outer| outer.kind() == K::CALL_EXPR)
                || parent.children().next().as_ref() == Some(name)
        }
        _ => false,
    }
}

/// The columns that cannot be null where it is true.
fn not_null(node: &SyntaxNode) -> Vec<Box<str>> {
    match node.kind() {
        K::PAREN_EXPR => node.children().next().map(|inner| not_null(&inner)).unwrap_or_default(),
        K::BIN_EXPR if node.has(K::AND_KW) => {
            node.children().flat_map(|side| not_null(&side)).collect()
        }
        K::BIN_EXPR if node.has(K::IS_NOT) => {
            let of_null = node.children().last().is_some_and(|right| is_null(&right));
            node.children()
                .next()
                .filter(|left| of_null && left.kind() == K::NAME_REF)
                .and_then(|left| left.ident())
                .into_iter()
                .collect()
        }
        K::POSTFIX_EXPR if node.has(K::NOTNULL_KW) => {
            node.ident_in(K::NAME_REF).into_iter().collect()
        }
        _ => Vec::new(),
    }
}
