//! Migrations written in Rust, made of a function or two.

use std::future::Future;
use std::pin::Pin;

use migrate_core::{
    Checksum, Code as CodeStep, Down, Migration, MigrationId, Phase, Step, Version,
};
use migrate_postgres::{Beside, BoxError, Code, Listed, async_trait};
use sqlx::{AssertSqlSafe, Executor, PgConnection};

type Work<'c> = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'c>>;
type Function = for<'c> fn(&'c mut PgConnection) -> Work<'c>;

/// A migration written in Rust.
#[derive(Clone)]
pub struct Rust {
    version: i64,
    name: String,
    up: Function,
    down: Option<Function>,
    steps: [Step; 1],
}

impl Rust {
    pub fn new(version: i64, name: &str, up: Function) -> Self {
        let steps = [Step::Code(CodeStep { revision: 1, transaction: true })];
        Self { version, name: name.to_owned(), up, down: None, steps }
    }

    pub fn down(self, down: Function) -> Self {
        Self { down: Some(down), ..self }
    }

    pub fn revision(self, revision: u32) -> Self {
        Self { steps: [Step::Code(CodeStep { revision, transaction: true })], ..self }
    }

    pub fn outside_a_transaction(self) -> Self {
        Self { steps: [Step::Code(CodeStep { revision: 1, transaction: false })], ..self }
    }

    fn code(&self) -> CodeStep {
        match self.steps {
            [Step::Code(code)] => code,
            _ => unreachable!("a step of code"),
        }
    }
}

impl Migration for Rust {
    fn id(&self) -> MigrationId {
        MigrationId::new(Version::new(self.version), Phase::Expand)
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn up(&self) -> &[Step] {
        &self.steps
    }

    fn down(&self) -> Down<'_> {
        if self.down.is_some() { Down::Steps(&self.steps) } else { Down::Missing }
    }

    fn checksum(&self) -> Checksum {
        Checksum::of_code(self.code().revision)
    }
}

#[async_trait]
impl Code for Rust {
    async fn up(&self, connection: &mut PgConnection) -> Result<(), BoxError> {
        (self.up)(connection).await
    }

    async fn down(&self, connection: &mut PgConnection) -> Result<(), BoxError> {
        (self.down.expect("a way back"))(connection).await
    }
}

impl Listed for Rust {
    fn listed(self) -> Beside {
        Beside::code(self)
    }
}

/// Runs statements.
pub async fn sql(connection: &mut PgConnection, text: &str) -> Result<(), BoxError> {
    connection.execute(sqlx::raw_sql(AssertSqlSafe(text.to_owned()))).await?;
    Ok(())
}
