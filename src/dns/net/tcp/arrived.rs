//! The streams that connections run on, and what has arrived on them.
//!
//! When the server stops, what has arrived is answered and nothing later. So the
//! kernel itself is asked: the runtime may not know yet that there is something.

use std::io::Read;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::dns::engine::Transport;

/// A stream of octets to and from one client.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {
    /// What the engine is told.
    const TRANSPORT: Transport;

    /// Appends what has arrived, until `input` has about `most` octets. Ends at an
    /// error and where it would have to wait, which both are the end of what has.
    fn read_arrived(&mut self, most: usize, input: &mut Vec<u8>);

    /// The certificate that the client showed, in DER.
    fn certificate(&self) -> Option<&[u8]> {
        None
    }
}

impl Stream for TcpStream {
    const TRANSPORT: Transport = Transport::Tcp;

    fn read_arrived(&mut self, most: usize, input: &mut Vec<u8>) {
        let socket = SockRef::from(&*self);
        append(&*socket, most, input);
    }
}

impl Stream for TlsStream<TcpStream> {
    const TRANSPORT: Transport = Transport::Tls;

    fn certificate(&self) -> Option<&[u8]> {
        let chain = self.get_ref().1.peer_certificates()?;
        chain.first().map(AsRef::as_ref)
    }

    fn read_arrived(&mut self, most: usize, input: &mut Vec<u8>) {
        let (socket, session) = self.get_mut();
        let socket = SockRef::from(&*socket);
        loop {
            append(session.reader(), most, input);
            // Each round takes something from the kernel, which has only so much.
            let read = session.read_tls(&mut &*socket);
            let more = matches!(read, Ok(octets) if octets > 0) && input.len() < most;
            if !more || session.process_new_packets().is_err() {
                break;
            }
        }
    }
}

fn append(source: impl Read, most: usize, input: &mut Vec<u8>) {
    let rest = most.saturating_sub(input.len()) as u64;
    // What came before an error is appended all the same.
    let _ = source.take(rest).read_to_end(input);
}
