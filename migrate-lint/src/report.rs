//! How findings look: for a reader, for a program, for a code host.
//!
//! One file for each reader. Makes text, prints nothing, finds nothing.

mod github;
mod human;
mod json;
mod page;
mod sarif;

pub use github::github;
pub use json::json;
pub use page::page;
pub use sarif::sarif;

#[cfg(test)]
mod tests;
