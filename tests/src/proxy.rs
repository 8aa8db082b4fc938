//! A proxy that counts the messages which go over the wire to PostgreSQL, and fails at the one it is told to.
//!
//! Client and server take turns in it: it knows no COPY, and no notices while the client is silent.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::frames;

const SOCKET: &str = ".s.PGSQL.5432";

/// When the proxy does what it does: around the message, from the point of view of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Moment {
    /// The server never gets the message.
    Before,
    /// The server gets it, and nobody waits for its answer.
    Sent,
    /// The server has done what the message says, and the client does not hear of it.
    After,
}

pub use Moment::{After, Before, Sent};

/// Which of the client's messages it is.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// The simple query with this number, from 0, on all connections together.
    Nth(usize),
    /// The first simple query that contains these words.
    Says(&'static str),
    /// Each simple query that contains these words.
    EachSays(&'static str),
    /// Of any kind: the message with this number on the connection with this number, both from 0. The first of a
    /// connection is the one that opens it.
    At {
        /// Which connection.
        connection: usize,
        /// Which of its messages.
        message: usize,
    },
}

/// What the proxy does then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It closes the connection.
    Cut,
    /// It says nothing any more.
    Hold,
    /// It takes what comes and says nothing any more, to nobody, as a firewall that has forgotten the connection.
    Swallow,
    /// It waits for [`Proxy::go_on`], and then it is as if nothing had been.
    Pause,
    /// It says something to the server by itself, and then waits as well.
    Slip(&'static str),
}

/// A failure, of one connection; later ones get through.
#[derive(Clone, Copy, Debug)]
pub struct Failure {
    /// When.
    pub moment: Moment,
    /// Where.
    pub which: Which,
    /// What.
    pub then: Then,
}

/// Makes another text of a simple query, or leaves it alone.
pub type Rewrite = fn(&str) -> Option<String>;

/// One message of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its type; a blank for the one that opens a connection, which has none.
    pub kind: char,
    /// Its text, where it has one.
    pub text: String,
    /// Was the server done with all messages before it?
    pub alone: bool,
    /// Did the server get another text than the client sent?
    pub rewritten: bool,
}

impl Message {
    /// Does the server say when it has finished this?
    pub fn is_answered(&self) -> bool {
        is_answered(self.kind)
    }
}

fn is_answered(kind: char) -> bool {
    matches!(kind, ' ' | 'Q' | 'S' | 'p')
}

/// What went over the wire.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// How many were opened.
    pub connections: usize,
    /// Those that are open.
    open: usize,
    /// The types of the client's messages, and the text of those that have one.
    pub sent: Vec<(char, String)>,
    /// How often the server said that it is ready for more.
    pub round_trips: usize,
}

/// A connection since the proxy began.
#[derive(Clone, Debug, Default)]
pub struct Conversation {
    /// All messages of the client.
    pub messages: Vec<Message>,
    /// The process of the server, once it has told.
    pub backend: Option<i32>,
}

