//! Who is locked along with a relation: its parts and heirs, what a view reads, the other sides of foreign keys.
//!
//! Only what the replay knows for certain is among them.

use crate::name::Name;
use crate::schema::{
    Constraint, ConstraintKind, Entry, Id, Object, Schema, Space, Table, TableKind,
};
use crate::statement::Type;

fn entries(schema: &Schema, ids: &[Id]) -> impl Iterator<Item = Name> {
    ids.iter().filter_map(|id| schema.entry(*id)).map(|entry| schema.shown(entry))
}

fn known<'s>(schema: &'s Schema, name: &Name) -> Option<&'s Entry> {
    schema.relation(name).known()
}

pub(super) fn table<'s>(schema: &'s Schema, name: &Name) -> Option<&'s Table> {
    known(schema, name)?.object.as_table()
}

/// All that is found when one goes on from a relation, step by step.
fn all(schema: &Schema, from: &Name, next: impl Fn(&Schema, &Name) -> Vec<Name>) -> Vec<Name> {
    let mut found: Vec<Name> = Vec::new();
    let mut open = next(schema, from);
    while let Some(name) = open.pop() {
        if !found.contains(&name) {
            open.extend(next(schema, &name));
            found.push(name);
        }
    }
    found
}

/// The parts of a table and those that inherit from it, and theirs.
pub(super) fn heirs(schema: &Schema, name: &Name) -> Vec<Name> {
    all(schema, name, |schema, name| {
        table(schema, name)
            .map(|table| entries(schema, &table.children).collect())
            .unwrap_or_default()
    })
}

/// The part of a table that takes what no other part takes.
pub(super) fn default_part(schema: &Schema, whole: &Name) -> Option<Name> {
    let part = schema.entry(table(schema, whole)?.default_part?)?;
    Some(schema.shown(part))
}

pub(super) fn is_partitioned(schema: &Schema, name: &Name) -> bool {
    table(schema, name).is_some_and(|table| table.kind == TableKind::Partitioned)
}

/// The table of an index.
pub(super) fn table_of(schema: &Schema, index: &Name) -> Option<Name> {
    match &known(schema, index)?.object {
        Object::Index(index) => schema.entry(index.table).map(|entry| schema.shown(entry)),
        _ => None,
    }
}

/// The indexes of a table or materialized view.
pub(super) fn indexes(schema: &Schema, name: &Name) -> Vec<Name> {
    match known(schema, name).map(|entry| &entry.object) {
        Some(Object::Table(table)) => entries(schema, &table.indexes).collect(),
        Some(Object::View(view)) => entries(schema, &view.indexes).collect(),
        _ => Vec::new(),
    }
}

/// What a view reads, if it has no rows of its own.
pub(super) fn looked_through(schema: &Schema, view: &Name) -> Vec<Name> {
    match known(schema, view).map(|entry| &entry.object) {
        Some(Object::View(view)) if !view.materialized => entries(schema, &view.reads).collect(),
        _ => Vec::new(),
    }
}

/// What a view reads itself.
pub(super) fn sources(schema: &Schema, view: &Name) -> Vec<Name> {
    match known(schema, view).map(|entry| &entry.object) {
        Some(Object::View(view)) => entries(schema, &view.reads).collect(),
        _ => Vec::new(),
    }
}

/// The views that read a relation, and those that read these.
pub(super) fn readers(schema: &Schema, name: &Name) -> Vec<Name> {
    all(schema, name, |schema, name| {
        let Some(read) = known(schema, name) else { return Vec::new() };
        let reads_it = |entry: &&Entry| match &entry.object {
            Object::View(view) => view
                .reads
                .iter()
                .filter_map(|id| schema.entry(*id))
                .any(|entry| entry.key == read.key),
            _ => false,
        };
        schema.entries().filter(reads_it).map(|entry| schema.shown(entry)).collect()
    })
}

/// The table that a foreign key refers to.
pub(super) fn other_side(schema: &Schema, constraint: &Constraint) -> Option<Name> {
    match constraint.kind {
        ConstraintKind::ForeignKey { table: Some(other), .. } => {
            schema.entry(other).map(|entry| schema.shown(entry))
        }
        _ => None,
    }
}

/// The tables with a foreign key to this one, and that key.
pub(super) fn referencing<'s>(schema: &'s Schema, name: &Name) -> Vec<(Name, &'s Constraint)> {
    let Some(entry) = known(schema, name) else { return Vec::new() };
    let others = entry.object.as_table().map(|table| &*table.referenced_by).unwrap_or_default();
    let mut others = others.to_vec();
    others.sort_unstable();
    others.dedup();
    let keys = others.iter().filter_map(|id| schema.entry(*id)).flat_map(|other| {
        let constraints =
            other.object.as_table().map(|table| &*table.constraints).unwrap_or_default();
        let to_us = constraints.iter().filter(|constraint| match constraint.kind {
            ConstraintKind::ForeignKey { table: Some(to), .. } => {
                schema.entry(to).is_some_and(|to| to.key == entry.key)
            }
            _ => false,
        });
        to_us.map(|constraint| (schema.shown(other), constraint))
    });
    keys.collect()
}

/// The tables that a `TRUNCATE … CASCADE` empties as well.
pub(super) fn emptied_along(schema: &Schema, name: &Name) -> Vec<Name> {
    all(schema, name, |schema, name| {
        referencing(schema, name).into_iter().map(|(table, _)| table).collect()
    })
}

/// The tables with a column of a type, domain or row type.
pub(super) fn of_type(schema: &Schema, name: &Name) -> Vec<Name> {
    let is_of = |ty: &Type| {
        let of = |name: &Name| schema.find(Space::Type, name).known().map(|entry| &entry.key);
        ty.name == *name || (of(&ty.name).is_some() && of(&ty.name) == of(name))
    };
    let has_one = |entry: &&Entry| {
        let columns = entry.object.as_table().map(|table| &*table.columns).unwrap_or_default();
        columns.iter().filter_map(|column| column.ty.as_ref()).any(is_of)
    };
    schema.entries().filter(has_one).map(|entry| schema.shown(entry)).collect()
}

/// The tables with a trigger that calls a function.
pub(super) fn calling(schema: &Schema, function: &Name) -> Vec<Name> {
    let calls = |entry: &&Entry| match &entry.object {
        Object::Table(Table { attached, .. }) => {
            attached.iter().any(|one| one.function.as_deref() == Some(&*function.name))
        }
        _ => false,
    };
    schema.entries().filter(calls).map(|entry| schema.shown(entry)).collect()
}

/// The relations of a schema.
pub(super) fn inhabitants(schema: &Schema, of: &str) -> Vec<Name> {
    let lives_there =
        |entry: &&Entry| entry.key.space == Space::Relation && &*entry.key.schema == of;
    schema.entries().filter(lives_there).map(|entry| Name::qualified(of, &entry.key.name)).collect()
}
