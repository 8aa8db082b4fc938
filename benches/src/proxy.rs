//! A network between client and server, and somebody who counts what passes.
//!
//! Bytes are handed on after a delay that does not limit how many are under way. Answers are counted as the
//! protocol marks them: a `ReadyForQuery` ends each, and it takes one round trip to get it. Threads rather than
//! tasks, whose timers count whole milliseconds.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

/// A proxy in front of a server, until the program ends.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    connections: AtomicUsize,
    answers: AtomicUsize,
    pings: AtomicUsize,
}

/// What passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Connections that were opened.
    pub connections: usize,
    /// Round trips, but for those that open a connection and those of `pings`.
    pub round_trips: usize,
    /// Messages of nothing but a `Sync`: how a pool asks whether a connection is alive.
    pub pings: usize,
}

impl Proxy {
    /// Starts one; each direction takes `delay`.
    ///
    /// # Errors
    /// When there is no port.
    pub fn start(server: SocketAddr, delay: Duration) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let counts = Arc::new(Counts::default());
        let counting = Arc::clone(&counts);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Err(error) = connect(client, server, delay, &counting) {
                    eprintln!("proxy: {error}");
                }
            }
        });
        Ok(Self { address, counts })
    }

    /// What passed since the start.
    pub fn passed(&self) -> Passed {
        let get = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        let (connections, pings) = (get(&self.counts.connections), get(&self.counts.pings));
        let round_trips = get(&self.counts.answers).saturating_sub(connections + pings);
        Passed { connections, round_trips, pings }
    }
}

impl Passed {
    /// What passed since an earlier look.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            connections: self.connections - before.connections,
            round_trips: self.round_trips - before.round_trips,
            pings: self.pings - before.pings,
        }
    }
}

fn connect(
    client: TcpStream,
    server: SocketAddr,
    delay: Duration,
    counts: &Arc<Counts>,
) -> std::io::Result<()> {
    let server = TcpStream::connect(server)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    counts.connections.fetch_add(1, Ordering::SeqCst);
    let (asks, answers) =
        (Messages::of_client(Arc::clone(counts)), Messages::of_server(Arc::clone(counts)));
    pump(client.try_clone()?, server.try_clone()?, delay, asks);
    pump(server, client, delay, answers);
    Ok(())
}

/// One direction of a connection.
fn pump(from: TcpStream, to: TcpStream, delay: Duration, messages: Messages) {
    if delay.is_zero() {
        thread::spawn(move || copy(from, messages, |bytes| (&to).write_all(bytes), || end(&to)));
        return;
    }
    let (sender, receiver) = channel();
    thread::spawn(move || deliver(&to, &receiver));
    thread::spawn(move || copy(from, messages, |bytes| post(&sender, delay, bytes), || {}));
}

fn copy(
    mut from: TcpStream,
    mut messages: Messages,
    write: impl Fn(&[u8]) -> std::io::Result<()>,
    end: impl Fn(),
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length) = from.read(&mut buffer) {
        let bytes = buffer.get(..length).unwrap_or_default();
        messages.see(bytes);
        if bytes.is_empty() || write(bytes).is_err() {
            break;
        }
    }
    end();
}

type Letter = (Instant, Vec<u8>);

fn post(sender: &Sender<Letter>, delay: Duration, bytes: &[u8]) -> std::io::Result<()> {
    let letter = (Instant::now() + delay, bytes.to_owned());
    sender.send(letter).map_err(|_| ErrorKind::BrokenPipe.into())
}

fn deliver(mut to: &TcpStream, letters: &Receiver<Letter>) {
    for (due, bytes) in letters {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    end(to);
}

fn end(to: &TcpStream) {
    let _ = to.shutdown(Shutdown::Both); // it is closed already
}

/// Follows one direction of the protocol, message by message.
struct Messages {
    counts: Arc<Counts>,
    client: bool,
    /// The first message of a client has no type.
    typed: bool,
    header: Vec<u8>,
    /// Bytes of the message that are still to come.
    left: usize,
    /// Messages of the client since the last that asked for an answer.
    open: usize,
}

impl Messages {
    fn of_client(counts: Arc<Counts>) -> Self {
        Self { counts, client: true, typed: false, header: Vec::new(), left: 0, open: 0 }
    }

    fn of_server(counts: Arc<Counts>) -> Self {
        Self { client: false, typed: true, ..Self::of_client(counts) }
    }

    fn see(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let body = self.left.min(bytes.len());
                self.left -= body;
                bytes = bytes.get(body..).unwrap_or_default();
                continue;
            }
            let (first, rest) = bytes.split_at(1);
            self.header.extend_from_slice(first);
            bytes = rest;
            self.begin();
        }
    }

    /// Is the header whole? Then a message has begun.
    fn begin(&mut self) {
        let (kind, length) = match (self.typed, self.header.as_slice()) {
            (true, [kind, length @ ..]) => (*kind, length),
            (_, length) => (0, length),
        };
        let Ok(length) = <[u8; 4]>::try_from(length) else { return };
        self.left = (u32::from_be_bytes(length) as usize).saturating_sub(4);
        self.header.clear();
        self.typed = true;
        self.count(kind);
    }

    fn count(&mut self, kind: u8) {
        let add = |count: &AtomicUsize| count.fetch_add(1, Ordering::SeqCst);
        match (self.client, kind) {
            (false, b'Z') => {
                add(&self.counts.answers);
            }
            (true, b'S') if self.open == 0 => {
                add(&self.counts.pings);
            }
            (true, b'S' | b'Q' | 0) => self.open = 0,
            _ => self.open += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap_or_default().to_be_bytes();
        [&[kind][..], &length, body].concat()
    }

    #[test]
    fn round_trips_and_pings_are_told_apart_however_the_bytes_arrive() {
        let startup = message(0, b"user\0me\0\0").split_off(1);
        let asks = [
            startup,
            message(b'Q', b"select 'Z'\0"),
            message(b'S', b""),
            message(b'P', b"x"),
            message(b'S', b""),
        ];
        let answers = message(b'Z', b"I").repeat(4);
        for size in [1, 3, 1000] {
            let counts = Arc::new(Counts::default());
            counts.connections.fetch_add(1, Ordering::SeqCst);
            let mut client = Messages::of_client(Arc::clone(&counts));
            asks.concat().chunks(size).for_each(|bytes| client.see(bytes));
            let mut server = Messages::of_server(Arc::clone(&counts));
            answers.chunks(size).for_each(|bytes| server.see(bytes));
            let proxy = Proxy { address: (Ipv4Addr::LOCALHOST, 0).into(), counts };
            assert_eq!(proxy.passed(), Passed { connections: 1, round_trips: 2, pings: 1 });
        }
    }
}
