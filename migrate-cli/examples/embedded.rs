//! What a `migrate` binary of an application is: the commands for its own migrations, those in Rust too.

use async_trait::async_trait;
use migrate_core::source::{self, File, WayBack};
use migrate_core::{Checksum, Down, Migration, MigrationId, Phase, Step, Version};
use migrate_postgres::{Beside, BoxError, Code, Listed, Migrations, Set, Source};
use sqlx::{Executor, PgConnection};

/// Without the derive, to show what it stands for: some SQL, and a migration in Rust beside it.
struct AppMigrations;

const USERS: File<'_> = File {
    path: "migrations/1_create_users.sql",
    bytes: b"CREATE TABLE users (id bigint PRIMARY KEY, name text);\n",
};

impl Migrations for AppMigrations {
    fn source(&self) -> Source {
        let folder = source::read("migrations", &[USERS], WayBack::Ignore);
        let set = Set::new(folder.migrations.into_iter().map(Into::into));
        Source::of_set(set.unwrap_or_default()).with(FillNames)
    }
}

#[derive(Clone)]
struct FillNames;

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

impl Listed for FillNames {
    fn listed(self) -> Beside {
        Beside::code(self)
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