/// A way to a database.
pub struct Proxy {
    folder: TempDir,
    options: PgConnectOptions,
    work: Arc<Work>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Work {
    seen: Mutex<Seen>,
    conversations: Mutex<Vec<Conversation>>,
    failure: Option<Failure>,
    rewrite: Option<Rewrite>,
    /// Its message has come by.
    over: AtomicBool,
    /// What it says has happened.
    reached: watch::Sender<bool>,
    /// A pause has ended.
    going_on: watch::Sender<bool>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Proxy {
    /// Changes nothing of what passes.
    pub fn count(options: PgConnectOptions) -> Self {
        Self::new(options, None, None)
    }

    /// Cuts the connection at a message.
    pub fn cut(options: PgConnectOptions, moment: Moment, which: Which) -> Self {
        Self::new(options, Some(Failure { moment, which, then: Then::Cut }), None)
    }

    /// Leaves the client waiting for the answer to a message.
    pub fn hold(options: PgConnectOptions, moment: Moment, which: Which) -> Self {
        Self::new(options, Some(Failure { moment, which, then: Then::Hold }), None)
    }

    /// Fails like that, and makes other messages of some.
    pub fn new(
        options: PgConnectOptions,
        failure: Option<Failure>,
        rewrite: Option<Rewrite>,
    ) -> Self {
        let folder = TempDir::new().expect("a folder");
        let listener = UnixListener::bind(folder.path().join(SOCKET)).expect("a socket");
        let work = Arc::new(Work { failure, rewrite, ..Work::default() });
        let task = tokio::spawn(accept(listener, options.clone(), work.clone()));
        Self { folder, options, work, task }
    }

    /// How to connect through it.
    pub fn options(&self) -> PgConnectOptions {
        self.options.clone().socket(self.folder.path()).port(5432)
    }

    /// What was seen since the last look.
    pub fn take(&self) -> Seen {
        let mut seen = self.work.seen();
        let open = seen.open;
        std::mem::replace(&mut *seen, Seen { open, ..Seen::default() })
    }

    /// Waits until only so many connections are left, and then takes what was seen.
    pub async fn take_with_open(&self, connections: usize) -> Seen {
        while self.work.seen().open > connections {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.take()
    }

    /// All connections since the beginning, each with all its messages.
    pub fn conversations(&self) -> Vec<Conversation> {
        self.work.conversations().clone()
    }

    /// Has it failed as it was told to?
    pub fn was_reached(&self) -> bool {
        *self.work.reached.borrow()
    }

    /// Waits until it has.
    pub async fn reached(&self) {
        let mut reached = self.work.reached.subscribe();
        reached.wait_for(|reached| *reached).await.expect("a proxy");
    }

    /// Ends its pause, also one that has yet to come.
    pub fn go_on(&self) {
        self.work.going_on.send_replace(true);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: UnixListener, options: PgConnectOptions, work: Arc<Work>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let (number, options, work) = (work.opened(), options.clone(), work.clone());
        connections.spawn(async move {
            let end = Wire::serve(client, &options, number, &work).await;
            work.seen().open -= 1;
            end
        });
    }
}

async fn upstream(options: &PgConnectOptions) -> io::Result<Box<dyn Stream>> {
    let (host, port) = (options.get_host(), options.get_port());
    let folder = options.get_socket().cloned();
    match folder.or_else(|| host.starts_with('/').then(|| PathBuf::from(host))) {
        Some(folder) => {
            Ok(Box::new(UnixStream::connect(folder.join(format!(".s.PGSQL.{port}"))).await?))
        }
        None => Ok(Box::new(TcpStream::connect((host, port)).await?)),
    }
}

/// A client and the server that it believes to speak to.
struct Wire<'w> {
    client: UnixStream,
    server: Box<dyn Stream>,
    number: usize,
    work: &'w Work,
}

impl Wire<'_> {
    /// Turn by turn until either side goes; both go with it. A server that is not there is one that has gone.
    async fn serve(
        mut client: UnixStream,
        options: &PgConnectOptions,
        number: usize,
        work: &Work,
    ) -> io::Result<()> {
        let first = frames::first(&mut client).await?;
        let server = upstream(options).await?;
        let mut wire = Wire { client, server, number, work };
        wire.pass(' ', first).await?;
        loop {
            let message = frames::next(&mut wire.client).await?;
            wire.pass(char::from(message[0]), message).await?;
        }
    }

    async fn pass(&mut self, kind: char, message: Vec<u8>) -> io::Result<()> {
        let (text, message, rewritten) = self.work.rewritten(kind, message);
        let failure = self.work.sent(self.number, kind, text, rewritten);
        let at = |moment| failure.filter(|failure| failure.moment == moment);
        self.fail(at(Before)).await?;
        // A server that has gone may have left a word of farewell.
        let sent = self.server.write_all(&message).await;
        self.fail(at(Sent)).await?;
        if is_answered(kind) {
            self.answer(at(After).is_none()).await?;
        } else {
            sent?;
        }
        self.fail(at(After)).await
    }

    async fn fail(&mut self, failure: Option<Failure>) -> io::Result<()> {
        let Some(failure) = failure else { return Ok(()) };
        let over = || io::Error::from(io::ErrorKind::ConnectionAborted);
        if let Then::Slip(text) = failure.then {
            self.server.write_all(&frames::query(text)).await?;
            self.answer(false).await?;
        }
        self.work.reached.send_replace(true);
        match failure.then {
            Then::Cut => Err(over()),
            Then::Hold => self.client.read_u8().await.and(Err(over())),
            Then::Swallow => {
                tokio::io::copy(&mut self.client, &mut tokio::io::sink()).await.and(Err(over()))
            }
            Then::Pause | Then::Slip(_) => {
                let mut going_on = self.work.going_on.subscribe();
                going_on.wait_for(|going_on| *going_on).await.map(drop).map_err(|_| over())
            }
        }
    }

    /// What the server says until it is the client's turn again.
    async fn answer(&mut self, to_client: bool) -> io::Result<()> {
        loop {
            let message = frames::next(&mut self.server).await?;
            let kind = message.first().copied();
            self.work.heard(self.number, &message);
            if to_client {
                self.client.write_all(&message).await?;
            }
            // A question for a password is the client's turn, too; 0 and 12 are no questions.
            let asks = kind == Some(b'R') && !matches!(message.get(8), Some(0 | 12));
            if asks || kind == Some(b'Z') {
                return Ok(());
            }
        }
    }
}

impl Work {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("no panic")
    }

