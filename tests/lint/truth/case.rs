//! A statement that is run on a server to see what it locks.

/// Reasons that several statements share.
pub const FUNCTION: &str = "what a function does is not read";
pub const ROWS: &str = "what is done for each row depends on the row";
pub const ONLY: &str = "that only the whole is meant is not read";
pub const COLUMNS_OF_VIEWS: &str = "which columns a view reads is not followed";
pub const NEWER: &str = "newer servers lock more";
pub const PLACE: &str = "where a table has been put is not followed";

/// A statement, and what it takes to look at it.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Itself, without a semicolon.
    pub statement: &'static str,
    /// What the session has set before it.
    pub settings: &'static str,
    /// The first version that knows it.
    pub since: u32,
    /// Of a statement that cannot be in a transaction: what another session holds meanwhile, so that it waits and can
    /// be looked at.
    pub behind: Option<&'static str>,
    /// Why the linter says something else than the server, and before which version it does.
    differs: Option<(&'static str, u32)>,
}

/// A statement that can be in a transaction, on every version.
pub const fn case(statement: &'static str) -> Case {
    Case { statement, settings: "", since: 13, behind: None, differs: None }
}

impl Case {
    /// It, with what is set before it.
    pub fn words(&self) -> String {
        if self.settings.is_empty() {
            return self.statement.to_owned();
        }
        format!("{}; {}", self.settings, self.statement)
    }

    pub const fn since(self, since: u32) -> Case {
        Case { since, ..self }
    }

    pub const fn with(self, settings: &'static str) -> Case {
        Case { settings, ..self }
    }

    pub const fn behind(self, lock: &'static str) -> Case {
        Case { behind: Some(lock), ..self }
    }

    /// The linter says something else than any server.
    pub const fn differs_always(self, why: &'static str) -> Case {
        self.differs_before(u32::MAX, why)
    }

    /// The linter says what newer servers do. Where one locks more than an older one, this is right for both.
    pub const fn differs_before(self, major: u32, why: &'static str) -> Case {
        Case { differs: Some((why, major)), ..self }
    }

    /// Why the linter says something else than this version, if it may.
    pub fn differs(&self, major: u32) -> Option<&'static str> {
        self.differs.filter(|(_, before)| major < *before).map(|(why, _)| why)
    }
}
