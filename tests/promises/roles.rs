//! Who may do what.

use migrate_postgres::{Migrator, Standing};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};

use crate::harness::{Database, Folder, Heard, applied};

fn folder() -> Folder {
    Folder::of(&[("1_a.sql", "CREATE TABLE a (id int);"), ("2_b.sql", "CREATE TABLE b (id int);")])
}

/// A role that may log in and nothing else.
async fn application(database: &Database) -> (String, PgConnectOptions) {
    let role = database.role("app", "LOGIN").await;
    database.run("REVOKE ALL ON SCHEMA public FROM public").await;
    let options = database.options().username(&role);
    (role, options)
}

#[tokio::test]
async fn one_that_may_read_the_history_starts_and_looks_without_further_rights() {
    let database = Database::fresh().await;
    let (app, options) = application(&database).await;
    let folder = folder();
    let migrator = folder.migrator().readable_by(&app);
    migrator.run(&database.pool().await).await.unwrap();
    assert!(migrator.run(&options).await.unwrap().is_empty());
    assert!(migrator.check(&options).await.unwrap());
    assert!(migrator.plan(&options).await.unwrap().is_empty());
    let standing: Vec<_> =
        migrator.status(&options).await.unwrap().iter().map(|l| l.standing).collect();
    assert_eq!(standing, [Standing::Applied, Standing::Applied]);
}

#[tokio::test]
async fn it_starts_without_a_mark_and_with_a_build_of_its_own_too() {
    let database = Database::fresh().await;
    let (app, options) = application(&database).await;
    let folder = folder();
    folder.migrator().readable_by(&app).run(&database.pool().await).await.unwrap();
    database.run("DELETE FROM schema_migrations_settled").await;
    assert!(folder.migrator().run(&options).await.unwrap().is_empty());
    folder.remove("2_b.sql");
    let report = folder.migrator().run(&options).await.unwrap();
    assert_eq!(report.notices.len(), 1, "{report}");
    let marks = database.value("SELECT count(*) FROM schema_migrations_settled").await;
    assert_eq!(marks, "0", "it may not leave one");
}

#[tokio::test]
async fn a_role_named_later_may_read_after_the_next_start() {
    let database = Database::fresh().await;
    let (app, options) = application(&database).await;
    let folder = folder();
    folder.migrator().run(&database.pool().await).await.unwrap();
    assert!(folder.migrator().check(&options).await.is_err());
    let report = folder.migrator().readable_by(&app).run(&database.pool().await).await.unwrap();
    assert!(report.is_empty(), "{report}");
    assert!(folder.migrator().readable_by(&app).run(&options).await.unwrap().is_empty());
    assert!(folder.migrator().check(&options).await.unwrap());
}

#[tokio::test]
async fn one_with_something_to_do_and_no_right_to_is_told_so() {
    let database = Database::fresh().await;
    let (app, options) = application(&database).await;
    let folder = folder();
    folder.migrator().readable_by(&app).run(&database.pool().await).await.unwrap();
    folder.write("3_c.sql", "CREATE TABLE c (id int);");
    assert!(!folder.migrator().check(&options).await.unwrap());
    let error = folder.migrator().run(&options).await.unwrap_err();
    assert!(error.is_permission(), "{error}");
    assert!(!database.has_table("c").await);
}

