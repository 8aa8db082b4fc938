//! `CREATE` of everything but tables.

use squawk_syntax::{SyntaxKind as K, SyntaxNode};

use super::expression;
use super::node::Look;
use super::table::{constraint, ty};
use crate::name::Name;
use crate::statement::{
    Action, CreateDomain, CreateIndex, CreateRoutine, CreateSequence, CreateTrigger, CreateType,
    CreateView, ObjectKind, TypeKind,
};

pub(super) fn action(node: &SyntaxNode) -> Option<Action> {
    match node.kind() {
        K::CREATE_INDEX => index(node).map(|index| Action::CreateIndex(Box::new(index))),
        K::CREATE_VIEW | K::CREATE_MATERIALIZED_VIEW => view(node).map(Action::CreateView),
        K::CREATE_TYPE => type_(node).map(Action::CreateType),
        K::CREATE_DOMAIN => domain(node).map(|domain| Action::CreateDomain(Box::new(domain))),
        K::CREATE_SEQUENCE => sequence(node).map(Action::CreateSequence),
        K::CREATE_FUNCTION => routine(node, ObjectKind::Function, K::FUNCTION_NAME),
        K::CREATE_PROCEDURE => routine(node, ObjectKind::Procedure, K::PROCEDURE_NAME),
        K::CREATE_AGGREGATE => routine(node, ObjectKind::Aggregate, K::AGGREGATE_NAME),
        K::CREATE_TRIGGER => trigger(node).map(Action::CreateTrigger),
        K::CREATE_POLICY => on_table(node, ObjectKind::Policy, K::POLICY, K::ON_TABLE),
        K::CREATE_RULE => on_table(node, ObjectKind::Rule, K::RULE, K::RULE_ON),
        K::CREATE_SCHEMA => Some(schema(node)),
        K::CREATE_EXTENSION => extension(node),
        K::CREATE_STATISTICS | K::CREATE_PUBLICATION | K::ALTER_PUBLICATION => beside(node),
        _ => None,
    }
}

/// `None` where it names no table.
fn beside(node: &SyntaxNode) -> Option<Action> {
    let is_table =
        |inner: &SyntaxNode| matches!(inner.kind(), K::FROM_TABLE | K::PUBLICATION_OBJECT_TABLE);
    let tables: Vec<Name> =
        node.descendants().filter(is_table).filter_map(|table| table.first_name()).collect();
    (!tables.is_empty()).then_some(Action::Beside(tables))
}

fn index(node: &SyntaxNode) -> Option<CreateIndex> {
    let keys = node.sub(K::PARTITION_ITEM_LIST)?;
    let column = |item: SyntaxNode| item.ident_in(K::NAME_REF);
    Some(CreateIndex {
        name: node.ident_in(K::INDEX),
        table: node.sub(K::TABLE_RELATION_NAME)?.name()?,
        only: node.sub(K::TABLE_RELATION_NAME)?.has(K::ONLY_KW),
        unique: node.has(K::UNIQUE_KW),
        concurrently: node.has(K::CONCURRENTLY_KW),
        if_not_exists: node.has(K::IF_NOT_EXISTS),
        keys: keys.subs(K::PARTITION_ITEM).map(column).collect(),
        key_names: keys
            .subs(K::PARTITION_ITEM)
            .map(|item| expression::name_of_key(&item))
            .collect(),
        uses: uses(node, &keys),
        partial: node.has(K::WHERE_CLAUSE),
    })
}

/// The columns that the expressions among the keys and the condition of an index name.
fn uses(index: &SyntaxNode, keys: &SyntaxNode) -> Vec<Box<str>> {
    let is_expression = |key: &SyntaxNode| key.ident_in(K::NAME_REF).is_none();
    let parts =
        keys.subs(K::PARTITION_ITEM).filter(is_expression).chain(index.sub(K::WHERE_CLAUSE));
    parts.flat_map(|part| expression::expression(&part).columns).collect()
}

fn view(node: &SyntaxNode) -> Option<CreateView> {
    Some(CreateView {
        name: node.name_in(K::VIEW)?,
        materialized: node.kind() == K::CREATE_MATERIALIZED_VIEW,
        or_replace: node.has(K::OR_REPLACE),
        if_not_exists: node.has(K::IF_NOT_EXISTS),
        temporary: node.has(K::TEMP),
    })
}

