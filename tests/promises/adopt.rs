//! An application that migrated with sqlx goes on with migrate: nothing runs twice and nothing is lost.

use std::time::Duration;

use migrate_core::adoption::lock_key;
use migrate_postgres::{AdoptionReport, Error, FromSqlx, Migrator, Proof, Version};
use sqlx::postgres::PgPool;

use crate::harness::{Database, Folder, Heard, Sqlx, applied};

mod mirror;

type Files = [(&'static str, &'static str)];

const ONE: (&str, &str) = ("1_users.sql", "CREATE TABLE users (id int);\n");
const TWO: (&str, &str) =
    ("2_add_name.up.sql", "ALTER TABLE users\r\n ADD name text DEFAULT 'é';\r\n");
const TWO_DOWN: (&str, &str) = ("2_add_name.down.sql", "ALTER TABLE users DROP name;\n");
const THREE: (&str, &str) = ("3_posts.sql", "CREATE TABLE posts (id int);");
const FOUR: (&str, &str) = ("4_tags.sql", "CREATE TABLE tags (id int);");

/// A database that sqlx brought to where these files are.
async fn migrated_by_sqlx(files: &Files) -> (Database, PgPool) {
    let database = Database::fresh().await;
    Sqlx::on(&database).await.applies(files).await;
    let pool = database.pool().await;
    (database, pool)
}

fn ids(report: &AdoptionReport) -> Vec<String> {
    report.adopted.iter().map(|adopted| adopted.id.to_string()).collect()
}

/// Refused, in these words, with nothing changed.
fn is_refused(error: &Error, why: &[&str]) {
    assert!(error.is_divergence(), "{error}");
    let text = error.to_string();
    why.iter().for_each(|why| assert!(text.contains(why), "no {why:?} in\n{text}"));
    assert!(text.contains("now: nothing was changed"), "{text}");
}

#[tokio::test]
async fn what_sqlx_applied_is_applied_and_only_the_rest_runs() {
    let (database, pool) = migrated_by_sqlx(&[ONE, TWO]).await;
    let before = Sqlx::on(&database).await.rows().await;
    let three_down = ("3_posts.down.sql", "DROP TABLE posts;");
    let migrator = Folder::of(&[ONE, TWO, TWO_DOWN, THREE, three_down]).migrator();
    let report = migrator.adopt_sqlx(&pool).await.unwrap();
    assert_eq!(ids(&report), ["1 expand", "2 expand"]);
    assert_eq!(report.proven(Proof::Verified), 2);
    assert_eq!(report.pending.len(), 1);
    assert_eq!(report.released, Some(Version::new(2)));
    assert_eq!(Sqlx::on(&database).await.rows().await, before, "the old table stays as it was");
    let history = ["1 1 expand adopted up done", "2 2 expand adopted up done"];
    assert_eq!(database.history().await, history);
    let when = "SELECT bool_and(h.finished_at = s.installed_on AND h.reason LIKE 'adopted from public._sqlx_migrations, 20%') \
                FROM schema_migrations h JOIN _sqlx_migrations s USING (version)";
    assert_eq!(database.value(when).await, "true", "when, to the microsecond, and why");
    assert_eq!(applied(&migrator.run(&pool).await.unwrap()), ["3 expand"]);
    assert_eq!(applied(&migrator.revert(&pool, Some(Version::new(1))).await.unwrap()).len(), 2);
}

#[tokio::test]
async fn it_is_idempotent_and_takes_only_what_came_since() {
    let (database, pool) = migrated_by_sqlx(&[ONE]).await;
    let migrator = Folder::of(&[ONE, TWO, THREE]).migrator();
    assert_eq!(ids(&migrator.adopt_sqlx(&pool).await.unwrap()), ["1 expand"]);
    for _ in 0..2 {
        let again = migrator.adopt_sqlx(&pool).await.unwrap();
        assert!(again.adopted.is_empty() && again.known == 1, "{again}");
    }
    Sqlx::on(&database).await.applies(&[TWO]).await;
    let error = migrator.run(&pool).await.unwrap_err();
    is_refused(&error, &["2 expand was applied by sqlx already", "`migrate adopt`"]);
    assert_eq!(ids(&migrator.adopt_sqlx(&pool).await.unwrap()), ["2 expand"]);
    assert_eq!(applied(&migrator.run(&pool).await.unwrap()), ["3 expand"]);
    assert!(migrator.adopt_sqlx(&pool).await.unwrap().adopted.is_empty());
}

#[tokio::test]
async fn a_plan_shows_it_and_changes_nothing() {
    let (database, pool) = migrated_by_sqlx(&[ONE, TWO]).await;
    let migrator = Folder::of(&[ONE, TWO]).migrator();
    let planned = migrator.plan_adoption(&pool, &FromSqlx::new()).await.unwrap();
    assert!(!database.has_table("schema_migrations").await);
    assert_eq!(migrator.adopt_sqlx(&pool).await.unwrap(), planned);
}

