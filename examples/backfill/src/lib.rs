//! An application that fills a column of a large table while it serves.
//!
//! It migrates when it starts, with no time for backfills: those are worked at on a task beside it. Nothing of that is
//! kept in the process. It may be killed at any time, by anybody, and the next one goes on behind the last batch.

use indicatif::{ProgressBar, ProgressStyle};
use migrate_postgres::{Error, Event, Migrations, Migrator, Observer};
use sqlx::postgres::PgPoolOptions;
use std::time::Duration;

/// The folder is part of the program.
#[derive(Migrations)]
#[migrations(dir = "migrations", down = "require")]
pub struct AppMigrations;

/// Draws how far a backfill is.
pub struct Bar(ProgressBar);

impl Bar {
    /// One that is not drawn where there is no terminal.
    ///
    /// # Errors
    /// When the template of the bar cannot be read.
    pub fn new() -> Result<Self, indicatif::style::TemplateError> {
        let style = "{prefix:>8} [{bar:40}] {percent:>3} %  {msg}";
        Ok(Self(ProgressBar::new(0).with_style(ProgressStyle::with_template(style)?)))
    }
}

impl Observer for Bar {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Batch { steps, limited_by, .. } => {
                let left = steps.left().map_or(0, |left| left.as_secs());
                self.0.set_length(steps.expected.max(steps.seen));
                self.0.set_position(steps.seen);
                self.0.set_prefix(format!("pass {}", steps.pass));
                let rate = steps.rate;
                self.0.set_message(format!(
                    "{rate:.0} rows/s, {left} s left, limited by {limited_by}"
                ));
            }
            Event::Braked { why, .. } => self.0.set_message(format!("waits: {why}")),
            Event::Reconnecting { .. } => self.0.set_message("reconnecting"),
            _ => {}
        }
    }
}

/// Starts as an application would, and ends when everything is filled.
///
/// # Errors
/// When the database cannot be migrated.
pub async fn work(url: &str) -> Result<(), Box<dyn std::error::Error>> {
    let pool = PgPoolOptions::new().max_connections(2).connect(url).await?;
    let migrator = Migrator::new(AppMigrations).observer(Bar::new()?).budget(Duration::ZERO);
    migrator.run(&pool).await?;
    fill(&migrator, &pool).await?;
    Ok(())
}

/// In the background, with a handle; here there is nothing else to do, so it is waited for.
async fn fill(migrator: &Migrator, pool: &sqlx::PgPool) -> Result<(), Error> {
    let filling = migrator.spawn_backfill(pool);
    filling.join().await.map(drop)
}
