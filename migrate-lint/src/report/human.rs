//! For a reader: as rustc would write it.

use std::fmt;

use crate::finding::Finding;

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, file, place, message, why, instead, .. } = self;
        writeln!(f, "{file}:{}:{}: {message}{place}", place.line, place.column)?;
        writeln!(f, "why: {why}")?;
        write!(f, "help: {instead}")?;
        if self.can_be_allowed {
            write!(f, "\nto allow it: -- migrate: allow({rule}) because <reason>")?;
        }
        Ok(())
    }
}
