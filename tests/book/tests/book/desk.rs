//! Where a chapter is read: a folder, a database called `shop` on a server of its own, and a shell.

use std::path::{Path, PathBuf};
use std::process::Command;

use migrate_testing::{PrivateServer, Server};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

use crate::page::{Block, Page};
use crate::shown::matches;

pub struct Desk {
    server: PrivateServer,
    /// Where the reader stands.
    pub here: PathBuf,
    /// What `cargo` is to be found as.
    path: String,
    variables: Vec<(&'static str, String)>,
}

impl Desk {
    /// In an empty folder; `tools` come before what is on `PATH`.
    pub fn at(folder: &Path, tools: &Path, variables: Vec<(&'static str, String)>) -> Self {
        let server = Server::private().expect("a server");
        let path = format!("{}:{}", tools.display(), std::env::var("PATH").expect("PATH"));
        let desk = Self { server, here: folder.to_owned(), path, variables };
        desk.execute("postgres", "CREATE DATABASE shop");
        desk.execute("postgres", "CREATE ROLE app LOGIN");
        desk
    }

    pub fn url(&self) -> String {
        self.server.url("shop")
    }

    pub fn execute(&self, database: &str, sql: &str) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut connection =
                self.server.options(database).connect().await.expect("a connection");
            let done = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await;
            done.unwrap_or_else(|error| panic!("{error}: {sql}"));
            connection.close().await.expect("closed");
        });
    }

    /// Does with a chapter what its reader does.
    pub fn read(&mut self, page: &Page) {
        for block in page.blocks.iter().filter(|block| block.not_run.is_none()) {
            let place = format!("docs/{}:{}", page.name, block.line);
            match (&block.file, block.language.as_str()) {
                (Some(file), _) if block.shown => {
                    assert_eq!(self.contents(file), block.text, "{place}: {file}");
                }
                (Some(file), _) => self.write(file, &block.text),
                (None, "sql") => self.execute("shop", &block.text),
                (None, "console") => self.type_in(&place, block),
                (None, "toml") => drop(block.text.parse::<toml::Table>().expect(&place)),
                _ => {}
            }
        }
    }

    /// The files of a folder whose names begin like this become migrations.
    pub fn copy(&self, from: &Path, beginning: &str) {
        for entry in std::fs::read_dir(from).expect("a folder").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(beginning) {
                let text = std::fs::read_to_string(entry.path()).expect("a file");
                self.write(&format!("migrations/{name}"), &text);
            }
        }
    }

    /// Version and text of each migration with this ending, in their order.
    pub fn files(&self, ending: &str) -> Vec<(String, String)> {
        let entries =
            std::fs::read_dir(self.here.join("migrations")).expect("the folder").flatten();
        let paths = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = paths.filter(|name| name.ends_with(ending)).collect();
        names.sort();
        let read = |name: &String| {
            let version = name.split('_').next().unwrap_or_default().to_owned();
            (version, self.contents(&format!("migrations/{name}")))
        };
        names.iter().map(read).collect()
    }

    fn contents(&self, file: &str) -> String {
        std::fs::read_to_string(self.path_of(file)).expect(file)
    }

    pub fn write(&self, file: &str, text: &str) {
        let path = self.path_of(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    /// A name with `…` is that of a file that is there.
    fn path_of(&self, file: &str) -> PathBuf {
        match file.split_once('…') {
            Some((folder, end)) => self.the_one(folder, end),
            None => self.here.join(file),
        }
    }

    fn the_one(&self, folder: &str, end: &str) -> PathBuf {
        let entries = std::fs::read_dir(self.here.join(folder)).expect(folder);
        let paths = entries.flatten().map(|entry| entry.path());
        let mut paths = paths.filter(|path| path.to_string_lossy().ends_with(end));
        paths.next().unwrap_or_else(|| panic!("no {folder}…{end}"))
    }

    fn type_in(&mut self, place: &str, block: &Block) {
        let mut lines = block.text.lines().peekable();
        while let Some(line) = lines.next() {
            let command = line.strip_prefix("$ ").unwrap_or_else(|| panic!("{place}: `{line}`"));
            let mut shown = String::new();
            while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
                shown += line;
                shown.push('\n');
            }
            self.command(place, command, &shown);
        }
    }

    pub fn command(&mut self, place: &str, command: &str, shown: &str) {
        if let Some(folder) = command.strip_prefix("cd ") {
            self.here = self.here.join(folder);
            return;
        }
        if command.starts_with("export DATABASE_URL=") {
            return; // ours is set already
        }
        let (found, ended_well) = self.run(command);
        let shall_fail = ["error", "failed to ", "note: run with"]
            .iter()
            .any(|words| shown.lines().any(|line| line.starts_with(words)));
        assert_eq!(ended_well, !shall_fail, "{place}: {command}\n{found}");
        if !shown.trim().is_empty() {
            assert!(matches(shown, &found), "{place}: {command}\nshown:\n{shown}\nfound:\n{found}");
        }
    }

    /// What a command says, and whether it ended well.
    fn run(&self, command: &str) -> (String, bool) {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{{ {command}\n}} 2>&1")]).current_dir(&self.here);
        for (name, _) in
            std::env::vars().filter(|(name, _)| name.starts_with("CARGO") || name.starts_with("PG"))
        {
            if !["CARGO_HOME", "CARGO_TARGET_DIR"].contains(&name.as_str()) {
                shell.env_remove(name);
            }
        }
        shell.env("PATH", &self.path).env("DATABASE_URL", self.url());
        shell.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let output = shell.output().expect("a shell");
        (String::from_utf8(output.stdout).expect("UTF-8"), output.status.success())
    }
}
