//! How a connection ends without a loss. A socket that is closed on octets unread is
//! reset, and the reset can overtake what was written last.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

/// Longest time that a client may go on sending after our last octet.
const LINGER: Duration = Duration::from_secs(1);
/// Most that is read and thrown away in that time.
const LINGER_BYTES_MAX: usize = 256 * 1024;
/// Read at once.
const READ_BYTES: usize = 4 * 1024;

/// Says that nothing follows: by close_notify within TLS, and by FIN.
pub(crate) async fn end(stream: &mut (impl AsyncWrite + Unpin), limit: Duration) -> io::Result<()> {
    match timeout(limit, stream.shutdown()).await {
        Ok(ended) => ended,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// Reads what a client is sending still, so that our last reply reaches it: to its end, or
/// to a bound of octets and time, or until `leave` ends.
pub(crate) async fn linger(stream: &mut (impl AsyncRead + Unpin), leave: impl Future<Output = ()>) {
    let discard = async {
        let mut scratch = vec![0; READ_BYTES];
        let mut discarded = 0;
        while discarded < LINGER_BYTES_MAX {
            match stream.read(&mut scratch).await {
                Ok(0) | Err(_) => break,
                Ok(count) => discarded += count,
            }
        }
    };
    tokio::select! {
        biased;
        () = leave => {}
        _ = timeout(LINGER, discard) => {}
    }
}
