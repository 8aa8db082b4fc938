//! A migration that fails.

use std::time::Duration;

use migrate_core::Set;
use migrate_postgres::{Error, Migrator, Source};

use crate::harness::{Database, Folder, Heard, applied};

const USERS: (&str, &str) = ("1_users.sql", "CREATE TABLE users (id bigint);");
const BROKEN: (&str, &str) = (
    "2_broken.sql",
    "CREATE TABLE half (id int);\nSELECT 1;\n  INSERT INTO users (idd) VALUES (1);\nSELECT 2;",
);
const MORE: (&str, &str) = ("3_more.sql", "CREATE TABLE more (id int);");

fn no_group(folder: &Folder) -> Migrator {
    folder.migrator().group(1)
}

/// The character that the caret stands below.
fn under_the_caret(error: &Error) -> String {
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().collect();
    let caret =
        lines.iter().position(|line| line.ends_with("| ^") || line.trim_end().ends_with(" ^"));
    let caret = caret.unwrap_or_else(|| panic!("a caret in {text}"));
    let column = lines[caret].chars().count() - 1;
    lines[caret - 1].chars().skip(column).collect()
}

async fn the_lock_goes_with_the_session(database: &Database) {
    let locks = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
        WHERE l.locktype = 'advisory' AND d.datname = current_database()";
    while database.value(locks).await != "0" {
        tokio::time::sleep(Duration::from_millis(1)).await; // the server hears of the end of a session
    }
}

async fn the_next_run_goes_on(database: &Database, folder: &Folder, expected: &[&str]) {
    folder.write("2_broken.sql", "CREATE TABLE half (id int);");
    let heard = Heard::default();
    let migrator = folder.migrator().observer(heard.clone()).wait_for_migrator(Duration::ZERO);
    let report = migrator.run(&database.pool().await).await.unwrap();
    assert_eq!(applied(&report), expected);
    assert!(!heard.take().iter().any(|line| line.contains("waiting")));
}

#[tokio::test]
async fn nothing_of_it_stays_and_the_next_run_does_not_wait() {
    let database = Database::fresh().await;
    let folder = Folder::of(&[USERS, BROKEN, MORE]);
    let error = no_group(&folder).run(&database.pool().await).await.unwrap_err();
    the_lock_goes_with_the_session(&database).await;
    assert!(database.has_table("users").await && !database.has_table("half").await);
    assert_eq!(
        database.history().await,
        ["1 1 expand transaction up done", "2 2 expand transaction up failed"]
    );
    assert_eq!(error.applied().len(), 1);
    assert!(error.to_string().contains("applied before it: 1 expand"), "{error}");
    the_next_run_goes_on(&database, &folder, &["2 expand", "3 expand"]).await;
}

#[tokio::test]
async fn nothing_of_those_that_shared_its_transaction_stays_either() {
    let database = Database::fresh().await;
    let folder = Folder::of(&[USERS, BROKEN, MORE]);
    let error = folder.migrator().run(&database.pool().await).await.unwrap_err();
    the_lock_goes_with_the_session(&database).await;
    assert!(!database.has_table("users").await && !database.has_table("half").await);
    assert_eq!(error.applied(), []);
    let text = error.to_string();
    assert!(text.contains("applied before it: nothing"), "{text}");
    assert!(
        text.contains("nothing of the 3 migrations that shared its transaction stayed"),
        "{text}"
    );
    the_next_run_goes_on(&database, &folder, &["1 expand", "2 expand", "3 expand"]).await;
}

#[tokio::test]
async fn the_error_says_where_what_and_what_next() {
    for group in [1, 200] {
        let database = Database::fresh().await;
        let folder = Folder::of(&[USERS, BROKEN]);
        let error = folder.migrator().group(group).run(&database.pool().await).await.unwrap_err();
        let (file, line, column) = error.place().unwrap();
        assert!(file.ends_with("2_broken.sql"), "{file}");
        assert_eq!((line, column), (3, 22));
        assert_eq!(under_the_caret(&error), "idd) VALUES (1);");
        assert_eq!(error.sqlstate(), Some("42703"));
        let text = error.to_string();
        for part in [
            "failed to apply 2 expand broken: column \"idd\" of relation \"users\" does not exist (SQLSTATE 42703)",
            "2_broken.sql:3:22",
            "next: Correct it and run again.",
        ] {
            assert!(text.contains(part), "no {part:?} in\n{text}");
        }
    }
}

