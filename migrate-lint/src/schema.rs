//! The schema that the statements so far have made.
//!
//! Owns what exists under which name, what of that is certain, and the search path. It is symbolic: nothing runs,
//! and after a statement whose doings are hidden (`DO`, `EXECUTE`, a strange extension) what that may have touched
//! is *unknown* rather than guessed, so that whoever asks can stay silent. Knows nothing of files, rules or locks.

mod alter;
mod apply;
pub(crate) mod builtin;
mod clash;
mod constraint;
mod create;
mod difference;
mod drop;
mod journal;
mod naming;
mod object;
#[cfg(test)]
mod tests;

pub use builtin::Volatility;
pub use clash::Clash;
pub use difference::{Difference, differences};
pub use journal::Mark;
pub use object::{
    Birth, Column, Constraint, ConstraintKind, Domain, Entry, Id, Index, Object, Space, Table,
    TableKind,
};

use std::collections::HashMap;
use std::rc::Rc;

use migrate_core::MigrationId;

use crate::name::{Name, fold};
use journal::Journal;
use object::Key;

/// Where unqualified names go when nothing says otherwise.
const PUBLIC: &str = "public";
/// Where temporary relations are.
const TEMPORARY: &str = "pg_temp";

/// What exists, as far as the statements tell.
#[derive(Debug)]
pub struct Schema {
    entries: Vec<Option<Rc<Entry>>>,
    names: HashMap<Key, Id>,
    doubt: Doubt,
    session: Session,
    journal: Journal,
    /// The migration that is replayed.
    now: Option<MigrationId>,
}

/// What may be otherwise than the statements tell.
#[derive(Clone, Debug, Default)]
struct Doubt {
    /// Everything that was there, or was not, at this time.
    everything: u32,
    /// The migration that did that last.
    since: Option<MigrationId>,
    /// What has one of these names, and the migration that hid it; `None` if the project says that it is there.
    names: HashMap<Box<str>, Option<MigrationId>>,
}

/// What a session knows and the next one does not.
#[derive(Clone, Debug)]
struct Session {
    path: Vec<Box<str>>,
    /// Does the path depend on who runs it?
    path_is_usual: bool,
    /// Has a statement hidden what the path is?
    path_is_hidden: bool,
    /// `None` when a statement has hidden it.
    time_zone: Option<Box<str>>,
}

/// What is under a name.
#[derive(Clone, Copy, Debug)]
pub enum Found<'s> {
    /// This, for certain.
    Known(&'s Entry),
    /// Nothing, for certain.
    Missing,
    /// Perhaps something.
    Unknown,
}

/// What a statement that names it may take for granted: it is there, or the statement fails.
#[derive(Clone, Copy, Debug)]
pub struct Presence<'s> {
    /// What it was when it was last certain.
    pub entry: Option<&'s Entry>,
    /// Is it still that?
    pub certain: bool,
    /// The migration that made it, or may have; `None` for what was there before the first.
    pub maker: Option<MigrationId>,
}

impl<'s> Found<'s> {
    /// What is there for certain.
    pub fn known(self) -> Option<&'s Entry> {
        match self {
            Found::Known(entry) => Some(entry),
            Found::Missing | Found::Unknown => None,
        }
    }
}

impl Default for Schema {
    fn default() -> Self {
        let mut schema = Self {
            entries: Vec::new(),
            names: HashMap::new(),
            doubt: Doubt::default(),
            session: Session::default(),
            journal: Journal::default(),
            now: None,
        };
        schema.insert(Key::schema(PUBLIC), Birth::default(), Object::Schema);
        schema
    }
}

impl Default for Session {
    fn default() -> Self {
        Self {
            path: vec![PUBLIC.into()],
            path_is_usual: true,
            path_is_hidden: false,
            time_zone: None,
        }
    }
}

impl Schema {
    /// Forgets what the session before has set: every migration begins with a clean one.
    pub fn begin(&mut self, migration: MigrationId) {
        self.session = Session::default();
        self.now = Some(migration);
    }

    /// The time zone, if a statement has set it.
    pub fn time_zone(&self) -> Option<&str> {
        self.session.time_zone.as_deref()
    }