#[tokio::test]
async fn everything_in_the_way_is_told_at_once_with_what_to_do() {
    let (database, pool) = migrated_by_sqlx(&[ONE, TWO, THREE, FOUR]).await;
    database.run("UPDATE _sqlx_migrations SET success = false WHERE version = 4").await;
    let folder = Folder::of(&[("1_users.sql", "CREATE TABLE users (id bigint);"), TWO, FOUR]);
    let why = [
        "failed to adopt public._sqlx_migrations",
        "1 users: the file is not what sqlx ran",
        "--accept-changed",
        "3 posts: sqlx applied it, and no file has this version",
        "--accept-missing",
        "4 tags: sqlx's row says that it did not succeed",
    ];
    is_refused(&folder.migrator().adopt_sqlx(&pool).await.unwrap_err(), &why);
    let all = FromSqlx::new().accept_changed().accept_missing().accept_reverted();
    let error = folder.migrator().adopt_sqlx_with(&pool, &all).await.unwrap_err();
    is_refused(&error, &["4 tags"]);
    assert!(!database.has_table("schema_migrations").await, "a refusal leaves nothing behind");
}

#[tokio::test]
async fn a_changed_file_can_be_accepted_and_the_reason_stays() {
    let (database, pool) = migrated_by_sqlx(&[ONE]).await;
    let migrator = Folder::of(&[("1_users.sql", "CREATE TABLE users (id bigint);")]).migrator();
    let accepting = FromSqlx::new().accept_changed();
    let report = migrator.adopt_sqlx_with(&pool, &accepting).await.unwrap();
    assert_eq!(report.proven(Proof::Changed), 1);
    let reason = database.value("SELECT reason FROM schema_migrations").await;
    assert!(reason.ends_with("although its file had changed since"), "{reason}");
    assert!(migrator.run(&pool).await.unwrap().is_empty());
    assert!(migrator.adopt_sqlx(&pool).await.unwrap().adopted.is_empty(), "nor is it asked again");
}

#[tokio::test]
async fn a_version_without_a_file_can_be_left_to_sqlx_and_never_runs_twice() {
    let (_database, pool) = migrated_by_sqlx(&[ONE, THREE]).await;
    let folder = Folder::of(&[ONE]);
    let accepting = FromSqlx::new().accept_missing();
    let report = folder.migrator().adopt_sqlx_with(&pool, &accepting).await.unwrap();
    assert_eq!(report.left_out, [(Version::new(3), "posts".to_owned())]);
    assert!(folder.migrator().run(&pool).await.unwrap().is_empty());
    folder.write(THREE.0, THREE.1);
    let error = folder.migrator().run(&pool).await.unwrap_err();
    is_refused(&error, &["3 expand was applied by sqlx already"]);
}

