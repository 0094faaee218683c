//! The control socket: one JSON object a line, one reply for each.
//!
//! Whoever may open it controls the server, so it has mode 0600 from the moment
//! it exists. Lines, connections and waiting are bounded. Who waits for an event has
//! a place of its own, so that waiting never keeps anybody from asking.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdUnixListener, UnixStream as StdUnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::{ControlError, EppSession, EppVitals, Reloads, SentZone, Status, Vitals};
use crate::dns::generations::Installed;
use crate::publish;

/// Octets of a request line.
const LINE_BYTES_MAX: u64 = 4096;
/// Connections served at once; the next ones wait.
const CONNECTIONS_MAX: usize = 8;
/// Connections that wait for an event.
const WAITING_MAX: usize = 64;
/// Connections of EPP that are listed, the oldest ones.
const SESSIONS_MAX: usize = 10_000;
/// Connections that wait.
const BACKLOG: i32 = 16;
/// Time for a request line to arrive or a reply to be taken.
const IO_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest wait for an event.
pub const WAIT_MAX: Duration = Duration::from_secs(3600);

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Command {
    /// Install what is in the image directory now, and read certificates again.
    Reload,
    /// Describe the server.
    Status,
    /// Say whether queries should be sent here.
    Ready,
    /// Something was committed to the registry.
    Poke,
    /// What the publisher holds is meant.
    Accept {
        /// Up to this event.
        event: u64,
    },
    /// Reply when a registry event is served, or when the time is over.
    Wait {
        /// The event.
        event: u64,
        /// The time.
        timeout_milliseconds: u64,
    },
    /// List the connections of EPP.
    EppSessions,
    /// End one of them.
    EppKill {
        /// Its number.
        session: u64,
    },
    /// Describe zones that are sent to others.
    ZoneStatus {
        /// Only this one.
        zone: Option<String>,
    },
    /// Tell secondaries of a zone.
    ZoneNotify {
        /// Which.
        zone: String,
    },
}

/// The reply to a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Reply {
    /// To `reload`.
    Installed(Installed),
    /// To `status`.
    Status(Box<Status>),
    /// To `ready`.
    Ready {
        /// Whether they should.
        ready: bool,
    },
    /// To `poke`, `accept` and `wait`.
    Served {
        /// The registry event up to which everything is served.
        event: u64,
    },
    /// To `epp-sessions`.
    EppSessions {
        /// The oldest first.
        sessions: Vec<EppSession>,
    },
    /// To `epp-kill`.
    EppEnded {
        /// The session as it was.
        session: EppSession,
    },
    /// To `zone-status` and `zone-notify`.
    Zones {
        /// As they are sent.
        zones: Vec<SentZone>,
    },
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
    reloads: Reloads,
}

