//! `CREATE TABLE`, columns, types and constraints.

use squawk_syntax::{SyntaxKind as K, SyntaxNode};

use super::expression;
use super::node::Look;
use crate::name::{Name, fold};
use crate::statement::{
    Action, Column, Constraint, ConstraintKind, CreateTable, Generated, Persistence, Type,
};

pub(super) fn action(node: &SyntaxNode) -> Option<Action> {
    match node.kind() {
        K::CREATE_TABLE | K::CREATE_FOREIGN_TABLE => {
            create(node).map(|table| Action::CreateTable(Box::new(table)))
        }
        K::CREATE_TABLE_AS => Some(Action::CreateTableAs {
            name: node.name_in(K::TABLE_NAME)?,
            if_not_exists: node.has(K::IF_NOT_EXISTS),
            persistence: persistence(node),
        }),
        K::SELECT_INTO => {
            let into = node.sub(K::INTO_CLAUSE)?;
            Some(Action::CreateTableAs {
                name: into.first_name()?,
                if_not_exists: false,
                persistence: persistence(&into),
            })
        }
        _ => None,
    }
}

fn persistence(node: &SyntaxNode) -> Persistence {
    let temporary = node.has(K::TEMP) || node.has(K::TEMP_KW) || node.has(K::TEMPORARY_KW);
    match node.has(K::UNLOGGED) || node.has(K::UNLOGGED_KW) {
        true => Persistence::Unlogged,
        false if temporary => Persistence::Temporary,
        false => Persistence::Permanent,
    }
}

fn create(node: &SyntaxNode) -> Option<CreateTable> {
    let mut table = CreateTable {
        name: node.name_in(K::TABLE_NAME)?,
        if_not_exists: node.has(K::IF_NOT_EXISTS),
        persistence: persistence(node),
        foreign: node.kind() == K::CREATE_FOREIGN_TABLE,
        partition_of: node.sub(K::PARTITION_OF).and_then(|of| of.first_name()),
        is_default: node.has(K::PARTITION_DEFAULT),
        partitioned: node.has(K::PARTITION_BY),
        of_type: node.has(K::OF_TYPE),
        ..CreateTable::default()
    };
    let inherits = node.sub(K::INHERITS);
    table.inherits =
        inherits.iter().flat_map(|list| list.children()).filter_map(|name| name.name()).collect();
    for argument in node.sub(K::TABLE_ARG_LIST).iter().flat_map(|list| list.children()) {
        match argument.kind() {
            K::COLUMN => table.columns.extend(column(&argument)),
            K::LIKE_CLAUSE => table.like.extend(argument.first_name()),
            _ => table.constraints.extend(constraint(&argument, None)),
        }
    }
    Some(table)
}

/// A column of `CREATE TABLE` or `ADD COLUMN`.
pub(super) fn column(node: &SyntaxNode) -> Option<Column> {
    let name = node.ident_in(K::COLUMN_NAME)?;
    let mut column = Column { name, ..Column::default() };
    for part in node.children() {
        match part.kind() {
            K::COLUMN_NAME => {}
            K::NOT_NULL_CONSTRAINT => column.not_null = true,
            K::DEFAULT_CONSTRAINT => column.default = expression::in_clause(&part),
            K::GENERATED_CONSTRAINT => column.generated = Some(generated(&part)),
            _ => match ty(&part) {
                Some(ty) => column.ty = Some(ty),
                None => column.constraints.extend(constraint(&part, Some(&column.name))),
            },
        }
    }
    Some(column)
}

fn generated(node: &SyntaxNode) -> Generated {
    match node.sub(K::GENERATED_STORED) {
        None => Generated::Identity,
        Some(expression) if expression.has(K::STORED) => Generated::Stored,
        Some(_) => Generated::Virtual,
    }
}

/// A constraint that stands by itself or behind the column `of`; `NOT NULL` of a column is none.
pub(super) fn constraint(node: &SyntaxNode, of: Option<&str>) -> Option<Constraint> {
    let columns = || columns(node, of);
    let using_index = || node.sub(K::USING_INDEX_NAME).and_then(|using| using.first_name());
    let kind = match node.kind() {
        K::PRIMARY_KEY_CONSTRAINT => {
            ConstraintKind::PrimaryKey { columns: columns(), using_index: using_index() }
        }
        K::UNIQUE_CONSTRAINT => {
            ConstraintKind::Unique { columns: columns(), using_index: using_index() }
        }
        K::CHECK_CONSTRAINT => {
            ConstraintKind::Check(expression::in_clause(node).unwrap_or_default())
        }
        K::EXCLUDE_CONSTRAINT => ConstraintKind::Exclude,
        K::FOREIGN_KEY_CONSTRAINT | K::REFERENCES_CONSTRAINT => foreign_key(node, of)?,
        K::NOT_NULL_CONSTRAINT => {
            ConstraintKind::NotNull { column: node.ident_in(K::COLUMN_NAME_REF)? }
        }
        _ => return None,
    };
    let name =
        node.sub(K::CONSTRAINT_NAME_CLAUSE).and_then(|clause| clause.ident_in(K::CONSTRAINT_NAME));
    Some(Constraint {
        name,
        kind,
        not_valid: node.has(K::NOT_VALID),
        not_enforced: node.has(K::NOT_ENFORCED),
    })
}