#[tokio::test]
async fn line_ends_that_a_checkout_changed_are_no_change() {
    let (_database, pool) = migrated_by_sqlx(&[ONE, TWO]).await;
    let two = TWO.1.replace("\r\n", "\n");
    let migrator = Folder::of(&[(ONE.0, &ONE.1.replace('\n', "\r\n")), (TWO.0, &two)]).migrator();
    let report = migrator.adopt_sqlx(&pool).await.unwrap();
    assert_eq!(report.proven(Proof::LineEnds), 2);
    assert!(migrator.run(&pool).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_sqlx_would_run_out_of_order_is_named() {
    let (_database, pool) = migrated_by_sqlx(&[ONE, THREE]).await;
    let report = Folder::of(&[ONE, TWO, THREE, FOUR]).migrator().adopt_sqlx(&pool).await.unwrap();
    let late: Vec<_> = report.pending.iter().map(|p| (p.id.version.get(), p.late)).collect();
    assert_eq!(late, [(2, true), (4, false)]);
}

/// Nor is it a fresh database, on which contracts would run.
#[tokio::test]
async fn a_history_that_nobody_took_over_is_not_an_empty_one() {
    let (database, pool) = migrated_by_sqlx(&[ONE, TWO]).await;
    let migrator = Folder::of(&[ONE, TWO, THREE]).migrator();
    let why = [
        "2 migrations, 1 expand to 2 expand were applied by sqlx already, says public._sqlx_migrations",
    ];
    for error in [
        migrator.run(&pool).await.unwrap_err(),
        migrator.plan(&pool).await.unwrap_err(),
        migrator.check(&pool).await.unwrap_err(),
    ] {
        is_refused(&error, &why);
        assert!(error.to_string().contains("`migrate adopt`"), "{error}");
    }
    let error = migrator.run_to(&pool, Version::new(1)).await.unwrap_err();
    is_refused(&error, &["1 expand was applied by sqlx already"]);
    assert!(!database.has_table("schema_migrations").await);
}

#[tokio::test]
async fn the_table_of_another_application_is_none_of_our_business() {
    let theirs =
        [("1_setup.sql", "CREATE TABLE jobs ();"), ("2_more.sql", "CREATE TABLE more ();")];
    let (database, pool) = migrated_by_sqlx(&theirs).await;
    let migrator = Folder::of(&[ONE, TWO]).migrator().set("users");
    assert_eq!(applied(&migrator.run(&pool).await.unwrap()).len(), 2);
    assert_eq!(Sqlx::on(&database).await.versions().await, "1 2");
}

#[tokio::test]
async fn where_sqlx_never_was_there_is_nothing_to_adopt() {
    let database = Database::fresh().await;
    let pool = database.pool().await;
    let migrator = Folder::of(&[ONE]).migrator();
    let report = migrator.adopt_sqlx(&pool).await.unwrap();
    assert_eq!((report.table.as_deref(), report.adopted.len()), (None, 0));
    assert_eq!(applied(&migrator.run(&pool).await.unwrap()), ["1 expand"]);
    let named = FromSqlx::new().table("ops._sqlx_migrations");
    let error = migrator.adopt_sqlx_with(&pool, &named).await.unwrap_err();
    assert!(error.to_string().contains("there is no ops._sqlx_migrations"), "{error}");
}

#[tokio::test]
async fn a_table_with_a_name_and_a_hash_of_its_own_is_read() {
    let database = Database::fresh().await;
    database.run("CREATE SCHEMA \"Ops\"").await;
    let table = "\"Ops\".\"its \"\"history\"\"\"";
    let theirs = Sqlx::with_table(&database, table).await;
    theirs.applies(&[ONE]).await;
    let stripped = ONE.1.replace([' ', '\n'], "");
    database.run(&format!("UPDATE {table} SET checksum = sha384('{stripped}')")).await;
    let pool = database.pool().await;
    let migrator = Folder::of(&[ONE]).migrator();
    let from = FromSqlx::new().table(table).ignored_chars([' ', '\n']).mirror();
    let report = migrator.adopt_sqlx_with(&pool, &from).await.unwrap();
    assert_eq!(report.proven(Proof::Verified), 1, "{report}");
    let folder = Folder::of(&[ONE, TWO]);
    assert_eq!(applied(&folder.migrator().run(&pool).await.unwrap()), ["2 expand"]);
    let hash = format!(
        "SELECT checksum = sha384(convert_to('{}', 'UTF8')) FROM {table} WHERE version = 2",
        TWO.1.replace([' ', '\n'], "").replace('\'', "''")
    );
    assert_eq!(database.value(&hash).await, "true");
}

#[tokio::test]
async fn what_is_not_sqlxs_table_is_left_alone() {
    let database = Database::fresh().await;
    database.run("CREATE TABLE _sqlx_migrations (version bigint)").await;
    let error = Folder::of(&[ONE]).migrator().adopt_sqlx(&database.pool().await).await.unwrap_err();
    assert!(error.to_string().contains("it has not the columns of sqlx's table"), "{error}");
}

#[tokio::test]
async fn a_role_without_rights_is_told_the_grant_to_type() {
    let (database, pool) = migrated_by_sqlx(&[ONE]).await;
    let role = database.role("owner", "").await;
    database.run(&format!("GRANT CREATE, USAGE ON SCHEMA public TO {role}")).await;
    let migrator = Folder::of(&[ONE]).migrator().role(&role);
    let from = FromSqlx::new().mirror();
    let error = migrator.adopt_sqlx_with(&pool, &from).await.unwrap_err().to_string();
    assert!(error.contains("GRANT SELECT ON public._sqlx_migrations TO"), "{error}");
    database.run(&format!("GRANT SELECT ON _sqlx_migrations TO {role}")).await;
    let error = migrator.adopt_sqlx_with(&pool, &from).await.unwrap_err().to_string();
    let grant = format!("GRANT INSERT, UPDATE, DELETE ON public._sqlx_migrations TO {role};");
    assert!(error.contains(&grant), "{error}");
    assert!(!database.has_table("schema_migrations").await);
    database.run(&grant).await;
    assert_eq!(ids(&migrator.adopt_sqlx_with(&pool, &from).await.unwrap()), ["1 expand"]);
}

#[tokio::test]
async fn a_migration_that_sqlx_took_back_is_not_called_applied() {
    let (database, pool) = migrated_by_sqlx(&[ONE, TWO]).await;
    let migrator = Folder::of(&[ONE, TWO, TWO_DOWN]).migrator();
    migrator.adopt_sqlx(&pool).await.unwrap();
    database
        .run("ALTER TABLE users DROP name; DELETE FROM _sqlx_migrations WHERE version = 2")
        .await;
    let error = migrator.adopt_sqlx(&pool).await.unwrap_err();
    is_refused(
        &error,
        &["2 add_name: is applied here, and sqlx's table does not have it any more"],
    );
    let report = migrator.adopt_sqlx_with(&pool, &FromSqlx::new().accept_reverted()).await.unwrap();
    assert_eq!(report.reverted.len(), 1);
    assert_eq!(applied(&migrator.run(&pool).await.unwrap()), ["2 expand"]);
}

/// Holds the lock of sqlx's migrator, as one that works or one that failed and went back to its pool.
async fn busy_sqlx(database: &Database) -> sqlx::PgConnection {
    let mut session = database.connect().await;
    let lock = sqlx::query("SELECT pg_advisory_lock($1)").bind(lock_key(&database.name));
    lock.execute(&mut session).await.unwrap();
    session
}

#[tokio::test]
async fn a_migrator_of_sqlx_that_works_is_waited_for() {
    let (database, pool) = migrated_by_sqlx(&[ONE]).await;
    let working = busy_sqlx(&database).await;
    let heard = Heard::default();
    let migrator = Folder::of(&[ONE, TWO]).migrator().observer(heard.clone());
    let adopting = tokio::spawn({
        let pool = pool.clone();
        async move { migrator.adopt_sqlx(&pool).await }
    });
    let event = heard.wait_for("waiting for ").await;
    assert!(event.contains("pid"), "{event} names nobody");
    assert!(!database.has_table("schema_migrations").await);
    Sqlx::on(&database).await.applies(&[TWO]).await;
    drop(working);
    assert_eq!(
        ids(&adopting.await.unwrap().unwrap()),
        ["1 expand", "2 expand"],
        "what it did, too"
    );
}

#[tokio::test]
async fn waiting_for_sqlx_has_an_end_that_says_who_to_end() {
    let (database, pool) = migrated_by_sqlx(&[ONE]).await;
    let _failed = busy_sqlx(&database).await;
    let migrator = Folder::of(&[ONE]).migrator().wait_for_migrator(Duration::from_millis(300));
    let error = migrator.adopt_sqlx(&pool).await.unwrap_err();
    assert!(error.is_busy(), "{error}");
    for words in ["lock of sqlx's migrator", "pid ", "keeps its lock as long as the pool"] {
        assert!(error.to_string().contains(words), "no {words:?} in {error}");
    }
}

/// While the rows are written, a program that starts with sqlx does not get its lock; afterwards it does.
#[tokio::test]
async fn a_migrator_of_sqlx_that_starts_meanwhile_waits() {
    let (database, pool) = migrated_by_sqlx(&[ONE]).await;
    let migrator = Folder::of(&[ONE]).migrator();
    let gate = "CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
        PERFORM pg_advisory_xact_lock(7); RETURN NULL; END $$; \
        CREATE TRIGGER gate AFTER INSERT ON schema_migrations EXECUTE FUNCTION gate()";
    Folder::of(&[FOUR]).migrator().set("other").run(&pool).await.unwrap();
    database.run(gate).await;
    let open = database.session("SELECT pg_advisory_lock(7)").await;
    let adopting = tokio::spawn({
        let (migrator, pool) = (migrator.clone(), pool.clone());
        async move { migrator.adopt_sqlx(&pool).await }
    });
    database
        .until("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND NOT granted)")
        .await;
    let free = format!("SELECT pg_try_advisory_lock({})", lock_key(&database.name));
    assert_eq!(database.value(&free).await, "false");
    drop(open);
    adopting.await.unwrap().unwrap();
    assert_eq!(database.value(&free).await, "true", "and it is given back");
}

#[tokio::test]
async fn several_at_once_take_over_each_row_once() {
    let (database, pool) = migrated_by_sqlx(&[ONE, TWO, THREE]).await;
    let folder = Folder::of(&[ONE, TWO, THREE]);
    let start = |migrator: Migrator, pool: PgPool| async move {
        let adopted = migrator.adopt_sqlx(&pool).await?.adopted.len();
        migrator.run(&pool).await?;
        Ok::<_, Error>(adopted)
    };
    let all: Vec<_> =
        (0..6).map(|_| tokio::spawn(start(folder.migrator(), pool.clone()))).collect();
    let mut adopted = Vec::new();
    for one in all {
        adopted.push(one.await.unwrap().unwrap_or_else(|error| panic!("{error}")));
    }
    assert_eq!(adopted.iter().sum::<usize>(), 3, "{adopted:?}");
    assert_eq!(database.history().await.len(), 3);
}
