//! The book's Rust, compiled: each chapter is documentation of something here, and its blocks are doctests.
//!
//! What the other blocks are held to, `tests/book` says. The folder `migrations` beside this is the one that the
//! blocks embed.

#[cfg(doctest)]
mod chapters {
    #[doc = include_str!("../../../docs/files.md")]
    struct Files;
    #[doc = include_str!("../../../docs/backfills.md")]
    struct Backfills;
    #[doc = include_str!("../../../docs/contract.md")]
    struct Contract;
    #[doc = include_str!("../../../docs/start-up.md")]
    struct StartUp;
    #[doc = include_str!("../../../docs/locks.md")]
    struct Locks;
    #[doc = include_str!("../../../docs/watching.md")]
    struct Watching;
    #[doc = include_str!("../../../docs/rehearse.md")]
    struct Rehearse;
    #[doc = include_str!("../../../docs/from-sqlx.md")]
    struct FromSqlx;
}

/// The chapters that are compiled here.
pub const COMPILED: [&str; 8] = [
    "files.md",
    "backfills.md",
    "contract.md",
    "start-up.md",
    "locks.md",
    "rehearse.md",
    "watching.md",
    "from-sqlx.md",
];
