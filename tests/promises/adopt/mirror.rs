//! The mirror: a program that migrates with sqlx can be rolled back to.

use migrate_postgres::{FromSqlx, MigrationId, Phase, Version};

use super::{FOUR, Files, ONE, THREE, TWO, TWO_DOWN, migrated_by_sqlx};
use crate::harness::{Database, Folder, Sqlx, applied};

const INDEX: (&str, &str) =
    ("5_index.sql", "-- no-transaction\nCREATE INDEX CONCURRENTLY posts_id ON posts (id);\n");
const ODD: (&str, &str) =
    ("6_odd_text.sql", "SELECT 'it''s \\ “odd”', $$\t{hole}$$;\r\n\r\n-- ünd\r\n");

/// Adopted with a mirror, and what the program has since is applied by migrate.
async fn mirrored(before: &Files, since: &Files) -> (Database, Folder) {
    let (database, pool) = migrated_by_sqlx(before).await;
    let folder = Folder::of(before);
    let report = folder.migrator().adopt_sqlx_with(&pool, &FromSqlx::new().mirror()).await.unwrap();
    assert!(report.mirrored, "{report}");
    since.iter().for_each(|(name, text)| folder.write(name, text));
    folder.migrator().run(&pool).await.unwrap_or_else(|error| panic!("{error}"));
    (database, folder)
}

#[tokio::test]
async fn a_program_with_the_same_files_starts_under_sqlx() {
    let since = [TWO, TWO_DOWN, THREE, INDEX, ODD];
    let (database, _folder) = mirrored(&[ONE], &since).await;
    let theirs = Sqlx::on(&database).await;
    assert_eq!(theirs.start(&[ONE, TWO, TWO_DOWN, THREE, INDEX, ODD]).await, "starts");
    assert_eq!(theirs.start(&[ONE, TWO, THREE, FOUR, INDEX, ODD]).await, "4 is pending");
    assert_eq!(
        theirs.start(&[ONE]).await,
        "2 is missing, 3 is missing, 5 is missing, 6 is missing"
    );
    let row = "SELECT concat_ws(' ', s.description, s.success, s.installed_on = h.finished_at, s.execution_time > 0) \
               FROM _sqlx_migrations s JOIN schema_migrations h USING (version) WHERE version = 3";
    assert_eq!(database.value(row).await, "posts t t t");
}

#[tokio::test]
async fn what_is_taken_back_goes_from_sqlxs_table_too() {
    let (database, folder) = mirrored(&[ONE], &[TWO, TWO_DOWN]).await;
    let pool = database.pool().await;
    folder.migrator().revert(&pool, Some(Version::new(1))).await.unwrap();
    assert_eq!(Sqlx::on(&database).await.start(&[ONE]).await, "starts");
    folder.migrator().run(&pool).await.unwrap();
    assert_eq!(Sqlx::on(&database).await.start(&[ONE, TWO]).await, "starts");
}

#[tokio::test]
async fn a_row_is_written_with_the_one_it_mirrors_or_not_at_all() {
    let (database, folder) = mirrored(&[ONE], &[]).await;
    folder.write("2_broken.sql", "CREATE TABLE a (); SELECT 1/0;");
    folder.migrator().run(&database.pool().await).await.unwrap_err();
    assert_eq!(Sqlx::on(&database).await.versions().await, "1");
}

#[tokio::test]
async fn what_was_applied_before_the_mirror_is_written_when_it_begins() {
    let (database, pool) = migrated_by_sqlx(&[ONE]).await;
    let folder = Folder::of(&[ONE, TWO, THREE]);
    folder.migrator().adopt_sqlx(&pool).await.unwrap();
    folder.migrator().run(&pool).await.unwrap();
    let theirs = Sqlx::on(&database).await;
    assert_eq!(theirs.start(&[ONE, TWO, THREE]).await, "2 is pending, 3 is pending");
    let report = folder.migrator().adopt_sqlx_with(&pool, &FromSqlx::new().mirror()).await.unwrap();
    assert_eq!(report.written_back.len(), 2);
    assert_eq!(theirs.start(&[ONE, TWO, THREE]).await, "starts");
}

