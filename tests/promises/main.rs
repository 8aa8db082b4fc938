//! The promises of migrate, end to end, on a real server.

mod concurrent_index;
mod harness;
mod house;
mod sqlx_folders;
mod interrupted;
mod killed;
mod race;
mod start_up;
mod table_locks;
