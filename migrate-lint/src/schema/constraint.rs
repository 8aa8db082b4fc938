//! Constraints and indexes: new ones, and the names that they get.

use super::Schema;
use super::apply::{Absence, Applying};
use super::clash::{Clash, Thing};
use super::naming::choose;
use super::object::{Constraint, ConstraintKind, Id, Index, Object, Space};
use crate::name::Name;
use crate::statement::{self, CreateIndex, ObjectKind};

impl Applying<'_> {
    /// A constraint, with the index that it brings along.
    pub(super) fn add_constraint(&mut self, id: Id, constraint: &statement::Constraint) {
        let Some((kind, using_index)) = self.understand(id, &constraint.kind) else { return };
        let Some(name) = self.constraint_name(id, constraint, &kind, using_index) else { return };
        let not_null: Vec<Box<str>> = match &kind {
            ConstraintKind::PrimaryKey { columns } => columns.clone(),
            ConstraintKind::NotNull { column } if !constraint.not_valid => vec![column.clone()],
            _ => Vec::new(),
        };
        let referenced = match &kind {
            ConstraintKind::ForeignKey { table, .. } => *table,
            _ => None,
        };
        if kind.has_index() {
            self.back_by_index(id, &name, kind.columns(), using_index);
        }
        let valid = !constraint.not_valid && !constraint.not_enforced;
        let added = Constraint { name, kind, valid, born: self.at };
        self.schema.change_table(id, |table| {
            table.constraints.push(added);
            for column in table.columns.iter_mut().filter(|column| not_null.contains(&column.name))
            {
                column.not_null = true;
            }
        });
        if let Some(referenced) = referenced {
            self.schema.change_table(referenced, |table| table.referenced_by.push(id));
        }
    }

    /// What the constraint demands, of things that are there; and the index that it takes over.
    fn understand(
        &mut self,
        id: Id,
        kind: &statement::ConstraintKind,
    ) -> Option<(ConstraintKind, Option<Id>)> {
        use statement::ConstraintKind as K;
        let index = |applying: &mut Self, using: &Option<Name>| {
            let using = using.as_ref()?;
            let schema = applying.schema.entry(id).map(|entry| entry.key.schema.clone())?;
            let name = using.schema.is_none().then(|| Name::qualified(&schema, &using.name));
            applying.relation(
                ObjectKind::Index,
                &name.unwrap_or_else(|| using.clone()),
                Absence::Clashes,
            )
        };
        Some(match kind {
            K::PrimaryKey { columns, using_index } => {
                let index = index(self, using_index);
                (ConstraintKind::PrimaryKey { columns: self.columns_of(id, columns, index) }, index)
            }
            K::Unique { columns, using_index } => {
                let index = index(self, using_index);
                (ConstraintKind::Unique { columns: self.columns_of(id, columns, index) }, index)
            }
            K::Check(expression) => (ConstraintKind::Check(expression.clone()), None),
            K::Exclude => (ConstraintKind::Exclude, None),
            K::NotNull { column } => {
                self.column(id, column)?;
                (ConstraintKind::NotNull { column: column.clone() }, None)
            }
            K::ForeignKey { columns, table, referenced } => {
                let columns = self.columns_of(id, columns, None);
                let table = self.relation(ObjectKind::Table, table, Absence::Clashes);
                let referenced =
                    table.map(|table| self.columns_of(table, referenced, None)).unwrap_or_default();
                (ConstraintKind::ForeignKey { columns, table, referenced }, None)
            }
        })
    }

    /// The columns that are named, all of which must be there; or those of the index.
    fn columns_of(&mut self, id: Id, named: &[Box<str>], index: Option<Id>) -> Vec<Box<str>> {
        let index = index.and_then(|index| self.schema.entry(index));
        if let Some(Object::Index(index)) = index.map(|entry| &entry.object) {
            return index.keys.iter().flatten().cloned().collect();
        }
        for column in named {
            self.column(id, column);
        }
        named.to_vec()
    }

    /// The place of a column, which must be there.
    pub(super) fn column(&mut self, id: Id, column: &str) -> Option<()> {
        let entry = self.schema.entry(id)?;
        let table = entry.object.as_table()?;
        let is_system = ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"].contains(&column);
        if is_system || table.column(column).is_some() {
            return Some(());
        }
        if !table.has_more_columns {
            let on = self.schema.shown(entry);
            let similar =
                migrate_core::nearest(column, table.columns.iter().map(|column| &*column.name));
            let similar = similar.map(ToOwned::to_owned);
            self.clash(Clash::Missing {
                thing: Thing::on(ObjectKind::Column, column, &on),
                similar,
            });
            self.schema.change_table(id, |table| table.has_more_columns = true);
        }
        None
    }

    fn constraint_name(
        &mut self,
        id: Id,
        constraint: &statement::Constraint,
        kind: &ConstraintKind,
        index: Option<Id>,
    ) -> Option<Box<str>> {
        let entry = self.schema.entry(id)?;
        let table = entry.object.as_table()?;
        let on = self.schema.shown(entry);
        if let Some(name) = &constraint.name {
            if let Some(old) = table.constraint(name) {
                let (thing, born) = (Thing::on(ObjectKind::Constraint, name, &on), old.born);
                self.clash(Clash::Exists { thing, born });
                return None;
            }
            return Some(name.clone());
        }
        if let Some(index) = index.and_then(|index| self.schema.entry(index)) {
            return Some(index.key.name.clone());
        }
        let (columns, label) = parts_of_name(kind);
        let columns: Vec<&str> = columns.iter().map(|column| &**column).collect();
        let in_schema = self.relation_names(&entry.key.schema);
        let is_taken =
            |name: &str| table.constraint(name).is_some() || (kind.has_index() && in_schema(name));
        Some(choose(&entry.key.name, &columns, label, is_taken))
    }

    fn back_by_index(&mut self, id: Id, name: &str, columns: &[Box<str>], existing: Option<Id>) {
        let Some(key) = self.schema.entry(id).map(|entry| entry.key.clone()) else { return };
        let key = super::Key { name: name.into(), ..key };
        if let Some(index) = existing {
            self.schema.rename(index, key);
            return self.schema.change(index, |entry| {
                if let Object::Index(index) = &mut entry.object {
                    index.of_constraint = true;
                }
            });
        }
        let keys = columns.iter().cloned().map(Some).collect();
        let uses = Vec::new();
        let index =
            Index { table: id, keys, uses, unique: true, partial: false, of_constraint: true };
        let index = self.schema.insert(key, self.at, Object::Index(index));
        self.schema.change_table(id, |table| table.indexes.push(index));
    }

    pub(super) fn create_index(&mut self, create: &CreateIndex) {
        let Some(id) = self.relation(ObjectKind::Table, &create.table, Absence::Clashes) else {
            let schema = create.table.schema.clone();
            let name = create.name.clone().map(|name| Name { schema, name });
            return self.schema.doubt_names(name.iter().map(|name| &name.name));
        };
        let Some(key) = self.schema.entry(id).map(|entry| entry.key.clone()) else { return };
        let name = match &create.name {
            Some(name) => name.clone(),
            None => {
                let columns: Vec<&str> = create.key_names.iter().map(|name| &**name).collect();
                choose(&key.name, &columns, "idx", self.relation_names(&key.schema))
            }
        };
        let full = Name::qualified(&key.schema, &name);
        if !self.is_free(Space::Relation, ObjectKind::Index, &full, create.if_not_exists) {
            return;
        }
        for column in create.keys.iter().flatten() {
            self.column(id, column);
        }
        let index = Index {
            table: id,
            keys: create.keys.clone(),
            uses: create.uses.clone(),
            unique: create.unique,
            partial: create.partial,
            of_constraint: false,
        };
        let index = self.schema.insert(super::Key { name, ..key }, self.at, Object::Index(index));
        self.schema.change(id, |entry| match &mut entry.object {
            Object::Table(table) => table.indexes.push(index),
            Object::View(view) => view.indexes.push(index),
            _ => {}
        });
    }
}