#[tokio::test]
async fn it_holds_until_it_is_told_to_stop() {
    let (database, folder) = mirrored(&[ONE], &[TWO]).await;
    let pool = database.pool().await;
    assert!(folder.migrator().stop_mirror(&pool).await.unwrap());
    assert!(!folder.migrator().stop_mirror(&pool).await.unwrap());
    folder.write(THREE.0, THREE.1);
    folder.migrator().run(&pool).await.unwrap();
    assert_eq!(Sqlx::on(&database).await.versions().await, "1 2", "it stays as it is");
    let left = "SELECT count(*) FROM pg_proc WHERE proname LIKE 'migrate_mirror%'";
    assert_eq!(database.value(left).await, "0");
}

/// Rolled back to a program that lacks the newer files, and forward again.
#[tokio::test]
async fn rows_deleted_for_an_older_program_come_back_with_the_next_mirror() {
    let (database, folder) = mirrored(&[ONE], &[TWO, THREE]).await;
    let (pool, theirs) = (database.pool().await, Sqlx::on(&database).await);
    folder.migrator().stop_mirror(&pool).await.unwrap();
    database.run("DELETE FROM _sqlx_migrations WHERE version > 1").await;
    assert_eq!(theirs.start(&[ONE]).await, "starts");
    let mirror = FromSqlx::new().mirror();
    let report = folder.migrator().adopt_sqlx_with(&pool, &mirror).await.unwrap();
    assert_eq!(report.written_back.len(), 2);
    assert_eq!(theirs.start(&[ONE, TWO, THREE]).await, "starts");
}

#[tokio::test]
async fn a_row_that_goes_while_the_mirror_is_on_is_asked_about() {
    let (database, folder) = mirrored(&[ONE], &[TWO]).await;
    database.run("DELETE FROM _sqlx_migrations WHERE version = 2").await;
    let error = folder.migrator().adopt_sqlx(&database.pool().await).await.unwrap_err().to_string();
    assert!(error.contains("2 add_name: is applied here, and sqlx's table"), "{error}");
    assert!(error.contains("--accept-reverted") && error.contains("--stop-mirror"), "{error}");
}

/// No lock is common to both, and the row is: whoever comes second undoes its work.
#[tokio::test]
async fn what_sqlx_applies_at_the_same_time_is_not_applied_twice() {
    for text in
        ["INSERT INTO log VALUES ('ours');", "-- no-transaction\nINSERT INTO log VALUES ('ours');"]
    {
        let (database, folder) = mirrored(&[ONE], &[]).await;
        database.run("CREATE TABLE log (entry text)").await;
        // Its version is another, so that the look before a run does not see it: only the row does.
        folder.write("2_entry.sql", text);
        Sqlx::on(&database)
            .await
            .applies(&[("2_same.sql", "INSERT INTO log VALUES ('theirs')")])
            .await;
        let error = folder.migrator().run(&database.pool().await).await.unwrap_err().to_string();
        assert!(error.contains("sqlx has applied migration 2 meanwhile"), "{error}");
        assert!(error.contains("hint: Take its row over with \"migrate adopt\""), "{error}");
        assert_eq!(database.value("SELECT string_agg(entry, ' ') FROM log").await, "theirs");
    }
}

#[tokio::test]
async fn a_row_that_another_transaction_is_about_to_commit_counts() {
    let (database, folder) = mirrored(&[ONE], &[]).await;
    let applying = database
        .session("BEGIN; INSERT INTO _sqlx_migrations VALUES (2, 'x', now(), true, '', 1)")
        .await;
    folder.write(TWO.0, TWO.1);
    let (migrator, pool) = (folder.migrator(), database.pool().await);
    let running = tokio::spawn(async move { migrator.run(&pool).await });
    database.until("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)").await;
    let mut applying = applying;
    sqlx::raw_sql("COMMIT").execute(&mut applying).await.unwrap();
    let error = running.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("sqlx has applied migration 2 meanwhile"), "{error}");
}

