//! Processes that migrate, to be waited for and killed.

use std::process::Stdio;

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::Folder;

/// A process of its own that brings a database up to date.
pub struct Application {
    child: Child,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Application {
    pub fn start(database: &PgConnectOptions, folder: &Folder) -> Self {
        Self::with(database, folder, &[])
    }

    /// One that goes on to say that it is alive, until it is told to [`stop`](Self::stop).
    pub async fn serve(database: &PgConnectOptions, folder: &Folder) -> Self {
        let mut serving = Self::with(database, folder, &["serve"]);
        serving.says("serving").await;
        serving
    }

    fn with(database: &PgConnectOptions, folder: &Folder, words: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_application"));
        command.arg(database.to_url_lossy().as_str()).arg(folder.path()).args(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().expect("a process");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let input = child.stdin.take();
        Self { child, input, lines }
    }

    /// Waits until it has told an event with these words in it.
    pub async fn says(&mut self, words: &str) {
        let mut said = Vec::new();
        while let Some(line) = self.lines.next_line().await.expect("a line") {
            if line.contains(words) {
                return;
            }
            said.push(line);
        }
        panic!("it never said `{words}`, but {said:#?}\n{}", self.complaint().await);
    }

    /// Lets it say good-bye.
    pub async fn stop(mut self) {
        drop(self.input.take());
        self.ended().await;
    }

    /// `kill -9`
    pub async fn kill(mut self) {
        self.child.kill().await.expect("killed");
    }

    /// Waits for its end, which has to be a good one; how many migrations it applied.
    pub async fn applied(mut self) -> usize {
        self.ended().await
    }

    /// As [`applied`](Self::applied), and may be given up to do something else.
    pub async fn ended(&mut self) -> usize {
        let mut last = String::new();
        while let Some(line) = self.lines.next_line().await.expect("a line") {
            last = line;
        }
        let complaint = self.complaint().await;
        let status = self.child.wait().await.expect("its end");
        assert!(status.success(), "{status}: {last}\n{complaint}");
        last.strip_prefix("applied ").expect(&last).parse().expect(&last)
    }

    async fn complaint(&mut self) -> String {
        let mut text = String::new();
        if let Some(pipe) = &mut self.child.stderr {
            pipe.read_to_string(&mut text).await.expect("text");
        }
        text
    }
}
