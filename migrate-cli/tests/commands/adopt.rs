//! `adopt`: an application that migrated with sqlx goes on with migrate.

use crate::harness::{AGE, Database, Project, USERS};

/// As sqlx leaves a database.
fn migrated_by_sqlx(files: &[(&str, &str)]) -> (Project, Database) {
    let (project, database) = (Project::of(files), Database::fresh());
    database.execute(
        "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
         installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success BOOLEAN NOT NULL, checksum BYTEA NOT NULL, \
         execution_time BIGINT NOT NULL)",
    );
    for (name, text) in files {
        let (version, rest) = name.trim_end_matches(".sql").split_once('_').unwrap();
        database.execute(&format!(
            "{text}; INSERT INTO _sqlx_migrations VALUES ({version}, '{rest}', now(), true, \
             sha384(convert_to('{text}', 'UTF8')), 1)"
        ));
    }
    (project, database)
}

const CITY: (&str, &str) = ("3_city.sql", "ALTER TABLE users ADD COLUMN city text;\n");

#[test]
fn it_says_what_was_verified_what_waits_and_what_to_change() {
    let (project, database) = migrated_by_sqlx(&[USERS, AGE]);
    project.migration(CITY.0, CITY.1);
    project.on(&database, &["run"]).ends(4).complains("`migrate adopt`");
    let planned = project.on(&database, &["adopt", "--dry-run"]).ends(0);
    let planned = planned.says("adopted   nothing yet: 2 rows would be");
    assert!(!database.has_table("schema_migrations"), "{planned:#?}");
    let outcome = project
        .on(&database, &["adopt"])
        .ends(0)
        .says("database  cli")
        .says("from      public._sqlx_migrations\n")
        .says("verified  2 files: byte for byte what sqlx ran")
        .says("pending   3 expand city")
        .says("adopted   2 rows into the history")
        .says("released  2, says migrations/migrate.toml")
        .says("- sqlx::migrate!(\"./migrations\").run(&pool).await?;")
        .says("+ Migrator::new(embed!(\"migrations\")).run(&pool).await?;");
    let lines = outcome.stdout.lines().filter(|line| !line.starts_with("database"));
    let wide: Vec<_> = lines.filter(|line| line.chars().count() > 80).collect();
    assert_eq!(wide, [""; 0]);
    assert_eq!(project.read("migrations/migrate.toml"), "released = \"2\"\n");
    project.on(&database, &["run"]).ends(0).says("1 migration applied");
    project.on(&database, &["adopt"]).ends(0).says("adopted   nothing new; 2 rows known before");
}

#[test]
fn what_is_released_is_raised_and_never_lowered() {
    let (project, database) = migrated_by_sqlx(&[USERS, AGE]);
    project.write("migrations/migrate.toml", "# ours\nreleased = 1 # staging\n");
    project.on(&database, &["adopt"]).ends(0);
    assert_eq!(project.read("migrations/migrate.toml"), "# ours\nreleased = \"2\" # staging\n");
    let (_, behind) = migrated_by_sqlx(&[USERS]);
    project.on(&behind, &["adopt"]).ends(0).says("released  2, says");
    assert_eq!(project.read("migrations/migrate.toml"), "# ours\nreleased = \"2\" # staging\n");
}

#[test]
fn a_slip_in_the_settings_is_shown_at_its_place() {
    let (project, database) = migrated_by_sqlx(&[USERS]);
    project.write("migrations/migrate.toml", "relased = 1\n");
    let told = "migrations/migrate.toml:1:1: unknown key `relased`; did you mean `released`?";
    project.on(&database, &["status"]).ends(2).complains(told);
}

#[test]
fn what_does_not_agree_stops_it_until_it_is_accepted() {
    let (project, database) = migrated_by_sqlx(&[USERS, AGE]);
    project.migration(AGE.0, "ALTER TABLE users ADD COLUMN age bigint;\n");
    project
        .on(&database, &["adopt"])
        .ends(4)
        .complains("2 age: the file is not what sqlx ran")
        .complains("`--accept-changed`");
    let accepted = project.on(&database, &["adopt", "--accept-changed"]).ends(0);
    let accepted =
        accepted.says("verified  1 file: byte for byte").says("changed   2 expand age: with its");
    let (_, again) = (accepted, project.on(&database, &["adopt", "--json"]).ends(0).json());
    assert_eq!((&again["known"], &again["released"]), (&2.into(), &2.into()), "{again:#}");
}

#[test]
fn the_mirror_begins_and_ends() {
    let (project, database) = migrated_by_sqlx(&[USERS]);
    project
        .on(&database, &["adopt", "--mirror"])
        .ends(0)
        .says("mirror    every run writes to public._sqlx_migrations, too,")
        .says("until `folder adopt --stop-mirror`");
    project.migration(AGE.0, AGE.1);
    project.on(&database, &["run"]).ends(0);
    assert_eq!(database.value("SELECT count(*) FROM _sqlx_migrations"), "2");
    project.on(&database, &["adopt", "--stop-mirror"]).ends(0).says("the mirror is off");
    project.on(&database, &["adopt", "--stop-mirror"]).ends(0).says("there was no mirror");
    project.migration(CITY.0, CITY.1);
    project.on(&database, &["run"]).ends(0);
    assert_eq!(database.value("SELECT count(*) FROM _sqlx_migrations"), "2");
}

#[test]
fn what_sqlx_toml_says_has_to_be_said_here_too() {
    let (project, database) = migrated_by_sqlx(&[USERS]);
    database.execute("CREATE SCHEMA ops; ALTER TABLE _sqlx_migrations SET SCHEMA ops");
    project.write(
        "sqlx.toml",
        "[migrate]\ntable-name = \"ops._sqlx_migrations\"\nignored-chars = [\"\\r\"]\n",
    );
    project
        .on(&database, &["adopt"])
        .ends(2)
        .complains("says `table-name = \"ops._sqlx_migrations\"`")
        .complains("--sqlx-table");
    let table = ["adopt", "--sqlx-table", "ops._sqlx_migrations"];
    project.on(&database, &table).ends(2).complains("--ignored-chars");
    let all = ["adopt", "--sqlx-table", "ops._sqlx_migrations", "--ignored-chars", "\\r"];
    project
        .on(&database, &all)
        .ends(0)
        .says("from      ops._sqlx_migrations")
        .says("verified  1 file");
}

#[test]
fn where_sqlx_never_was_it_says_so() {
    let (project, database) = (Project::of(&[USERS]), Database::fresh());
    project.on(&database, &["adopt"]).ends(0).says("nothing to adopt: sqlx has no table in");
    assert!(!project.files("migrations").contains(&"migrate.toml".to_owned()));
}
