//! A pgbouncer in front of a server, for one test.

use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;

use super::Database;

/// It is idle but for what the test does, and ends with the value, or with the process however that ends.
pub struct Pooler {
    shell: Child,
    /// Whom the server runs as, a user and a group.
    owner: (u32, u32),
    folder: TempDir,
    options: PgConnectOptions,
}

const ELSEWHERE: &str = "/usr/sbin:/usr/local/sbin";

/// The shell outlives nobody: it reads until the pipe from the test is closed, and takes the pooler with it.
const UNTIL_THE_TEST_ENDS: &str = r#""$0" -q "$1" & read -r _; kill $!; wait $!"#;

/// The program. Without it these promises go without proof, aloud; never in CI.
fn program() -> Option<PathBuf> {
    static TOLD: Once = Once::new();
    let path = format!("{}:{ELSEWHERE}", std::env::var("PATH").unwrap_or_default());
    let found =
        path.split(':').map(|place| Path::new(place).join("pgbouncer")).find(|p| p.is_file());
    if found.is_none() {
        let missing = "no pgbouncer on PATH or in /usr/sbin: `apt-get install pgbouncer`";
        assert!(std::env::var_os("CI").is_none(), "{missing}");
        TOLD.call_once(|| {
            let left_out = "the promises about poolers are not put to the test";
            writeln!(std::io::stderr(), "{left_out}: {missing}").expect("somebody to tell");
        });
    }
    found
}

impl Pooler {
    /// Lends this many sessions of the server, in one of the modes of pgbouncer.
    pub async fn start(database: &Database, mode: &str, sessions: u32) -> Option<Self> {
        Self::start_with(database, mode, sessions, "").await
    }

    /// The same with more settings of its databases, such as what each session begins with.
    pub async fn start_with(
        database: &Database,
        mode: &str,
        sessions: u32,
        more: &str,
    ) -> Option<Self> {
        let program = program()?;
        let server = database.options();
        let socket = server.get_socket().expect("a server of our own").clone();
        let folder = TempDir::new().expect("a folder");
        let settings = folder.path().join("settings");
        let text = format!(
            "[databases]\n* = host={} port={} user={} {more}\n[pgbouncer]\nlisten_addr =\nlisten_port = 5432\n\
             unix_socket_dir = {}\nauth_type = any\npool_mode = {mode}\ndefault_pool_size = {sessions}\n\
             ignore_startup_parameters = extra_float_digits\n",
            socket.display(),
            server.get_port(),
            server.get_username(),
            folder.path().display(),
        );
        std::fs::write(&settings, text).expect("a file");
        let everybody = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(folder.path(), everybody).expect("a folder for all");
        let owner = socket.metadata().expect("the server's folder");
        let owner = (owner.uid(), owner.gid());
        let shell = launch(&program, folder.path(), owner);
        let options = server.socket(folder.path()).port(5432);
        let pooler = Self { shell, owner, folder, options };
        pooler.serves().await;
        Some(pooler)
    }

    /// Ends it, and all its connections, and starts another in its place.
    pub async fn restart(&mut self) {
        self.end();
        self.shell = launch(&program().expect("pgbouncer"), self.folder.path(), self.owner);
        self.serves().await;
    }

    fn end(&mut self) {
        drop(self.shell.stdin.take());
        self.shell.wait().expect("the end of pgbouncer");
    }

    async fn serves(&self) {
        for _ in 0..1000 {
            if let Ok(connection) = self.options.connect().await {
                return connection.close().await.expect("closed");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("pgbouncer does not serve in {}", self.folder.path().display());
    }

    /// How to connect through it.
    pub fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.end();
    }
}

fn launch(program: &Path, folder: &Path, (user, group): (u32, u32)) -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", UNTIL_THE_TEST_ENDS]).arg(program).arg(folder.join("settings"));
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
    // It refuses root, and the server's socket is for its user only.
    if folder.metadata().expect("a folder").uid() != user {
        command.uid(user).gid(group);
    }
    command.spawn().expect("a shell")
}
