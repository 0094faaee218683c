//! Taking an address before anything is served on it.

use std::io;
use std::net::{SocketAddr, TcpListener};

/// Takes an address for a listener of tokio; with its real port. An error names it.
pub(crate) fn bind(address: SocketAddr) -> io::Result<(SocketAddr, TcpListener)> {
    let name = |error: io::Error| io::Error::new(error.kind(), format!("{address}: {error}"));
    let listener = TcpListener::bind(address).map_err(name)?;
    listener.set_nonblocking(true)?;
    Ok((listener.local_addr()?, listener))
}
