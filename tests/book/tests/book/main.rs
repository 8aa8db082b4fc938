//! The book in `docs`: what it shows is what happens.
//!
//! A chapter is read from top to bottom, as its reader does, with a folder and a database of its own:
//!
//! - A block below a paragraph that ends with a path in backquotes and a colon is that file: it is written,
//!   or below `<!-- shown -->` it has to be there and to read like this.
//! - `sql` that is no file is run on the chapter's database.
//! - `console` is typed: what stands behind `$ ` is run, and what stands below it has to come out of it. `[..]`
//!   stands for anything in a line, a line of `...` for any number of lines.
//! - `rust` that is no file is a doctest of this package; `toml` is parsed.
//! - `text` is a message, which `troubleshooting.rs` provokes.
//! - What cannot be run stands below `<!-- not run: why -->`; `marks.rs` counts it.
// To panic is how a test says no, also in what it is helped by.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod chapters;
mod desk;
mod links;
mod marks;
mod page;
mod scene;
mod shown;
mod troubleshooting;
