//! What a `migrate` binary of an application is: the commands for its own migrations, those in Rust too.

use async_trait::async_trait;
use migrate_core::{Checksum, Down, Migration, MigrationId, Phase, Script, Step, Version};
use migrate_postgres::{Beside, BoxError, Code, Listed, Migrations, Set, Source};
use sqlx::{Executor, PgConnection};

struct AppMigrations;

impl Migrations for AppMigrations {
    fn source(&self) -> Source {
        Source::of_set(Set::default()).with(CreateUsers).with(FillNames)
    }
}

struct CreateUsers;

impl Listed for CreateUsers {
    fn listed(self) -> Beside {
        let text = "CREATE TABLE users (id bigint PRIMARY KEY, name text);";
        let script = Script::parse("users.sql", text);
        Beside::sql(Sql { up: script.map(Step::Transaction).into_iter().collect() })
    }
}

struct Sql {
    up: Vec<Step>,
}

impl Migration for Sql {
    fn id(&self) -> MigrationId {
        MigrationId::new(Version::new(1), Phase::Expand)
    }

    fn name(&self) -> &str {
        "create_users"
    }

    fn up(&self) -> &[Step] {
        &self.up
    }

    fn down(&self) -> Down<'_> {
        Down::Irreversible("it is the first one")
    }

    fn checksum(&self) -> Checksum {
        Checksum::of_sql(self.up.first().and_then(Step::script).map_or("", |script| &script.text))
    }
}

#[derive(Clone)]
struct FillNames;

impl Listed for FillNames {
    fn listed(self) -> Beside {
        Beside::code(self)
    }
}

const FILL: [Step; 1] = [Step::Code(migrate_core::Code { revision: 1, transaction: true })];

impl Migration for FillNames {
    fn id(&self) -> MigrationId {
        MigrationId::new(Version::new(2), Phase::Expand)
    }

    fn name(&self) -> &str {
        "fill_names"
    }

    fn up(&self) -> &[Step] {
        &FILL
    }

    fn down(&self) -> Down<'_> {
        Down::Irreversible("nobody knows the names that were there")
    }

    fn checksum(&self) -> Checksum {
        Checksum::of_code(1)
    }
}

#[async_trait]
impl Code for FillNames {
    async fn up(&self, connection: &mut PgConnection) -> Result<(), BoxError> {
        connection.execute("INSERT INTO users VALUES (1, 'first')").await?;
        Ok(())
    }
}

fn main() -> std::process::ExitCode {
    migrate_cli::embedded(AppMigrations).main()
}
