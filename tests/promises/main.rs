//! The promises of migrate, end to end, on a real server.

mod ear;
mod failure;
mod fallback;
mod harness;
mod house;
mod marks;
mod roles;
mod rust;
mod settings;
mod sqlx_folders;
mod start_up;
mod telling;
