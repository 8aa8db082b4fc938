//! One statement more.
//!
//! The only `match` on what a statement does that changes a schema.

use std::collections::HashSet;

use super::builtin;
use super::clash::{Clash, Thing};
use super::object::{Birth, Id, Object, Routine, Space};
use super::{Found, PUBLIC, Schema};
use crate::name::Name;
use crate::statement::{
    Action, AlterDomain, AlterEnum, CreateRoutine, ObjectKind, Setting, Statement,
};

/// A statement while it is applied.
pub(super) struct Applying<'s> {
    pub(super) schema: &'s mut Schema,
    pub(super) at: Birth,
    /// What its queries read, as far as that is there for certain.
    pub(super) reads: Vec<Id>,
    pub(super) clashes: Vec<Clash>,
}

impl Schema {
    /// Does what the statement does, and tells why it would fail. What is reported once is in doubt from then on, so
    /// that one mistake does not become ten.
    pub fn apply(&mut self, statement: &Statement, at: Birth) -> Vec<Clash> {
        let mut applying = Applying { schema: self, at, reads: Vec::new(), clashes: Vec::new() };
        applying.read(&statement.reads, Absence::Clashes);
        applying.action(&statement.action);
        let calls = &statement.calls;
        let clashes = applying.clashes;
        self.call(calls, &statement.action);
        clashes
    }

    /// What is behind a function that a query calls.
    fn call(&mut self, functions: &[Name], action: &Action) {
        // A view or a default calls nothing now.
        if !matches!(action, Action::Data(_)) {
            return;
        }
        for function in functions {
            match self.find(Space::Routine, function) {
                Found::Known(entry) => {
                    if matches!(
                        &entry.object,
                        Object::Routine(Routine { changes_schema: true, .. })
                    ) {
                        self.doubt_everything();
                    }
                }
                _ if &*function.name == "set_config" => self.session.path_is_hidden = true,
                _ if builtin::may_change_a_schema(function) => self.doubt_everything(),
                _ => {}
            }
        }
    }
}

/// What it means that something is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Absence {
    /// The statement fails.
    Clashes,
    /// The statement says `IF EXISTS`.
    IsFine,
}

impl Absence {
    pub(super) fn of(if_exists: bool) -> Self {
        if if_exists { Self::IsFine } else { Self::Clashes }
    }
}

