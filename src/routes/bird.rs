//! BIRD 2 by its control socket, as `birdc` speaks to it.
//!
//! A protocol of BIRD's configuration has the routes of this node; it is enabled and
//! disabled, and nothing else of BIRD is touched. Replies are lines that begin with four
//! digits: a hyphen after them says that more follow, a space that it was the last.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::health::Route;

/// Longest wait for BIRD.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Octets of one reply.
const REPLY_BYTES_MAX: u64 = 64 << 10;
/// Lines of one reply.
const LINES_MAX: usize = 100;
/// Codes from here on are errors.
const ERROR_MIN: u32 = 8000;

/// Why BIRD was not told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BirdError {
    /// It does not answer.
    #[error("{}: {source}; is BIRD running, and is this its control socket?", path.display())]
    Socket {
        /// Its socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It says no.
    #[error("BIRD refuses `{command}`: {text}")]
    Refused {
        /// What was asked.
        command: String,
        /// What it says.
        text: String,
    },
    /// It says something else.
    #[error("BIRD answers `{command}` with something else: {text}")]
    Strange {
        /// What was asked.
        command: String,
        /// What it says.
        text: String,
    },
}

/// One protocol of a BIRD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bird {
    /// Its control socket.
    pub socket: PathBuf,
    /// The protocol that has our routes.
    pub protocol: String,
}

impl Bird {
    /// Whether the protocol is up.
    pub fn route(&self) -> Result<Route, BirdError> {
        let command = format!("show protocols \"{}\"", self.protocol);
        let lines = self.ask(&command)?;
        let row = lines.iter().find_map(|line| {
            let mut words = line.split_whitespace();
            (words.next()? == self.protocol).then(|| words.nth(2).map(ToOwned::to_owned))?
        });
        match row.as_deref() {
            Some("up") => Ok(Route::Announced),
            Some(_) => Ok(Route::Withdrawn),
            None => Err(BirdError::Strange {
                command,
                text: lines.join("; "),
            }),
        }
    }

    /// Enables or disables it; that it is so already is as good.
    pub fn set(&self, route: Route) -> Result<(), BirdError> {
        let verb = match route {
            Route::Announced => "enable",
            Route::Withdrawn => "disable",
        };
        self.ask(&format!("{verb} \"{}\"", self.protocol)).map(drop)
    }

    /// The lines of a reply without their codes.
    fn ask(&self, command: &str) -> Result<Vec<String>, BirdError> {
        let talked = talk(&self.socket, command).map_err(|source| BirdError::Socket {
            path: self.socket.clone(),
            source,
        })?;
        match talked {
            (code, lines) if code < ERROR_MIN => Ok(lines),
            (_, lines) => Err(BirdError::Refused {
                command: command.to_owned(),
                text: lines.join("; "),
            }),
        }
    }
}

/// Says one command; gives the last code and all lines.
fn talk(socket: &Path, command: &str) -> io::Result<(u32, Vec<String>)> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut reader = BufReader::new(stream.try_clone()?).take(REPLY_BYTES_MAX);
    // It greets before anything is said.
    read_reply(&mut reader)?;
    stream.write_all(format!("{command}\n").as_bytes())?;
    read_reply(&mut reader)
}

fn read_reply(reader: &mut impl BufRead) -> io::Result<(u32, Vec<String>)> {
    let mut lines = Vec::new();
    for _ in 0..LINES_MAX {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end_matches(['\n', '\r']);
        // A line that goes on with the code before begins with a space.
        let Some((head, rest)) = line.split_at_checked(5).filter(|_| !line.starts_with(' ')) else {
            lines.push(line.trim_start().to_owned());
            continue;
        };
        let (digits, more) = head.split_at(4);
        let code = digits
            .parse()
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, line.to_owned()))?;
        lines.push(rest.to_owned());
        if more == " " {
            return Ok((code, lines));
        }
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        "a reply without end",
    ))
}

#[cfg(test)]
mod tests;
