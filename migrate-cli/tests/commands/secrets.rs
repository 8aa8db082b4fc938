//! Where the URL comes from, and that its password goes nowhere. The harness looks for the password in all
//! output of all programs.

use std::sync::OnceLock;

use migrate_testing::{PrivateServer, Server};

use crate::harness::{Database, Outcome, PASSWORD, Project, USERS, execute};

/// A server that asks for passwords on TCP.
struct Guarded {
    server: PrivateServer,
}

impl Guarded {
    fn server() -> Self {
        let server = Server::builder().listen_tcp().private().expect("a server");
        // PostgreSQL 13 would hash it for md5, which is not what the line below asks for.
        let password = format!(
            "SET password_encryption = 'scram-sha-256'; CREATE ROLE me LOGIN SUPERUSER PASSWORD '{PASSWORD}'"
        );
        execute(&server, "postgres", &password);
        let ask = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
        let write = "COPY (SELECT unnest(string_to_array($$LINES$$, E'\\n'))) TO '%s'";
        let write = write.replace("LINES", ask);
        execute(
            &server,
            "postgres",
            &format!(
                "DO $do$ BEGIN EXECUTE format('{}', current_setting('hba_file')); END $do$; SELECT pg_reload_conf()",
                write.replace('\'', "''").replace("''%s''", "%L")
            ),
        );
        Self { server }
    }

    /// The way of those who need no password.
    fn by_socket(&self, database: &str) -> String {
        let options = self.server.options(database);
        let folder = options.get_socket().expect("a socket").display().to_string();
        let (port, user) = (options.get_port(), options.get_username());
        format!("postgres:///{database}?host={folder}&port={port}&user={user}")
    }

    fn url(&self, password: &str, database: &str) -> String {
        let address = self.server.tcp_address().expect("an address");
        format!("postgres://me:{password}@{address}/{database}")
    }
}

/// Runs with a URL from each of the three places.
fn from_everywhere(url: &str, words: &[&str]) -> [Outcome; 3] {
    let project = Project::of(&[USERS]);
    let argument = project.run(&[words, &["--database-url", url]].concat());
    let variable = Outcome::of(project.command("folder", words).env("DATABASE_URL", url));
    project.write(".env", &format!("# ours\nOTHER=1\nDATABASE_URL='{url}'\n"));
    [argument, variable, project.run(words)]
}

#[test]
fn a_right_password_is_taken_from_everywhere_and_shown_nowhere() {
    let guarded = Guarded::server();
    for outcome in from_everywhere(&guarded.url(PASSWORD, "postgres"), &["status"]) {
        outcome.ends(0).says("postgres at 127.0.0.1:").says(" as me");
    }
    for outcome in from_everywhere(&guarded.url(PASSWORD, "postgres"), &["run", "--json"]) {
        outcome.ends(0);
    }
}

#[test]
fn a_wrong_password_is_not_shown() {
    let guarded = Guarded::server();
    for outcome in from_everywhere(&guarded.url(&format!("{PASSWORD}x"), "postgres"), &["run"]) {
        outcome.ends(1).complains("28P01");
    }
}

#[test]
fn a_database_that_does_not_exist_is_named_without_the_password() {
    let guarded = Guarded::server();
    for outcome in from_everywhere(&guarded.url(PASSWORD, "nowhere"), &["run", "--json"]) {
        outcome.ends(1).complains("database \"nowhere\" does not exist");
    }
}

#[test]
fn no_server_and_no_host_are_told_without_the_password() {
    for url in [
        format!("postgres://me:{PASSWORD}@127.0.0.1:1/d"),
        format!("postgres://me:{PASSWORD}@no-such-host.invalid/d"),
        format!("postgres:///d?host=/nowhere&user=me&password={PASSWORD}"),
    ] {
        for outcome in from_everywhere(&url, &["check"]) {
            outcome.ends(1).complains("failed to connect");
        }
    }
}

#[test]
fn a_url_that_is_wrong_is_told_without_the_password() {
    for url in [
        format!("postgres://me:{PASSWORD}@h:port/d"),
        format!("postgres:/me:{PASSWORD}@h/d"),
        format!("mysql://me:{PASSWORD}@h/d"),
        format!("me:{PASSWORD}@h/d"),
        format!("postgres://me:12/{PASSWORD}@h/d"),
        format!("postgres://me:12?{PASSWORD}@h/d"),
        format!("postgres://me:12#{PASSWORD}@h/d"),
        format!("postgres://me:{PASSWORD}@h/d?sslmode=perhaps"),
        format!("host=h user=me password={PASSWORD}"),
    ] {
        for outcome in from_everywhere(&url, &["run", "--json"]) {
            outcome.ends(2).complains("failed to read the database URL in ");
        }
    }
}

#[test]
fn a_url_in_the_wrong_place_is_not_repeated() {
    let project = Project::of(&[USERS]);
    let url = format!("postgres://me:{PASSWORD}@h/d");
    project.run(&["run", &url]).ends(2).complains("unexpected argument '(hidden)'");
    project.run(&["run", "--to", &url]).ends(2).complains("--to <VERSION>");
    project.run(&["run", "--databse-url", &url]).ends(2).complains("--database-url");
    project.run(&["run", &format!("--databse-url={url}")]).ends(2).complains("--database-url");
    project.run(&[&url]).ends(2);
}

#[test]
fn a_dot_env_that_cannot_be_read_is_not_repeated() {
    let project = Project::of(&[USERS]);
    project.run(&["run"]).ends(2).complains("no .env in ");
    project.write(".env", &format!("DATABASE_URL=\"postgres://me:{PASSWORD}@h/d\nX=y\n"));
    project.run(&["run"]).ends(2).complains("of which 1 line cannot be read");
    project.write(".env", "OTHER=1\n");
    project.run(&["run"]).ends(2).complains("and none in ");
}

