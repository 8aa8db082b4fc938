//! `ALTER` of everything.

use squawk_syntax::{SyntaxKind as K, SyntaxNode};

use super::expression::{self, expression};
use super::node::Look;
use super::table::{column, constraint, ty};
use crate::name::Name;
use crate::statement::{
    Action, AlterDomain, AlterTable, Change, ColumnSetting, Detach, ObjectKind,
};

/// What each `ALTER` is of, and where its name stands.
const ALTERS: [(K, ObjectKind, K); 18] = [
    (K::ALTER_TABLE, ObjectKind::Table, K::TABLE_RELATION_NAME),
    (K::ALTER_FOREIGN_TABLE, ObjectKind::ForeignTable, K::TABLE_RELATION_NAME),
    (K::ALTER_VIEW, ObjectKind::View, K::VIEW_REF),
    (K::ALTER_MATERIALIZED_VIEW, ObjectKind::MaterializedView, K::VIEW_REF),
    (K::ALTER_INDEX, ObjectKind::Index, K::INDEX_REF),
    (K::ALTER_SEQUENCE, ObjectKind::Sequence, K::SEQUENCE_REF),
    (K::ALTER_TYPE, ObjectKind::Type, K::TYPE_NAME_REF),
    (K::ALTER_DOMAIN, ObjectKind::Domain, K::DOMAIN_REF),
    (K::ALTER_SCHEMA, ObjectKind::Schema, K::SCHEMA_REF),
    (K::ALTER_FUNCTION, ObjectKind::Function, K::FUNCTION_SIG),
    (K::ALTER_PROCEDURE, ObjectKind::Procedure, K::PROCEDURE_SIG),
    (K::ALTER_ROUTINE, ObjectKind::Routine, K::ROUTINE_SIG),
    (K::ALTER_AGGREGATE, ObjectKind::Aggregate, K::AGGREGATE),
    (K::ALTER_STATISTICS, ObjectKind::Statistics, K::STATISTICS_REF),
    (K::ALTER_TRIGGER, ObjectKind::Trigger, K::TRIGGER_REF),
    (K::ALTER_POLICY, ObjectKind::Policy, K::POLICY_REF),
    (K::ALTER_RULE, ObjectKind::Rule, K::RULE_REF),
    (K::ALTER_EXTENSION, ObjectKind::Extension, K::EXTENSION_REF),
];

pub(super) fn action(node: &SyntaxNode) -> Option<Action> {
    let (_, kind, name) = *ALTERS.iter().find(|(alter, ..)| *alter == node.kind())?;
    let name = node.sub(name).and_then(|name| name.first_name().or_else(|| name.name()))?;
    let if_exists = node.has(K::IF_EXISTS);
    if kind.is_on_table() {
        return on_table(node, kind);
    }
    if let Some(to) = renamed(node) {
        return Some(Action::Rename { kind, name, to, if_exists });
    }
    if let Some(schema) = node.sub(K::SET_SCHEMA).and_then(|set| set.ident_in(K::SCHEMA_REF)) {
        return Some(Action::Move { kind, name, schema, if_exists });
    }
    let moves = node.has(K::SET_TABLESPACE) || node.has(K::OWNER_TO);
    Some(match kind {
        ObjectKind::Table
        | ObjectKind::ForeignTable
        | ObjectKind::View
        | ObjectKind::MaterializedView => {
            Action::AlterTable(alter_table(node, kind, name, if_exists))
        }
        ObjectKind::Domain => Action::AlterDomain { name, change: Box::new(domain(node)) },
        ObjectKind::Type => match super::alter_enum(node, name.clone()) {
            Some(change) => Action::AlterEnum(change),
            None => Action::Alter { kind, name, moves, if_exists },
        },
        ObjectKind::Sequence => {
            match node.descendants().find(|inner| inner.kind() == K::OPTION_OWNED_BY) {
                Some(owner) => Action::OwnSequence { name, owner: owner_of(&owner), if_exists },
                None => Action::Alter { kind, name, moves, if_exists },
            }
        }
        _ => Action::Alter { kind, name, moves, if_exists },
    })
}

