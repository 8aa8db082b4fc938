//! What a migration sets is gone before the next one.

use migrate_postgres::Source;
use sqlx::AssertSqlSafe;

use crate::harness::{Database, Folder, applied};
use crate::rust::{Rust, sql};

/// What the migrations see.
const SEEN: &str = "concat_ws(' ', current_setting('search_path'), current_user, session_user, \
    current_setting('session_replication_role'), current_setting('standard_conforming_strings'), \
    current_setting('default_transaction_read_only'), current_setting('default_transaction_isolation'), \
    current_setting('client_encoding'))";
const AS_IT_WAS: &str = "\"$user\", public postgres postgres origin on off read committed UTF8";

const NONE: [&str; 0] = [];

/// Sets it in the middle migration of three, runs them, and looks what the others and the history saw.
async fn is_gone_afterwards(setting: &str, header: &str, group: u32) {
    let database = Database::fresh().await;
    let role = database.role("nobody", "NOLOGIN").await;
    let setting = setting.replace("<role>", &role);
    let note = format!(
        "INSERT INTO public.seen SELECT {SEEN}; INSERT INTO public.seen VALUES ('größe \\');"
    );
    let folder = Folder::of(&[
        ("1_seen.sql", "CREATE TABLE seen (line text); GRANT ALL ON seen TO public;"),
        ("2_größe.sql", &format!("{header}{setting};")),
        ("3_after.sql", &format!("CREATE TABLE made (id int); {note}")),
    ]);
    let migrator = folder.migrator().group(group);
    let pool = database.pool().await;
    let report =
        migrator.run(&pool).await.unwrap_or_else(|e| panic!("{header}{setting} {group}: {e}"));
    assert_eq!(applied(&report).len(), 3, "{header}{setting}");
    was_seen(&database, &format!("{header}{setting} {group}")).await;
    let of_the_pool = AssertSqlSafe(format!("SELECT {SEEN}"));
    let of_the_pool: String = sqlx::query_scalar(of_the_pool).fetch_one(&pool).await.unwrap();
    assert_eq!(of_the_pool, AS_IT_WAS);
}

async fn was_seen(database: &Database, what: &str) {
    let seen = database.value("SELECT string_agg(line, '|') FROM seen").await;
    assert_eq!(seen, format!("{AS_IT_WAS}|größe \\"), "{what}");
    assert!(database.has_table("public.made").await, "{what}");
    let done = "SELECT string_agg(name || ' ' || login, ' ' ORDER BY seq) FROM schema_migrations \
        WHERE state = 'done' AND statement IS NULL";
    assert_eq!(database.value(done).await, "seen postgres größe postgres after postgres", "{what}");
    assert_eq!(
        database.value("SELECT count(*) FROM schema_migrations_settled").await,
        "1",
        "{what}"
    );
}

const SETTINGS: [&str; 9] = [
    "SET search_path TO nowhere",
    "SELECT set_config('search_path', '', false)",
    "SET ROLE <role>",
    "SET SESSION AUTHORIZATION <role>",
    "SET session_replication_role = replica",
    "SET standard_conforming_strings = off",
    "SET default_transaction_read_only = on",
    "SET default_transaction_isolation = 'serializable'",
    "SET client_encoding = 'LATIN1'",
];

/// Those that could keep the history from being read and the mark from being left.
const IN_THE_WAY: [&str; 4] = [
    "SET ROLE <role>",
    "SET SESSION AUTHORIZATION <role>",
    "SET default_transaction_read_only = on",
    "SET standard_conforming_strings = off",
];

#[tokio::test]
async fn when_many_share_a_transaction() {
    for setting in SETTINGS {
        is_gone_afterwards(setting, "", 200).await;
    }
}

#[tokio::test]
async fn when_each_has_its_own_transaction() {
    for setting in SETTINGS {
        is_gone_afterwards(setting, "", 1).await;
    }
}

#[tokio::test]
async fn when_it_runs_outside_a_transaction() {
    for setting in SETTINGS {
        is_gone_afterwards(setting, "-- migrate: no-transaction\n", 200).await;
    }
}

#[tokio::test]
async fn also_when_it_is_the_last_one() {
    for (header, group) in [("", 200), ("", 1), ("-- migrate: no-transaction\n", 200)] {
        for setting in IN_THE_WAY {
            let database = Database::fresh().await;
            let role = database.role("nobody", "NOLOGIN").await;
            let text = format!("{header}{};", setting.replace("<role>", &role));
            let folder =
                Folder::of(&[("1_a.sql", "CREATE TABLE a (id int);"), ("2_set.sql", &text)]);
            let report = folder.migrator().group(group).run(&database.pool().await).await;
            let report = report.unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(applied(&report).len(), 2);
            let settled = database.value("SELECT count(*) FROM schema_migrations_settled").await;
            assert_eq!(settled, "1", "{text}");
        }
    }
}

