//! `DROP`: things go, and what depends on them with them.

use super::alter::space;
use super::apply::{Absence, Applying};
use super::clash::{Clash, Thing};
use super::object::{ConstraintKind, Id, Key, Object, Space};
use super::{PUBLIC, TEMPORARY};
use crate::name::Name;
use crate::statement::{Drop, ObjectKind};

impl Applying<'_> {
    pub(super) fn drop(&mut self, drop: &Drop) {
        if let Some(table) = &drop.table {
            return self.detach(drop, table);
        }
        let Some(space) = space(drop.kind) else { return };
        let find = |name| match space {
            // Which functions are there, their parameters tell, and extensions bring more.
            Space::Routine => self.drop_routine(drop, name),
            Space::Extension => self.drop_extension(drop, name),
            _ => self.expect(space, drop.kind, name, Absence::of(drop.if_exists)),
        };
        // All are looked for before the first goes, which may take another along.
        let found: Vec<Option<Id>> = drop.names.iter().map(find).collect();
        for (name, known) in drop.names.iter().zip(found) {
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
        let tables = self.tables_with_trigger(id);
        if !tables.is_empty() && !drop.cascade {
            let by = tables.iter().filter_map(|id| self.describe(*id));
            let by = by.map(|table| format!("a trigger of the {table}")).collect();
            self.clash(Clash::Needed { thing: Thing::new(drop.kind, name), by });
            return None;
        }
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

    /// The tables whose triggers call a function, where only that one can be meant.
    fn tables_with_trigger(&self, function: Id) -> Vec<Id> {
        let Some(entry) = self.schema.entry(function) else { return Vec::new() };
        let name = &entry.key.name;
        let is_namesake = |key: &&Key| key.space == Space::Routine && key.name == *name;
        let is_only = self.schema.names.keys().filter(is_namesake).count() == 1;
        match &entry.object {
            Object::Routine(routine) if routine.of_trigger && routine.count == 1 && is_only => {
                let mut tables = self.tables_that_call(name);
                tables.retain(|id| self.is_certain(*id));
                tables
            }
            _ => Vec::new(),
        }
    }

    fn is_certain(&self, id: Id) -> bool {
        self.schema.entry(id).is_some_and(|entry| self.schema.is_certain(entry))
    }

    fn is_temporary(&self, id: Id) -> bool {
        self.schema.entry(id).is_some_and(|entry| &*entry.key.schema == TEMPORARY)
    }

    fn tables_that_call(&self, function: &str) -> Vec<Id> {
        let calls = |id: &Id| {
            let table = self.schema.entry(*id).and_then(|entry| entry.object.as_table());
            table.is_some_and(|table| {
                table.attached.iter().any(|a| a.function.as_deref() == Some(function))
            })
        };
        let mut tables: Vec<Id> =
            self.schema.names.values().copied().filter(|id| calls(id)).collect();
        tables.sort_unstable();
        tables
    }

    fn drop_triggers_of(&mut self, function: &str) {
        for id in self.tables_that_call(function) {
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
        if key.space == Space::Type {
            self.drop_columns_of(&key.name);
        }
        self.remove(id);
    }

    /// Who keeps it from being dropped, and stays.
    fn needed_by(&self, id: Id, drop: &Drop) -> Vec<String> {
        let Some(entry) = self.schema.entry(id) else { return Vec::new() };
        let users: Vec<Id> = match &entry.object {
            Object::Schema => self.inhabitants(&entry.key.name).into_iter().collect(),
            Object::Table(table) => {
                table.referenced_by.iter().chain(&table.read_by).copied().collect()
            }
            Object::View(view) => view.read_by.clone(),
            Object::Enum(_) | Object::Domain(_) => self.tables_of_type(&entry.key),
            Object::Index(index) if index.of_constraint => {
                return vec![format!("the constraint `{}`", entry.key.name)];
            }
            _ => Vec::new(),
        };
        let goes_too = |other: &Id| {
            let entry = self.schema.entry(*other);
            entry.is_none_or(|entry| drop.names.iter().any(|name| name.name == entry.key.name))
        };
        let stays = users.iter().filter(|user| **user != id && !goes_too(user));
        // A temporary one of another session is gone.
        let certain = stays.filter(|user| self.is_certain(**user) && !self.is_temporary(**user));
        let mut names: Vec<String> = certain.filter_map(|user| self.describe(*user)).collect();
        names.sort();
        names.dedup();
        names
    }

    /// With a type go the columns that are of it.
    fn drop_columns_of(&mut self, ty: &str) {
        let is_it = |column: &&super::Column| {
            column.ty.as_ref().is_some_and(|column| &*column.name.name == ty)
        };
        let mut found = Vec::new();
        for id in self.schema.names.values() {
            let table = self.schema.entry(*id).and_then(|entry| entry.object.as_table());
            let columns = table.iter().flat_map(|table| &table.columns).filter(is_it);
            found.extend(columns.map(|column| (*id, column.name.clone())));
        }
        for (id, column) in found {
            self.drop_column(id, &column);
        }
    }

    /// The tables with a column of the type, where its name can mean no other one.
    fn tables_of_type(&self, key: &Key) -> Vec<Id> {
        let is_it = |column: &super::Column| {
            let name = column.ty.as_ref().map(|ty| &ty.name);
            name.is_some_and(|name| match &name.schema {
                Some(schema) => name.name == key.name && *schema == key.schema,
                None => name.name == key.name && &*key.schema == PUBLIC,
            })
        };
        let has_it = |id: &Id| {
            let table = self.schema.entry(*id).and_then(|entry| entry.object.as_table());
            table.is_some_and(|table| table.columns.iter().any(is_it))
        };
        self.schema.names.values().copied().filter(has_it).collect()
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
                table.read_by.iter().for_each(|view| self.remove(*view));
                if let Some(parent) = table.parent {
                    self.schema
                        .change_table(parent, |table| table.children.retain(|child| *child != id));
                }
            }
            Object::View(view) => {
                view.indexes.iter().for_each(|index| drop_quietly(self, *index));
                view.read_by.iter().for_each(|view| self.remove(*view));
            }
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
        table.is_none_or(|table| {
            table.parent.is_some() || table.has_more_constraints || table.has_more_attached
        })
    }
}

fn drop_quietly(applying: &mut Applying<'_>, id: Id) {
    applying.remove(id);
}
