//! The other side of the control socket, for the command line.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::ControlError;
use super::socket::{Command, Reply};

/// Longest wait for a reply; opening a large image takes its time.
const REPLY_TIMEOUT: Duration = Duration::from_secs(600);
/// Longest wait of a command that has done its work already.
const POKE_TIMEOUT: Duration = Duration::from_secs(1);
/// What a wait may take beyond its own limit.
const WAIT_SLACK: Duration = Duration::from_secs(10);
/// Octets of a reply; a status lists a bounded number of zones and messages.
const REPLY_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Asks the server behind `socket` to do one thing.
pub fn ask(socket: &Path, command: Command) -> Result<Reply, ControlError> {
    let stream = UnixStream::connect(socket).map_err(|source| ControlError::Unreachable {
        path: socket.into(),
        source,
    })?;
    converse(stream, command).map_err(|source| ControlError::Lost {
        path: socket.into(),
        source,
    })
}

fn converse(mut stream: UnixStream, command: Command) -> io::Result<Reply> {
    let timeout = match command {
        Command::Wait {
            timeout_milliseconds,
            ..
        } => Duration::from_millis(timeout_milliseconds) + WAIT_SLACK,
        Command::Ready | Command::Poke | Command::Accept { .. } => POKE_TIMEOUT,
        _ => REPLY_TIMEOUT,
    };
    stream.set_read_timeout(Some(timeout))?;
    let mut request = serde_json::to_vec(&command)?;
    request.push(b'\n');
    stream.write_all(&request)?;
    let mut line = String::new();
    BufReader::new(stream.take(REPLY_BYTES_MAX)).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}