#[tokio::test]
async fn without_any_right_on_the_history_the_error_has_the_grant_to_type() {
    let database = Database::fresh().await;
    let (app, options) = application(&database).await;
    let folder = folder();
    folder.migrator().run(&database.pool().await).await.unwrap();
    let error = folder.migrator().run(&options).await.unwrap_err();
    assert!(error.is_permission(), "{error}");
    let text = error.to_string();
    let grants: Vec<&str> =
        text.split("GRANT ").skip(1).filter_map(|g| g.split_once(';')).map(|g| g.0).collect();
    assert_eq!(grants.len(), 2, "{text}");
    assert!(grants.iter().all(|grant| grant.contains(&app)), "{text}");
    for grant in grants {
        database.run(&format!("GRANT {grant}")).await;
    }
    assert!(folder.migrator().run(&options).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_role_that_may_make_nothing_in_the_schema_is_told_the_remedy() {
    let database = Database::fresh().await;
    let app = database.role("app", "LOGIN").await;
    database.run("REVOKE CREATE ON SCHEMA public FROM public").await;
    let (options, folder) = (database.options().username(&app), folder());
    let error = folder.migrator().run(&options).await.unwrap_err();
    assert!(error.is_permission(), "{error}");
    let text = error.to_string();
    let grant = text.split("GRANT ").nth(1).and_then(|grant| grant.split_once(';')).unwrap().0;
    assert!(grant.contains(&app) && text.contains("`Migrator::schema`"), "{text}");
    database.run(&format!("GRANT {grant}")).await;
    assert_eq!(applied(&folder.migrator().run(&options).await.unwrap()).len(), 2);
}

#[tokio::test]
async fn everything_belongs_to_the_role_that_the_migrator_takes() {
    for inherits in ["INHERIT", "NOINHERIT"] {
        let database = Database::fresh().await;
        let owner = database.role("owner", "NOLOGIN").await;
        let login = database.role("login", &format!("LOGIN {inherits}")).await;
        database.run("REVOKE ALL ON SCHEMA public FROM public").await;
        database
            .run(&format!("GRANT {owner} TO {login}; GRANT ALL ON SCHEMA public TO {owner}"))
            .await;
        let options = database.options().username(&login);
        let folder = folder();
        folder.write("2_b.down.sql", "DROP TABLE b;");
        let migrator = folder.migrator().role(&owner);
        let run = migrator.run(&options).await.unwrap_or_else(|e| panic!("{inherits}: {e}"));
        assert_eq!(applied(&run).len(), 2);
        let owners = "SELECT string_agg(DISTINCT pg_get_userbyid(relowner), ' ') FROM pg_class \
            WHERE relnamespace = 'public'::regnamespace";
        assert_eq!(database.value(owners).await, owner);
        assert_eq!(
            database.value("SELECT DISTINCT login || ' ' || role FROM schema_migrations").await,
            format!("{login} {owner}")
        );
        assert!(migrator.run(&options).await.unwrap().is_empty());
        assert_eq!(database.value("SELECT count(*) FROM schema_migrations_settled").await, "1");
        assert!(migrator.check(&options).await.unwrap());
        let back =
            migrator.revert(&options, Some(migrate_postgres::Version::new(1))).await.unwrap();
        assert_eq!(applied(&back), ["2 expand"]);
        assert_eq!(applied(&migrator.run(&options).await.unwrap()), ["2 expand"]);
    }
}

#[tokio::test]
async fn a_role_that_the_login_may_not_take_is_an_error_and_changes_nothing() {
    let database = Database::fresh().await;
    let owner = database.role("owner", "NOLOGIN").await;
    let (app, options) = application(&database).await;
    let error = folder().migrator().role(&owner).run(&options).await.unwrap_err();
    assert!(error.is_permission(), "{error}");
    assert!(error.to_string().contains(&format!("GRANT \"{owner}\" TO {app};")), "{error}");
    assert!(!database.has_table("schema_migrations").await);
}

#[tokio::test]
async fn a_role_that_the_login_always_takes_is_taken_here_too() {
    let database = Database::fresh().await;
    let owner = database.role("owner", "NOLOGIN").await;
    let login = database.role("login", "LOGIN NOINHERIT").await;
    database.run("REVOKE ALL ON SCHEMA public FROM public").await;
    database.run(&format!("GRANT {owner} TO {login}; GRANT ALL ON SCHEMA public TO {owner}")).await;
    database.run(&format!("ALTER ROLE {login} SET role = {owner}")).await;
    let options = database.options().username(&login);
    let folder = folder();
    folder.write("3_c.sql", "-- migrate: no-transaction\nCREATE INDEX CONCURRENTLY i ON a (id);");
    let run = folder.migrator().run(&options).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(applied(&run).len(), 3);
    let owners = "SELECT string_agg(DISTINCT pg_get_userbyid(relowner), ' ') FROM pg_class \
        WHERE relnamespace = 'public'::regnamespace";
    assert_eq!(database.value(owners).await, owner);
    assert!(folder.migrator().run(&options).await.unwrap().is_empty());
}

/// What a run is warned of that applies one more migration to a database with a history.
async fn warned(migrator: impl Fn(&Folder) -> Migrator, way: &PgConnectOptions) -> Vec<String> {
    let folder = Folder::of(&[("1_a.sql", "CREATE TABLE a (id int);")]);
    let heard = Heard::default();
    migrator(&folder).observer(heard.clone()).run(way).await.unwrap();
    assert_eq!(heard.with("Warning"), [""; 0], "a fresh database is nobody's yet");
    folder.write("2_b.sql", "CREATE TABLE b (id int);");
    folder.write("3_c.sql", "CREATE TABLE c (id int);");
    migrator(&folder).group(1).observer(heard.clone()).run(way).await.unwrap();
    let warned = heard.with("Warning");
    heard.take();
    assert!(migrator(&folder).observer(heard.clone()).run(way).await.unwrap().is_empty());
    assert_eq!(heard.all(), ["finished 0"], "with nothing to do nobody looks");
    warned
}

/// A session of the application, which stays.
async fn serving(way: &PgConnectOptions) -> PgConnection {
    way.clone().application_name("shop").connect().await.unwrap()
}

#[tokio::test]
async fn a_superuser_is_warned_of_once_where_others_use_the_database() {
    let database = Database::fresh().await;
    let _pool = database.pool().await; // as of the program itself
    let others = [("psql", "somebody who types"), ("migrate x on y", "another migrator")];
    let mut idle = Vec::new();
    for (name, _) in others {
        idle.push(database.options().application_name(name).connect().await.unwrap());
    }
    assert_eq!(warned(Folder::migrator, &database.options()).await, [""; 0]);

    let database = Database::fresh().await;
    let app = database.role("app", "LOGIN").await;
    let _serves = serving(&database.options().username(&app)).await;
    let warnings = warned(Folder::migrator, &database.options()).await;
    let [warning] = warnings.as_slice() else { panic!("one warning, not {warnings:?}") };
    for words in ["works as postgres, a superuser", "`Migrator::role` (`--role`)"] {
        assert!(warning.contains(words), "{warning}");
    }
}

#[tokio::test]
async fn the_role_that_the_migrator_takes_is_the_one_that_counts() {
    let database = Database::fresh().await;
    let owner = database.role("owner", "NOLOGIN").await;
    database.run(&format!("GRANT ALL ON SCHEMA public TO {owner}")).await;
    let app = database.role("app", "LOGIN").await;
    let _serves = serving(&database.options().username(&app)).await;
    let as_owner = |folder: &Folder| folder.migrator().role(&owner);
    assert_eq!(warned(as_owner, &database.options()).await, [""; 0]);
}

#[tokio::test]
async fn the_role_of_the_application_is_warned_of() {
    for inherits in ["INHERIT", "NOINHERIT"] {
        for takes_a_role in [false, true] {
            let database = Database::fresh().await;
            let owner = database.role("owner", "NOLOGIN").await;
            let app = database.role("app", &format!("LOGIN {inherits}")).await;
            let grants =
                format!("GRANT ALL ON SCHEMA public TO {owner}, {app}; GRANT {owner} TO {app}");
            database.run(&grants).await;
            let way = database.options().username(&app);
            let (_one, _two) = (serving(&way).await, serving(&way).await);
            let migrator = |folder: &Folder| match takes_a_role {
                true => folder.migrator().role(&owner),
                false => folder.migrator(),
            };
            let warnings = warned(migrator, &way).await;
            if takes_a_role && inherits == "NOINHERIT" {
                assert_eq!(warnings, [""; 0], "what serves has no right on what is made");
                continue;
            }
            let [warning] = warnings.as_slice() else { panic!("one warning, not {warnings:?}") };
            let told =
                format!("{app} migrates and serves as well (2 other sessions in this database)");
            assert!(warning.contains(&told) && warning.contains("`Migrator::direct`"), "{warning}");
        }
    }
}

#[tokio::test]
async fn a_role_for_migrations_alone_is_not_warned_of() {
    let database = Database::fresh().await;
    let (app, way) = application(&database).await;
    let owner = database.role("owner", "LOGIN").await;
    database.run(&format!("GRANT ALL ON SCHEMA public TO {owner}")).await;
    let _serves = serving(&way).await;
    let migrator = |folder: &Folder| folder.migrator().readable_by(&app);
    assert_eq!(warned(migrator, &database.options().username(&owner)).await, [""; 0]);
}

/// The grants that the book advises, once, before there is any table.
#[tokio::test]
async fn default_privileges_let_the_application_use_what_comes_later() {
    let database = Database::fresh().await;
    let (app, way) = application(&database).await;
    let owner = database.role("owner", "NOLOGIN").await;
    database
        .run(&format!(
            "GRANT ALL ON SCHEMA public TO {owner}; GRANT USAGE ON SCHEMA public TO {app};
             ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public
                 GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app};
             ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public
                 GRANT USAGE, SELECT ON SEQUENCES TO {app}"
        ))
        .await;
    let folder = Folder::of(&[("1_a.sql", "CREATE TABLE a (id bigserial, n int);")]);
    let migrator = folder.migrator().role(&owner);
    migrator.run(&database.options()).await.unwrap();
    let mut connection = way.connect().await.unwrap();
    sqlx::raw_sql("INSERT INTO a (n) VALUES (1); UPDATE a SET n = 2; DELETE FROM a")
        .execute(&mut connection)
        .await
        .unwrap();
    let error = sqlx::raw_sql("DROP TABLE a").execute(&mut connection).await.unwrap_err();
    assert!(error.to_string().contains("must be owner"), "{error}");
    assert!(migrator.run(&way).await.unwrap().is_empty(), "it may look");
}
