//! How findings look: for a reader, for a program, for a code host.
//!
//! One file for each reader. Makes text, prints nothing, finds nothing.

mod github;
mod human;
mod item;
mod json;
mod page;
mod sarif;

pub use github::github;
pub use item::{Item, items};
pub use json::json;
pub use page::page;
pub use sarif::sarif;

#[cfg(test)]
mod tests;
