//! The promises of migrate, end to end, on a real server.
// To panic is how a test says no, also in what it is helped by.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod adopt;
mod by_hand;
mod cancels;
mod code;
mod concurrent_index;
mod connection;
mod deferral;
mod disagreement;
mod dropped;
mod drops;
mod enclosed;
mod extremes;
mod failure;
mod fallback;
mod faults;
mod harness;
mod house;
mod interrupted;
mod killed;
mod lease;
mod lock_targets;
mod marks;
mod measuring;
mod neighbours;
mod pooler;
mod pools;
mod race;
mod recognised;
mod roles;
mod round_trips;
mod rust;
mod secrets;
mod seeing;
mod settings;
mod several_steps;
mod sqlx_folders;
mod standby;
mod start_up;
mod table_locks;
mod telling;
mod together;
