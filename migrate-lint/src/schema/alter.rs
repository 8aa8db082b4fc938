//! `ALTER`: tables change, things get other names.

use super::apply::{Absence, Applying};
use super::clash::{Clash, Thing};
use super::object::{ConstraintKind, Id, Object, Space, Table};
use crate::name::Name;
use crate::statement::{AlterTable, Change, Generated, ObjectKind};

impl Applying<'_> {
    pub(super) fn alter_table(&mut self, alter: &AlterTable) {
        let Some(id) = self.relation(alter.kind, &alter.name, Absence::of(alter.if_exists)) else {
            return;
        };
        // The server does not go by the order of the text either.
        let mut changes: Vec<&Change> = alter.changes.iter().collect();
        changes.sort_by_key(|change| pass(change));
        for change in changes {
            self.change(id, alter, change);
        }
    }

    fn change(&mut self, id: Id, alter: &AlterTable, change: &Change) {
        match change {
            Change::AddColumn { column, if_not_exists } => {
                if self.column_is_free(id, &column.name, *if_not_exists) {
                    self.add_column(id, column);
                }
            }
            Change::DropColumn { column, if_exists, .. } => {
                if self.has_column(id, column, Absence::of(*if_exists)) {
                    self.drop_column(id, column);
                }
            }
            Change::RenameColumn { from, to } => self.rename_column(id, from, to),
            Change::AlterType { column, ty, .. } => {
                self.change_column(id, column, |column| column.ty = Some(ty.clone()));
            }
            Change::SetNotNull { column } => {
                self.change_column(id, column, |column| column.not_null = true)
            }
            Change::DropNotNull { column } => {
                self.change_column(id, column, |column| column.not_null = false)
            }
            Change::SetDefault { column, default } => {
                self.change_column(id, column, |column| {
                    column.default = Some(default.text.clone())
                });
            }
            Change::DropDefault { column } => {
                self.change_column(id, column, |column| column.default = None)
            }
            Change::AddIdentity { column } => {
                self.change_column(id, column, |column| {
                    column.generated = Some(Generated::Identity)
                });
                self.add_sequence(id, column);
            }
            Change::DropIdentity { column } | Change::DropExpression { column } => {
                self.drop_sequences(id, Some(column));
                self.change_column(id, column, |column| column.generated = None);
            }
            Change::SetExpression { column } | Change::ColumnSetting { column, .. } => {
                self.change_column(id, column, |_| {});
            }
            Change::AttachPartition { partition, is_default } => {
                self.attach_partition(id, partition, *is_default);
            }
            Change::DetachPartition { partition, .. } => self.detach_partition(id, partition),
            Change::Inherit { parent } | Change::NoInherit { parent } => {
                self.relation(ObjectKind::Table, parent, Absence::Clashes);
            }
            constraint => self.change_constraint(id, &alter.name, constraint),
        }
    }

    fn change_constraint(&mut self, id: Id, table: &Name, change: &Change) {
        match change {
            Change::AddConstraint(constraint) => self.add_constraint(id, constraint),
            Change::DropConstraint { name, if_exists, .. }
                if self.has_constraint(id, table, name, Absence::of(*if_exists)) =>
            {
                self.drop_constraint(id, name);
            }
            Change::RenameConstraint { from, to } => self.rename_constraint(id, table, from, to),
            Change::ValidateConstraint { name }
                if self.has_constraint(id, table, name, Absence::Clashes) =>
            {
                self.schema.change_table(id, |table| {
                    let validated = table.constraints.iter_mut().find(|c| c.name == *name);
                    let Some(constraint) = validated else { return };
                    constraint.valid = true;
                    if let ConstraintKind::NotNull { column } = &constraint.kind {
                        let column = table.columns.iter_mut().find(|known| known.name == *column);
                        column.into_iter().for_each(|column| column.not_null = true);
                    }
                });
            }
            Change::AlterConstraint { name, enforced }
                if self.has_constraint(id, table, name, Absence::Clashes) =>
            {
                self.schema.change_table(id, |table| {
                    for constraint in table.constraints.iter_mut().filter(|c| c.name == *name) {
                        constraint.valid = enforced.unwrap_or(constraint.valid);
                    }
                });
            }
            _ => {}
        }
    }

    fn as_table(&self, id: Id) -> Option<&Table> {
        self.schema.entry(id)?.object.as_table()
    }

    fn column_is_free(&mut self, id: Id, column: &str, if_not_exists: bool) -> bool {
        let Some(entry) = self.schema.entry(id) else { return false };
        let old = entry.object.as_table().and_then(|table| table.column(column));
        let Some(old) = old else { return true };
        if !if_not_exists {
            let (thing, born) =
                (Thing::on(ObjectKind::Column, column, &self.schema.shown(entry)), old.born);
            self.clash(Clash::Exists { thing, born });
        }
        false
    }

    fn has_column(&mut self, id: Id, column: &str, absence: Absence) -> bool {
        if absence == Absence::Clashes {
            return self.column(id, column).is_some();
        }
        self.as_table(id).is_some_and(|table| table.column(column).is_some())
    }

    fn change_column(&mut self, id: Id, name: &str, change: impl FnOnce(&mut super::Column)) {
        if self.column(id, name).is_some() {
            self.schema.change_table(id, |table| {
                if let Some(column) = table.columns.iter_mut().find(|column| &*column.name == name)
                {
                    change(column);
                }
            });
        }
    }

    fn rename_column(&mut self, id: Id, from: &str, to: &str) {
        // Of a view the columns are not known.
        if self.as_table(id).is_none()
            || self.column(id, from).is_none()
            || !self.column_is_free(id, to, false)
        {
            return;
        }
        let rename = |name: &mut Box<str>| {
            if &**name == from {
                *name = to.into();
            }
        };
        self.schema.change_table(id, |table| {
            table.columns.iter_mut().for_each(|column| rename(&mut column.name));
            for constraint in &mut table.constraints {
                match &mut constraint.kind {
                    ConstraintKind::PrimaryKey { columns }
                    | ConstraintKind::Unique { columns }
                    | ConstraintKind::ForeignKey { columns, .. } => {
                        columns.iter_mut().for_each(rename)
                    }
                    ConstraintKind::Check(expression) => {
                        expression.columns.iter_mut().for_each(rename);
                        expression.not_null.iter_mut().for_each(rename);
                    }
                    ConstraintKind::NotNull { column } => rename(column),
                    ConstraintKind::Exclude => {}
                }
            }
        });
        let indexes = self.as_table(id).map(|table| table.indexes.clone()).unwrap_or_default();
        for index in indexes {
            self.schema.change(index, |entry| {
                if let Object::Index(index) = &mut entry.object {
                    index.keys.iter_mut().flatten().for_each(rename);
                    index.uses.iter_mut().for_each(rename);
                }
            });
        }
    }

    fn has_constraint(&mut self, id: Id, table: &Name, name: &str, absence: Absence) -> bool {
        let Some(known) = self.as_table(id) else { return false };
        if known.constraint(name).is_some() {
            return true;
        }
        if absence == Absence::Clashes
            && !known.has_more_constraints
            && !self.is_not_null_of_18(known, name)
        {
            let similar = migrate_core::nearest(
                name,
                known.constraints.iter().map(|constraint| &*constraint.name),
            );
            let similar = similar.map(ToOwned::to_owned);
            self.clash(Clash::Missing {
                thing: Thing::on(ObjectKind::Constraint, name, table),
                similar,
            });
            self.schema.change_table(id, |table| table.has_more_constraints = true);
        }
        false
    }

    /// Since PostgreSQL 18 every `NOT NULL` is a constraint with a name.
    fn is_not_null_of_18(&self, table: &Table, name: &str) -> bool {
        let not_null = table.columns.iter().filter(|column| column.not_null);
        not_null.into_iter().any(|column| name.contains(&*column.name))
            && name.ends_with("not_null")
    }

    fn rename_constraint(&mut self, id: Id, table: &Name, from: &str, to: &str) {
        if !self.has_constraint(id, table, from, Absence::Clashes) {
            return;
        }
        let mut has_index = false;
        self.schema.change_table(id, |table| {
            for constraint in
                table.constraints.iter_mut().filter(|constraint| &*constraint.name == from)
            {
                constraint.name = to.into();
                has_index = constraint.kind.has_index();
            }
        });
        if has_index && let Some(index) = self.index_named(id, from) {
            self.rename_in_place(index, to);
        }
    }

    pub(super) fn index_named(&self, id: Id, name: &str) -> Option<Id> {
        let mut indexes = self.as_table(id)?.indexes.iter().copied();
        indexes
            .find(|index| self.schema.entry(*index).is_some_and(|entry| &*entry.key.name == name))
    }

    fn attach_partition(&mut self, id: Id, partition: &Name, is_default: bool) {
        let Some(part) = self.relation(ObjectKind::Table, partition, Absence::Clashes) else {
            return;
        };
        self.schema.change_table(part, |table| {
            table.parent = Some(id);
            table.has_more_constraints = true;
        });
        self.schema.change_table(id, |table| {
            table.children.retain(|child| *child != part);
            table.children.push(part);
            if is_default {
                table.default_part = Some(part);
            }
        });
    }

    fn detach_partition(&mut self, id: Id, partition: &Name) {
        let Some(part) = self.relation(ObjectKind::Table, partition, Absence::Clashes) else {
            return;
        };
        self.schema.change_table(part, |table| {
            table.parent = None;
            table.has_more_constraints = true;
        });
        self.schema.change_table(id, |table| {
            table.children.retain(|child| *child != part);
            table.default_part = table.default_part.filter(|default| *default != part);
        });
    }

    pub(super) fn rename(&mut self, kind: ObjectKind, name: &Name, to: &str, absence: Absence) {
        let Some(space) = space(kind) else { return };
        match self.expect(space, kind, name, absence) {
            Some(id) => {
                self.rename_in_place(id, to);
                if space == Space::Schema {
                    self.rename_schema(&name.name, to);
                }
            }
            None => self.schema.doubt_names([&to.into()]),
        }
    }

    fn rename_in_place(&mut self, id: Id, to: &str) {
        let Some(key) = self.schema.entry(id).map(|entry| entry.key.clone()) else { return };
        self.schema.rename(id, super::Key { name: to.into(), ..key });
        self.rename_constraint_of(id, to);
    }

    /// The constraint that an index is part of has its name.
    fn rename_constraint_of(&mut self, id: Id, to: &str) {
        let Some(Object::Index(index)) = self.schema.entry(id).map(|entry| &entry.object) else {
            return;
        };
        if !index.of_constraint {
            return;
        }
        let (table, keys) = (index.table, index.keys.clone());
        self.schema.change_table(table, |table| {
            let is_same = |constraint: &&mut super::Constraint| {
                constraint.kind.has_index()
                    && constraint.kind.columns().iter().eq(keys.iter().flatten())
            };
            if let Some(constraint) = table.constraints.iter_mut().find(is_same) {
                constraint.name = to.into();
            }
        });
    }

    fn rename_schema(&mut self, from: &str, to: &str) {
        for id in self.inhabitants(from) {
            self.change_schema_of(id, to);
        }
    }

    fn change_schema_of(&mut self, id: Id, to: &str) {
        let Some(key) = self.schema.entry(id).map(|entry| entry.key.clone()) else { return };
        self.schema.rename(id, super::Key { schema: to.into(), ..key });
    }

    pub(super) fn move_to(&mut self, kind: ObjectKind, name: &Name, to: &str, absence: Absence) {
        let Some(space) = space(kind) else { return };
        let Some(id) = self.expect(space, kind, name, absence) else { return };
        let table = self.as_table(id);
        let indexes = table.map(|table| table.indexes.clone()).unwrap_or_default();
        for moved in indexes.into_iter().chain(self.sequences(id, None)).chain([id]) {
            self.change_schema_of(moved, to);
        }
    }
}

/// In which order the server does what one `ALTER TABLE` says.
fn pass(change: &Change) -> u8 {
    match change {
        Change::DropColumn { .. } | Change::DropConstraint { .. } => 0,
        Change::AlterType { .. } => 1,
        Change::AddColumn { .. } => 2,
        Change::AddConstraint(_) => 4,
        _ => 3,
    }
}

/// Among what a kind of thing has its name.
pub(super) fn space(kind: ObjectKind) -> Option<Space> {
    use ObjectKind as K;
    Some(match kind {
        _ if kind.is_relation() => Space::Relation,
        K::Type | K::Domain => Space::Type,
        K::Function | K::Procedure | K::Routine | K::Aggregate => Space::Routine,
        K::Schema => Space::Schema,
        K::Extension => Space::Extension,
        _ => return None,
    })
}
