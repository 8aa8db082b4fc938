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
