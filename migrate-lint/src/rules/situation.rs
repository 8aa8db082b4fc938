//! What a rule sees: a statement, where it stands, what it meets.

use migrate_core::{MigrationId, Phase};

use crate::facts::Facts;
use crate::name::Name;
use crate::schema::{Entry, Found, Schema, Table};
use crate::statement::{Action, AlterTable, Change, Persistence, Statement};

/// A statement that is about to run.
pub struct Situation<'s> {
    pub(crate) statement: &'s Statement,
    /// Its text, without its semicolon.
    pub(crate) text: &'s str,
    /// Its file, as the user knows it.
    pub(crate) file: &'s str,
    /// The statements of its file behind it.
    pub(crate) later: &'s [&'s Statement],
    pub(crate) migration: MigrationId,
    pub(crate) in_transaction: bool,
    /// What is there before it runs.
    pub(crate) schema: &'s Schema,
    pub(crate) facts: &'s Facts,
}

impl<'s> Situation<'s> {
    pub(crate) fn action(&self) -> &'s Action {
        &self.statement.action
    }

    /// May it take away what old code uses?
    pub(crate) fn is_contract(&self) -> bool {
        self.migration.phase == Phase::Contract
    }

    /// The file that is the contract of the same version.
    pub(crate) fn contract(&self) -> String {
        let name = self.file.rsplit(['/', '\\']).next().unwrap_or(self.file);
        let endings = [".up.sql", ".expand.sql", ".migrate.sql", ".sql"];
        let stem = endings.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
        format!("{stem}.contract.sql")
    }

    /// What is there and somebody may be using now.
    pub(crate) fn in_use(&self, name: &Name) -> Option<&'s Entry> {
        let Found::Known(entry) = self.schema.relation(name) else { return None };
        (!self.facts.is_new(entry.born.migration, self.migration)).then_some(entry)
    }

    /// A table that is there, in use, and perhaps large.
    pub(crate) fn live(&self, name: &Name) -> Option<(&'s Entry, &'s Table)> {
        let entry = self.in_use(name)?;
        let table = entry.object.as_table()?;
        let is_empty = table.emptied == Some(self.migration);
        let is_small = self.facts.is_small(&Name::qualified(&entry.key.schema, &entry.key.name));
        let is_mine = table.persistence == Persistence::Temporary;
        (!is_empty && !is_small && !is_mine).then_some((entry, table))
    }

    /// Is a column of a table newer than anybody's use of it?
    pub(crate) fn is_new_column(&self, table: &Table, column: &str) -> bool {
        table
            .column(column)
            .is_some_and(|column| self.facts.is_new(column.born.migration, self.migration))
    }

    /// The same, also of a materialized view, of which there is no more to know.
    pub(crate) fn live_or_view(&self, name: &Name) -> Option<Option<&'s Table>> {
        let entry = self.in_use(name)?;
        match entry.object.as_table() {
            Some(_) => self.live(name).map(|(_, table)| Some(table)),
            None => Some(None),
        }
    }

    /// Does a later statement of the file put something of that name in its place?
    pub(crate) fn is_made_again(&self, name: &Name) -> bool {
        self.later.iter().any(|statement| match &statement.action {
            Action::CreateTable(create) => create.name == *name,
            Action::CreateTableAs { name: made, .. } => made == name,
            Action::CreateView(create) => create.name == *name,
            Action::CreateSequence(create) => create.name == *name,
            Action::Rename { name: old, to, .. } => old.sibling(to) == *name,
            _ => false,
        })
    }

    /// What becomes of a table that is in use, however small.
    pub(crate) fn changes_in_use(
        &self,
    ) -> impl Iterator<Item = (&'s AlterTable, &'s Table, &'s Change)> + use<'s> {
        let alter = match self.action() {
            Action::AlterTable(alter) => Some(alter),
            _ => None,
        };
        let used =
            alter.and_then(|alter| Some((alter, self.in_use(&alter.name)?.object.as_table()?)));
        used.into_iter().flat_map(|(alter, table)| {
            alter.changes.iter().map(move |change| (alter, table, change))
        })
    }

    /// What becomes of a table that is in use and perhaps large.
    pub(crate) fn changes(
        &self,
    ) -> impl Iterator<Item = (&'s AlterTable, &'s Table, &'s Change)> + use<'s> {
        let alter = match self.action() {
            Action::AlterTable(alter) => Some(alter),
            _ => None,
        };
        let live = alter.and_then(|alter| Some((alter, self.live(&alter.name)?.1)));
        live.into_iter().flat_map(|(alter, table)| {
            alter.changes.iter().map(move |change| (alter, table, change))
        })
    }
}
