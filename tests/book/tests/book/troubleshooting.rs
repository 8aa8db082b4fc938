//! Every message of the chapter about errors is provoked, and every one that is provoked is in the chapter.

use std::process::Command;
use std::time::Duration;

use migrate_postgres::{Embedded, MigrationId, Migrator, Phase, Phases, Version};
use migrate_testing::{Server, ServerError};

use crate::page::{Page, root};
use crate::scene::Scene;
use crate::shown::matches;

#[tokio::test]
async fn every_message_is_what_the_library_says() {
    let page = Page::read("troubleshooting.md");
    let server = Server::private().expect("a server");
    let mut wrong = Vec::new();
    for block in page.blocks.iter().filter(|block| block.language == "text") {
        let scene = Scene::set(&server).await;
        let said = say(&block.heading, &scene, &server).await;
        if !matches(&block.text, &said) {
            wrong.push(format!(
                "docs/troubleshooting.md:{}: {}\n{said}\n",
                block.line, block.heading
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One heading, one message.
#[test]
fn every_heading_has_its_message() {
    let page = Page::read("troubleshooting.md");
    let mut headings: Vec<&str> = page.blocks.iter().map(|block| block.heading.as_str()).collect();
    headings.dedup();
    assert_eq!(headings.len(), page.blocks.len());
    assert!(headings.len() > 25, "{headings:?}");
}

async fn say(heading: &str, scene: &Scene, server: &Server) -> String {
    if let Some(said) = of_the_folder(heading, scene) {
        return said;
    }
    if let Some(said) = of_the_history(heading, scene).await {
        return said;
    }
    if let Some(said) = of_the_work(heading, scene).await {
        return said;
    }
    match elsewhere(heading, scene, server).await {
        Some(said) => said,
        None => panic!("nobody provokes `{heading}`"),
    }
}

fn of_the_folder(heading: &str, scene: &Scene) -> Option<String> {
    let (name, text) = match heading {
        "unterminated string" => {
            ("2_vip.sql", "ALTER TABLE customers ADD COLUMN level text DEFAULT 'none;\n")
        }
        "cannot run inside a transaction" => {
            ("2_index.sql", "CREATE INDEX CONCURRENTLY by_name ON customers (name);\n")
        }
        "in a migration, whose transaction is the runner's" => {
            ("2_two.sql", "BEGIN;\nSELECT 1;\nCOMMIT;\n")
        }
        "unknown directive" => ("2_index.sql", "-- migrate: no-transactoin\nSELECT 1;\n"),
        "the name is not that of a migration" => ("index.sql", "SELECT 1;\n"),
        "the version is used twice" => ("1_orders.sql", "CREATE TABLE orders ();\n"),
        "the file holds no statement" => ("2_later.sql", "-- to be done\n"),
        "psql meta-command" => ("2_all.sql", "\\i other.sql\n"),
        "COPY … FROM STDIN with its data in the text" => {
            ("2_rows.sql", "COPY customers FROM STDIN;\n1\tAda\n\\.\n")
        }
        _ => return None,
    };
    scene.file(name, text);
    Some(scene.problems())
}

/// The database and the folder disagree.
async fn of_the_history(heading: &str, scene: &Scene) -> Option<String> {
    scene.file("2_email.sql", "ALTER TABLE customers ADD COLUMN email text;\n");
    match heading {
        "was changed after it had been applied" => {
            scene.run().await;
            scene.file("2_email.sql", "ALTER TABLE customers ADD COLUMN mail text;\n");
        }
        "was applied and is not declared" => {
            scene.file("3_phone.sql", "ALTER TABLE customers ADD COLUMN phone text;\n");
            scene.run().await;
            scene.remove("2_email.sql");
        }
        "is older than" => {
            scene.file("4_phone.sql", "ALTER TABLE customers ADD COLUMN phone text;\n");
            scene.run().await;
            scene.file("3_age.sql", "ALTER TABLE customers ADD COLUMN age int;\n");
        }
        "was applied by newer code, and a contract removes what older code needs" => {
            scene.run().await;
            scene.file("3_name.contract.sql", "ALTER TABLE customers DROP COLUMN name;\n");
            scene
                .migrator()
                .phases(Phases::ALL)
                .waive_everything("only a test uses this database")
                .run(&scene.options)
                .await
                .expect("a good run");
            scene.remove("3_name.contract.sql");
        }
        "not all of it can be taken back" => {
            scene.file(
                "2_email.sql",
                "-- migrate: irreversible because mails were sent\nSELECT 1;\n",
            );
            scene.run().await;
            return Some(scene.fails_to_revert(None).await);
        }
        "was taken back halfway" => {
            let back = "-- migrate: no-transaction\nALTER TABLE customers DROP COLUMN email;\nSELECT 1 / 0;\n";
            scene.file("2_email.down.sql", back);
            scene.run().await;
            scene.fails_to_revert(Some(Version::new(1))).await;
        }
        _ => return None,
    }
    Some(scene.fails().await)
}

const FILL: &str = "UPDATE customers SET name = 'x' WHERE :batch AND name IS DISTINCT FROM 'x'";
const FILLED: MigrationId = MigrationId::new(Version::new(2), Phase::Migrate);

/// The work cannot be done.
async fn of_the_work(heading: &str, scene: &Scene) -> Option<String> {
    let second = "2_email.sql";
    match heading {
        "failed to apply" => {
            scene.file(
                second,
                "ALTER TABLE customers\n    ADD COLUMN email text,\n    ADD COLUMN mail txt;\n",
            );
            scene.sql("CREATE TABLE old ()").await;
            Some(scene.fails().await)
        }
        "could not obtain lock on relation" => {
            scene.remove(second);
            scene.run().await;
            let holder = scene.session("BEGIN; SELECT FROM customers").await;
            scene.file(second, "ALTER TABLE customers ADD COLUMN email text;\n");
            let short = scene.foreseeing().lock_deadline(Duration::from_millis(1));
            let said = scene.told(&short.run(&scene.options).await.expect_err("the reader stays"));
            drop(holder);
            Some(said)
        }
        "canceling statement due to lock timeout" => {
            scene.remove(second);
            scene.run().await;
            let holder = scene.session("BEGIN; SELECT FROM customers").await;
            scene.file(second, "ALTER TABLE customers ADD COLUMN email text;\n");
            let said =
                scene.fails_with(|migrator| migrator.lock_deadline(Duration::from_millis(1))).await;
            drop(holder);
            Some(said)
        }
        "failed to get the lock within" => {
            scene.file("2_long.sql", "-- migrate: no-transaction\nSELECT pg_sleep(600);\n");
            scene.remove(second);
            let (migrator, options) = (scene.migrator(), scene.options.clone());
            let other = tokio::spawn(async move { migrator.run(&options).await });
            let sleeps = "DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' \
                AND pid <> pg_backend_pid() AND query ~ 'pg_sleep\\(600') LOOP PERFORM pg_sleep(0.01); \
                PERFORM pg_stat_clear_snapshot(); END LOOP; END $$";
            scene.sql(sleeps).await;
            let said =
                scene.fails_with(|migrator| migrator.wait_for_migrator(Duration::ZERO)).await;
            other.abort();
            Some(said)
        }
        "failed to go on with" => {
            scene.file(
                second,
                "-- migrate: no-transaction\nDO $$ BEGIN ALTER TABLE customers ADD COLUMN email text; COMMIT; END $$;\n",
            );
            scene.run().await;
            // What a run leaves that was killed in the middle of the statement.
            let cut = "DELETE FROM schema_migrations WHERE version = 2 AND (statement IS NULL OR state = 'done')";
            scene.sql(cut).await;
            Some(scene.fails().await)
        }
        _ => of_a_backfill(heading, scene).await,
    }
}

/// A backfill cannot begin, or is not what somebody takes it for.
async fn of_a_backfill(heading: &str, scene: &Scene) -> Option<String> {
    match heading {
        "failed to begin a backfill" => {
            scene.backfill("by name", FILL);
            Some(scene.fails().await)
        }
        "when it was repeated at once" => {
            scene.backfill("by id", "UPDATE customers SET name = name WHERE :batch");
            Some(scene.fails().await)
        }
        "failed to verify backfill" => {
            let verify = "by id\n-- migrate: verify (SELECT count(*) FROM customers) = 0";
            scene.backfill(verify, FILL);
            Some(scene.fails().await)
        }
        "failed to find backfill" => {
            let paused = scene.migrator().pause_backfill(&scene.options, FILLED, "a sale").await;
            Some(scene.told(&paused.expect_err("nobody has begun it")))
        }
        "failed to limit backfill" => {
            scene.backfill("by id", FILL);
            scene.sql("CREATE TABLE before ()").await;
            let left = scene.migrator().budget(Duration::ZERO).run(&scene.options).await;
            left.expect("a run that leaves it");
            let limits = ["batch_tiem=100ms"];
            let limited = scene.migrator().limit_backfill(&scene.options, FILLED, &limits).await;
            Some(scene.told(&limited.expect_err("an error")))
        }
        _ => None,
    }
}

/// The way to the database, the rights there, and the command line.
async fn elsewhere(heading: &str, scene: &Scene, server: &Server) -> Option<String> {
    let options = scene.options.clone();
    Some(match heading {
        "database does not exist" => scene.fails_as(options.database("shpo")).await,
        "No such file or directory, or Connection refused" => scene.fails_as(options.port(1)).await,
        "permission denied for schema public" => {
            scene.sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE app_1 LOGIN").await;
            scene.fails_as(options.username("app_1")).await
        }
        "permission denied for table schema_migrations" => {
            scene.run().await;
            scene.sql("CREATE ROLE app_2 LOGIN").await;
            scene.fails_as(options.username("app_2")).await
        }
        "cannot execute in a read-only transaction" => {
            scene.fails_as(options.options([("default_transaction_read_only", "on")])).await
        }
        "failed to use schema_migrations as the history" => {
            scene.sql("CREATE TABLE schema_migrations (version text)").await;
            scene.fails().await
        }
        "applied by sqlx already" => {
            let table = "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL, \
                installed_on timestamptz NOT NULL DEFAULT now(), success boolean NOT NULL, \
                checksum bytea NOT NULL, execution_time bigint NOT NULL); \
                INSERT INTO _sqlx_migrations VALUES (1, 'customers', now(), true, '', 1)";
            scene.sql(table).await;
            scene.fails().await
        }
        "this connection goes through a pooler in transaction mode" => of_the_pooler(),
        "this program was compiled before the folder changed" => {
            scene.run().await;
            let older = Embedded { folder: scene.older_folder(), build: "shop 1.0.0" };
            scene.told(&Migrator::new(older).run(&options).await.expect_err("an error"))
        }
        "no PostgreSQL server found" => of_this_program("/nowhere", "asks_for_a_server"),
        "starting a server is forbidden" => ServerError::Forbidden.to_string(),
        "Cargo does not watch the folder" => {
            let shown = "migrate-macros/tests/ui/fail/no_build_script.stderr";
            std::fs::read_to_string(root().join(shown)).expect(shown)
        }
        "failed to find the database" => command_line(&["status"], None),
        "failed to read the database URL" => {
            command_line(&["status"], Some("postgres://shop:pass/word@localhost/shop"))
        }
        "failed to find version" => {
            let url = server.url("shop");
            command_line(&["revert", "--to", "20261102080000", "--yes"], Some(&url))
        }
        _ => return None,
    })
}

/// pgbouncer is not for this test: `tests/promises/lease.rs` has one, and looks for the words that stand here.
fn of_the_pooler() -> String {
    let source =
        std::fs::read_to_string(root().join("migrate-postgres/src/error.rs")).expect("the source");
    let literals = |from: &str, to: &str| -> Vec<String> {
        let (_, here) = source.split_once(from).expect("what it says");
        let here = here.split(to).next().unwrap_or_default();
        let lines: Vec<&str> = here.split("\\\n").map(str::trim_start).collect();
        lines.concat().split('"').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let said = literals("fn needs_a_session(", "pub(crate) fn");
    let [message, now] = said.as_slice() else { panic!("{said:?}") };
    let [next] = &literals("const DIRECT: &str", "\n\n")[..] else { panic!("no remedy") };
    let message = message.replace("{what}", "apply 2 expand index");
    format!("{message}\n  now: {now}\n  next: {next}")
}

/// A test of this program, in an environment that has no PostgreSQL.
fn of_this_program(binaries: &str, test: &str) -> String {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--ignored", "--exact", &format!("troubleshooting::{test}"), "--nocapture"]);
    let output = command.env("MIGRATE_PG_BIN", binaries).env_remove("TEST_DATABASE_URL").output();
    let said = String::from_utf8(output.expect("this program").stdout).expect("UTF-8");
    let said = said.split_once("<<<").and_then(|(_, said)| said.split_once(">>>"));
    said.expect("the marks").0.to_owned()
}

#[test]
#[ignore = "says what a machine without PostgreSQL says; started by the test of the chapter"]
fn asks_for_a_server() {
    let error = Server::shared().expect_err("there is no PostgreSQL");
    println!("<<<{error}>>>");
}

fn command_line(words: &[&str], url: Option<&str>) -> String {
    let folder = tempfile::TempDir::new().expect("a folder");
    let migrations = folder.path().join("migrations");
    std::fs::create_dir(&migrations).expect("a folder");
    std::fs::write(migrations.join("1_customers.sql"), "CREATE TABLE customers ();")
        .expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_book-xtask"));
    command.args(words).current_dir(folder.path());
    command.env_remove("CARGO_MANIFEST_DIR").env_remove("DATABASE_URL");
    command.envs(url.map(|url| ("DATABASE_URL", url)));
    String::from_utf8(command.output().expect("the program").stderr).expect("UTF-8")
}