impl ControlSocket {
    /// Makes the socket. A file left by a server that was killed is replaced; one
    /// that a server answers on is not.
    pub fn bind(path: &Path, vitals: Arc<Vitals>, reloads: Reloads) -> Result<Self, ControlError> {
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
            reloads,
        })
    }

    /// Serves connections for as long as it is polled.
    pub async fn run(self) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let waiting = Arc::new(Semaphore::new(WAITING_MAX));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            let Ok((stream, _)) = self.listener.accept().await else {
                // Out of descriptors; somebody will give one back.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let conversation = Conversation {
                vitals: Arc::clone(&self.vitals),
                reloads: self.reloads.clone(),
                waiting: Arc::clone(&waiting),
            };
            tokio::spawn(async move {
                // The other side has gone; there is nobody to tell.
                let _ = conversation.run(stream, place).await;
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

/// One connection and what it can ask of.
struct Conversation {
    vitals: Arc<Vitals>,
    reloads: Reloads,
    waiting: Arc<Semaphore>,
}

impl Conversation {
    /// Answers requests until the connection ends.
    async fn run(self, stream: UnixStream, place: OwnedSemaphorePermit) -> io::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut read = BufReader::new(read);
        let mut place = Some(place);
        loop {
            let mut line = Vec::new();
            let mut limited = (&mut read).take(LINE_BYTES_MAX);
            let length = timeout(IO_TIMEOUT, limited.read_until(b'\n', &mut line)).await??;
            if length == 0 {
                return Ok(());
            }
            let whole = line.ends_with(b"\n");
            let reply = if whole || (length as u64) < LINE_BYTES_MAX {
                self.obey(&line, &mut read, &mut place).await
            } else {
                Reply::Error {
                    message: format!("a request has at most {LINE_BYTES_MAX} octets"),
                }
            };
            let mut text = serde_json::to_vec(&reply)?;
            text.push(b'\n');
            timeout(IO_TIMEOUT, write.write_all(&text)).await??;
            if !whole || place.is_none() {
                return Ok(());
            }
        }
    }

    async fn obey(
        &self,
        line: &[u8],
        read: &mut (impl AsyncBufRead + Unpin),
        place: &mut Option<OwnedSemaphorePermit>,
    ) -> Reply {
        let message = match serde_json::from_slice(line) {
            Ok(Command::Reload) => match self.reloads.reload().await {
                Ok(installed) => return Reply::Installed(installed),
                Err(message) => message,
            },
            Ok(Command::Status) => return Reply::Status(Box::new(self.vitals.status())),
            Ok(Command::Ready) => {
                let ready = self.vitals.is_healthy();
                return Reply::Ready { ready };
            }
            Ok(Command::Poke) => match self.publisher() {
                Ok(publisher) => {
                    publisher.hurry();
                    let event = publisher.served_event();
                    return Reply::Served { event };
                }
                Err(message) => message,
            },
            Ok(Command::Accept { event }) => match self.publisher() {
                Ok(publisher) => {
                    publisher.accept(event);
                    let event = publisher.served_event();
                    return Reply::Served { event };
                }
                Err(message) => message,
            },
            Ok(Command::Wait {
                event,
                timeout_milliseconds,
            }) => {
                // The place is for others from now on.
                drop(place.take());
                let limit = Duration::from_millis(timeout_milliseconds).min(WAIT_MAX);
                match self.wait(event, limit, read).await {
                    Ok(event) => return Reply::Served { event },
                    Err(message) => message,
                }
            }
            Ok(Command::EppSessions) => match self.epp() {
                Ok(epp) => {
                    let sessions = epp.sessions.list().into_iter();
                    let sessions = sessions.take(SESSIONS_MAX).map(Into::into).collect();
                    return Reply::EppSessions { sessions };
                }
                Err(message) => message,
            },
            Ok(Command::EppKill { session }) => match self.end_session(session) {
                Ok(session) => return Reply::EppEnded { session },
                Err(message) => message,
            },
            Ok(Command::ZoneStatus { zone }) => match self.vitals.sent_zones(zone.as_deref()) {
                Ok(zones) => return Reply::Zones { zones },
                Err(message) => message,
            },
            Ok(Command::ZoneNotify { zone }) => match self.vitals.notify(&zone) {
                Ok(zones) => return Reply::Zones { zones },
                Err(message) => message,
            },
            Err(error) => format!("not a command: {error}"),
        };
        Reply::Error { message }
    }

    fn epp(&self) -> Result<&EppVitals, String> {
        let none = "the server speaks no EPP; set epp.listen in its configuration";
        self.vitals.epp().ok_or_else(|| none.to_owned())
    }

    fn end_session(&self, id: u64) -> Result<EppSession, String> {
        let ended = self.epp()?.sessions.end(id);
        let none = || format!("no session {id}; `meridian epp sessions` lists them");
        let session = EppSession::from(ended.ok_or_else(none)?);
        tracing::info!(
            session = id,
            registrar = session.registrar,
            peer = %session.peer,
            "EPP session ended by the operator"
        );
        Ok(session)
    }

    fn publisher(&self) -> Result<&publish::State, String> {
        let publisher = self.vitals.publish().map(AsRef::as_ref);
        publisher.ok_or_else(|| {
            "the server publishes no registry; set registry.database in its configuration".into()
        })
    }

    /// Waits until `event` is served, or its client gone.
    async fn wait(
        &self,
        event: u64,
        limit: Duration,
        read: &mut (impl AsyncBufRead + Unpin),
    ) -> Result<u64, String> {
        let publisher = self.publisher()?;
        let busy = |_| format!("{WAITING_MAX} clients are waiting already; try again later");
        let _place = self.waiting.try_acquire().map_err(busy)?;
        let mut served = publisher.served();
        publisher.hurry();
        let reached = timeout(limit, served.wait_for(|served| *served >= event));
        tokio::select! {
            reached = reached => match reached {
                Ok(Ok(reached)) => Ok(*reached),
                Ok(Err(_)) => Err("the server is stopping".to_owned()),
                Err(_) => Err(not_served(event, limit, publisher)),
            },
            // Nobody sends anything while it waits, so this is the end of the client.
            _ = read.fill_buf() => Err("the client did not wait".to_owned()),
        }
    }
}

fn not_served(event: u64, limit: Duration, publisher: &publish::State) -> String {
    let (served, newest) = (publisher.served_event(), publisher.registry_event());
    let mut text = format!(
        "event {event} is not served after {} s: event {served} is, the registry is at {newest}",
        limit.as_secs_f64()
    );
    if let Some(failure) = publisher.failure() {
        text = format!("{text}; {failure}");
    }
    text
}