#[tokio::test]
async fn what_people_tell_the_history_is_mirrored() {
    let (database, folder) = mirrored(&[ONE], &[]).await;
    let (pool, theirs) = (database.pool().await, Sqlx::on(&database).await);
    folder.write(TWO.0, TWO.1);
    let two = MigrationId::new(Version::new(2), Phase::Expand);
    folder.migrator().mark_applied(&pool, two, "by hand").await.unwrap();
    assert_eq!(theirs.start(&[ONE, TWO]).await, "starts");
    let edited = ("1_users.sql", "CREATE TABLE users (id bigint);");
    folder.write(edited.0, edited.1);
    folder.migrator().repair(&pool).await.unwrap();
    assert_eq!(theirs.start(&[edited, TWO]).await, "starts");
}

/// sqlx takes each file for a migration of its own, so it cannot run such a folder at all.
#[tokio::test]
async fn of_a_version_in_phases_the_first_one_has_the_row() {
    let phases = [
        ("2_name.expand.sql", "ALTER TABLE users ADD name text;"),
        ("2_name.migrate.sql", "UPDATE users SET name = '';"),
        ("2_name.contract.sql", "ALTER TABLE users DROP id;"),
        ("2_name.down.sql", "ALTER TABLE users DROP name;"),
        ("2_name.contract.down.sql", "ALTER TABLE users ADD id int;"),
    ];
    let (database, folder) = mirrored(&[ONE], &phases).await;
    let (pool, theirs) = (database.pool().await, Sqlx::on(&database).await);
    let all = folder.migrator().phases(migrate_postgres::Phases::ALL).waive_everything("a test");
    all.run(&pool).await.unwrap();
    assert_eq!(theirs.start(&[ONE, phases[0]]).await, "starts");
    assert!(all.adopt_sqlx(&pool).await.unwrap().adopted.is_empty());
    all.revert(&pool, Some(Version::new(1))).await.unwrap();
    assert_eq!(theirs.versions().await, "1");
}

#[tokio::test]
async fn without_sqlxs_table_it_has_nothing_to_do() {
    let (database, folder) = mirrored(&[ONE], &[]).await;
    database.run("DROP TABLE _sqlx_migrations").await;
    folder.write(TWO.0, TWO.1);
    let report = folder.migrator().run(&database.pool().await).await.unwrap();
    assert_eq!(applied(&report), ["2 expand"]);
}

#[tokio::test]
async fn it_writes_for_roles_that_may_not_and_serves_no_other_table() {
    let (database, folder) = mirrored(&[ONE], &[]).await;
    let role = database.role("deploy", "LOGIN").await;
    let grant = format!(
        "GRANT CREATE, USAGE ON SCHEMA public TO {role}; \
         GRANT ALL ON schema_migrations, schema_migrations_settled TO {role}; GRANT ALL ON users TO {role}"
    );
    database.run(&grant).await;
    folder.write(THREE.0, THREE.1);
    let deploy = folder.migrator().role(&role);
    assert_eq!(applied(&deploy.run(&database.pool().await).await.unwrap()), ["3 expand"]);
    assert_eq!(Sqlx::on(&database).await.versions().await, "1 3");
    let function = database
        .value("SELECT oid::regprocedure FROM pg_proc WHERE proname LIKE 'migrate_mirror%'")
        .await;
    let may = format!("SELECT has_function_privilege('{role}', '{function}', 'EXECUTE')");
    assert_eq!(database.value(&may).await, "false", "nobody else makes a trigger of it");
}
