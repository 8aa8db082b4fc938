//! The story in small: what is filled is filled, whoever is killed and whatever is restarted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "to panic is how a test says no"
)]

use std::process::{Command, Stdio};

use migrate_testing::Server;

#[path = "../story/mod.rs"]
mod story;

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_filled_through_a_kill_and_a_restart() {
    let server = Server::private().unwrap();
    let worker = |url: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_backfill-worker"));
        command.arg(url).stderr(Stdio::null()).spawn()
    };
    let outcome = story::play(&server, 30_000, worker, |_| {}).await.unwrap();
    assert!(outcome.rows >= 30_000, "{outcome:?}");
    assert_eq!(outcome.unfilled, 0, "{outcome:?}");
    assert!(outcome.writes > 0, "{outcome:?}");
    assert!(outcome.said.ends_with("1 condition holds"), "{outcome:?}");
}
