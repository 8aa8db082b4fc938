//! A proxy that knows where one message ends and the next begins, and fails at the one it is told to.
//!
//! It speaks the simple protocol only, in which client and server take turns.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

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
}

/// What the proxy does then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// It closes the connection.
    Cut,
    /// It says nothing any more.
    Hold,
}

/// A way to a database that is lost at one message; later connections get through.
pub struct Proxy {
    folder: TempDir,
    options: PgConnectOptions,
    work: Arc<Work>,
    task: JoinHandle<()>,
}

struct Work {
    moment: Moment,
    which: Which,
    then: Then,
    seen: AtomicUsize,
    over: AtomicBool,
    reached: watch::Sender<bool>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Proxy {
    /// Cuts the connection at a message.
    pub fn cut(options: PgConnectOptions, moment: Moment, which: Which) -> Self {
        Self::new(options, moment, which, Then::Cut)
    }

    /// Leaves the client waiting for the answer to a message.
    pub fn hold(options: PgConnectOptions, moment: Moment, which: Which) -> Self {
        Self::new(options, moment, which, Then::Hold)
    }

    fn new(options: PgConnectOptions, moment: Moment, which: Which, then: Then) -> Self {
        let folder = TempDir::new().expect("a folder");
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).expect("a socket");
        let (seen, over, reached) = Default::default();
        let work = Arc::new(Work { moment, which, then, seen, over, reached });
        let task = tokio::spawn(accept(listener, options.clone(), work.clone()));
        Self { folder, options, work, task }
    }

    /// How to connect through it.
    pub fn options(&self) -> PgConnectOptions {
        self.options.clone().socket(self.folder.path()).port(5432)
    }

    /// Has it done what it is there for?
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
        let (options, work) = (options.clone(), work.clone());
        connections.spawn(async move {
            let server = upstream(&options).await.expect("a server");
            serve(client, server, &work).await
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
    let mut message = startup(&mut client).await?;
    loop {
        let here = work.is_at(&message);
        if here && work.moment == Before {
            return work.fail(&mut client).await;
        }
        server.write_all(&message).await?;
        // Of these the server says when it has finished; 0 begins the message that opens a connection.
        if matches!(message.first(), Some(0 | b'Q' | b'S' | b'p')) {
            answer(&mut server, (!here).then_some(&mut client)).await?;
        }
        if here {
            return work.fail(&mut client).await;
        }
        message = next(&mut client).await?;
    }
}

impl Work {
    fn is_at(&self, message: &[u8]) -> bool {
        if message.first() != Some(&b'Q') {
            return false;
        }
        let number = self.seen.fetch_add(1, Ordering::SeqCst);
        let found = match self.which {
            Which::Nth(wanted) => number == wanted,
            Which::Says(words) => String::from_utf8_lossy(message).contains(words),
        };
        found && !self.over.swap(true, Ordering::SeqCst)
    }

    async fn fail(&self, client: &mut UnixStream) -> io::Result<()> {
        self.reached.send_replace(true);
        if self.then == Then::Hold {
            client.read_u8().await?;
        }
        Ok(())
    }
}

async fn startup(client: &mut UnixStream) -> io::Result<Vec<u8>> {
    let length = client.read_u32().await?;
    let mut message = length.to_be_bytes().to_vec();
    rest(client, length, &mut message).await?;
    Ok(message)
}

async fn next(stream: &mut (impl AsyncRead + Unpin + ?Sized)) -> io::Result<Vec<u8>> {
    let mut message = vec![stream.read_u8().await?];
    let length = stream.read_u32().await?;
    message.extend(length.to_be_bytes());
    rest(stream, length, &mut message).await?;
    Ok(message)
}

async fn rest(
    stream: &mut (impl AsyncRead + Unpin + ?Sized),
    length: u32,
    message: &mut Vec<u8>,
) -> io::Result<()> {
    stream.take(u64::from(length) - 4).read_to_end(message).await?;
    Ok(())
}

/// What the server says until it is the client's turn again.
async fn answer(server: &mut Box<dyn Stream>, mut to: Option<&mut UnixStream>) -> io::Result<()> {
    loop {
        let message = next(server).await?;
        if let Some(client) = &mut to {
            client.write_all(&message).await?;
        }
        // A question for a password is the client's turn, too; 0 and 12 are no questions.
        let asks = message.first() == Some(&b'R') && !matches!(message.get(8), Some(0 | 12));
        if asks || message.first() == Some(&b'Z') {
            return Ok(());
        }
    }
}
