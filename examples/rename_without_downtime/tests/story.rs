//! No statement of either release fails, none is lost, and the column goes only when nobody needs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "to panic is how a test says no"
)]

use std::path::Path;
use std::time::Duration;

use migrate_testing::Server;

/// Much longer than it takes.
const LONG: Duration = Duration::from_secs(240);

#[path = "../story/mod.rs"]
mod story;

#[tokio::test(flavor = "multi_thread")]
async fn a_column_gets_another_name_while_two_releases_use_it() {
    let server = Server::private().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_rename-app"));
    // The lines before tell where it stands, if it ever does not go on.
    let story = story::play(&server, program, |line| eprintln!("- {line}"));
    let outcome = tokio::time::timeout(LONG, story).await.expect("an end").unwrap();
    assert_eq!((outcome.errors, outcome.lost, outcome.too_early), (0, 0, false), "{outcome:?}");
    assert_eq!((outcome.unlike, outcome.kept), (0, 15_000), "{outcome:?}");
    assert!(outcome.statements > 100, "{outcome:?}");
    assert_eq!(outcome.columns, "id, name, town");
}
