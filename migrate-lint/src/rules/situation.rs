//! What a rule sees: a statement, where it stands, what it meets.

use migrate_core::{MigrationId, Phase};

use super::Open;
use super::open::{Closed, many};
use crate::facts::Facts;
use crate::fix::{Patch, Remedy, Words};
use crate::locks::{Mode, locks};
use crate::name::{Name, Quoted};
use crate::schema::{Entry, Object, Presence, Schema, Space, Table};
use crate::statement::{Action, AlterTable, Change, Column, Constraint, Persistence, Statement};

/// A statement that is about to run.
pub struct Situation<'s> {
    pub(crate) statement: &'s Statement,
    /// Its text, without its semicolon.
    pub(crate) text: &'s str,
    /// Its file, as the user knows it.
    pub(crate) file: &'s str,
    /// The statements of its file before it; in a transaction, those of the transaction.
    pub(crate) earlier: &'s [&'s Statement],
    /// The statements of its file behind it.
    pub(crate) later: &'s [&'s Statement],
    pub(crate) migration: MigrationId,
    pub(crate) in_transaction: bool,
    /// Does the runner run it batch by batch?
    pub(crate) in_batches: bool,
    /// Is it the first of its file?
    pub(crate) is_first: bool,
    /// Does its version have a file that is no contract?
    pub(crate) has_expand: bool,
    /// What its transaction has done before it.
    pub(crate) open: &'s Open,
    /// What is there before it runs.
    pub(crate) schema: &'s Schema,
    pub(crate) facts: &'s Facts,
}

/// A table that a statement changes, as far as it is known.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'s> {
    /// What it was when it was last certain.
    last: Option<&'s Table>,
    certain: bool,
}

impl<'s> Subject<'s> {
    fn of(presence: Presence<'s>) -> Self {
        let last = presence.entry.and_then(|entry| entry.object.as_table());
        Self { last, certain: presence.certain }
    }

