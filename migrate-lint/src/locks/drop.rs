//! What is locked when something goes: it, what goes with it, and what had to do with it.

use super::{Lock, Mode, relatives};
use crate::name::Name;
use crate::schema::{Found, Schema, Table};
use crate::statement::{Drop, ObjectKind};

pub(super) fn dropped(drop: &Drop, schema: &Schema) -> Vec<Lock> {
    let mode = if drop.concurrently { Mode::ShareUpdateExclusive } else { Mode::AccessExclusive };
    let gone: Vec<Name> = match drop.kind {
        _ if drop.table.is_some() => detached(drop, schema),
        kind if kind.is_relation() => {
            drop.names.iter().flat_map(|name| gone_with(schema, name, drop.cascade)).collect()
        }
        _ if !drop.cascade => Vec::new(),
        ObjectKind::Type | ObjectKind::Domain => {
            drop.names.iter().flat_map(|name| relatives::of_type(schema, name)).collect()
        }
        ObjectKind::Function | ObjectKind::Routine => {
            let tables = drop.names.iter().flat_map(|name| relatives::calling(schema, name));
            tables.flat_map(|table| parts_too(schema, table)).collect()
        }
        ObjectKind::Schema => {
            drop.names.iter().flat_map(|name| relatives::inhabitants(schema, &name.name)).collect()
        }
        _ => Vec::new(),
    };
    gone.iter().map(|name| Lock::short(name, mode)).collect()
}

/// A relation that goes, what goes with it, and what has a part of it: the table of an index, the whole of a part, the
/// other sides of foreign keys, whose triggers go.
fn gone_with(schema: &Schema, name: &Name, cascade: bool) -> Vec<Name> {
    let Found::Known(entry) = schema.relation(name) else { return vec![name.clone()] };
    let mut gone = vec![name.clone()];
    gone.extend(relatives::table_of(schema, name).into_iter().flat_map(|t| parts_too(schema, t)));
    if let Some(table) = entry.object.as_table() {
        gone.extend(relatives::heirs(schema, name));
        let whole = table.parent.and_then(|whole| schema.entry(whole));
        let whole = whole.map(|whole| schema.shown(whole));
        let whole = whole.filter(|whole| relatives::is_partitioned(schema, whole));
        gone.extend(whole.iter().filter_map(|whole| relatives::default_part(schema, whole)));
        gone.extend(whole);
        gone.extend(table.constraints.iter().filter_map(|one| relatives::other_side(schema, one)));
    }
    if cascade {
        gone.extend(relatives::readers(schema, name));
        gone.extend(relatives::referencing(schema, name).into_iter().map(|(table, _)| table));
    }
    gone
}

fn parts_too(schema: &Schema, table: Name) -> Vec<Name> {
    let parts = match relatives::is_partitioned(schema, &table) {
        true => relatives::heirs(schema, &table),
        false => Vec::new(),
    };
    [table].into_iter().chain(parts).collect()
}

/// The table from which a trigger, policy or rule goes; a trigger of a partitioned table goes from its parts as well.
fn detached(drop: &Drop, schema: &Schema) -> Vec<Name> {
    let Some(table) = drop.table.clone() else { return Vec::new() };
    let known = relatives::table(schema, &table).filter(|table| !table.has_more_constraints);
    let has = |table: &Table| {
        let is_it = |name: &Name| {
            table.attached.iter().any(|one| one.kind == drop.kind && one.name == name.name)
        };
        drop.names.iter().any(is_it)
    };
    match drop.kind {
        _ if drop.if_exists && known.is_some_and(|table| !has(table)) => Vec::new(),
        ObjectKind::Trigger => parts_too(schema, table),
        _ => vec![table],
    }
}
