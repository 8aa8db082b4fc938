//! What held a backfill up, as a word.
//!
//! Owns the words, which stand in tables and in `--json` and stay what they are. Decides nothing.

use std::fmt;

macro_rules! limited_by {
    ($($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        /// What a batch of a backfill was limited by, or what keeps the next one from beginning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
        pub enum LimitedBy {
            $($(#[$doc])* $variant),+
        }

        impl LimitedBy {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its word.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }
    };
}

limited_by! {
    /// More rows would take longer than a batch may.
    BatchTime = "batch_time",
    /// More rows would write more WAL than a batch may.
    Wal = "wal",
    /// A batch has as many rows as it may have.
    Rows = "rows",
    /// The pauses that were asked for take more of the time than the work.
    Duty = "duty",
    /// The server is busy, or somebody waits for a lock of ours.
    Load = "load",
    /// A standby is behind.
    ReplicaLag = "replica_lag",
    /// A replication slot keeps much WAL.
    Slot = "slot",
    /// Much WAL waits to be archived.
    Archiver = "archiver",
    /// An old snapshot keeps dead rows from being cleaned up.
    Xmin = "xmin",
    /// An autovacuum works on the table.
    Autovacuum = "autovacuum",
    /// An autovacuum that prevents a wraparound of transaction numbers works on the table.
    Wraparound = "wraparound",
    /// The hours for work are over.
    Window = "window",
    /// The application's own brake.
    Callback = "callback",
    /// Somebody has said so.
    Paused = "paused",
    /// The server takes no writes.
    Standby = "standby",
    /// Something that has to be known cannot be seen.
    Unknown = "unknown",
    /// Nothing: it may grow.
    Nothing = "nothing",
}

impl fmt::Display for LimitedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// They stand in people's tables: a word that changes here is a change that has to be told.
    #[test]
    fn the_words_stay_what_they_are() {
        let words: Vec<_> = LimitedBy::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(
            words.join(" "),
            "batch_time wal rows duty load replica_lag slot archiver xmin autovacuum wraparound window \
             callback paused standby unknown nothing"
        );
    }
}
