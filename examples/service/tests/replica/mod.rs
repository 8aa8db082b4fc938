//! A process that serves, and the little HTTP that talking to it takes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Killed with the value.
pub struct Replica {
    process: Child,
    address: String,
    log: Vec<String>,
    lines: Receiver<String>,
}

impl Replica {
    /// The service as it is deployed, on a free port.
    pub fn start(database_url: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_service"));
        Self::of(command.env("DATABASE_URL", database_url))
    }

    /// `cargo run --example service`, which any `cargo test` without names of targets has built.
    pub fn example() -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_service")).with_file_name("examples/service");
        Self::of(Command::new(program).env_remove("DATABASE_URL"))
    }

    fn of(command: &mut Command) -> Self {
        let command = command.env("LISTEN", "127.0.0.1:0").stdout(Stdio::piped());
        let mut process = command.spawn().expect("a process");
        let out = BufReader::new(process.stdout.take().expect("a pipe"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let mut replica = Self { process, address: String::new(), log: Vec::new(), lines };
        let line = replica.until_logged("listening on http://");
        replica.address = line.split("http://").last().expect("an address").trim().to_owned();
        replica
    }

    /// The line of the log that holds these words, once it is there.
    pub fn until_logged(&mut self, words: &str) -> String {
        loop {
            let line =
                self.lines.recv().unwrap_or_else(|_| panic!("no {words:?} in {:#?}", self.log));
            self.log.push(line.clone());
            if line.contains(words) {
                return line;
            }
        }
    }

    /// How many lines of the log hold these words, after the end of the process.
    pub fn logged(&self, words: &str) -> usize {
        self.log.iter().filter(|line| line.contains(words)).count()
    }

    pub fn until_ready(&mut self) {
        self.until_answer("/ready", "200 ", "ready");
    }

    /// Asks until the answer is this one.
    pub fn until_answer(&mut self, path: &str, status: &str, words: &str) {
        loop {
            let answer = self.request("GET", path, "");
            if answer.starts_with(status) && answer.contains(words) {
                return;
            }
            assert!(self.process.try_wait().expect("a process").is_none(), "ended: {answer}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The status and the body of the answer.
    pub fn request(&self, method: &str, path: &str, body: &str) -> String {
        answer(self.send(method, path, body))
    }

    pub fn send(&self, method: &str, path: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}"
        );
        write!(stream, "{head}\r\n\r\n{body}").expect("a request");
        stream
    }

    /// SIGTERM, as orchestrators send it.
    pub fn tell_to_stop(&self) {
        let told = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        assert!(told.expect("a shell tool").success());
    }

    /// Waits for the end of the process.
    pub fn ended(&mut self) -> ExitStatus {
        self.log.extend(self.lines.iter());
        self.process.wait().expect("a process")
    }
}

/// `200 body`, of an answer that ends with its connection.
pub fn answer(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
    let status = head.split(' ').nth(1).expect("a status");
    format!("{status} {body}")
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.process.kill().ok(); // may have ended
        self.process.wait().ok();
    }
}
