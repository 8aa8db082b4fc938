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

use super::frames;

const SOCKET: &str = ".s.PGSQL.5432";

/// When the proxy does what it does: around the message, from the point of view of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The server never gets the message.
    Before,
    /// The server has done what the message says, and the client does not hear of it.
    After,
}

pub use Moment::{After, Before};

/// Which of the client's messages it is.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// The one with this number, from 0, on all connections together.
    Nth(usize),
    /// The first that contains these words.
    Says(&'static str),
    /// Each that contains these words.
    EachSays(&'static str),
}

/// What the proxy does then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// It closes the connection.
    Cut,
    /// It says nothing any more.
    Hold,
}

/// A failure, of one connection; later ones get through.
struct Failure {
    moment: Moment,
    which: Which,
    then: Then,
}

/// What went over the wire.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub connections: usize,
    /// Those that are open.
    open: usize,
    /// The types of the client's messages, and the text of those that have one.
    pub sent: Vec<(char, String)>,
    /// How often the server said that it is ready for more.
    pub round_trips: usize,
}

/// A way to a database.
pub struct Proxy {
    folder: TempDir,
    options: PgConnectOptions,
    work: Arc<Work>,
    task: JoinHandle<()>,
}

struct Work {
    seen: Mutex<Seen>,
    failure: Option<Failure>,
    /// Its message has come by.
    over: AtomicBool,
    /// What it says has happened.
    reached: watch::Sender<bool>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Proxy {
    /// Changes nothing of what passes.
    pub fn count(options: PgConnectOptions) -> Self {
        Self::new(options, None)
    }

    /// Cuts the connection at a message.
    pub fn cut(options: PgConnectOptions, moment: Moment, which: Which) -> Self {
        Self::new(options, Some(Failure { moment, which, then: Then::Cut }))
    }

    /// Leaves the client waiting for the answer to a message.
    pub fn hold(options: PgConnectOptions, moment: Moment, which: Which) -> Self {
        Self::new(options, Some(Failure { moment, which, then: Then::Hold }))
    }

    fn new(options: PgConnectOptions, failure: Option<Failure>) -> Self {
        let folder = TempDir::new().expect("a folder");
        let listener = UnixListener::bind(folder.path().join(SOCKET)).expect("a socket");
        let (seen, over, reached) = Default::default();
        let work = Arc::new(Work { seen, failure, over, reached });
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

    /// Has it failed as it was told to?
    pub fn was_reached(&self) -> bool {
        *self.work.reached.borrow()
    }

    /// Waits until it has.
    pub async fn reached(&self) {
        let mut reached = self.work.reached.subscribe();
        reached.wait_for(|reached| *reached).await.expect("a proxy");
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
        work.opened();
        let (options, work) = (options.clone(), work.clone());
        connections.spawn(async move {
            let server = upstream(&options).await.expect("a server");
            let end = serve(client, server, &work).await;
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

/// Turn by turn until either side goes; both go with it.
async fn serve(mut client: UnixStream, mut server: Box<dyn Stream>, work: &Work) -> io::Result<()> {
    let first = frames::first(&mut client).await?;
    server.write_all(&first).await?;
    answer(&mut server, Some(&mut client), work).await?;
    loop {
        let message = frames::next(&mut client).await?;
        let failure = work.sent(&message);
        if let Some(failure) = failure.filter(|failure| failure.moment == Before) {
            return work.fail(failure, &mut client).await;
        }
        server.write_all(&message).await?;
        // Of these the server says when it has finished.
        if matches!(message.first(), Some(b'Q' | b'S' | b'p')) {
            answer(&mut server, failure.is_none().then_some(&mut client), work).await?;
        }
        if let Some(failure) = failure {
            return work.fail(failure, &mut client).await;
        }
    }
}

impl Work {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("no panic")
    }

    fn opened(&self) {
        let mut seen = self.seen();
        (seen.connections, seen.open) = (seen.connections + 1, seen.open + 1);
    }

    /// Counts it, and gives the failure when this is the message for it.
    fn sent(&self, message: &[u8]) -> Option<&Failure> {
        let kind = char::from(message[0]);
        let text = if kind == 'Q' { &message[5..message.len() - 1] } else { &[] };
        let text = String::from_utf8_lossy(text).into_owned();
        let mut seen = self.seen();
        let number = seen.sent.iter().filter(|(kind, _)| *kind == 'Q').count();
        let failure = self.failure.as_ref().filter(|failure| match failure.which {
            Which::Nth(wanted) => number == wanted,
            Which::Says(words) | Which::EachSays(words) => text.contains(words),
        });
        seen.sent.push((kind, text));
        failure.filter(|failure| {
            let again = matches!(failure.which, Which::EachSays(_));
            kind == 'Q' && (!self.over.swap(true, Ordering::SeqCst) || again)
        })
    }

    async fn fail(&self, failure: &Failure, client: &mut UnixStream) -> io::Result<()> {
        self.reached.send_replace(true);
        if failure.then == Then::Hold {
            client.read_u8().await?;
        }
        Ok(())
    }
}

/// What the server says until it is the client's turn again.
async fn answer(
    server: &mut Box<dyn Stream>,
    mut to: Option<&mut UnixStream>,
    work: &Work,
) -> io::Result<()> {
    loop {
        let message = frames::next(server).await?;
        let ready = message.first() == Some(&b'Z');
        work.seen().round_trips += usize::from(ready);
        if let Some(client) = &mut to {
            client.write_all(&message).await?;
        }
        // A question for a password is the client's turn, too; 0 and 12 are no questions.
        let asks = message.first() == Some(&b'R') && !matches!(message.get(8), Some(0 | 12));
        if asks || ready {
            return Ok(());
        }
    }
}