    /// The relation of a name.
    pub fn relation(&self, name: &Name) -> Found<'_> {
        self.find(Space::Relation, name)
    }

    /// Whatever has that name among its like.
    pub fn find(&self, space: Space, name: &Name) -> Found<'_> {
        if is_system(name) {
            return Found::Unknown;
        }
        let found = self.keys(space, name).find_map(|key| self.names.get(&key));
        match found.and_then(|id| self.entry(*id)) {
            Some(entry) if self.is_certain(entry) => Found::Known(entry),
            Some(_) => Found::Unknown,
            None if self.may_hide(space, name) || self.may_come_with_a_part(space, name) => {
                Found::Unknown
            }
            None => Found::Missing,
        }
    }

    /// Whatever has that name, also where it is not certain; `None` where nothing tells how old it is.
    pub fn presence(&self, space: Space, name: &Name) -> Option<Presence<'_>> {
        if is_system(name) {
            return None;
        }
        let found = self.keys(space, name).find_map(|key| self.names.get(&key));
        if let Some(entry) = found.and_then(|id| self.entry(*id)) {
            let (certain, maker) = (self.is_certain(entry), entry.born.migration);
            return Some(Presence { entry: Some(entry), certain, maker });
        }
        let maker = match (self.doubt.names.get(&name.name), &name.schema) {
            (Some(maker), _) => *maker,
            (None, None) if self.session.path_is_hidden => return None,
            (None, Some(schema)) if self.is_strange(schema) => None,
            (None, _) if self.doubt.everything > 0 => self.doubt.since,
            (None, None) if self.session.path.iter().all(|schema| self.is_strange(schema)) => None,
            _ => return None,
        };
        Some(Presence { entry: None, certain: false, maker })
    }

    /// Do two names lead to one relation?
    pub fn means_the_same(&self, one: &Name, other: &Name) -> bool {
        let key = |name| self.relation(name).known().map(|entry| &entry.key);
        one == other || (key(one).is_some() && key(one) == key(other))
    }

    /// Is it for the session that runs it to say in which schema this is?
    pub fn guesses_schema_of(&self, name: &Name) -> bool {
        name.schema.is_none() && self.session.path_is_usual
    }

    /// The one schema where a name without one is looked for, if a statement has said so.
    pub fn only_schema(&self) -> Option<&str> {
        match self.session.path.as_slice() {
            [only] if !self.session.path_is_usual && !self.session.path_is_hidden => Some(only),
            _ => None,
        }
    }

    /// What is there, certain or not.
    pub fn entry(&self, id: Id) -> Option<&Entry> {
        self.entries.get(id.index())?.as_deref()
    }

    /// The name of what is there, for a reader: without the schema where the search path leads to it.
    pub fn shown(&self, entry: &Entry) -> Name {
        match self.session.path.contains(&entry.key.schema) || &*entry.key.schema == TEMPORARY {
            true => Name::bare(&entry.key.name),
            false => Name::qualified(&entry.key.schema, &entry.key.name),
        }
    }

    /// The places where a name is looked for, in order.
    fn keys(&self, space: Space, name: &Name) -> impl Iterator<Item = Key> {
        let schemas: Vec<Box<str>> = match (&name.schema, space) {
            (_, Space::Schema | Space::Extension) => vec!["".into()],
            (Some(schema), _) => vec![schema.clone()],
            (None, _) => {
                [TEMPORARY.into()].into_iter().chain(self.session.path.iter().cloned()).collect()
            }
        };
        let name = name.name.clone();
        schemas.into_iter().map(move |schema| Key { space, schema, name: name.clone() })
    }

    /// Where something new of that name goes.
    fn place(&self, space: Space, name: &Name) -> Key {
        let schema = match (&name.schema, space) {
            (_, Space::Schema | Space::Extension) => "".into(),
            (Some(schema), _) => schema.clone(),
            (None, _) => self.session.path.first().cloned().unwrap_or_else(|| PUBLIC.into()),
        };
        Key { space, schema, name: name.name.clone() }
    }

    fn is_certain(&self, entry: &Entry) -> bool {
        entry.seen >= self.doubt.everything && !self.doubt.names.contains_key(&entry.key.name)
    }

    /// May something that no statement shows have that name? In a schema that none of them makes, anything.
    fn may_hide(&self, space: Space, name: &Name) -> bool {
        self.doubt.everything > 0
            || (name.schema.is_none() && self.session.path_is_hidden)
            || self.doubt.names.contains_key(&name.name)
            || name.schema.as_deref().is_some_and(|schema| self.is_strange(schema))
            || (space != Space::Schema
                && self.session.path.iter().any(|schema| self.is_strange(schema)))
    }

    /// Does no statement make that schema?
    fn is_strange(&self, schema: &str) -> bool {
        !self.names.contains_key(&Key::schema(schema))
    }

    /// Indexes and constraints of a partitioned table come to its parts by themselves, under names that begin with
    /// that of the part.
    fn may_come_with_a_part(&self, space: Space, name: &Name) -> bool {
        let begins = |part: &str| {
            let stem = naming::what_is_kept(part);
            name.name.strip_prefix(stem).is_some_and(|rest| rest.contains('_'))
        };
        let is_part = |entry: &Entry| {
            entry.object.as_table().is_some_and(|table| table.parent.is_some())
                && begins(&entry.key.name)
        };
        space == Space::Relation && self.entries.iter().flatten().any(|entry| is_part(entry))
    }

    /// All that is there, certain or not.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().flatten().map(|entry| &**entry)
    }

    fn insert(&mut self, key: Key, born: Birth, object: Object) -> Id {
        let id = Id::new(self.entries.len());
        self.doubt.names.remove(&key.name);
        self.names.insert(key.clone(), id);
        self.journal.note(id, None);
        self.entries.push(Some(Rc::new(Entry { key, born, seen: self.doubt.everything, object })));
        id
    }

    /// Changes what is there.
    fn change(&mut self, id: Id, change: impl FnOnce(&mut Entry)) {
        let Some(entry) = self.entries.get_mut(id.index()).and_then(Option::as_mut) else { return };
        self.journal.note(id, Some(entry));
        change(Rc::make_mut(entry));
    }

    fn change_table(&mut self, id: Id, change: impl FnOnce(&mut Table)) {
        self.change(id, |entry| {
            if let Object::Table(table) = &mut entry.object {
                change(table);
            }
        });
    }

    /// Changes which views read a table or view.
    fn change_readers(&mut self, id: Id, change: impl FnOnce(&mut Vec<Id>)) {
        self.change(id, |entry| match &mut entry.object {
            Object::Table(table) => change(&mut table.read_by),
            Object::View(view) => change(&mut view.read_by),
            _ => {}
        });
    }

    fn remove(&mut self, id: Id) -> Option<Rc<Entry>> {
        let entry = self.entries.get_mut(id.index())?.take()?;
        self.journal.note(id, Some(&entry));
        self.names.remove(&entry.key);
        Some(entry)
    }

    fn rename(&mut self, id: Id, key: Key) {
        let Some(old) = self.entry(id).map(|entry| entry.key.clone()) else { return };
        self.names.remove(&old);
        self.doubt.names.remove(&key.name);
        self.names.insert(key.clone(), id);
        self.change(id, |entry| entry.key = key);
    }

    /// From here on nothing that was known is certain.
    fn doubt_everything(&mut self) {
        self.doubt.since = self.now;
        self.doubt.everything = self.doubt.everything.saturating_add(1);
    }

    /// What something other than these statements makes.
    pub fn assume(&mut self, names: impl IntoIterator<Item = Name>) {
        self.doubt.names.extend(names.into_iter().map(|name| (name.name, None)));
    }

    /// A statement that nobody understands touches at most what it names.
    pub fn doubt_words_of(&mut self, text: &str) {
        let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        let words: Vec<Box<str>> = words.filter(|word| !word.is_empty()).map(fold).collect();
        self.doubt_names(&words);
    }

    fn doubt_names<'n>(&mut self, names: impl IntoIterator<Item = &'n Box<str>>) {
        let now = self.now;
        for name in names {
            // Who was first may have made it.
            self.doubt.names.entry(name.clone()).or_insert(now);
        }
    }
}

/// What every database has.
fn is_system(name: &Name) -> bool {
    match name.schema.as_deref() {
        Some(schema) => {
            schema == "information_schema" || (schema.starts_with("pg_") && schema != TEMPORARY)
        }
        None => name.name.starts_with("pg_"),
    }
}