#[tokio::test]
async fn the_hint_of_the_server_is_passed_on() {
    let database = Database::fresh().await;
    let folder = Folder::of(&[USERS, ("2_hint.sql", "SELECT users.ide FROM users")]);
    let error = folder.migrator().run(&database.pool().await).await.unwrap_err();
    assert!(error.to_string().contains("hint: Perhaps you meant"), "{error}");
}

#[tokio::test]
async fn the_place_is_right_behind_a_byte_order_mark_wide_characters_and_crlf() {
    let text = "\u{feff}-- комментарий 𝄞€\r\nCREATE TABLE größe (id int);\r\n\
        SELECT 'ä€𝄞', nothing\r\nFROM größe;\r\nSELECT 1;\r\n";
    for group in [1, 200] {
        let database = Database::fresh().await;
        let folder = Folder::of(&[USERS, ("2_wide.sql", text)]);
        let error = folder.migrator().group(group).run(&database.pool().await).await.unwrap_err();
        let (_, line, column) = error.place().unwrap();
        assert_eq!((line, column), (3, 15), "{error}");
        assert_eq!(under_the_caret(&error), "nothing");
    }
}

#[tokio::test]
async fn a_mark_before_the_first_statement_does_not_shift_the_first_line() {
    let database = Database::fresh().await;
    let folder = Folder::of(&[("1_mark.sql", "\u{feff}SELECT nothing;")]);
    let error = folder.migrator().run(&database.pool().await).await.unwrap_err();
    assert_eq!(error.place().map(|(_, line, column)| (line, column)), Some((1, 8)), "{error}");
    assert_eq!(under_the_caret(&error), "nothing;");
}

#[tokio::test]
async fn a_long_line_is_shown_around_the_spot() {
    let database = Database::fresh().await;
    let list = (0..200).map(|n| format!("'é{n}', ")).collect::<String>();
    let text = format!("SELECT {list}nothing, {list}1;");
    let folder = Folder::of(&[("1_long.sql", &text)]);
    let error = folder.migrator().run(&database.pool().await).await.unwrap_err();
    let column = 8 + u32::try_from(list.chars().count()).unwrap();
    assert_eq!(error.place().map(|(_, line, column)| (line, column)), Some((1, column)));
    assert!(under_the_caret(&error).starts_with("nothing, "), "{error}");
    assert!(error.to_string().lines().all(|line| line.chars().count() < 300), "{error}");
}

#[tokio::test]
async fn an_error_without_a_position_is_placed_at_its_statement() {
    for (group, head) in [(1, ""), (200, ""), (1, "-- migrate: no-transaction\n")] {
        let database = Database::fresh().await;
        let text = format!(
            "{head}CREATE TABLE one (id int PRIMARY KEY);\nINSERT INTO one VALUES (1); -- ; \n\
             /* ; */ INSERT INTO one VALUES (2);\n  INSERT INTO one VALUES (1);\nSELECT 1;"
        );
        let folder = Folder::of(&[USERS, ("2_twice.sql", &text)]);
        let error = folder.migrator().group(group).run(&database.pool().await).await.unwrap_err();
        assert_eq!(error.sqlstate(), Some("23505"));
        let line = if head.is_empty() { 4 } else { 5 };
        assert_eq!(
            error.place().map(|(_, line, column)| (line, column)),
            Some((line, 3)),
            "{error}"
        );
        assert_eq!(under_the_caret(&error), "INSERT INTO one VALUES (1);");
        assert!(error.to_string().contains("detail: Key (id)=(1) already exists."), "{error}");
    }
}