impl Schema {
    /// The name that a constraint has, or that PostgreSQL gives it; `None` where what is there is hidden.
    pub fn constraint_name(
        &self,
        table: &Name,
        constraint: &statement::Constraint,
    ) -> Option<Box<str>> {
        use statement::ConstraintKind as K;
        if let Some(name) = &constraint.name {
            return Some(name.clone());
        }
        let kind = match &constraint.kind {
            K::PrimaryKey { columns, .. } => {
                ConstraintKind::PrimaryKey { columns: columns.clone() }
            }
            K::Unique { columns, .. } => ConstraintKind::Unique { columns: columns.clone() },
            K::Check(expression) => ConstraintKind::Check(expression.clone()),
            K::ForeignKey { columns, .. } => ConstraintKind::ForeignKey {
                columns: columns.clone(),
                table: None,
                referenced: Vec::new(),
            },
            K::Exclude | K::NotNull { .. } => return None,
        };
        let (columns, label) = parts_of_name(&kind);
        let columns: Vec<&str> = columns.iter().map(|column| &**column).collect();
        self.free_name(table, &columns, label)
    }

    /// `table_columns_label`, the first of them that nothing has; `None` where what is there is hidden.
    pub fn free_name(&self, table: &Name, columns: &[&str], label: &str) -> Option<Box<str>> {
        let entry = self.relation(table).known()?;
        let known = entry.object.as_table().filter(|table| !table.has_more_constraints)?;
        let key = |name: &str| super::Key { name: name.into(), ..entry.key.clone() };
        let is_index = matches!(label, "pkey" | "key" | "idx");
        let is_taken = |name: &str| {
            known.constraint(name).is_some() || (is_index && self.names.contains_key(&key(name)))
        };
        Some(choose(&entry.key.name, columns, label, is_taken))
    }
}

/// What PostgreSQL makes the name of a constraint from.
fn parts_of_name(kind: &ConstraintKind) -> (&[Box<str>], &'static str) {
    match kind {
        ConstraintKind::PrimaryKey { .. } => (&[], "pkey"),
        ConstraintKind::Unique { columns } => (columns, "key"),
        ConstraintKind::ForeignKey { columns, .. } => (columns, "fkey"),
        ConstraintKind::NotNull { column } => (std::slice::from_ref(column), "not_null"),
        ConstraintKind::Exclude => (&[], "excl"),
        // It names the column if there is only one.
        ConstraintKind::Check(expression) => match &*expression.columns {
            [first, rest @ ..] if rest.iter().all(|column| column == first) => {
                (std::slice::from_ref(first), "check")
            }
            _ => (&[], "check"),
        },
    }
}
