//! The example is `quickstart.rs`; a package needs a target to have a build script.

/// What the README shows is compiled, beside a folder called `migrations`.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Readme;
