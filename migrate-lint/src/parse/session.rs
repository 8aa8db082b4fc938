//! Statements that steer the session, the transaction or the server, look after tables, or hide what they do.

use squawk_syntax::{SyntaxKind as K, SyntaxNode};

use super::node::Look;
use crate::locks::Mode;
use crate::name::{Name, fold};
use crate::statement::{Action, Maintenance, ObjectKind, Setting, Transaction};

pub(super) fn action(node: &SyntaxNode) -> Option<Action> {
    Some(match node.kind() {
        K::SET | K::RESET => Action::Setting(setting(node)?),
        K::SET_ROLE | K::RESET_ROLE => Action::Setting(role(node, "role")),
        K::SET_SESSION_AUTH | K::RESET_SESSION_AUTH => {
            Action::Setting(role(node, "session_authorization"))
        }
        K::BEGIN => Action::Transaction(Transaction::Begin),
        K::COMMIT_TRANSACTION => Action::Transaction(Transaction::Commit),
        K::ROLLBACK_TRANSACTION => Action::Transaction(Transaction::Rollback),
        K::SAVEPOINT_CREATE
        | K::ROLLBACK_TO_SAVEPOINT
        | K::RELEASE_SAVEPOINT
        | K::SET_TRANSACTION => Action::Transaction(Transaction::Other),
        K::PREPARE_TRANSACTION | K::COMMIT_PREPARED | K::ROLLBACK_PREPARED => {
            Action::Transaction(Transaction::Other)
        }
        K::VACUUM | K::ANALYZE | K::CLUSTER | K::REINDEX | K::REFRESH | K::LOCK => {
            Action::Maintenance(maintenance(node)?)
        }
        K::COMMENT_ON => comment(node)?,
        K::GRANT | K::REVOKE => privileges(node),
        K::DO => {
            let (words, dynamic) = super::words::of_body(&node.sub(K::LITERAL)?.string());
            Action::Do { words, dynamic }
        }
        K::CALL => Action::Call(node.name_in(K::PROCEDURE_NAME_REF)?),
        K::EXECUTE => Action::Call(node.name_in(K::PREPARED_STATEMENT_REF)?),
        K::DISCARD => Action::Discard { all: node.has(K::DISCARD_ALL) },
        K::ALTER_SYSTEM => Action::Cluster("ALTER SYSTEM"),
        K::CREATE_DATABASE => Action::Cluster("CREATE DATABASE"),
        K::DROP_DATABASE => Action::Cluster("DROP DATABASE"),
        K::ALTER_DATABASE => Action::Cluster("ALTER DATABASE"),
        K::CREATE_TABLESPACE => Action::Cluster("CREATE TABLESPACE"),
        K::DROP_TABLESPACE => Action::Cluster("DROP TABLESPACE"),
        _ => return None,
    })
}

fn setting(node: &SyntaxNode) -> Option<Setting> {
    let local = node.sub(K::LOCAL_SCOPE).is_some();
    let set = node.sub(K::SET_CONFIG);
    let parameter = set.as_ref().unwrap_or(node).ident_in(K::CONFIG_PARAMETER_REF);
    let name = match parameter {
        Some(name) => name,
        None if node.has(K::ALL) => "all".into(),
        None if node.has(K::SET_TIME_ZONE) || node.has(K::RESET_TIME_ZONE) => "timezone".into(),
        None if node.has(K::SET_SCHEMA_VALUE) => "search_path".into(),
        None => return None,
    };
    let values = set.and_then(|set| set.sub(K::TO_CONFIG_VALUE)).map(|to| values(&to));
    let special = node
        .sub(K::SET_TIME_ZONE)
        .or_else(|| node.sub(K::SET_SCHEMA_VALUE))
        .map(|to| values_of_one(&to));
    Some(Setting { name, values: values.or(special).filter(|values| !values.is_empty()), local })
}

fn values(list: &SyntaxNode) -> Vec<Box<str>> {
    list.children()
        .map(
            |value| {
                if value.kind() == K::LITERAL { value.string() } else { fold(&value.written()) }
            },
        )
        .collect()
}

fn values_of_one(node: &SyntaxNode) -> Vec<Box<str>> {
    node.sub(K::LITERAL).map(|literal| literal.string()).into_iter().collect()
}

fn role(node: &SyntaxNode, name: &str) -> Setting {
    let role = node.sub(K::ROLE_REF).and_then(|role| role.ident());
    Setting {
        name: name.into(),
        values: role.map(|role| vec![role]),
        local: node.has(K::LOCAL_SCOPE),
    }
}