/// Where a backslash in a plain string escapes, the compiler and the server would read different statements.
#[tokio::test]
async fn a_text_means_what_the_compiler_read_whatever_the_default_of_the_database() {
    for (header, group) in [("", 200), ("", 1), ("-- migrate: no-transaction\n", 200)] {
        let database = Database::fresh().await;
        database
            .run(
                "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET standard_conforming_strings = off', \
                 current_database()); END $$",
            )
            .await;
        let folder = Folder::of(&[
            ("1_t.sql", &format!("{header}CREATE TABLE t AS SELECT 'a\\' AS line;")),
            (
                "2_b.sql",
                &format!("{header}INSERT INTO t VALUES ('b\\'); INSERT INTO t VALUES ('c\\');"),
            ),
            ("3_d.sql", &format!("{header}RESET ALL; INSERT INTO t VALUES ('d');")),
            (
                "4_e.sql",
                &format!("{header}INSERT INTO t VALUES ('e\\'); INSERT INTO t VALUES ('f');"),
            ),
        ]);
        folder.migrator().group(group).run(&database.pool().await).await.unwrap();
        let lines = database.value("SELECT string_agg(line, ' ' ORDER BY line) FROM t").await;
        assert_eq!(lines, r"a\ b\ c\ d e\ f", "{header} {group}");
        let texts = database
            .value(
                "SELECT string_agg(up_sql, '' ORDER BY version) FROM schema_migrations \
                                    WHERE statement IS NULL AND up_sql LIKE '%f%'",
            )
            .await;
        assert!(texts.contains(r"'e\'"), "{texts}");
    }
}

#[tokio::test]
async fn when_code_sets_it() {
    let database = Database::fresh().await;
    let note = format!(
        "INSERT INTO public.seen SELECT {SEEN}; INSERT INTO public.seen VALUES ('größe \\');"
    );
    let folder = Folder::of(&[
        ("1_seen.sql", "CREATE TABLE seen (line text); GRANT ALL ON seen TO public;"),
        ("3_after.sql", &format!("CREATE TABLE made (id int); {note}")),
    ]);
    let source: Source = folder.source().with(Rust::new(2, "größe", |connection| {
        Box::pin(async move {
            sql(connection, "SET search_path TO nowhere; SET SESSION AUTHORIZATION pg_monitor; SET standard_conforming_strings = off").await
        })
    }));
    migrate_postgres::Migrator::new(source).run(&database.pool().await).await.unwrap();
    was_seen(&database, "code").await;
}

#[tokio::test]
async fn a_role_of_the_migrator_holds_in_every_migration() {
    let database = Database::fresh().await;
    let owner = database.role("owner", "NOLOGIN").await;
    database.run(&format!("GRANT CREATE ON SCHEMA public TO {owner}")).await;
    let folder = Folder::of(&[
        ("1_a.sql", "CREATE TABLE a (id int); RESET ROLE; SET ROLE pg_monitor;"),
        ("2_b.sql", "-- migrate: no-transaction\nCREATE TABLE b (id int);\nRESET ROLE;"),
        ("3_c.sql", "-- migrate: no-transaction\nCREATE TABLE c (id int);"),
        ("4_d.sql", "CREATE TABLE d (id int);"),
    ]);
    let source = folder.source().with(Rust::new(5, "e", |connection| {
        Box::pin(async move { sql(connection, "CREATE TABLE e (id int)").await })
    }));
    let migrator = migrate_postgres::Migrator::new(source).role(&owner);
    migrator.run(&database.pool().await).await.unwrap();
    let others = format!(
        "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class \
         WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relowner <> '{owner}'::regrole"
    );
    assert_eq!(database.value(&others).await, "NULL");
    let who = "SELECT DISTINCT role || ' ' || login FROM schema_migrations";
    assert_eq!(database.value(who).await, format!("{owner} postgres"));
    assert_eq!(
        database.history().await.iter().filter(|line| line.contains("failed")).collect::<Vec<_>>(),
        NONE
    );
}

#[tokio::test]
async fn a_deferred_trigger_has_the_settings_of_its_file() {
    let database = Database::fresh().await;
    database
        .run(
            "CREATE SCHEMA app; CREATE TABLE app.t (n int); CREATE TABLE app.log (n int); \
             CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN INSERT INTO log VALUES (NEW.n); RETURN NULL; END $$; \
             CREATE CONSTRAINT TRIGGER note AFTER INSERT ON app.t DEFERRABLE INITIALLY DEFERRED \
             FOR EACH ROW EXECUTE FUNCTION app.note()",
        )
        .await;
    for (file, head) in [("1_a.sql", ""), ("2_b.sql", "-- migrate: no-transaction\n")] {
        let text = format!("{head}SET search_path = app; INSERT INTO t VALUES (1);");
        let folder = Folder::of(&[(file, &text)]);
        folder.migrator().set(file).run(&database.options()).await.expect("a good end");
    }
    assert_eq!(database.value("SELECT count(*) FROM app.log").await, "2");
}
