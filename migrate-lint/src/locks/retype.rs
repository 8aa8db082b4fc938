//! What another type for a column does to the table, and to the other sides of its foreign keys.

use super::constraint::referenced;
use super::conversion::{Conversion, conversion_in};
use super::relatives::{self, other_side};
use super::{Lock, Mode, Work};
use crate::name::Name;
use crate::schema::{self, Object, Schema, Table, TableKind};
use crate::statement::{Expression, Type};

/// What another type for a column does to the rows.
pub(super) fn retyped(
    table: Option<&Table>,
    column: &str,
    ty: &Type,
    using: Option<&Expression>,
    schema: &Schema,
) -> Work {
    let old = table.and_then(|table| table.column(column)).and_then(|column| column.ty.as_ref());
    match old.map(|old| (old, conversion_in(schema, old, ty, using, column))) {
        Some((old, Conversion::InPlace))
            if table.is_some_and(|table| made_again(table, column, old, ty, schema).is_some()) =>
        {
            Work::Scan
        }
        Some((_, Conversion::InPlace)) => Work::None,
        _ => Work::Rewrite,
    }
}

/// What PostgreSQL makes anew although the rows stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again<'t> {
    /// A check, by its name.
    Check(&'t str),
    /// An index, by its name.
    Index(&'t str),
}

/// What on the table depends on more than the bytes of a column? Checks are checked again. Of an index that sorts
/// other than before, that has an expression or that leaves rows out, the server does not ask whether it still fits.
pub(crate) fn made_again<'t>(
    table: &'t Table,
    column: &str,
    old: &Type,
    new: &Type,
    schema: &'t Schema,
) -> Option<Again<'t>> {
    let check = table.constraints.iter().find(|constraint| match &constraint.kind {
        schema::ConstraintKind::Check(check) => {
            constraint.valid && check.columns.iter().any(|name| &**name == column)
        }
        _ => false,
    });
    // Of a partitioned table the parts are not asked whether theirs still fits.
    let sorts_as_before = sorts_as(old) == sorts_as(new) && table.kind != TableKind::Partitioned;
    let is_built_anew = |index: &schema::Index| {
        let is_plain = index.keys.iter().all(Option::is_some) && !index.partial;
        index.uses.iter().any(|name| &**name == column)
            || index.keys.iter().flatten().any(|name| &**name == column)
                && !(is_plain && sorts_as_before)
    };
    let mut indexes = table.indexes.iter().filter_map(|id| schema.entry(*id));
    let index =
        indexes.find(|entry| matches!(&entry.object, Object::Index(index) if is_built_anew(index)));
    let check = check.map(|check| Again::Check(&check.name));
    check.or_else(|| index.map(|entry| Again::Index(&entry.key.name)))
}

/// The type by whose order an index of a type is sorted.
fn sorts_as(ty: &Type) -> &str {
    match &*ty.name.name {
        "varchar" => "text",
        "cidr" => "inet",
        "serial" => "int4",
        "bigserial" => "int8",
        "smallserial" => "int2",
        other => other,
    }
}

/// Foreign keys of a column that gets another type are made again, and both sides are closed for it.
pub(super) fn rekeyed(
    name: &Name,
    table: Option<&Table>,
    column: &str,
    work: Work,
    schema: &Schema,
) -> Vec<Lock> {
    // Where the bytes stay, the rows need not be compared again.
    let work = if work == Work::Rewrite { Work::Scan } else { Work::None };
    let constraints = table.map(|table| &*table.constraints).unwrap_or_default();
    let own = constraints
        .iter()
        .filter(|constraint| constraint.kind.columns().iter().any(|name| &**name == column));
    let others = own.filter_map(|constraint| other_side(schema, constraint));
    let users = relatives::referencing(schema, name).into_iter().filter(|(_, key)| {
        referenced(table, key).is_some_and(|columns| columns.iter().any(|name| &**name == column))
    });
    let all: Vec<Name> = others.chain(users.map(|(table, _)| table)).collect();
    all.iter().map(|other| Lock::new(other, Mode::AccessExclusive, work)).collect()
}