/// The column that a sequence goes with.
pub(super) fn owner_of(option: &SyntaxNode) -> Option<(Name, Box<str>)> {
    super::create::column_name(&option.sub(K::QUALIFIED_COLUMN_NAME_REF)?)
}

/// The new name, in whichever of the `… RENAME TO` nodes it stands.
fn renamed(node: &SyntaxNode) -> Option<Box<str>> {
    let is_rename = |child: &SyntaxNode| {
        !matches!(child.kind(), K::RENAME_COLUMN | K::RENAME_CONSTRAINT | K::RENAME_VALUE)
            && child.has(K::RENAME_KW)
            && child.has(K::TO_KW)
    };
    let rename = node.children().find(is_rename)?;
    rename.children().last()?.ident()
}

/// Triggers, policies and rules are named together with their table, and only that must exist.
fn on_table(node: &SyntaxNode, kind: ObjectKind) -> Option<Action> {
    let table = node.sub(K::ON_TABLE).or_else(|| node.sub(K::ON_RELATION))?.first_name()?;
    Some(Action::Alter { kind, name: table, moves: false, if_exists: false })
}

fn domain(node: &SyntaxNode) -> AlterDomain {
    let Some(change) = node.children().last() else { return AlterDomain::Other };
    let name = || change.ident_in(K::CONSTRAINT_NAME_REF).unwrap_or_default();
    match change.kind() {
        K::ADD_CONSTRAINT => {
            let added = change.children().find_map(|child| constraint(&child, None));
            added.map_or(AlterDomain::Other, AlterDomain::AddConstraint)
        }
        K::DROP_CONSTRAINT => AlterDomain::DropConstraint(name()),
        K::VALIDATE_CONSTRAINT => AlterDomain::ValidateConstraint(name()),
        K::SET_NOT_NULL => AlterDomain::SetNotNull,
        _ => AlterDomain::Other,
    }
}

fn alter_table(node: &SyntaxNode, kind: ObjectKind, name: Name, if_exists: bool) -> AlterTable {
    let is_head = |child: &SyntaxNode| {
        matches!(child.kind(), K::IF_EXISTS | K::TABLE_RELATION_NAME | K::VIEW_REF)
    };
    let changes = node
        .children()
        .filter(|child| !is_head(child))
        .map(|child| change(&child).unwrap_or(Change::Other));
    let only = node.sub(K::TABLE_RELATION_NAME).is_some_and(|name| name.has(K::ONLY_KW));
    AlterTable { kind, name, if_exists, only, changes: changes.collect() }
}

/// `None` for what nobody writes.
fn change(node: &SyntaxNode) -> Option<Change> {
    let column_ref = || node.ident_in(K::COLUMN_NAME_REF);
    let constraint_ref = || node.ident_in(K::CONSTRAINT_NAME_REF);
    let (if_exists, cascade) = (node.has(K::IF_EXISTS), node.has(K::CASCADE));
    let change = match node.kind() {
        K::ADD_COLUMN => Change::AddColumn {
            column: Box::new(column(node)?),
            if_not_exists: node.has(K::IF_NOT_EXISTS),
        },
        K::DROP_COLUMN => Change::DropColumn { column: column_ref()?, if_exists, cascade },
        K::RENAME_COLUMN => {
            Change::RenameColumn { from: column_ref()?, to: node.ident_in(K::COLUMN_NAME)? }
        }
        K::ALTER_COLUMN | K::ALTER_VIEW_COLUMN => return alter_column(node),
        K::ADD_CONSTRAINT => Change::AddConstraint(Box::new(
            node.children().find_map(|child| constraint(&child, None))?,
        )),
        K::DROP_CONSTRAINT => {
            Change::DropConstraint { name: constraint_ref()?, if_exists, cascade }
        }
        K::RENAME_CONSTRAINT => Change::RenameConstraint {
            from: constraint_ref()?,
            to: node.ident_in(K::CONSTRAINT_NAME)?,
        },
        K::VALIDATE_CONSTRAINT => Change::ValidateConstraint { name: constraint_ref()? },
        K::ALTER_CONSTRAINT => {
            let enforced = node.has(K::ENFORCED).then_some(true);
            let enforced = enforced.or(node.has(K::NOT_ENFORCED).then_some(false));
            Change::AlterConstraint { name: constraint_ref()?, enforced }
        }
        K::ATTACH_PARTITION => {
            let partition = node.name_in(K::TABLE_NAME_REF)?;
            Change::AttachPartition { partition, is_default: node.has(K::PARTITION_DEFAULT) }
        }
        K::DETACH_PARTITION => Change::DetachPartition {
            partition: node.name_in(K::TABLE_NAME_REF)?,
            how: detach(node),
        },
        K::INHERIT_TABLE => Change::Inherit { parent: node.first_name()? },
        K::NO_INHERIT_TABLE => Change::NoInherit { parent: node.first_name()? },
        kind => return switch(kind),
    };
    Some(change)
}