    /// What it is, if that is certain.
    pub(crate) fn known(self) -> Option<&'s Table> {
        self.last.filter(|_| self.certain)
    }

    /// Does it have the column for certain?
    pub(crate) fn has(self, column: &str) -> bool {
        self.known().is_some_and(|table| table.column(column).is_some())
    }

    /// Is it certain that it has no such column?
    pub(crate) fn lacks(self, column: &str) -> bool {
        self.known().is_some_and(|table| !table.has_more_columns && table.column(column).is_none())
    }
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

    /// What to do with what old code uses.
    pub(crate) fn leave_it_to_the_contract(&self) -> String {
        format!(
            "Stop using it, release that, and drop it in the contract of this version, `{}`.",
            self.contract()
        )
    }

    /// What somebody may be using now, if it is there; what exactly it is may be hidden.
    pub(crate) fn used(&self, space: Space, name: &Name) -> Option<Presence<'s>> {
        let presence = self.schema.presence(space, name)?;
        (!self.facts.is_new(presence.maker, self.migration)).then_some(presence)
    }

    /// The same of what a statement drops: whoever says `IF EXISTS` does not take for granted that it is there.
    pub(crate) fn gone(&self, space: Space, name: &Name, if_exists: bool) -> Option<Presence<'s>> {
        self.used(space, name).filter(|presence| presence.entry.is_some() || !if_exists)
    }

    /// A table or materialized view in use that is perhaps large, whatever is hidden of it.
    pub(crate) fn subject(&self, name: &Name) -> Option<Subject<'s>> {
        let presence = self.used(Space::Relation, name)?;
        self.may_be_large(name, presence.entry).then(|| Subject::of(presence))
    }

    fn may_be_large(&self, name: &Name, entry: Option<&Entry>) -> bool {
        let full = entry.map(|entry| Name::qualified(&entry.key.schema, &entry.key.name));
        let is_small = self.facts.is_small(full.as_ref().unwrap_or(name));
        let has_rows = match entry.map(|entry| &entry.object) {
            Some(Object::Table(table)) => {
                table.emptied != Some(self.migration)
                    && table.persistence != Persistence::Temporary
                    && !table.holds_one_row()
            }
            Some(Object::Index(_) | Object::Sequence(_)) => false,
            _ => true,
        };
        !is_small && has_rows
    }

    /// Is a column of a table newer than anybody's use of it?
    pub(crate) fn is_new_column(&self, table: &Table, column: &str) -> bool {
        table
            .column(column)
            .is_some_and(|column| self.facts.is_new(column.born.migration, self.migration))
    }

    /// The same of a table that may be hidden.
    pub(crate) fn has_new_column(&self, subject: Subject<'_>, column: &str) -> bool {
        subject.last.is_some_and(|table| self.is_new_column(table, column))
    }

    /// Does a later statement of the file put something of that name in its place?
    pub(crate) fn is_made_again(&self, name: &Name) -> bool {
        self.later.iter().any(|statement| match &statement.action {
            Action::CreateTable(create) => create.name == *name,
            Action::CreateTableAs { name: made, .. } => made == name,
            Action::CreateView(create) => create.name == *name,
            Action::CreateSequence(create) => create.name == *name,
            Action::CreateRoutine(create) => create.name == *name,
            Action::CreateType(create) => create.name == *name,
            Action::CreateDomain(create) => create.name == *name,
            Action::Rename { name: old, to, .. } => old.sibling(to) == *name,
            _ => false,
        })
    }

    /// What becomes of a table in this statement and behind it.
    pub(crate) fn changes_after<'n>(
        &self,
        table: &'n Name,
    ) -> impl Iterator<Item = &'s Change> + use<'s, 'n> {
        let all = std::iter::once(self.statement).chain(self.later.iter().copied());
        let of_table = all.filter_map(move |statement| match &statement.action {
            Action::AlterTable(alter) if alter.name == *table => Some(&alter.changes),
            _ => None,
        });
        of_table.flatten()
    }

    /// The columns that it makes, of new tables and of old ones, each with its table.
    pub(crate) fn new_columns(&self) -> Vec<(&'s Name, &'s Column)> {
        match self.action() {
            Action::CreateTable(create) => {
                create.columns.iter().map(|column| (&create.name, column)).collect()
            }
            Action::AlterTable(alter) => {
                let added = alter.changes.iter().filter_map(|change| match change {
                    Change::AddColumn { column, .. } => Some((&alter.name, &**column)),
                    _ => None,
                });
                added.collect()
            }
            _ => Vec::new(),
        }
    }

    /// The first table in use that the transaction has closed.
    pub(crate) fn closed(&self) -> Option<&'s Name> {
        self.open.closed.first().map(|closed| &closed.shown)
    }

    /// Has the transaction closed that table?
    pub(crate) fn has_closed(&self, table: &Name) -> bool {
        let full = self.full(table);
        self.open.closed.iter().any(|closed| closed.full == full)
    }

    /// Has the transaction given that table its name?
    pub(crate) fn has_renamed(&self, table: &Name) -> bool {
        self.earlier.iter().any(|earlier| match &earlier.action {
            Action::Rename { kind, name, to, .. } => {
                kind.is_relation() && name.sibling(to) == *table
            }
            _ => false,
        })
    }

    /// What the transaction holds from here on: the tables that it closes, and those of which it changes rows.
    pub(crate) fn holds(&self) -> (Vec<Closed>, Vec<Name>) {
        let changed = many(self.statement).map(|write| &write.table);
        let changed = changed.filter(|table| self.subject(table).is_some()).cloned();
        (self.closes(), changed.collect())
    }

    /// The tables in use that the statement closes and does not drop.
    pub(crate) fn closes(&self) -> Vec<Closed> {
        let (gone, renamed): (&[Name], _) = match self.action() {
            Action::Drop(drop) => (&drop.names, None),
            Action::Rename { name, to, .. } => (&[], Some(name.sibling(to))),
            _ => (&[], None),
        };
        let locks = locks(self.statement, self.schema).into_iter();
        let closed =
            locks.filter(|lock| lock.mode == Mode::AccessExclusive).map(|lock| lock.relation);
        let stays = closed.filter(|name| !gone.contains(name) && self.subject(name).is_some());
        let as_it_is = |shown: Name| Closed { full: self.full(&shown), shown };
        let mut closed: Vec<Closed> = stays.map(as_it_is).collect();
        if let (Some(first), Some(name)) = (closed.first().cloned(), renamed) {
            let full = first.full.sibling(&name.name);
            closed.push(Closed { shown: name, full });
        }
        closed
    }

    fn full(&self, table: &Name) -> Name {
        let entry = self.schema.presence(Space::Relation, table).and_then(|found| found.entry);
        entry.map_or_else(
            || table.clone(),
            |entry| Name::qualified(&entry.key.schema, &entry.key.name),
        )
    }

    /// The constraint for new rows only, and what checks the others when that has committed; `index` is its place
    /// among the changes.
    pub(crate) fn validated_later(
        &self,
        index: usize,
        alter: &AlterTable,
        constraint: &Constraint,
    ) -> Option<Remedy> {
        let words = Words::of(self.text);
        let changes = words.changes().filter(|changes| changes.len() == alter.changes.len())?;
        let (head, change) = (words.altered().filter(|_| !alter.only)?, changes.get(index)?);
        let name = self.schema.constraint_name(&alter.name, constraint)?;
        let name = Quoted(&name);
        let mut here = vec![Patch::insert(change.bytes().end, " NOT VALID")];
        if constraint.name.is_none() {
            here.push(Patch::insert(change.behind_add()?, format!(" CONSTRAINT {name}")));
        }
        let later = vec![format!("{head} VALIDATE CONSTRAINT {name}")];
        Some(Remedy::Later { here, later, then: Vec::new() })
    }

    /// Another type for a new column, made of what stands behind the name of the old one in parentheses.
    pub(crate) fn retyped(&self, column: &str, ty: impl FnOnce(&str) -> String) -> Option<Remedy> {
        let words = Words::of(self.text);
        let written = match self.action() {
            Action::CreateTable(_) => words.type_in_table(column),
            _ => words.type_in_change(column),
        };
        let written = written?;
        Some(Remedy::Words(vec![Patch::replace(written.range, ty(written.modifiers))]))
    }

    /// The same for a column of a new table: nobody has to wait until what comes with the type is checked.
    pub(crate) fn retyped_in_new_table(
        &self,
        column: &str,
        ty: impl FnOnce(&str) -> String,
    ) -> Option<Remedy> {
        let is_new = matches!(self.action(), Action::CreateTable(_));
        self.retyped(column, ty).filter(|_| is_new)
    }

    fn altered(&self) -> Option<&'s AlterTable> {
        match self.action() {
            Action::AlterTable(alter) => Some(alter),
            _ => None,
        }
    }

    /// What becomes of a table that is in use, however small, whatever is hidden of it.
    pub(crate) fn changes_in_use(
        &self,
    ) -> impl Iterator<Item = (&'s AlterTable, Subject<'s>, &'s Change)> + use<'s> {
        let used = self.altered().and_then(|alter| {
            let presence = self.gone(Space::Relation, &alter.name, alter.if_exists)?;
            Some((alter, Subject::of(presence)))
        });
        each(used)
    }

    /// What becomes of a table that is in use and perhaps large, whatever is hidden of it.
    pub(crate) fn changes(
        &self,
    ) -> impl Iterator<Item = (&'s AlterTable, Subject<'s>, &'s Change)> + use<'s> {
        let used = self.altered().and_then(|alter| {
            self.gone(Space::Relation, &alter.name, alter.if_exists)?;
            Some((alter, self.subject(&alter.name)?))
        });
        each(used)
    }

    /// What becomes of such a table of which all is known.
    pub(crate) fn known_changes(
        &self,
    ) -> impl Iterator<Item = (&'s AlterTable, &'s Table, &'s Change)> + use<'s> {
        self.changes()
            .filter_map(|(alter, subject, change)| Some((alter, subject.known()?, change)))
    }
}

fn each<'s>(
    used: Option<(&'s AlterTable, Subject<'s>)>,
) -> impl Iterator<Item = (&'s AlterTable, Subject<'s>, &'s Change)> {
    used.into_iter().flat_map(|(alter, subject)| {
        alter.changes.iter().map(move |change| (alter, subject, change))
    })
}