fn type_(node: &SyntaxNode) -> Option<CreateType> {
    let values = |labels: SyntaxNode| {
        let list = labels.sub(K::VARIANT_LIST);
        list.iter()
            .flat_map(|list| list.subs(K::VARIANT).map(|label| label.string()).collect::<Vec<_>>())
            .collect()
    };
    let kind = match node.sub(K::ENUM_TYPE) {
        Some(labels) => TypeKind::Enum(values(labels)),
        None if node.has(K::COMPOSITE_TYPE) => TypeKind::Composite,
        None => TypeKind::Other,
    };
    Some(CreateType { name: node.name_in(K::TYPE_NAME)?, kind })
}

fn domain(node: &SyntaxNode) -> Option<CreateDomain> {
    let default = node.sub(K::DEFAULT_CONSTRAINT);
    Some(CreateDomain {
        name: node.name_in(K::DOMAIN)?,
        base: node.children().find_map(|child| ty(&child)).unwrap_or_default(),
        constraints: node.children().filter_map(|child| constraint(&child, None)).collect(),
        not_null: node.has(K::NOT_NULL_CONSTRAINT),
        default: default.as_ref().and_then(expression::in_clause),
    })
}

fn sequence(node: &SyntaxNode) -> Option<CreateSequence> {
    Some(CreateSequence {
        name: node.name_in(K::SEQUENCE)?,
        if_not_exists: node.has(K::IF_NOT_EXISTS),
        temporary: node.has(K::TEMP),
        owned_by: node.sub(K::OPTION_OWNED_BY).and_then(|owner| super::alter::owner_of(&owner)),
    })
}

/// `table.column` or `schema.table.column`.
pub(super) fn column_name(node: &SyntaxNode) -> Option<(Name, Box<str>)> {
    let path = node.sub(K::PATH_REF)?;
    let column = path.ident_in(K::PATH_SEGMENT_REF)?;
    Some((path.sub(K::PATH_REF)?.name()?, column))
}

fn routine(node: &SyntaxNode, kind: ObjectKind, name: K) -> Option<Action> {
    let options = node.sub(K::FUNC_OPTION_LIST);
    let body = options.as_ref().and_then(|options| options.sub(K::AS_FUNC_OPTION));
    let is_calm = |options: SyntaxNode| options.has(K::IMMUTABLE) || options.has(K::STABLE);
    Some(Action::CreateRoutine(CreateRoutine {
        kind,
        name: node.name_in(name)?,
        or_replace: node.has(K::OR_REPLACE),
        volatile: !options.is_some_and(is_calm),
        of_trigger: node.sub(K::RET_TYPE).is_some_and(|returned| {
            returned.written().to_lowercase().trim_start_matches("returns").trim() == "trigger"
        }),
        changes_schema: body.is_some_and(|body| super::words::change_a_schema(&body.string())),
    }))
}

fn trigger(node: &SyntaxNode) -> Option<CreateTrigger> {
    Some(CreateTrigger {
        name: node.ident_in(K::TRIGGER)?,
        table: node.sub(K::ON_RELATION)?.first_name()?,
        or_replace: node.has(K::OR_REPLACE),
        function: node.sub(K::CALL_EXPR).and_then(|call| expression::callee(&call)),
        each_row: node.has(K::FOR_EACH_ROW),
    })
}

fn on_table(node: &SyntaxNode, kind: ObjectKind, name: K, on: K) -> Option<Action> {
    Some(Action::CreateOnTable {
        kind,
        name: node.ident_in(name)?,
        table: node.sub(on)?.first_name()?,
        or_replace: node.has(K::OR_REPLACE),
    })
}

fn schema(node: &SyntaxNode) -> Action {
    let named = node.sub(K::NAMED_SCHEMA);
    let is_element = |child: &SyntaxNode| {
        !matches!(child.kind(), K::NAMED_SCHEMA | K::AUTHORIZATION_SCHEMA | K::IF_NOT_EXISTS)
    };
    Action::CreateSchema {
        name: named.and_then(|named| named.ident_in(K::SCHEMA)),
        if_not_exists: node.has(K::IF_NOT_EXISTS),
        elements: node
            .children()
            .filter(is_element)
            .map(|element| super::of_node(&element))
            .collect(),
    }
}

fn extension(node: &SyntaxNode) -> Option<Action> {
    let name = node.ident_in(K::EXTENSION)?;
    Some(Action::CreateExtension { name, if_not_exists: node.has(K::IF_NOT_EXISTS) })
}
