//! From text to [`Statement`]: the only folder that names the parser.
//!
//! Owns the way from a syntax tree to our own words, one small file for each part of the language, and our words
//! for what is no SQL. A tree lives no longer than the call. Knows nothing of other statements, of files or of
//! what exists.

mod alter;
mod create;
mod depth;
mod expression;
mod mistake;
mod node;
mod query;
mod refused;
mod session;
mod table;
mod words;

pub use mistake::Mistake;

use squawk_syntax::ast::AstNode;
use squawk_syntax::{SourceFile, SyntaxKind as K, SyntaxNode};

use crate::name::Name;
use crate::statement::{Action, AlterEnum, Drop, ObjectKind, Statement};
use node::Look;

/// The first thing in the text of one statement that is no SQL.
///
/// ```
/// assert_eq!(migrate_lint::mistake("DROP TABLE users"), None);
/// let mistake = migrate_lint::mistake("DROP TABEL users").unwrap();
/// assert_eq!((mistake.offset, mistake.help.as_str()), (5, "Did you mean `TABLE`?"));
/// ```
pub fn mistake(text: &str) -> Option<Mistake> {
    statement(text).err()
}

/// Understands the text of one statement, without its semicolon.
///
/// # Errors
/// The first thing that is no SQL.
pub fn statement(text: &str) -> Result<Statement, Mistake> {
    let too_deep = || Ok(Statement { action: Action::TooDeep, ..Statement::default() });
    depth::with_stack(text, || read(text)).unwrap_or_else(too_deep)
}

fn read(text: &str) -> Result<Statement, Mistake> {
    let parsed = SourceFile::parse(text);
    if let Some(error) = parsed.errors().first() {
        if is_set_names(text) {
            return Ok(Statement { action: Action::Other("SET NAMES"), ..Statement::default() });
        }
        return Err(Mistake::new(text, usize::from(error.range().start()), error.message()));
    }
    let tree = parsed.tree();
    if let Some(mistake) = refused::mistake(text, tree.syntax()) {
        return Err(mistake);
    }
    let node = tree.syntax().children().find(|child| child.kind() != K::EMPTY_STMT);
    Ok(node.map(|node| of_node(&node)).unwrap_or_default())
}

/// `SET NAMES 'utf8'`, which the parser does not know.
fn is_set_names(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let mut is = |word: &str| words.next().is_some_and(|next| next.eq_ignore_ascii_case(word));
    is("set") && is("names")
}

fn of_node(node: &SyntaxNode) -> Statement {
    let action = action(node);
    let query::Queries { reads, locks_rows, calls } = match action {
        // Nothing in them is a query, and most of a folder is made of them.
        Action::Unknown
        | Action::TooDeep
        | Action::Other(_)
        | Action::AlterTable(_)
        | Action::CreateTable(_) => Default::default(),
        // Its elements are statements of their own.
        Action::CreateSchema { .. } => Default::default(),
        _ => query::queries(node),
    };
    Statement { action, reads, locks_rows, calls }
}

fn action(node: &SyntaxNode) -> Action {
    let parts = [create::action, table::action, alter::action, query::action, session::action];
    let found = parts.iter().find_map(|part| part(node));
    found.or_else(|| drop(node)).or_else(|| other(node)).unwrap_or_default()
}

/// What each `DROP` is of, and where its names stand.
const DROPS: [(K, ObjectKind, K); 18] = [
    (K::DROP_TABLE, ObjectKind::Table, K::TABLE_NAME_REF),
    (K::DROP_FOREIGN_TABLE, ObjectKind::ForeignTable, K::TABLE_NAME_REF),
    (K::DROP_VIEW, ObjectKind::View, K::VIEW_REF),
    (K::DROP_MATERIALIZED_VIEW, ObjectKind::MaterializedView, K::VIEW_REF),
    (K::DROP_INDEX, ObjectKind::Index, K::INDEX_REF),
    (K::DROP_SEQUENCE, ObjectKind::Sequence, K::SEQUENCE_REF),
    (K::DROP_TYPE, ObjectKind::Type, K::TYPE_NAME_REF),
    (K::DROP_DOMAIN, ObjectKind::Domain, K::DOMAIN_REF),
    (K::DROP_SCHEMA, ObjectKind::Schema, K::SCHEMA_REF),
    (K::DROP_EXTENSION, ObjectKind::Extension, K::EXTENSION_REF),
    (K::DROP_STATISTICS, ObjectKind::Statistics, K::STATISTICS_REF),
    (K::DROP_TRIGGER, ObjectKind::Trigger, K::TRIGGER_REF),
    (K::DROP_POLICY, ObjectKind::Policy, K::POLICY_REF),
    (K::DROP_RULE, ObjectKind::Rule, K::RULE_REF),
    (K::DROP_FUNCTION, ObjectKind::Function, K::FUNCTION_SIG_LIST),
    (K::DROP_PROCEDURE, ObjectKind::Procedure, K::PROCEDURE_SIG_LIST),
    (K::DROP_ROUTINE, ObjectKind::Routine, K::ROUTINE_SIG_LIST),
    (K::DROP_AGGREGATE, ObjectKind::Aggregate, K::AGGREGATE),
];

fn drop(node: &SyntaxNode) -> Option<Action> {
    let (_, kind, name) = *DROPS.iter().find(|(drop, ..)| *drop == node.kind())?;
    let names = match kind {
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
            signatures(&node.sub(name)?)
        }
        _ => node.subs(name).filter_map(|name| name.name()).collect(),
    };
    let table =
        kind.is_on_table().then(|| node.sub(K::ON_RELATION).or_else(|| node.sub(K::ON_TABLE)));
    Some(Action::Drop(Drop {
        kind,
        names,
        table: table.flatten().and_then(|on| on.first_name()),
        if_exists: node.has(K::IF_EXISTS),
        cascade: node.has(K::CASCADE),
        concurrently: node.has(K::CONCURRENTLY_KW),
    }))
}

fn signatures(list: &SyntaxNode) -> Vec<Name> {
    list.children().filter_map(|signature| signature.first_name()).collect()
}

/// What changes nothing that we follow, by its words; `None` for what we have never heard of.
fn other(node: &SyntaxNode) -> Option<Action> {
    let is_statement = !matches!(node.kind(), K::ERROR | K::SOURCE_FILE);
    is_statement
        .then(|| {
            Action::Other(
                words::OF_KIND
                    .iter()
                    .find(|(kind, _)| *kind == node.kind())
                    .map_or("", |(_, words)| words),
            )
        })
        .filter(|action| *action != Action::Other(""))
}

fn alter_enum(node: &SyntaxNode, name: Name) -> Option<AlterEnum> {
    let change = node.sub(K::ADD_VALUE).or_else(|| node.sub(K::RENAME_VALUE))?;
    let mut values = change.subs(K::LITERAL).map(|literal| literal.string());
    let (first, second) = (values.next()?, values.next());
    let (value, renames) = match (change.kind(), second) {
        (K::RENAME_VALUE, Some(to)) => (to, Some(first)),
        _ => (first, None),
    };
    Some(AlterEnum { name, value, renames, if_not_exists: change.has(K::IF_NOT_EXISTS) })
}

#[cfg(test)]
mod tests;
