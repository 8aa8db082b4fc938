//! The words of `backfill`.
//!
//! Owns what may be typed behind it. Knows nothing of what it does.

use clap::{Args, Subcommand};
use migrate_core::{Phase, Version};

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Backfill {
    /// Split each table into so many ranges and work at all of them at once; one that was begun keeps its ranges
    /// [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) ranges: Option<u32>,
    #[command(subcommand)]
    pub(crate) told: Option<Told>,
}

/// What somebody tells those who work at a backfill.
#[derive(Debug, Subcommand)]
pub(crate) enum Told {
    /// Let it wait before its next batch, whoever works at it
    Pause {
        #[command(flatten)]
        which: Which,
        /// Why; whoever asks for the status reads it
        #[arg(long, value_name = "TEXT")]
        because: String,
    },
    /// Let it go on after a pause or a cancel
    Resume {
        #[command(flatten)]
        which: Which,
    },
    /// Give it up before its next batch; what was changed stays
    Cancel {
        #[command(flatten)]
        which: Which,
        /// Why; whoever asks for the status reads it
        #[arg(long, value_name = "TEXT")]
        because: String,
    },
    /// Change what it keeps to, from its next batch on
    Limit {
        #[command(flatten)]
        which: Which,
        /// Such as batch_time=100ms; `batch_time=` takes it back, others stay
        #[arg(required = true, value_name = "NAME=VALUE")]
        limits: Vec<String>,
    },
}

/// One of them.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Which {
    /// The migration's version, as `status` shows it
    pub(crate) version: Version,
    /// The migration's phase
    #[arg(long, default_value = "migrate")]
    pub(crate) phase: Phase,
}
