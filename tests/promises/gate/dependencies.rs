//! What the catalog, and the texts of functions, have to do with what a contract removes.

use super::*;

/// What is made is in the way, and not when the contract removes it too.
async fn is_in_the_way(make: &str, why: &str, remove: &str) {
    let folder = change("");
    let database = waiting(&folder).await;
    database.run(make).await;
    let migrator = but("dependencies", folder.migrator());
    is_closed(&migrator, &database, "dependencies", why).await;
    folder.write("2_names.contract.sql", &format!("{remove}\n{CONTRACT}"));
    opens(&but("dependencies", folder.migrator()), &database, "dependencies").await;
}

#[tokio::test]
async fn a_view() {
    is_in_the_way("CREATE VIEW v AS SELECT name FROM users", "view v", "DROP VIEW v;").await;
}

#[tokio::test]
async fn a_view_that_is_made_anew_without_it() {
    let anew = "CREATE OR REPLACE VIEW v AS SELECT ''::text AS name FROM users;";
    is_in_the_way("CREATE VIEW v AS SELECT name FROM users", "view v", anew).await;
}

#[tokio::test]
async fn the_text_of_a_function_and_of_a_trigger() {
    let function = "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS \
                    $$ BEGIN UPDATE users SET name = ''; END $$";
    is_in_the_way(function, "the text of function f()", "DROP FUNCTION f();").await;
    let trigger = "CREATE FUNCTION sync() RETURNS trigger LANGUAGE plpgsql AS \
                   $$ BEGIN NEW.full_name := NEW.name; RETURN NEW; END $$; \
                   CREATE TRIGGER sync BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION sync()";
    let remove = "DROP TRIGGER sync ON users; DROP FUNCTION sync();";
    is_in_the_way(trigger, "the text of function sync()", remove).await;
}

#[tokio::test]
async fn a_policy_and_a_generated_column() {
    let policy = "CREATE POLICY mine ON users USING (name = current_user)";
    is_in_the_way(policy, "policy mine on table users", "DROP POLICY mine ON users;").await;
    let column = "ALTER TABLE users ADD COLUMN loud text GENERATED ALWAYS AS (upper(name)) STORED";
    is_in_the_way(column, "column loud of table users", "ALTER TABLE users DROP COLUMN loud;")
        .await;
}

#[tokio::test]
async fn a_function_about_another_column_of_that_name_is_not_in_the_way() {
    let folder = change("");
    let database = waiting(&folder).await;
    let other = "CREATE TABLE others (name text); CREATE INDEX ON users (name); \
                 CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT name FROM others'";
    database.run(other).await;
    opens(&but("dependencies", folder.migrator()), &database, "dependencies").await;
}

#[tokio::test]
async fn what_others_have_to_do_with_a_table() {
    let folder = contract("DROP TABLE users;");
    let database = waiting(&folder).await;
    database
        .run("CREATE TABLE gone (id int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE users")
        .await;
    let migrator = but("dependencies", folder.migrator());
    is_closed(&migrator, &database, "dependencies", "publication of table users in publication p")
        .await;
    database
        .run(
            "DROP PUBLICATION p; CREATE FUNCTION f(u users) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        )
        .await;
    is_closed(&migrator, &database, "dependencies", "function f(users)").await;
    database.run("DROP FUNCTION f").await;
    until_open(&migrator, &database, "dependencies").await;
}

#[tokio::test]
async fn what_cannot_be_read_is_unknown() {
    let folder = contract("DO $$ BEGIN ALTER TABLE users DROP COLUMN name; END $$;");
    let database = waiting(&folder).await;
    let migrator = but("dependencies", folder.migrator());
    is_unknown(&migrator, &database, "dependencies", "begins with DO").await;
}
