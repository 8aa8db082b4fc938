//! What a schema was before: enough to take changes back, or to say what they were.

use std::collections::HashMap;
use std::rc::Rc;

use super::{Doubt, Entry, Id, Schema, Session};

/// A moment to go back to.
#[derive(Debug)]
pub struct Mark {
    doubt: Doubt,
    session: Session,
    /// Whether the journal was open before.
    outer: HashMap<Id, Option<Rc<Entry>>>,
    was_open: bool,
}

/// The entries that have changed since the last mark, as they were.
#[derive(Debug, Default)]
pub(super) struct Journal {
    open: bool,
    before: HashMap<Id, Option<Rc<Entry>>>,
}

impl Journal {
    /// Keeps what an entry was, the first time that it changes.
    pub(super) fn note(&mut self, id: Id, entry: Option<&Rc<Entry>>) {
        if self.open {
            self.before.entry(id).or_insert_with(|| entry.cloned());
        }
    }
}

/// What changed between a mark and now.
pub type Changed = Vec<(Option<Rc<Entry>>, Option<Rc<Entry>>)>;

impl Schema {
    /// Begins to keep what changes.
    pub fn mark(&mut self) -> Mark {
        let outer = std::mem::take(&mut self.journal.before);
        let was_open = std::mem::replace(&mut self.journal.open, true);
        Mark { doubt: self.doubt.clone(), session: self.session.clone(), outer, was_open }
    }

    /// Goes on from here: what has changed is as if it had changed after the mark before.
    pub fn keep(&mut self, mark: Mark) {
        let inner = std::mem::replace(&mut self.journal.before, mark.outer);
        self.journal.open = mark.was_open;
        for (id, entry) in inner {
            self.journal.note(id, entry.as_ref());
        }
    }

    /// Goes back to the mark.
    pub fn take_back(&mut self, mark: Mark) {
        let changed = std::mem::replace(&mut self.journal.before, mark.outer);
        self.journal.open = mark.was_open;
        for id in changed.keys() {
            if let Some(key) = self.entry(*id).map(|entry| entry.key.clone()) {
                self.names.remove(&key);
            }
        }
        for (id, entry) in changed {
            if let Some(entry) = &entry {
                self.names.insert(entry.key.clone(), id);
            }
            if let Some(place) = self.entries.get_mut(id.index()) {
                *place = entry;
            }
        }
        self.doubt = mark.doubt;
        self.session = mark.session;
    }

    /// What has changed since the mark before this one: how it was, and how it is.
    pub(super) fn changed_around(&self, mark: &Mark) -> Changed {
        let now = |id: &Id| self.entries.get(id.index()).cloned().flatten();
        let inner = self.journal.before.iter().filter(|(id, _)| !mark.outer.contains_key(*id));
        mark.outer.iter().chain(inner).map(|(id, before)| (before.clone(), now(id))).collect()
    }

    /// Has a statement since the mark hidden what it does?
    pub fn has_new_doubts(&self, mark: &Mark) -> bool {
        self.doubt.everything != mark.doubt.everything
            || self.doubt.names.keys().any(|name| !mark.doubt.names.contains_key(name))
    }
}
