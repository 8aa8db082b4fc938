//! A proxy that counts: what goes over the wire to PostgreSQL, message by message.
//!
//! Owns the reading of the protocol's frames. Changes nothing of what passes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixListener, UnixStream};

use crate::harness::Database;

const PORT: u16 = 5432;

/// A socket in front of the server.
pub struct Wire {
    folder: TempDir,
    options: PgConnectOptions,
    seen: Arc<Mutex<Seen>>,
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

impl Wire {
    pub async fn before(database: &Database) -> Self {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join(format!(".s.PGSQL.{PORT}"));
        let listener = UnixListener::bind(path).expect("a socket");
        let options = database.options();
        let seen = Arc::new(Mutex::new(Seen::default()));
        tokio::spawn(accept(listener, options.clone(), Arc::clone(&seen)));
        Self { folder, options, seen }
    }

    pub fn options(&self) -> PgConnectOptions {
        self.options.clone().socket(self.folder.path()).port(PORT)
    }

    /// What was seen since the last look.
    pub fn take(&self) -> Seen {
        let mut seen = self.seen.lock().expect("no panic");
        let open = seen.open;
        std::mem::replace(&mut *seen, Seen { open, ..Seen::default() })
    }

    /// Waits until only so many connections are left, and then takes what was seen.
    pub async fn take_with_open(&self, connections: usize) -> Seen {
        while self.seen.lock().expect("no panic").open > connections {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.take()
    }
}

async fn accept(listener: UnixListener, server: PgConnectOptions, seen: Arc<Mutex<Seen>>) {
    while let Ok((client, _)) = listener.accept().await {
        {
            let mut seen = seen.lock().expect("no panic");
            (seen.connections, seen.open) = (seen.connections + 1, seen.open + 1);
        }
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = connect(&server).await;
        let (ours, theirs) = (Arc::clone(&seen), Arc::clone(&seen));
        tokio::spawn(async move {
            forward(from_client, to_server, &ours).await;
            ours.lock().expect("no panic").open -= 1;
        });
        tokio::spawn(async move { back(from_server, to_client, theirs).await });
    }
}

type Reader = Box<dyn AsyncRead + Send + Unpin>;
type Writer = Box<dyn AsyncWrite + Send + Unpin>;

async fn connect(server: &PgConnectOptions) -> (Reader, Writer) {
    let port = server.get_port();
    if let Some(folder) = server.get_socket() {
        let path = folder.join(format!(".s.PGSQL.{port}"));
        let (reader, writer) = UnixStream::connect(path).await.expect("a server").into_split();
        return (Box::new(reader), Box::new(writer));
    }
    let stream = TcpStream::connect((server.get_host(), port)).await.expect("a server");
    let (reader, writer) = stream.into_split();
    (Box::new(reader), Box::new(writer))
}

/// The first message of a client has no type.
async fn forward(
    mut client: impl AsyncRead + Unpin,
    mut server: Writer,
    seen: &Mutex<Seen>,
) -> Option<()> {
    let first = frame(&mut client, &[]).await?;
    server.write_all(&first).await.ok()?;
    loop {
        let kind = client.read_u8().await.ok()?;
        let message = frame(&mut client, &[kind]).await?;
        let text = if kind == b'Q' { &message[5..message.len() - 1] } else { &[] };
        let text = String::from_utf8_lossy(text).into_owned();
        seen.lock().expect("no panic").sent.push((char::from(kind), text));
        server.write_all(&message).await.ok()?;
    }
}

async fn back(
    mut server: Reader,
    mut client: impl AsyncWrite + Unpin,
    seen: Arc<Mutex<Seen>>,
) -> Option<()> {
    loop {
        let kind = server.read_u8().await.ok()?;
        let message = frame(&mut server, &[kind]).await?;
        if kind == b'Z' {
            seen.lock().expect("no panic").round_trips += 1;
        }
        client.write_all(&message).await.ok()?;
    }
}

/// The rest of a message: its length, which counts itself, and its body; behind what was read of it.
async fn frame(from: &mut (impl AsyncRead + Unpin), read: &[u8]) -> Option<Vec<u8>> {
    let length = from.read_u32().await.ok()?;
    let mut message = read.to_vec();
    message.extend(length.to_be_bytes());
    let start = message.len();
    message.resize(start + length as usize - 4, 0);
    from.read_exact(&mut message[start..]).await.ok()?;
    Some(message)
}
