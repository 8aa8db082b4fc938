//! Where one message of PostgreSQL's protocol ends and the next begins.
//!
//! Owns the reading of frames. Knows nothing of what is done with them.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// The message that opens a connection, the only one without a type.
pub async fn first(stream: &mut (impl AsyncRead + Unpin + ?Sized)) -> io::Result<Vec<u8>> {
    rest(stream, Vec::new()).await
}

/// A message that begins with its type.
pub async fn next(stream: &mut (impl AsyncRead + Unpin + ?Sized)) -> io::Result<Vec<u8>> {
    let kind = stream.read_u8().await?;
    rest(stream, vec![kind]).await
}

/// A message behind what was read of it: its length, which counts itself, and its body.
async fn rest(
    stream: &mut (impl AsyncRead + Unpin + ?Sized),
    mut message: Vec<u8>,
) -> io::Result<Vec<u8>> {
    let length = stream.read_u32().await?;
    message.extend(length.to_be_bytes());
    let start = message.len();
    message.resize(start + length as usize - 4, 0);
    stream.read_exact(&mut message[start..]).await?;
    Ok(message)
}

/// A simple query.
pub fn query(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len() + 5).expect("a short text");
    [b"Q", &length.to_be_bytes()[..], text.as_bytes(), b"\0"].concat()
}

/// What a message says in SQL.
pub fn text(kind: char, message: &[u8]) -> String {
    let body = message.get(5..).unwrap_or_default();
    let text = match kind {
        'Q' => body,
        // The name of the statement comes first.
        'P' => body.splitn(2, |byte| *byte == 0).nth(1).unwrap_or_default(),
        _ => &[],
    };
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

/// The process of the server, where a message tells it.
pub fn backend(message: &[u8]) -> Option<i32> {
    let told = message.first() == Some(&b'K');
    let number = message.get(5..9).filter(|_| told)?;
    number.try_into().ok().map(i32::from_be_bytes)
}
