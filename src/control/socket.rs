//! The control socket: one JSON object a line, one reply for each.
//!
//! Whoever may open it controls the server, so it has mode 0600 from the moment
//! it exists. Lines, connections and waiting are bounded.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdUnixListener, UnixStream as StdUnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{ControlError, Status, Vitals};
use crate::dns::generations::{Installed, Reloader};

/// Octets of a request line.
const LINE_BYTES_MAX: u64 = 4096;
/// Connections served at once; the next ones wait.
const CONNECTIONS_MAX: usize = 8;
/// Connections that wait.
const BACKLOG: i32 = 16;
/// Time for a request line to arrive or a reply to be taken.
const IO_TIMEOUT: Duration = Duration::from_secs(10);

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Command {
    /// Install what is in the image directory now.
    Reload,
    /// Describe the server.
    Status,
}

/// The reply to a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Reply {
    /// To `reload`.
    Installed(Installed),
    /// To `status`.
    Status(Box<Status>),
    /// The command was not done.
    Error {
        /// Why.
        message: String,
    },
}

/// The bound socket. Its file goes away with it.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
    vitals: Arc<Vitals>,
    reloader: Reloader,
}

impl ControlSocket {
    /// Makes the socket. A file left by a server that was killed is replaced; one
    /// that a server answers on is not.
    pub fn bind(
        path: &Path,
        vitals: Arc<Vitals>,
        reloader: Reloader,
    ) -> Result<Self, ControlError> {
        if StdUnixStream::connect(path).is_ok() {
            return Err(ControlError::InUse(path.into()));
        }
        let fault = |source| ControlError::Socket {
            path: path.into(),
            source,
        };
        match std::fs::symlink_metadata(path) {
            // Nobody answers on it; a server was killed.
            Ok(metadata) if metadata.file_type().is_socket() => {
                std::fs::remove_file(path).map_err(fault)?;
            }
            Ok(_) => return Err(ControlError::Occupied(path.into())),
            Err(_) => {}
        }
        let listener = listen(path)
            .and_then(UnixListener::from_std)
            .map_err(fault)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            vitals,
            reloader,
        })
    }

    /// Serves connections for as long as it is polled.
    pub async fn run(self) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            let Ok((stream, _)) = self.listener.accept().await else {
                // Out of descriptors; somebody will give one back.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let (vitals, reloader) = (Arc::clone(&self.vitals), self.reloader.clone());
            tokio::spawn(async move {
                // The other side has gone; there is nobody to tell.
                let _ = converse(stream, &vitals, &reloader).await;
                drop(place);
            });
        }
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn listen(path: &Path) -> io::Result<StdUnixListener> {
    let socket: OwnedFd = Socket::new(Domain::UNIX, Type::STREAM, None)?.into();
    // Before the bind, so that there is no moment at which others may open it.
    let file = std::fs::File::from(socket);
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    let socket = Socket::from(OwnedFd::from(file));
    socket.bind(&SockAddr::unix(path)?)?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(OwnedFd::from(socket).into())
}

/// Answers the requests of one connection until it ends.
async fn converse(stream: UnixStream, vitals: &Vitals, reloader: &Reloader) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut read).take(LINE_BYTES_MAX);
        let length = timeout(IO_TIMEOUT, limited.read_until(b'\n', &mut line)).await??;
        if length == 0 {
            return Ok(());
        }
        let whole = line.ends_with(b"\n");
        let reply = if whole || (length as u64) < LINE_BYTES_MAX {
            obey(&line, vitals, reloader).await
        } else {
            Reply::Error {
                message: format!("a request has at most {LINE_BYTES_MAX} octets"),
            }
        };
        let mut text = serde_json::to_vec(&reply)?;
        text.push(b'\n');
        timeout(IO_TIMEOUT, write.write_all(&text)).await??;
        if !whole {
            return Ok(());
        }
    }
}

async fn obey(line: &[u8], vitals: &Vitals, reloader: &Reloader) -> Reply {
    match serde_json::from_slice(line) {
        Ok(Command::Reload) => match reloader.reload().await {
            Ok(installed) => Reply::Installed(installed),
            Err(error) => Reply::Error {
                message: error.to_string(),
            },
        },
        Ok(Command::Status) => Reply::Status(Box::new(vitals.status())),
        Err(error) => Reply::Error {
            message: format!("not a command: {error}"),
        },
    }
}