    fn conversations(&self) -> MutexGuard<'_, Vec<Conversation>> {
        self.conversations.lock().expect("no panic")
    }

    fn opened(&self) -> usize {
        let mut seen = self.seen();
        (seen.connections, seen.open) = (seen.connections + 1, seen.open + 1);
        let mut conversations = self.conversations();
        conversations.push(Conversation::default());
        conversations.len() - 1
    }

    /// The text of a message, and the message as the server gets it: is it another one?
    fn rewritten(&self, kind: char, message: Vec<u8>) -> (String, Vec<u8>, bool) {
        let text = frames::text(kind, &message);
        let other = self.rewrite.filter(|_| kind == 'Q').and_then(|rewrite| rewrite(&text));
        match other {
            Some(text) => (text.clone(), frames::query(&text), true),
            None => (text, message, false),
        }
    }

    /// Counts it, and gives the failure when this is the message for it.
    fn sent(
        &self,
        connection: usize,
        kind: char,
        text: String,
        rewritten: bool,
    ) -> Option<Failure> {
        let place = {
            let mut conversations = self.conversations();
            let messages = &mut conversations[connection].messages;
            let alone = messages.last().is_none_or(Message::is_answered);
            messages.push(Message { kind, text: text.clone(), alone, rewritten });
            (connection, messages.len() - 1)
        };
        let mut seen = self.seen();
        let number = seen.sent.iter().filter(|(kind, _)| *kind == 'Q').count();
        let failure = self.failure.filter(|failure| match failure.which {
            Which::Nth(wanted) => kind == 'Q' && number == wanted,
            Which::Says(words) | Which::EachSays(words) => kind == 'Q' && text.contains(words),
            Which::At { connection, message } => place == (connection, message),
        });
        seen.sent.extend((kind != ' ').then_some((kind, text)));
        failure.filter(|failure| {
            let again = matches!(failure.which, Which::EachSays(_));
            !self.over.swap(true, Ordering::SeqCst) || again
        })
    }

    fn heard(&self, connection: usize, message: &[u8]) {
        self.seen().round_trips += usize::from(message.first() == Some(&b'Z'));
        if let Some(backend) = frames::backend(message) {
            self.conversations()[connection].backend = Some(backend);
        }
    }
}
