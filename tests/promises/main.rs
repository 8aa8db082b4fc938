//! The promises of migrate, end to end, on a real server.

mod concurrent_index;
mod connection;
mod harness;
mod house;
mod interrupted;
mod killed;
mod race;
mod sqlx_folders;
mod start_up;
mod table_locks;
