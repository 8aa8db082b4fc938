//! The promises of migrate, end to end, on a real server.

mod code;
mod deferral;
mod disagreement;
mod ear;
mod extremes;
mod failure;
mod fallback;
mod harness;
mod house;
mod interruption;
mod marks;
mod neighbours;
mod pools;
mod roles;
mod round_trips;
mod rust;
mod settings;
mod sqlx_folders;
mod start_up;
mod telling;
mod wire;