impl Applying<'_> {
    /// What the queries of the statement read.
    fn read(&mut self, names: &[Name], absence: Absence) {
        let found = names.iter().filter_map(|name| self.relation(ObjectKind::Table, name, absence));
        self.reads = found.collect();
    }

    fn action(&mut self, action: &Action) {
        match action {
            Action::Unknown | Action::TooDeep | Action::Call(_) => self.schema.doubt_everything(),
            Action::Do { dynamic: true, .. } => self.schema.doubt_everything(),
            Action::Do { words, .. } => self.run_body(words),
            Action::CreateTable(table) => self.create_table(table),
            Action::CreateTableAs { name, if_not_exists, persistence } => {
                self.create_table_as(name, *if_not_exists, *persistence);
            }
            Action::AlterTable(alter) => self.alter_table(alter),
            Action::CreateIndex(index) => self.create_index(index),
            Action::CreateView(view) => self.create_view(view),
            Action::CreateType(created) => self.create_type(created),
            Action::CreateDomain(domain) => self.create_domain(domain),
            Action::CreateSequence(sequence) => self.create_sequence(sequence),
            Action::CreateRoutine(routine) => self.create_routine(routine),
            Action::CreateTrigger(trigger) => self.create_trigger(trigger),
            Action::CreateOnTable { kind, name, table, or_replace } => {
                self.attach(*kind, name, table, *or_replace, None);
            }
            Action::CreateSchema { name, if_not_exists, elements } => {
                self.create_schema(name.as_deref(), *if_not_exists, elements);
            }
            Action::CreateExtension { name, if_not_exists } => {
                self.create_extension(name, *if_not_exists)
            }
            Action::AlterEnum(alter) => self.alter_enum(alter),
            Action::AlterDomain { name, change } => self.alter_domain(name, change),
            Action::Drop(drop) => self.drop(drop),
            Action::Rename { kind, name, to, if_exists } => {
                self.rename(*kind, name, to, Absence::of(*if_exists))
            }
            Action::Move { kind, name, schema, if_exists } => {
                self.move_to(*kind, name, schema, Absence::of(*if_exists));
            }
            Action::OwnSequence { name, owner, if_exists } => {
                self.own_sequence(name, owner.as_ref(), Absence::of(*if_exists));
            }
            Action::Setting(setting) => self.set(setting),
            other => self.touch(other),
        }
    }

    /// Statements that only need their relations to be there.
    fn touch(&mut self, action: &Action) {
        use crate::statement::Maintenance as M;
        let (names, absence) = match action {
            Action::Alter { kind, name, if_exists, .. }
                if kind.is_relation() || kind.is_on_table() =>
            {
                (vec![name], Absence::of(*if_exists))
            }
            Action::Data(writes) => {
                (writes.iter().map(|write| &write.table).collect(), Absence::Clashes)
            }
            Action::Truncate { tables, .. } | Action::Beside(tables) => {
                (tables.iter().collect(), Absence::Clashes)
            }
            Action::Privileges { relations, .. } => (relations.iter().collect(), Absence::Clashes),
            Action::Comment { name: Some(name), .. } => (vec![name], Absence::Clashes),
            Action::Maintenance(
                M::Vacuum { tables, .. } | M::Analyze { tables } | M::Lock { tables, .. },
            ) => (tables.iter().collect(), Absence::Clashes),
            Action::Maintenance(
                M::Cluster { table: Some(name) } | M::Refresh { view: name, .. },
            ) => (vec![name], Absence::Clashes),
            _ => return,
        };
        for name in names {
            let id = self.relation(ObjectKind::Table, name, absence);
            let migration = self.at.migration;
            match (id, action) {
                (Some(id), Action::Truncate { .. }) => {
                    self.schema.change_table(id, |table| table.emptied = migration);
                }
                // It may have another name now.
                (Some(id), Action::Alter { kind, .. }) if kind.is_on_table() => {
                    self.schema.change_table(id, |table| table.has_more_attached = true);
                }
                _ => {}
            }
        }
    }

    /// What a relation is there for certain.
    pub(super) fn relation(
        &mut self,
        kind: ObjectKind,
        name: &Name,
        absence: Absence,
    ) -> Option<Id> {
        self.expect(Space::Relation, kind, name, absence)
    }

    pub(super) fn expect(
        &mut self,
        space: Space,
        kind: ObjectKind,
        name: &Name,
        absence: Absence,
    ) -> Option<Id> {
        match self.schema.find(space, name) {
            Found::Known(entry) => {
                let key = entry.key.clone();
                return self.schema.names.get(&key).copied();
            }
            Found::Missing if absence == Absence::Clashes => {
                let similar = self.similar(space, &name.name);
                self.clash(Clash::Missing { thing: Thing::new(kind, name), similar });
                self.schema.doubt_names([&name.name]);
            }
            Found::Missing | Found::Unknown => {}
        }
        None
    }

    pub(super) fn clash(&mut self, clash: Clash) {
        self.clashes.push(clash);
    }

    /// A name that somebody may have meant.
    fn similar(&self, space: Space, name: &str) -> Option<String> {
        let known = self.schema.names.keys().filter(|key| key.space == space).map(|key| &*key.name);
        // In another schema the same name is not misspelt.
        let known = known.filter(|known| *known != name);
        migrate_core::nearest(name, known).map(ToOwned::to_owned)
    }

    /// Is the name free? If not, tells so, unless the statement says that it does not mind.
    pub(super) fn is_free(
        &mut self,
        space: Space,
        kind: ObjectKind,
        name: &Name,
        if_not_exists: bool,
    ) -> bool {
        let key = self.schema.place(space, name);
        let Some(id) = self.schema.names.get(&key).copied() else { return true };
        let Some(entry) = self.schema.entry(id) else { return true };
        if !self.schema.is_certain(entry) {
            self.schema.remove(id);
            return true;
        }
        if !if_not_exists {
            let thing = Thing::new(
                if entry.object.kind() == kind { kind } else { entry.object.kind() },
                name,
            );
            let born = entry.born;
            self.clash(Clash::Exists { thing, born });
        }
        false
    }

    /// A body without statements made of text touches at most what it names; one that calls a function of ours, more.
    fn run_body(&mut self, words: &[Box<str>]) {
        let calls_ours = |word: &str| {
            let entry = self.schema.find(Space::Routine, &Name::bare(word)).known();
            entry.is_some_and(|entry| {
                matches!(&entry.object, Object::Routine(Routine { changes_schema: true, .. }))
            })
        };
        if words.iter().any(|word| calls_ours(word)) {
            self.schema.doubt_everything();
        }
        self.schema.doubt_names(words);
    }

    fn create_routine(&mut self, created: &CreateRoutine) {
        let CreateRoutine { name, volatile, changes_schema, of_trigger, .. } = created;
        let key = self.schema.place(Space::Routine, name);
        let fresh = Routine {
            count: 1,
            volatile: *volatile,
            changes_schema: *changes_schema,
            of_trigger: *of_trigger,
        };
        match self.schema.names.get(&key).copied() {
            None => {
                self.schema.insert(key, self.at, Object::Routine(fresh));
            }
            // Another with other parameters, or the same again: which one, the parameters would tell.
            Some(id) => self.schema.change(id, |entry| {
                if let Object::Routine(routine) = &mut entry.object {
                    routine.count += u32::from(!created.or_replace);
                    routine.volatile |= fresh.volatile;
                    routine.changes_schema |= fresh.changes_schema;
                }
            }),
        }
    }

    fn create_extension(&mut self, name: &str, if_not_exists: bool) {
        let name = Name::bare(name);
        if self.is_free(Space::Extension, ObjectKind::Extension, &name, if_not_exists) {
            if !builtin::is_harmless(&name.name) {
                self.schema.doubt_everything();
            }
            let key = self.schema.place(Space::Extension, &name);
            self.schema.insert(key, self.at, Object::Extension);
        }
    }

    fn create_schema(&mut self, name: Option<&str>, if_not_exists: bool, elements: &[Statement]) {
        let Some(name) = name else { return };
        if self.is_free(Space::Schema, ObjectKind::Schema, &Name::bare(name), if_not_exists) {
            let key = self.schema.place(Space::Schema, &Name::bare(name));
            self.schema.insert(key, self.at, Object::Schema);
        }
        let path = self.schema.session.path.clone();
        self.schema.session.path.insert(0, name.into());
        for element in elements {
            self.read(&element.reads, Absence::IsFine);
            self.action(&element.action);
        }
        self.schema.session.path = path;
    }

    fn alter_enum(&mut self, alter: &AlterEnum) {
        let Some(id) = self.expect(Space::Type, ObjectKind::Type, &alter.name, Absence::Clashes)
        else {
            return;
        };
        let at = self.at;
        let mut taken = false;
        self.schema.change(id, |entry| {
            let Object::Enum(values) = &mut entry.object else { return };
            match &alter.renames {
                Some(old) => {
                    if let Some(value) = values.iter_mut().find(|value| *value == old) {
                        *value = alter.value.clone();
                    }
                }
                None if values.contains(&alter.value) => taken = !alter.if_not_exists,
                None => values.push(alter.value.clone()),
            }
        });
        if taken {
            let name = alter.name.sibling(&alter.value);
            let thing = Thing {
                kind: ObjectKind::Other,
                name: Name::bare(&name.name),
                on: Some(alter.name.clone()),
            };
            self.clash(Clash::Exists { thing, born: at });
        }
    }

    fn alter_domain(&mut self, name: &Name, change: &AlterDomain) {
        let Some(id) = self.expect(Space::Type, ObjectKind::Domain, name, Absence::Clashes) else {
            return;
        };
        self.schema.change(id, |entry| {
            let Object::Domain(domain) = &mut entry.object else { return };
            match change {
                AlterDomain::AddConstraint(constraint) => {
                    domain.constrained = true;
                    domain
                        .constraints
                        .extend(constraint.name.clone().map(|name| (name, !constraint.not_valid)));
                }
                AlterDomain::DropConstraint(dropped) => {
                    domain.constraints.retain(|(name, _)| name != dropped)
                }
                AlterDomain::ValidateConstraint(valid) => {
                    for (_, is_valid) in
                        domain.constraints.iter_mut().filter(|(name, _)| name == valid)
                    {
                        *is_valid = true;
                    }
                }
                AlterDomain::SetNotNull => domain.constrained = true,
                AlterDomain::Other => {}
            }
        });
    }

    fn set(&mut self, setting: &Setting) {
        let session = &mut self.schema.session;
        match (&*setting.name, &setting.values) {
            ("search_path", Some(path)) => {
                session.path_is_usual = path.iter().any(|schema| &**schema == "$user");
                session.path = path
                    .iter()
                    .filter(|schema| &***schema != "$user" && !schema.is_empty())
                    .cloned()
                    .collect();
                session.path_is_hidden = false;
            }
            ("search_path", None) | ("all", None) => {
                session.path = vec![PUBLIC.into()];
                session.path_is_usual = true;
                session.path_is_hidden = false;
            }
            ("timezone", values) => {
                session.time_zone = values.as_ref().and_then(|values| values.first().cloned())
            }
            // Another role may have another path.
            ("role" | "session_authorization", _) => {
                session.path_is_hidden |= session.path != [PUBLIC.into()]
            }
            _ => {}
        }
    }

    /// The names of others that are unique among the constraints of a table and the relations of its schema.
    pub(super) fn relation_names(&self, schema: &str) -> impl Fn(&str) -> bool + use<'_> {
        let schema: Box<str> = schema.into();
        let names = &self.schema.names;
        move |name| {
            let key =
                super::Key { space: Space::Relation, schema: schema.clone(), name: name.into() };
            names.contains_key(&key)
        }
    }

    /// All that is in a schema.
    pub(super) fn inhabitants(&self, schema: &str) -> HashSet<Id> {
        self.schema
            .names
            .iter()
            .filter(|(key, _)| &*key.schema == schema)
            .map(|(_, id)| *id)
            .collect()
    }
}