fn foreign_key(node: &SyntaxNode, of: Option<&str>) -> Option<ConstraintKind> {
    let mut lists = node.subs(K::FOREIGN_KEY_COLUMN_LIST).map(|list| names(&list));
    let columns = match of {
        Some(column) => vec![column.into()],
        None => lists.next().unwrap_or_default(),
    };
    let referenced = match of {
        Some(_) => node.ident_in(K::COLUMN_NAME_REF).into_iter().collect(),
        None => lists.next().unwrap_or_default(),
    };
    Some(ConstraintKind::ForeignKey {
        columns,
        table: node.name_in(K::TABLE_NAME_REF)?,
        referenced,
    })
}

fn columns(node: &SyntaxNode, of: Option<&str>) -> Vec<Box<str>> {
    let list =
        node.sub(K::INDEX_PARAMETERS).and_then(|index| index.sub(K::CONSTRAINT_COLUMN_REF_LIST));
    match (of, list) {
        (Some(column), _) => vec![column.into()],
        (None, list) => list.map(|list| names(&list)).unwrap_or_default(),
    }
}

/// The columns of a list.
pub(super) fn names(list: &SyntaxNode) -> Vec<Box<str>> {
    list.subs(K::COLUMN_NAME_REF).filter_map(|column| column.ident()).collect()
}

/// A type, if the node is one.
pub(super) fn ty(node: &SyntaxNode) -> Option<Type> {
    let name = match node.kind() {
        K::ARRAY_TYPE => {
            let of = node.children().find_map(|inner| ty(&inner))?;
            return Some(Type { array: true, ..of });
        }
        K::PATH_TYPE => return Some(of_path(node)),
        K::VARCHAR_TYPE => "varchar",
        K::CHARACTER_TYPE => "bpchar",
        K::BIT_TYPE => "bit",
        K::BIT_VARYING_TYPE => "varbit",
        K::DOUBLE_TYPE => "float8",
        K::TIME_TYPE if node.has(K::WITH_TIMEZONE) => "timetz",
        K::TIME_TYPE => "time",
        K::TIMESTAMP_TYPE if node.has(K::WITH_TIMEZONE) => "timestamptz",
        K::TIMESTAMP_TYPE => "timestamp",
        K::INTERVAL_TYPE => match node.children().find(|child| child.kind() != K::LITERAL) {
            Some(fields) => &format!("interval {}", fields.written().to_lowercase()),
            None => "interval",
        },
        _ => return None,
    };
    let modifiers = match (node.kind(), modifiers(node)) {
        // Without a length it is 1.
        (K::CHARACTER_TYPE | K::BIT_TYPE, none) if none.is_empty() => vec![1],
        (_, modifiers) => modifiers,
    };
    Some(Type { name: Name::bare(name), modifiers, array: false })
}

fn of_path(node: &SyntaxNode) -> Type {
    let mut name = node.name_in(K::PATH_REF).unwrap_or_default();
    let modifiers = modifiers(node);
    let is_quoted = node.first_token().is_some_and(|token| token.text().starts_with('"'));
    if name.schema.as_deref() == Some("pg_catalog") {
        name.schema = None;
    }
    if name.schema.is_none() && !is_quoted {
        name.name = canonical(&name.name, &modifiers).into();
    }
    let modifiers = if matches!(&*name.name, "float4" | "float8") { Vec::new() } else { modifiers };
    Type { name, modifiers, array: false }
}

/// PostgreSQL's own name of a type that has several.
fn canonical<'n>(name: &'n str, modifiers: &[i64]) -> &'n str {
    match name {
        "int" | "integer" => "int4",
        "bigint" => "int8",
        "smallint" => "int2",
        "decimal" | "dec" => "numeric",
        "real" => "float4",
        "float" if modifiers.first().is_some_and(|bits| *bits < 25) => "float4",
        "float" => "float8",
        "boolean" => "bool",
        "serial4" => "serial",
        "serial8" => "bigserial",
        "serial2" => "smallserial",
        "char" | "character" => "bpchar",
        other => other,
    }
}

/// What stands in parentheses behind a type, where it is numbers.
fn modifiers(node: &SyntaxNode) -> Vec<i64> {
    let list = node.sub(K::ARG_LIST).unwrap_or_else(|| node.clone());
    let arguments = list.descendants().filter(|inner| inner.kind() == K::LITERAL);
    arguments.filter_map(|literal| fold(&literal.written()).parse().ok()).collect()
}
