//! The commands, one file each.
//!
//! Each is a function from the context and what was typed to an exit code; what it says is a value that
//! `render` writes as text or JSON.

use crate::args::Command;
use crate::context::Context;
use crate::exit::{Exit, Failure};

mod adopt;
mod backfill;
mod baseline;
mod check;
mod completions;
mod contract;
mod explain;
mod init;
mod lint;
mod man;
mod mark_applied;
mod new;
mod plan;
mod rehearse;
mod repair;
mod resolve;
mod revert;
mod run;
mod status;

pub(crate) async fn carry_out(context: &Context, command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Init(init) => init::carry_out(context, init),
        Command::New(new) => new::carry_out(context, new),
        Command::Lint(lint) => lint::carry_out(context, lint).await,
        Command::Explain(explain) => explain::carry_out(context, explain),
        Command::Run(run) => run::carry_out(context, run).await,
        Command::Backfill(backfill) => backfill::carry_out(context, backfill).await,
        Command::Plan(plan) => plan::carry_out(context, plan).await,
        Command::Rehearse(rehearse) => rehearse::carry_out(context, rehearse).await,
        Command::Status(status) => status::carry_out(context, status).await,
        Command::Check(check) => check::carry_out(context, check).await,
        Command::Contract(contract) => contract::carry_out(context, contract).await,
        Command::Revert(revert) => revert::carry_out(context, revert).await,
        Command::Adopt(adopt) => adopt::carry_out(context, adopt).await,
        Command::Baseline(baseline) => baseline::carry_out(context, baseline).await,
        Command::MarkApplied(mark) => mark_applied::carry_out(context, mark).await,
        Command::Repair(repair) => repair::carry_out(context, repair).await,
        Command::Resolve(resolve) => resolve::carry_out(context, resolve).await,
        Command::Completions(completions) => completions::carry_out(context, completions),
        Command::Man(man) => man::carry_out(context, man),
    }
}