fn maintenance(node: &SyntaxNode) -> Option<Maintenance> {
    Some(match node.kind() {
        K::VACUUM => Maintenance::Vacuum { tables: tables(node), full: is_full(node) },
        K::ANALYZE => Maintenance::Analyze { tables: tables(node) },
        K::CLUSTER => Maintenance::Cluster { table: node.name_in(K::TABLE_NAME_REF) },
        K::REFRESH => Maintenance::Refresh {
            view: node.name_in(K::VIEW_REF)?,
            concurrently: node.has(K::CONCURRENTLY_KW),
            with_data: !node.has(K::WITH_NO_DATA),
        },
        K::LOCK => Maintenance::Lock {
            tables: node
                .sub(K::RELATION_LIST)?
                .children()
                .filter_map(|table| table.name())
                .collect(),
            mode: node
                .sub(K::LOCK_MODE_CLAUSE)
                .map_or(Mode::AccessExclusive, |clause| mode(&clause)),
        },
        _ => reindex(node)?,
    })
}

fn tables(node: &SyntaxNode) -> Vec<Name> {
    let list = node.sub(K::TABLE_AND_COLUMNS_LIST);
    list.iter().flat_map(|list| list.children()).filter_map(|table| table.first_name()).collect()
}

fn is_full(node: &SyntaxNode) -> bool {
    let options = node.sub(K::VACUUM_OPTION_LIST);
    let is_off = |option: &SyntaxNode| {
        option
            .children()
            .nth(1)
            .is_some_and(|value| matches!(&*value.written(), "false" | "off" | "0" | "no"))
    };
    let says = |option: SyntaxNode| {
        option.ident_in(K::VACUUM_OPTION_NAME).as_deref() == Some("full") && !is_off(&option)
    };
    node.has(K::FULL_KW) || options.is_some_and(|options| options.children().any(says))
}

fn reindex(node: &SyntaxNode) -> Option<Maintenance> {
    let options =
        node.sub(K::REINDEX_OPTION_LIST).and_then(|list| list.sub(K::REINDEX_OPTION_CONCURRENTLY));
    let is_off = |option: SyntaxNode| {
        let written = option.written().to_lowercase();
        ["false", "off", "0", "no"].iter().any(|no| written.ends_with(no))
    };
    let target = node.children().find(|child| child.kind() != K::REINDEX_OPTION_LIST)?;
    let of_relation = matches!(target.kind(), K::REINDEX_TARGET_TABLE | K::REINDEX_TARGET_INDEX);
    Some(Maintenance::Reindex {
        name: target.first_name().filter(|_| of_relation),
        index: target.kind() == K::REINDEX_TARGET_INDEX,
        concurrently: target.has(K::CONCURRENTLY_KW)
            || options.is_some_and(|option| !is_off(option)),
    })
}

fn mode(clause: &SyntaxNode) -> Mode {
    match clause.children().next().map(|mode| mode.kind()) {
        Some(K::ACCESS_SHARE) => Mode::AccessShare,
        Some(K::ROW_SHARE) => Mode::RowShare,
        Some(K::ROW_EXCLUSIVE) => Mode::RowExclusive,
        Some(K::SHARE_UPDATE_EXCLUSIVE) => Mode::ShareUpdateExclusive,
        Some(K::SHARE) => Mode::Share,
        Some(K::SHARE_ROW_EXCLUSIVE) => Mode::ShareRowExclusive,
        Some(K::EXCLUSIVE) => Mode::Exclusive,
        _ => Mode::AccessExclusive,
    }
}

fn comment(node: &SyntaxNode) -> Option<Action> {
    let object = node.children().find(|child| child.kind() != K::LITERAL)?;
    let kind = match object.kind() {
        K::OBJECT_TABLE => ObjectKind::Table,
        K::OBJECT_COLUMN => ObjectKind::Column,
        K::OBJECT_VIEW => ObjectKind::View,
        K::OBJECT_MATERIALIZED_VIEW => ObjectKind::MaterializedView,
        K::OBJECT_INDEX => ObjectKind::Index,
        K::OBJECT_SEQUENCE => ObjectKind::Sequence,
        _ => ObjectKind::Other,
    };
    let name = match kind {
        ObjectKind::Other => {
            object.name_in(K::TABLE_NAME_REF).or_else(|| object.name_in(K::RELATION_NAME_REF))
        }
        ObjectKind::Column => {
            let column = object.sub(K::QUALIFIED_COLUMN_NAME_REF)?;
            super::create::column_name(&column).map(|(table, _)| table)
        }
        _ => object.first_name(),
    };
    Some(Action::Comment { kind, name })
}

fn privileges(node: &SyntaxNode) -> Action {
    let on = node.sub(K::ON_PRIVILEGE_OBJECTS_CLAUSE);
    let objects = on.iter().flat_map(|on| on.children()).filter(|o| {
        matches!(o.kind(), K::PRIVILEGE_DEFAULT | K::PRIVILEGE_TABLE | K::PRIVILEGE_SEQUENCE)
    });
    let relations = objects
        .flat_map(|object| object.children().filter_map(|name| name.name()).collect::<Vec<_>>());
    Action::Privileges { revoke: node.kind() == K::REVOKE, relations: relations.collect() }
}
