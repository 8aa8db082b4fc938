//! Understands the SQL of migrations: parses it, replays the schema, judges what a statement does to a live
//! database.
//!
//! It runs at compile time and on the command line only, never in the user's binary. Nothing of it is built
//! yet: what the compiler refuses today (broken quotes, transaction control, statements that refuse
//! transactions) needs no parser and stands in `migrate_core::source`.
