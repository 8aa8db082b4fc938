//! The example is `quickstart.rs`; a package needs a target to have a build script.
