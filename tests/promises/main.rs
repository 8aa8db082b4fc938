//! The promises of migrate, end to end, on a real server.

mod harness;
mod house;
mod sqlx_folders;
mod start_up;
mod together;
