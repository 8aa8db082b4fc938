//! `CREATE`: new things, but for constraints and indexes.

use super::apply::{Absence, Applying};
use super::clash::{Clash, Thing};
use super::naming::choose;
use super::object::{
    Attached, Column, Domain, Id, Object, Sequence, Space, Table, TableKind, View,
};
use crate::name::Name;
use crate::statement::{self, CreateTable, Generated, ObjectKind, Persistence, TypeKind};

impl Applying<'_> {
    pub(super) fn create_table(&mut self, create: &CreateTable) {
        let kind = if create.foreign { ObjectKind::ForeignTable } else { ObjectKind::Table };
        if !self.is_free(Space::Relation, kind, &create.name, create.if_not_exists) {
            return;
        }
        let hides = create.if_not_exists && self.schema.may_hide(Space::Relation, &create.name);
        let table = Table {
            kind: match (create.foreign, create.partitioned) {
                (true, _) => TableKind::Foreign,
                (false, true) => TableKind::Partitioned,
                (false, false) => TableKind::Plain,
            },
            persistence: create.persistence,
            has_more_columns: create.of_type || hides,
            has_more_constraints: !create.like.is_empty() || hides,
            ..Table::default()
        };
        let id = self.insert_relation(&create.name, create.persistence, Object::Table(table));
        let told = self.clashes.len();
        for other in create.partition_of.iter().chain(&create.inherits) {
            let parent = self.adopt(id, other);
            if let Some(parent) = parent.filter(|_| create.is_default) {
                self.schema.change_table(parent, |table| table.default_part = Some(id));
            }
        }
        for other in &create.like {
            self.copy_columns(id, other);
        }
        for column in &create.columns {
            self.add_column(id, column);
        }
        for constraint in &create.constraints {
            self.add_constraint(id, constraint);
        }
        // Perhaps it does nothing at all.
        if hides {
            self.clashes.truncate(told);
        }
    }

    pub(super) fn create_table_as(
        &mut self,
        name: &Name,
        if_not_exists: bool,
        persistence: Persistence,
    ) {
        if self.is_free(Space::Relation, ObjectKind::Table, name, if_not_exists) {
            let table = Table { persistence, has_more_columns: true, ..Table::default() };
            self.insert_relation(name, persistence, Object::Table(table));
        }
    }

    fn insert_relation(&mut self, name: &Name, persistence: Persistence, object: Object) -> Id {
        let mut key = self.schema.place(Space::Relation, name);
        if persistence == Persistence::Temporary {
            key.schema = super::TEMPORARY.into();
        }
        self.schema.insert(key, self.at, object)
    }

    /// Becomes a part of another table, with its columns.
    fn adopt(&mut self, id: Id, parent: &Name) -> Option<Id> {
        self.copy_columns(id, parent);
        let parent = self.schema.relation(parent).known()?.key.clone();
        let parent = self.schema.names.get(&parent).copied()?;
        self.schema.change_table(parent, |table| table.children.push(id));
        self.schema.change_table(id, |table| {
            table.parent = Some(parent);
            table.has_more_constraints = true;
        });
        Some(parent)
    }

    fn copy_columns(&mut self, id: Id, from: &Name) {
        let from = self.relation(ObjectKind::Table, from, Absence::Clashes);
        let table =
            from.and_then(|from| self.schema.entry(from)).and_then(|entry| entry.object.as_table());
        let (columns, more) = table
            .map_or((Vec::new(), true), |table| (table.columns.clone(), table.has_more_columns));
        let at = self.at;
        self.schema.change_table(id, |table| {
            table.columns.extend(columns.into_iter().map(|column| Column { born: at, ..column }));
            table.has_more_columns |= more;
        });
    }

    /// A column, with the sequence and the constraints that it brings along.
    pub(super) fn add_column(&mut self, id: Id, column: &statement::Column) {
        let serial = column.ty.as_ref().is_some_and(statement::Type::is_serial);
        let identity = column.generated == Some(Generated::Identity);
        let new = Column {
            name: column.name.clone(),
            ty: column.ty.clone(),
            not_null: column.not_null || serial || identity,
            default: column.default.as_ref().map(|default| default.text.clone()),
            generated: column.generated,
            born: self.at,
        };
        // A part or an heir says more about a column that it has already.
        self.schema.change_table(id, |table| {
            match table.columns.iter_mut().find(|old| old.name == new.name) {
                Some(old) => {
                    old.not_null |= new.not_null;
                    old.default = new.default.or(old.default.take());
                }
                None => table.columns.push(new),
            }
        });
        if serial || identity {
            self.add_sequence(id, &column.name);
        }
        for constraint in &column.constraints {
            self.add_constraint(id, constraint);
        }
    }

    pub(super) fn add_sequence(&mut self, id: Id, column: &str) {
        let Some(key) = self.schema.entry(id).map(|entry| entry.key.clone()) else { return };
        let name = choose(&key.name, &[column], "seq", self.relation_names(&key.schema));
        let sequence = Sequence { owned_by: Some((id, column.into())) };
        let sequence =
            self.schema.insert(super::Key { name, ..key }, self.at, Object::Sequence(sequence));
        self.schema.change_table(id, |table| table.sequences.push(sequence));
    }

    pub(super) fn create_view(&mut self, create: &statement::CreateView) {
        let kind =
            if create.materialized { ObjectKind::MaterializedView } else { ObjectKind::View };
        let key = self.schema.place(Space::Relation, &create.name);
        let replaced = self.schema.names.get(&key).copied().filter(|_| create.or_replace);
        let is_view = |id: &Id| {
            matches!(self.schema.entry(*id).map(|entry| &entry.object), Some(Object::View(_)))
        };
        if let Some(view) = replaced.filter(is_view) {
            return self.read_by(view);
        }
        if self.is_free(Space::Relation, kind, &create.name, create.if_not_exists) {
            let view = View { materialized: create.materialized, ..View::default() };
            let persistence =
                if create.temporary { Persistence::Temporary } else { Persistence::Permanent };
            let view = self.insert_relation(&create.name, persistence, Object::View(view));
            self.read_by(view);
        }
    }

    /// What the query of a view reads cannot go without it.
    fn read_by(&mut self, view: Id) {
        let mut reads = std::mem::take(&mut self.reads);
        reads.sort_unstable();
        reads.dedup();
        self.forget_reads_of(view);
        for read in &reads {
            self.schema.change_readers(*read, |readers| readers.push(view));
        }
        self.schema.change(view, |entry| {
            if let Object::View(view) = &mut entry.object {
                view.reads = reads;
            }
        });
    }

    fn forget_reads_of(&mut self, view: Id) {
        let reads = match self.schema.entry(view).map(|entry| &entry.object) {
            Some(Object::View(view)) => view.reads.clone(),
            _ => return,
        };
        for read in reads {
            self.schema.change_readers(read, |readers| readers.retain(|other| *other != view));
        }
    }

    pub(super) fn create_type(&mut self, create: &statement::CreateType) {
        let object = match &create.kind {
            TypeKind::Enum(values) => Object::Enum(values.clone()),
            TypeKind::Composite | TypeKind::Other => Object::Type,
        };
        // A shell type is made twice.
        let may_be_shell = create.kind == TypeKind::Other;
        if self.is_free(Space::Type, ObjectKind::Type, &create.name, may_be_shell) {
            let key = self.schema.place(Space::Type, &create.name);
            self.schema.insert(key, self.at, object);
        }
    }

    pub(super) fn create_domain(&mut self, create: &statement::CreateDomain) {
        if self.is_free(Space::Type, ObjectKind::Domain, &create.name, false) {
            let names = create.constraints.iter().filter_map(|constraint| constraint.name.clone());
            let domain = Domain {
                base: create.base.clone(),
                constrained: create.not_null || !create.constraints.is_empty(),
                constraints: names.map(|name| (name, true)).collect(),
            };
            let key = self.schema.place(Space::Type, &create.name);
            self.schema.insert(key, self.at, Object::Domain(domain));
        }
    }

    pub(super) fn create_sequence(&mut self, create: &statement::CreateSequence) {
        if self.is_free(Space::Relation, ObjectKind::Sequence, &create.name, create.if_not_exists) {
            let owner = create.owned_by.as_ref();
            let owner = owner.and_then(|(table, column)| {
                Some((self.relation(ObjectKind::Table, table, Absence::Clashes)?, column.clone()))
            });
            let persistence =
                if create.temporary { Persistence::Temporary } else { Persistence::Permanent };
            let table = owner.as_ref().map(|(table, _)| *table);
            let sequence = Object::Sequence(Sequence { owned_by: owner });
            let sequence = self.insert_relation(&create.name, persistence, sequence);
            if let Some(table) = table {
                self.schema.change_table(table, |table| table.sequences.push(sequence));
            }
        }
    }

    /// From now on it goes when the column does.
    pub(super) fn own_sequence(
        &mut self,
        name: &Name,
        owner: Option<&(Name, Box<str>)>,
        absence: Absence,
    ) {
        let Some(id) = self.relation(ObjectKind::Sequence, name, absence) else { return };
        let owner = owner.and_then(|(table, column)| {
            Some((self.relation(ObjectKind::Table, table, Absence::Clashes)?, column.clone()))
        });
        let table = owner.as_ref().map(|(table, _)| *table);
        self.schema.change(id, |entry| {
            if let Object::Sequence(sequence) = &mut entry.object {
                sequence.owned_by = owner;
            }
        });
        if let Some(table) = table {
            self.schema.change_table(table, |table| table.sequences.push(id));
        }
    }

    pub(super) fn create_trigger(&mut self, create: &statement::CreateTrigger) {
        if let Some(function) = create.function.as_ref().filter(|_| !self.schema.has_extension()) {
            let is_ours = |name: &Name| !BUILT_IN_TRIGGERS.contains(&&*name.name);
            if is_ours(function) {
                self.expect(Space::Routine, ObjectKind::Function, function, Absence::Clashes);
            }
        }
        let function = create.function.as_ref().map(|function| function.name.clone());
        self.attach(ObjectKind::Trigger, &create.name, &create.table, create.or_replace, function);
    }

    /// Something that has its name on a table only.
    pub(super) fn attach(
        &mut self,
        kind: ObjectKind,
        name: &str,
        table: &Name,
        or_replace: bool,
        function: Option<Box<str>>,
    ) {
        let Some(id) = self.relation(ObjectKind::Table, table, Absence::Clashes) else { return };
        let new = Attached { kind, name: name.into(), function };
        let (mut exists, mut certain) = (false, true);
        self.schema.change(id, |entry| {
            let attached = match &mut entry.object {
                Object::Table(table) => {
                    certain = !table.has_more_attached;
                    &mut table.attached
                }
                Object::View(view) => &mut view.attached,
                _ => return,
            };
            let mut old = attached.iter_mut();
            match old.find(|old| old.kind == new.kind && old.name == new.name) {
                Some(old) => {
                    exists = true;
                    *old = new;
                }
                None => attached.push(new),
            }
        });
        if exists && certain && !or_replace {
            let born = self.schema.entry(id).map(|entry| entry.born).unwrap_or_default();
            self.clash(Clash::Exists { thing: Thing::on(kind, name, table), born });
        }
    }
}

/// Trigger functions that every server has.
const BUILT_IN_TRIGGERS: [&str; 4] = [
    "suppress_redundant_updates_trigger",
    "tsvector_update_trigger",
    "tsvector_update_trigger_column",
    "unique_key_recheck",
];
