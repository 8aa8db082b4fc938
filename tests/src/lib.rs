//! What only tests share: nothing is here to be used by others.
// To panic is how a test says no, also in what it is helped by.
#![allow(clippy::expect_used, clippy::indexing_slicing)]

mod frames;
pub mod proxy;