#[tokio::test]
async fn a_constraint_that_fails_at_the_commit_names_the_file() {
    let database = Database::fresh().await;
    let folder = Folder::of(&[(
        "1_late.sql",
        "CREATE TABLE a (id int PRIMARY KEY, b int REFERENCES a DEFERRABLE INITIALLY DEFERRED);\n\
         INSERT INTO a VALUES (1, 2);",
    )]);
    let error = folder.migrator().run(&database.pool().await).await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("23503"));
    assert!(error.to_string().contains("1_late.sql"), "{error}");
    assert!(!database.has_table("a").await);
}

#[tokio::test]
async fn an_unfinished_statement_is_placed_at_its_end() {
    let database = Database::fresh().await;
    let folder = Folder::of(&[("1_open.sql", "SELECT 1;\nCREATE TABLE a (id int")]);
    let error = folder.migrator().run(&database.pool().await).await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("42601"));
    assert_eq!(error.place().map(|(_, line, _)| line), Some(2), "{error}");
}

#[tokio::test]
async fn a_statement_outside_a_transaction_keeps_those_before_it() {
    let database = Database::fresh().await;
    let folder = Folder::of(&[
        USERS,
        (
            "2_broken.sql",
            "-- migrate: no-transaction\nCREATE TABLE a (id int);\nSELECT ünknown;\nCREATE TABLE b (id int);",
        ),
    ]);
    let error = folder.migrator().run(&database.pool().await).await.unwrap_err();
    assert_eq!(error.place().map(|(_, line, column)| (line, column)), Some((3, 8)), "{error}");
    assert_eq!(under_the_caret(&error), "ünknown;");
    assert!(
        error.to_string().contains("its first statement took effect and is recorded"),
        "{error}"
    );
    folder.write(
        "2_broken.sql",
        "-- migrate: no-transaction\nCREATE TABLE a (id int);\nSELECT 1;\nCREATE TABLE b (id int);",
    );
    let report = folder.migrator().run(&database.pool().await).await.unwrap();
    assert_eq!(applied(&report), ["2 expand"]);
    assert!(database.has_table("b").await);
}

#[tokio::test]
async fn a_wrong_password_or_no_server_is_an_error_of_the_connection_without_the_password() {
    let folder = Folder::of(&[USERS]);
    let nowhere = tempfile::TempDir::new().unwrap();
    let options = sqlx::postgres::PgConnectOptions::new_without_pgpass()
        .socket(nowhere.path())
        .username("somebody")
        .password("s3cr3t-p4ss");
    let error = folder.migrator().run(&options).await.unwrap_err();
    assert!(error.is_connection(), "{error}");
    assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error:?}");
    let database = migrate_postgres::Database::from(&options);
    assert!(!format!("{database:?}").contains("s3cr3t"), "{database:?}");
}

#[test]
fn data_copied_to_nobody_is_refused_before_anything_runs() {
    let folder = Folder::of(&[("2_copy.sql", "COPY users TO STDOUT;")]);
    let problems = migrate_postgres::Source::read(folder.path()).unwrap_err();
    assert!(problems[0].to_string().contains("2_copy.sql:1:1: `COPY … TO STDOUT`"), "{problems:?}");
}

#[tokio::test]
async fn a_way_back_that_fails_is_tried_again_and_does_not_stand_in_the_way_forward() {
    let database = Database::fresh().await;
    let back = ("1_users.down.sql", "DROP TABLE users;");
    let folder = Folder::of(&[USERS, back, MORE, ("3_more.down.sql", "DROP TABLE more;")]);
    folder.migrator().run(&database.options()).await.unwrap();
    database.run("CREATE VIEW v AS SELECT * FROM users").await;
    for migrator in [folder.migrator(), Migrator::new(Source::of_set(Set::default()))] {
        let error = migrator.revert(&database.options(), None).await.unwrap_err();
        assert_eq!(error.sqlstate(), Some("2BP01"), "{error}");
        let report = folder.migrator().run(&database.options()).await.unwrap();
        assert_eq!(applied(&report), ["3 expand"]);
    }
    database.run("DROP VIEW v").await;
    let nobody = Migrator::new(Source::of_set(Set::default()));
    let report = nobody.revert(&database.options(), None).await.unwrap();
    assert_eq!(applied(&report), ["3 expand", "1 expand"]);
}
