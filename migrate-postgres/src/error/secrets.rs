//! Errors of statements that may hold a secret.
//!
//! The server repeats a statement in what it says: the value that it could not read, the row that it refused, the
//! text that a function has run. Owns what is left of that. Which statements these are the core knows.

use migrate_core::Script;
use migrate_core::sql::secret;

use super::{Error, Server};

impl Error {
    /// The same, without what the server repeats of a statement that may hold a secret: of the one at `offset`, or of
    /// all of them where nobody knows which it was.
    #[must_use]
    pub(crate) fn without_secrets_of(mut self, script: &Script, offset: Option<usize>) -> Self {
        let failed = offset.and_then(|offset| {
            script.statements.iter().rev().find(|statement| statement.start as usize <= offset)
        });
        let text = failed.map_or(&*script.text, |statement| script.statement(statement));
        if !secret::may_hold_one(text) {
            return self;
        }
        if let Some(server) = &mut self.0.server {
            server.say_less(text);
            self.0.source = None; // what the driver keeps says it all again
        }
        self
    }
}

impl Server {
    fn say_less(&mut self, statement: &str) {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        self.message = secret::masked_words(&self.message, statement, &names);
        (self.detail, self.hint, self.context) = (None, None, None);
    }
}
