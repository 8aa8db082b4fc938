//! The server that the user named: asked once for its version, and taken as it is.
//!
//! It must not know where the URL comes from.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::Server;
use super::error::ServerError;

static KNOWN: Mutex<Option<HashMap<String, Server>>> = Mutex::new(None);

/// The server at `url`, which this process may have met before.
pub(super) fn get(url: &str) -> Result<Server, ServerError> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    if let Some(server) = known.get(url) {
        return Ok(server.clone());
    }
    let server = Server::from_url(url)?;
    known.insert(url.to_owned(), server.clone());
    Ok(server)
}
