//! The promises of migrate, end to end, on a real server.

mod harness;
mod house;
mod start_up;