#[test]
fn the_argument_wins_over_the_variable_and_the_variable_over_the_file() {
    static DATABASE: OnceLock<Database> = OnceLock::new();
    let database = DATABASE.get_or_init(Database::fresh);
    let project = Project::of(&[USERS]);
    let wrong = "postgres://me@127.0.0.1:1/d";
    project.write(".env", &format!("DATABASE_URL={wrong}\n"));
    project.run(&["check"]).ends(1);
    project.on(database, &["check"]).ends(3);
    let typed = ["check", "--database-url", &database.url()];
    Outcome::of(project.command("folder", &typed).env("DATABASE_URL", wrong)).ends(3);
}

/// Below a folder of the project, as everywhere.
#[test]
fn the_nearest_dot_env_is_found_from_below() {
    let (project, database) = (Project::of(&[USERS]), Database::fresh());
    project.write(".env", &format!("DATABASE_URL='{}'\n", database.url()));
    let folder = project.path().join("migrations");
    let mut check = project.command("folder", &["check", "--folder", "."]);
    Outcome::of(check.current_dir(folder)).ends(3);
}

#[test]
fn encryption_is_part_of_the_command_line() {
    let server = Server::builder().listen_tcp().private().expect("a server");
    let address = server.tcp_address().expect("an address");
    let project = Project::of(&[USERS]);
    let url = format!("postgres://postgres@{address}/postgres");
    project.run(&["check", "--database-url", &url]).ends(3);
    let required = format!("{url}?sslmode=require");
    let refused = project.run(&["check", "--database-url", &required]).ends(1);
    refused.complains("server does not support TLS");
}

/// The application's own way leads through the server's socket, that for work by a password.
#[test]
fn work_is_done_over_the_direct_url() {
    let (guarded, other) = (Guarded::server(), Database::fresh());
    let database = Database::on(Server::clone(&guarded.server));
    let (project, direct) = (Project::of(&[USERS]), guarded.url(PASSWORD, database.name()));
    let logins = || database.value("SELECT string_agg(DISTINCT login, ' ') FROM schema_migrations");
    let socket = guarded.by_socket(database.name());
    let run = ["run", "--json", "--database-url", &socket];
    project.run(&[&run[..], &["--direct-url", &direct]].concat()).ends(0);
    assert_eq!(logins(), "me");
    project.migration("2_age.sql", "ALTER TABLE users ADD COLUMN age int;");
    Outcome::of(project.command("folder", &run).env("MIGRATE_DIRECT_URL", &direct)).ends(0);
    assert_eq!(logins(), "me");
    // With nothing to do it is not opened; what is typed wins.
    let nowhere = format!("postgres://me:{PASSWORD}@127.0.0.1:1/d");
    Outcome::of(project.command("folder", &run).env("MIGRATE_DIRECT_URL", &nowhere)).ends(0);
    project.migration("3_mail.sql", "ALTER TABLE users ADD COLUMN mail text;");
    let typed = [&run[..], &["--direct-url", &direct]].concat();
    Outcome::of(project.command("folder", &run).env("MIGRATE_DIRECT_URL", other.url()))
        .ends(1)
        .complains("another database than the application's");
    Outcome::of(project.command("folder", &run).env("MIGRATE_DIRECT_URL", &nowhere))
        .ends(1)
        .complains("failed to connect");
    Outcome::of(project.command("folder", &typed).env("MIGRATE_DIRECT_URL", &nowhere)).ends(0);
}

#[test]
fn a_direct_url_that_is_wrong_is_told_without_the_password() {
    let (project, database) = (Project::of(&[USERS]), Database::fresh());
    for url in [
        format!("postgres://me:{PASSWORD}@h:port/d"),
        format!("me:{PASSWORD}@h/d"),
        format!("host=h user=me password={PASSWORD}"),
    ] {
        let typed = project.on(&database, &["run", "--json", "--direct-url", &url]);
        let mut command = project.command("folder", &["run"]);
        command.env("DATABASE_URL", database.url()).env("MIGRATE_DIRECT_URL", &url);
        for outcome in [typed, Outcome::of(&mut command)] {
            outcome
                .ends(2)
                .complains("failed to read the URL for work (--direct-url, MIGRATE_DIRECT_URL)");
        }
    }
}

/// Nor what a migration does with one, whichever command tells of it.
#[test]
fn a_password_in_a_migration_is_told_by_no_command() {
    let database = Database::fresh();
    let fails = format!("ALTER ROLE x_y PASSWORD '{PASSWORD}' NOSUCH;\n");
    let project = Project::of(&[USERS, ("2_role.sql", &fails)]);
    for words in [&["run"][..], &["run", "--json"]] {
        project.on(&database, words).ends(1).complains("unrecognized role option");
    }
    project.on(&database, &["status"]).ends(0);
    project.on(&database, &["check"]).ends(3);
    project.migration("2_role.sql", &format!("SELECT length('password {PASSWORD}');\n"));
    project.on(&database, &["run"]).ends(0);
    project.migration("2_role.sql", &format!("SELECT length('password {PASSWORD}!');\n"));
    project.on(&database, &["run"]).ends(4).complains("only values differ");
    project.on(&database, &["repair", "--yes"]).ends(0);
    project.on(&database, &["run", "--json"]).ends(0);
    project.migration("3_cut.sql", &format!("SELECT 'password {PASSWORD};\n"));
    project.on(&database, &["run"]).ends(2).complains("unterminated string");
    project.run(&["lint"]);
}
