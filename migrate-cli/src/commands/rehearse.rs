//! `rehearse`: what `run` would do to this database, told before it does it.

use migrate_postgres::Rehearse as How;

use crate::args::Rehearse;
use crate::context::{self, Context, known};
use crate::exit::{Exit, Failure};
use crate::render::{Limits, Rehearsed};

pub(crate) async fn carry_out(context: &Context, typed: &Rehearse) -> Result<Exit, Failure> {
    let source = context.source_to_run()?;
    if let Some(version) = typed.to {
        known(version, &context::set(&source)?, [])?;
    }
    let place = context.place()?;
    context.output.aside(&format!("database: {place}"));
    let migrator = typed.target.apply(context.migrator(&source));
    let how = typed.how();
    let rehearsal = match typed.to {
        Some(version) => migrator.rehearse_to(&place.options, version, &how).await?,
        None => migrator.rehearse(&place.options, &how).await?,
    };
    let limits = Limits { warn: typed.warn_above, fail: typed.fail_above };
    let rehearsed = Rehearsed::new(place.to_string(), typed.copy, &rehearsal, limits);
    match typed.markdown {
        true => context.output.raw(&rehearsed.markdown()),
        false => context.output.result(&rehearsed),
    }
    Ok(if rehearsed.fails() { Exit::Found } else { Exit::Done })
}

impl Rehearse {
    fn how(&self) -> How {
        let how = match self.sample {
            Some(rows) => How::default().sample(rows),
            None => How::default(),
        };
        if self.copy { how.on_a_copy() } else { how }
    }
}
