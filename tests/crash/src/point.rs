//! A point of the matrix: a run, a message of it, and what goes wrong there.

use std::fmt;

use migrate_tests::proxy::{After, Before, Conversation, Message, Moment, Sent};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// The connection is cut, on both sides.
    Cut(Moment),
    /// The process that migrates is killed.
    Killed(Moment),
    /// Somebody ends the session.
    Terminated(Moment),
    /// The session loses its lock, another migrator gets it, and both go on.
    Robbed,
    /// The process of the session is killed, and the server begins anew.
    Crashed(Moment),
    /// The server is killed, and started again.
    Lost(Moment),
}

impl Kind {
    /// Does all of the server suffer?
    pub(crate) fn is_hard(self) -> bool {
        matches!(self, Kind::Crashed(_) | Kind::Lost(_))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, moment) = match self {
            Kind::Cut(moment) => ("the connection is cut", moment),
            Kind::Killed(moment) => ("the process is killed", moment),
            Kind::Terminated(moment) => ("the session is terminated", moment),
            Kind::Robbed => return f.write_str("another migrator gets the lock before it"),
            Kind::Crashed(moment) => ("the backend is killed", moment),
            Kind::Lost(moment) => ("the server is killed", moment),
        };
        let moment = match moment {
            Before => "before it",
            Sent => "while the server has it",
            After => "when its answer is lost",
        };
        write!(f, "{what} {moment}")
    }
}

/// Where.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) connection: usize,
    pub(crate) message: usize,
    /// How the message begins.
    pub(crate) words: String,
    pub(crate) kind: Kind,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connection, message, words, kind } = self;
        write!(f, "connection {connection}, message {message} (`{words}`), {kind}")
    }
}

/// Where the lock of a run is asked for.
pub(crate) fn lock_of(conversations: &[Conversation]) -> Option<(usize, usize)> {
    conversations.iter().enumerate().find_map(|(connection, conversation)| {
        let asks = |text: &str| text.contains("pg_try_advisory_lock(");
        let message = conversation.messages.iter().position(|message| asks(&message.text))?;
        Some((connection, message))
    })
}

/// All points of a run.
pub(crate) fn all(conversations: &[Conversation]) -> Vec<Point> {
    let lock = lock_of(conversations);
    let mut points = Vec::new();
    for (connection, conversation) in conversations.iter().enumerate() {
        for (message, what) in conversation.messages.iter().enumerate() {
            let has_lock = lock.is_some_and(|lock| lock.0 == connection && lock.1 < message);
            let kinds = kinds(what, message == 0, has_lock);
            let words = words(what.kind, &what.text);
            let point = |kind| Point { connection, message, words: words.clone(), kind };
            points.extend(kinds.into_iter().map(point));
        }
    }
    points
}

/// What can go wrong at a message. When the farewell comes by, all the rest is over.
fn kinds(what: &Message, opens: bool, has_lock: bool) -> Vec<Kind> {
    let mut kinds = vec![Kind::Cut(Before), Kind::Cut(Sent)];
    if what.kind == 'X' {
        return kinds;
    }
    kinds.push(Kind::Killed(Before));
    if what.is_answered() {
        kinds.extend([Kind::Cut(After), Kind::Killed(After)]);
    }
    if !opens {
        kinds.extend([Kind::Terminated(Before), Kind::Terminated(Sent)]);
        kinds.extend([Kind::Crashed(Sent), Kind::Lost(Sent)]);
    }
    kinds.extend((has_lock && what.alone).then_some(Kind::Robbed));
    kinds
}

/// How a message begins, without the settings that begin so many.
fn words(kind: char, text: &str) -> String {
    let begins = text.split(';').map(str::trim).find(|statement| {
        let settings = ["BEGIN", "RESET", "SET "];
        !statement.is_empty() && !settings.iter().any(|word| statement.starts_with(word))
    });
    let text = begins.unwrap_or(text).split_whitespace().collect::<Vec<_>>().join(" ");
    let text: String = text.chars().take(60).collect();
    match (kind, text.is_empty()) {
        (' ', _) => "(opens the connection)".to_owned(),
        (kind, true) => format!("({kind})"),
        _ => text,
    }
}
