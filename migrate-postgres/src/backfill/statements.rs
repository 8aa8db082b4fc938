//! The statements about one backfill, filled in.
//!
//! They stand in `sql/*.sql`. Knows neither when they are sent nor what comes back.

use std::time::Duration;

use migrate_core::MigrationId;

use crate::sql::{Names, literal};

macro_rules! statements {
    ($($name:ident = $file:literal),+ $(,)?) => {
        $(pub(super) const $name: &str = include_str!(concat!("../sql/", $file, ".sql"));)+
    };
}

statements! {
    CREATE = "create_backfill",
    OPEN = "open_backfill",
    STATE = "backfill_state",
    LOCK = "lock_backfill",
    ADD_RANGE = "add_range",
    DROP_RANGES = "drop_ranges",
    TAKE = "take_range",
    HOLD = "hold_range",
    RELEASE = "release_range",
    END = "end_range",
    RENEW = "renew_range",
    ADVANCE = "advance_range",
    NEXT_PASS = "next_pass",
    SET = "set_backfill",
    NEXT_BY_KEY = "next_by_key",
    NEXT_BY_PAGE = "next_by_page",
    GROUND = "ground",
    GROUND_KEY = "ground_key",
    SPLIT_BY_KEY = "split_by_key",
    STATES = "backfill_states",
    WANT = "want_backfill",
    LIMITS = "backfill_limits",
    LIMIT = "limit_backfill",
    LOCK_ROWS = "lock_rows",
    GRANT = "grant_backfill",
    IS_PROVED = "is_proved",
    ADD_PROOF = "add_proof",
    VALIDATE_PROOF = "validate_proof",
    HOLDS = "holds",
    ANALYZE = "analyze",
    VACUUM = "vacuum",
    NOTE_INDEXES = "note_indexes",
    GROWN = "grown_indexes",
    REINDEX_LEFT = "traces/reindex",
    TABLE_LOCKED = "table_locked",
}

/// Whose statements they are.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) names: Names,
    pub(super) id: MigrationId,
    /// Of what is declared.
    pub(super) checksum: String,
    /// Who works, as the table has it.
    pub(super) me: String,
    /// How long a range is ours after the last word of us.
    pub(super) lasts: Duration,
    /// Roles that may read how far it is.
    pub(super) readers: Vec<String>,
}

impl About {
    /// A statement with everything in its place.
    pub(super) fn fill(&self, template: &str, values: &[(&str, &str)]) -> String {
        let (version, phase) = (self.id.version.to_string(), literal(self.id.phase.as_str()));
        let (me, checksum) = (literal(&self.me), literal(&self.checksum));
        let lasts = format!("pg_catalog.make_interval(secs => {})", self.lasts.as_secs_f64());
        let mut all = values.to_vec();
        all.extend_from_slice(&[
            ("version", version.as_str()),
            ("phase", &phase),
            ("me", &me),
            ("checksum", &checksum),
            ("lasts", &lasts),
        ]);
        self.names.fill(template, &all)
    }
}

/// A place in the order of a table, or none.
pub(super) fn place(place: Option<&[String]>) -> String {
    let Some(place) = place else { return "NULL".to_owned() };
    let values: Vec<_> = place.iter().map(|value| literal(value)).collect();
    format!("ARRAY[{}]::text[]", values.join(", "))
}

/// A text, or none.
pub(super) fn optional(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), literal)
}

/// A number, or none.
pub(super) fn number(number: Option<i64>) -> String {
    number.map_or_else(|| "NULL".to_owned(), |number| number.to_string())
}
