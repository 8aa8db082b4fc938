//! `DROP`: things go, and what depends on them with them.

use super::alter::space;
use super::apply::{Absence, Applying};
use super::clash::{Clash, Thing};
use super::object::{ConstraintKind, Id, Object, Space};
use crate::name::Name;
use crate::statement::{Drop, ObjectKind};

impl Applying<'_> {
    pub(super) fn drop(&mut self, drop: &Drop) {
        if let Some(table) = &drop.table {
            return self.detach(drop, table);
        }
        let Some(space) = space(drop.kind) else { return };
        for name in &drop.names {
            let known = match space {
                // Which functions are there, their parameters tell, and extensions bring more.
                Space::Routine => self.drop_routine(drop, name),
                Space::Extension => self.drop_extension(drop, name),
                _ => self.expect(space, drop.kind, name, Absence::of(drop.if_exists)),
            };
            match known {
                Some(id) if self.is_right(id, drop.kind, name) => self.drop_one(id, drop),
                Some(_) => {}
                None => self.forget(space, name),
            }
        }
    }

    /// What was in doubt is gone for certain.
    fn forget(&mut self, space: Space, name: &Name) {
        let mut keys = self.schema.keys(space, name);
        if let Some(id) = keys.find_map(|key| self.schema.names.get(&key).copied()) {
            std::mem::drop(keys);
            self.remove(id);
        }
    }

    fn is_right(&mut self, id: Id, wanted: ObjectKind, name: &Name) -> bool {
        let Some(found) = self.schema.entry(id).map(|entry| entry.object.kind()) else {
            return false;
        };
        let is_right = found == wanted
            || !wanted.is_relation()
            || wanted == ObjectKind::Table && found == ObjectKind::ForeignTable;
        if !is_right {
            self.clash(Clash::Other { wanted, found, name: name.clone() });
        }
        is_right
    }

    fn drop_routine(&mut self, drop: &Drop, name: &Name) -> Option<Id> {
        let id = self.expect(Space::Routine, drop.kind, name, Absence::IsFine)?;
        let mut is_last = false;
        self.schema.change(id, |entry| {
            if let Object::Routine(routine) = &mut entry.object {
                routine.count = routine.count.saturating_sub(1);
                is_last = routine.count == 0;
            }
        });
        if drop.cascade {
            self.drop_triggers_of(&name.name);
        }
        is_last.then_some(id)
    }

    fn drop_triggers_of(&mut self, function: &str) {
        let calls = |id: &Id| {
            let table = self.schema.entry(*id).and_then(|entry| entry.object.as_table());
            table.is_some_and(|table| {
                table.attached.iter().any(|a| a.function.as_deref() == Some(function))
            })
        };
        let tables: Vec<Id> = self.schema.names.values().copied().filter(|id| calls(id)).collect();
        for id in tables {
            self.schema.change_table(id, |table| {
                table.attached.retain(|a| a.function.as_deref() != Some(function))
            });
        }
    }

    fn drop_extension(&mut self, drop: &Drop, name: &Name) -> Option<Id> {
        if drop.cascade || !super::builtin::is_harmless(&name.name) {
            self.schema.doubt_everything();
        }
        self.expect(Space::Extension, drop.kind, name, Absence::IsFine)
    }

    fn drop_one(&mut self, id: Id, drop: &Drop) {
        let Some(entry) = self.schema.entry(id) else { return };
        let key = entry.key.clone();
        let (thing, needed_by) =
            (Thing::new(drop.kind, &self.schema.shown(entry)), self.needed_by(id, drop));
        if !needed_by.is_empty() && !drop.cascade {
            return self.clash(Clash::Needed { thing, by: needed_by });
        }
        if key.space == Space::Schema {
            for inhabitant in self.inhabitants(&key.name) {
                self.schema.remove(inhabitant);
            }
        }
        self.remove(id);
    }

    /// Who keeps it from being dropped: foreign keys of tables that stay.
    fn needed_by(&self, id: Id, drop: &Drop) -> Vec<String> {
        let Some(entry) = self.schema.entry(id) else { return Vec::new() };
        if entry.key.space == Space::Schema {
            let inhabitants = self.inhabitants(&entry.key.name);
            let mut names: Vec<String> =
                inhabitants.iter().filter_map(|id| self.describe(*id)).collect();
            names.sort();
            return names;
        }
        let Some(table) = entry.object.as_table() else { return Vec::new() };
        let goes_too = |other: &Id| {
            let entry = self.schema.entry(*other);
            entry.is_none_or(|entry| drop.names.iter().any(|name| name.name == entry.key.name))
        };
        let tables = table.referenced_by.iter().filter(|other| **other != id && !goes_too(other));
        let mut names: Vec<String> = tables.filter_map(|other| self.describe(*other)).collect();
        names.dedup();
        names
    }

    fn describe(&self, id: Id) -> Option<String> {
        let entry = self.schema.entry(id)?;
        Some(format!("{} `{}`", entry.object.kind(), self.schema.shown(entry)))
    }

    /// It goes, with what is its own, and what others had of it.
    fn remove(&mut self, id: Id) {
        let sequences = self.sequences(id, None);
        let Some(entry) = self.schema.remove(id) else { return };
        match &entry.object {
            Object::Table(table) => {
                for part in table.indexes.iter().chain(&sequences) {
                    self.schema.remove(*part);
                }
                for child in &table.children {
                    self.remove(*child);
                }
                for constraint in &table.constraints {
                    self.unreference(id, &constraint.kind);
                }
                for other in &table.referenced_by {
                    self.drop_references(*other, id);
                }
                if let Some(parent) = table.parent {
                    self.schema
                        .change_table(parent, |table| table.children.retain(|child| *child != id));
                }
            }
            Object::View(view) => view.indexes.iter().for_each(|index| drop_quietly(self, *index)),
            Object::Index(index) => {
                self.schema.change(index.table, |entry| match &mut entry.object {
                    Object::Table(table) => table.indexes.retain(|other| *other != id),
                    Object::View(view) => view.indexes.retain(|other| *other != id),
                    _ => {}
                });
            }
            _ => {}
        }
    }

    /// The other side of a foreign key that goes.
    fn unreference(&mut self, id: Id, kind: &ConstraintKind) {
        if let ConstraintKind::ForeignKey { table: Some(other), .. } = kind {
            self.schema.change_table(*other, |table| {
                if let Some(place) = table.referenced_by.iter().position(|table| *table == id) {
                    table.referenced_by.swap_remove(place);
                }
            });
        }
    }

    fn drop_references(&mut self, from: Id, to: Id) {
        self.schema.change_table(from, |table| {
            let refers = |kind: &ConstraintKind| matches!(kind, ConstraintKind::ForeignKey { table: Some(t), .. } if *t == to);
            table.constraints.retain(|constraint| !refers(&constraint.kind));
        });
    }

    /// The sequences that go with a table, or with one of its columns.
    pub(super) fn sequences(&self, id: Id, column: Option<&str>) -> Vec<Id> {
        let Some(table) = self.schema.entry(id).and_then(|entry| entry.object.as_table()) else {
            return Vec::new();
        };
        let owned = table.sequences.iter().copied();
        let of_column =
            |sequence: &Id| match self.schema.entry(*sequence).map(|entry| &entry.object) {
                Some(Object::Sequence(sequence)) => {
                    let owner = sequence.owned_by.as_ref();
                    owner.is_some_and(|(_, owner)| column.is_none_or(|column| column == &**owner))
                }
                _ => false,
            };
        owned.filter(of_column).collect()
    }

    pub(super) fn drop_sequences(&mut self, id: Id, column: Option<&str>) {
        for sequence in self.sequences(id, column) {
            self.schema.remove(sequence);
            self.schema
                .change_table(id, |table| table.sequences.retain(|other| *other != sequence));
        }
    }

    pub(super) fn drop_column(&mut self, id: Id, column: &str) {
        self.drop_sequences(id, Some(column));
        let Some(table) = self.schema.entry(id).and_then(|entry| entry.object.as_table()) else {
            return;
        };
        let uses = |constraint: &&super::Constraint| {
            constraint.kind.columns().iter().any(|name| &**name == column)
        };
        let constraints: Vec<Box<str>> =
            table.constraints.iter().filter(uses).map(|c| c.name.clone()).collect();
        for constraint in constraints {
            self.drop_constraint(id, &constraint);
        }
        let indexes = self
            .schema
            .entry(id)
            .and_then(|entry| entry.object.as_table())
            .map(|table| table.indexes.clone());
        for index in indexes.unwrap_or_default() {
            let entry = self.schema.entry(index);
            let has_it = matches!(entry.map(|entry| &entry.object), Some(Object::Index(index)) if index.keys.iter().flatten().any(|key| &**key == column));
            if has_it {
                drop_quietly(self, index);
            }
        }
        self.schema.change_table(id, |table| table.columns.retain(|other| &*other.name != column));
    }

    pub(super) fn drop_constraint(&mut self, id: Id, name: &str) {
        if let Some(index) = self.index_named(id, name) {
            drop_quietly(self, index);
        }
        let mut gone = None;
        self.schema.change_table(id, |table| {
            if let Some(place) =
                table.constraints.iter().position(|constraint| &*constraint.name == name)
            {
                gone = Some(table.constraints.remove(place));
            }
        });
        if let Some(constraint) = gone {
            self.unreference(id, &constraint.kind);
        }
    }

    fn detach(&mut self, drop: &Drop, table: &Name) {
        let Some(id) = self.relation(ObjectKind::Table, table, Absence::of(drop.if_exists)) else {
            return;
        };
        for name in &drop.names {
            let mut found = false;
            self.schema.change(id, |entry| {
                let attached = match &mut entry.object {
                    Object::Table(table) => &mut table.attached,
                    Object::View(view) => &mut view.attached,
                    _ => return,
                };
                let before = attached.len();
                attached.retain(|other| other.kind != drop.kind || other.name != name.name);
                found = attached.len() < before;
            });
            if !found && !drop.if_exists && !self.has_hidden_triggers(id) {
                let thing = Thing::on(drop.kind, &name.name, table);
                self.clash(Clash::Missing { thing, similar: None });
            }
        }
    }

    /// A part has the triggers of the whole.
    fn has_hidden_triggers(&self, id: Id) -> bool {
        let table = self.schema.entry(id).and_then(|entry| entry.object.as_table());
        table.is_none_or(|table| table.parent.is_some() || table.has_more_constraints)
    }
}

fn drop_quietly(applying: &mut Applying<'_>, id: Id) {
    applying.remove(id);
}
