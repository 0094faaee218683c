//! Where load may go: loopback, and nowhere else.

use std::net::SocketAddr;
use std::str::FromStr;

/// A loopback address with a port: the proof that load may be sent there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target(SocketAddr);

/// Why an address is no target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetError {
    /// Not `ADDRESS:PORT`.
    Syntax(String),
    /// An address outside 127.0.0.0/8 and ::1.
    NotLoopback(SocketAddr),
    /// Port 0.
    NoPort(SocketAddr),
}

impl std::error::Error for TargetError {}

impl std::fmt::Display for TargetError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Syntax(text) => write!(f, "`{text}` is not an ADDRESS:PORT such as 127.0.0.1:53"),
            Self::NotLoopback(address) => {
                write!(
                    f,
                    "{address} is not loopback; load goes only to 127.0.0.0/8 and ::1"
                )
            }
            Self::NoPort(address) => write!(f, "{address} has no port"),
        }
    }
}

impl Target {
    /// Accepts loopback addresses only. An IPv4-mapped IPv6 address is judged by
    /// `is_loopback` of IPv6 and so refused.
    pub fn new(address: SocketAddr) -> Result<Self, TargetError> {
        if !address.ip().is_loopback() {
            return Err(TargetError::NotLoopback(address));
        }
        if address.port() == 0 {
            return Err(TargetError::NoPort(address));
        }
        Ok(Self(address))
    }

    /// The address.
    pub fn address(self) -> SocketAddr {
        self.0
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        Self::new(
            text.parse()
                .map_err(|_| TargetError::Syntax(text.to_owned()))?,
        )
    }
}

#[cfg(test)]
mod tests;
