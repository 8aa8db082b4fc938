//! Whether a way back leads back.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Schema;
use super::journal::Mark;
use super::object::{Column, ConstraintKind, Entry, Key, Object, Table};
use crate::statement::ObjectKind;

/// Something that is not as it was, in words: `leaves the table users`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference(pub String);

/// What is not as it was before the mark around this one.
pub fn differences(schema: &Schema, mark: &Mark) -> Vec<Difference> {
    let (mut before, mut now) = (BTreeMap::new(), BTreeMap::new());
    for (old, new) in schema.changed_around(mark) {
        before.extend(old.map(|entry| (entry.key.clone(), entry)));
        now.extend(new.map(|entry| (entry.key.clone(), entry)));
    }
    let mut found = Vec::new();
    for (key, entry) in &now {
        match before.get(key) {
            None if is_part(entry) => {}
            None => found.push(leaves(entry.object.kind(), key)),
            Some(old) => compare(old, entry, &mut found),
        }
    }
    let gone = before.iter().filter(|(key, entry)| !now.contains_key(*key) && !is_part(entry));
    found.extend(gone.map(|(key, entry)| lacks(entry.object.kind(), key)));
    found
}

/// Told with what it is a part of.
fn is_part(entry: &Rc<Entry>) -> bool {
    match &entry.object {
        Object::Index(index) => index.of_constraint,
        Object::Sequence(sequence) => sequence.owned_by.is_some(),
        // Others of the database may use it.
        Object::Extension => true,
        _ => false,
    }
}

fn leaves(kind: ObjectKind, key: &Key) -> Difference {
    Difference(format!("leaves the {kind} `{}`", key.name))
}

fn lacks(kind: ObjectKind, key: &Key) -> Difference {
    Difference(format!("does not bring back the {kind} `{}`", key.name))
}

fn compare(old: &Entry, new: &Entry, found: &mut Vec<Difference>) {
    match (&old.object, &new.object) {
        (Object::Table(before), Object::Table(after)) => {
            tables(&new.key.name, before, after, found)
        }
        (Object::Enum(before), Object::Enum(after)) => {
            let extra = after.iter().filter(|value| !before.contains(value));
            found.extend(extra.map(|value| {
                Difference(format!("leaves the value `{value}` of `{}`", new.key.name))
            }));
            let missing = before.iter().filter(|value| !after.contains(value));
            found.extend(missing.map(|value| {
                Difference(format!("does not bring back the value `{value}` of `{}`", new.key.name))
            }));
        }
        (before, after) if before.kind() != after.kind() => {
            let (before, after) = (before.kind(), after.kind());
            found.push(Difference(format!(
                "leaves a {after} where a {before} was: `{}`",
                new.key.name
            )));
        }
        _ => {}
    }
}

fn tables(name: &str, before: &Table, after: &Table, found: &mut Vec<Difference>) {
    for column in &after.columns {
        match before.column(&column.name) {
            None if before.has_more_columns => {}
            None => {
                found.push(Difference(format!("leaves the column `{}` of `{name}`", column.name)))
            }
            Some(old) => columns(name, old, column, found),
        }
    }
    let gone = before
        .columns
        .iter()
        .filter(|column| after.column(&column.name).is_none() && !after.has_more_columns);
    found.extend(gone.map(|column| {
        Difference(format!("does not bring back the column `{}` of `{name}`", column.name))
    }));
    constraints(name, before, after, found);
    let extra = after
        .attached
        .iter()
        .filter(|one| !before.attached.iter().any(|o| o.kind == one.kind && o.name == one.name));
    found.extend(
        extra.map(|one| Difference(format!("leaves the {} `{}` of `{name}`", one.kind, one.name))),
    );
    let gone = before
        .attached
        .iter()
        .filter(|one| !after.attached.iter().any(|o| o.kind == one.kind && o.name == one.name));
    found.extend(gone.map(|one| {
        Difference(format!("does not bring back the {} `{}` of `{name}`", one.kind, one.name))
    }));
}

fn columns(table: &str, before: &Column, after: &Column, found: &mut Vec<Difference>) {
    let name = &after.name;
    if let (Some(old), Some(new)) = (&before.ty, &after.ty)
        && old != new
        && !(old.is_serial() || new.is_serial())
    {
        found.push(Difference(format!("leaves `{table}.{name}` with another type")));
    }
    if before.not_null != after.not_null {
        let words = if after.not_null { "leaves" } else { "does not bring back" };
        found.push(Difference(format!("{words} NOT NULL on `{table}.{name}`")));
    }
    match (&before.default, &after.default) {
        (None, Some(_)) => found.push(Difference(format!("leaves a default on `{table}.{name}`"))),
        (Some(_), None) => {
            found.push(Difference(format!("does not bring back the default of `{table}.{name}`")))
        }
        _ => {}
    }
}

fn constraints(name: &str, before: &Table, after: &Table, found: &mut Vec<Difference>) {
    // A constraint may come back under another name.
    let has = |table: &Table, wanted: &ConstraintKind, wanted_name: &str| {
        table.constraints.iter().any(|c| &*c.name == wanted_name || same(&c.kind, wanted))
    };
    if !before.has_more_constraints {
        let extra = after.constraints.iter().filter(|c| !has(before, &c.kind, &c.name));
        found.extend(
            extra.map(|c| Difference(format!("leaves the constraint `{}` of `{name}`", c.name))),
        );
    }
    if !after.has_more_constraints {
        let gone = before.constraints.iter().filter(|c| !has(after, &c.kind, &c.name));
        found.extend(gone.map(|c| {
            Difference(format!("does not bring back the constraint `{}` of `{name}`", c.name))
        }));
    }
}

fn same(a: &ConstraintKind, b: &ConstraintKind) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b) && a.columns() == b.columns()
}