fn detach(node: &SyntaxNode) -> Detach {
    match node.has(K::DETACH_CONCURRENTLY) {
        true => Detach::Concurrently,
        false if node.has(K::DETACH_FINALIZE) => Detach::Finalize,
        false => Detach::Plain,
    }
}

/// What is said in a word or two.
fn switch(kind: K) -> Option<Change> {
    Some(match kind {
        K::ENABLE_TRIGGER | K::ENABLE_ALWAYS_TRIGGER | K::ENABLE_REPLICA_TRIGGER => {
            Change::SwitchTrigger { on: true }
        }
        K::DISABLE_TRIGGER => Change::SwitchTrigger { on: false },
        K::ENABLE_RULE | K::ENABLE_ALWAYS_RULE | K::ENABLE_REPLICA_RULE | K::DISABLE_RULE => {
            Change::SwitchRule
        }
        K::ENABLE_RLS | K::DISABLE_RLS | K::FORCE_RLS | K::NO_FORCE_RLS => Change::RowSecurity,
        K::REPLICA_IDENTITY => Change::ReplicaIdentity,
        K::OWNER_TO => Change::Owner,
        K::SET_TABLESPACE => Change::SetTablespace,
        K::SET_ACCESS_METHOD => Change::SetAccessMethod,
        K::SET_LOGGED => Change::SetLogged,
        K::SET_UNLOGGED => Change::SetUnlogged,
        K::SET_OPTIONS | K::RESET_OPTIONS => Change::Options,
        K::CLUSTER_ON | K::SET_WITHOUT_CLUSTER => Change::ClusterOn,
        _ => return None,
    })
}

fn alter_column(node: &SyntaxNode) -> Option<Change> {
    let column = node.ident_in(K::COLUMN_NAME_REF)?;
    let change = node.children().last()?;
    Some(match change.kind() {
        K::SET_TYPE => {
            let using = change.sub(K::USING_EXPR).and_then(|using| using.children().next());
            Change::AlterType {
                column,
                ty: change.children().find_map(|child| ty(&child))?,
                using: using.map(|node| expression(&node)),
            }
        }
        K::SET_NOT_NULL => Change::SetNotNull { column },
        K::DROP_NOT_NULL => Change::DropNotNull { column },
        K::SET_DEFAULT => Change::SetDefault {
            column,
            default: expression::in_clause(&change).unwrap_or_default(),
        },
        K::DROP_DEFAULT => Change::DropDefault { column },
        K::ADD_GENERATED => Change::AddIdentity { column },
        K::DROP_IDENTITY => Change::DropIdentity { column },
        K::SET_EXPRESSION => Change::SetExpression { column },
        K::DROP_EXPRESSION => Change::DropExpression { column },
        K::SET_STATISTICS | K::SET_OPTIONS | K::RESET_OPTIONS => {
            Change::ColumnSetting { column, setting: ColumnSetting::Statistics }
        }
        K::SET_STORAGE | K::SET_COMPRESSION => {
            Change::ColumnSetting { column, setting: ColumnSetting::Storage }
        }
        K::SET_GENERATED | K::SET_GENERATED_OPTIONS | K::SET_SEQUENCE_OPTION | K::RESTART => {
            Change::ColumnSetting { column, setting: ColumnSetting::Identity }
        }
        _ => Change::Other,
    })
}
