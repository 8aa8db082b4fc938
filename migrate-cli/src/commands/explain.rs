//! `explain`: what a rule is about.

use migrate_core::nearest;
use migrate_lint::rules;

use crate::args::Explain;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::render::{Explained, Rules};

pub(crate) fn carry_out(context: &Context, typed: &Explain) -> Result<Exit, Failure> {
    match &typed.rule {
        None => context.output.result(&Rules { rules: rules::all(), program: &context.program }),
        Some(name) => {
            let rule = rules::find(name).ok_or_else(|| unknown(name, &context.program))?;
            context.output.result(&Explained { rule });
        }
    }
    Ok(Exit::Done)
}

fn unknown(name: &str, program: &str) -> Failure {
    let message = format!("failed to find the rule `{name}`");
    let help = match nearest(name, rules::all().iter().map(|rule| rule.name)) {
        Some(meant) => format!("Did you mean `{meant}`?"),
        None => format!("`{program} explain` lists all of them."),
    };
    Failure::usage(message, help)
}
