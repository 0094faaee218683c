//! Server cookies (RFC 7873) of version 1 (RFC 9018), which any server of an
//! anycast set can make and verify that has the same secrets.
//!
//! A cookie proves that a client gets what is sent to its address. It is never
//! demanded: a client without one, or with a bad one, is answered and given a
//! good one, but it stays subject to rate limits.

use std::net::IpAddr;

use siphasher::sip::SipHasher24;

use super::secret::Secret;

/// Most secrets at once: the one that makes cookies and some that still, or
/// already, verify them while secrets roll (RFC 9018 section 5).
pub const SECRETS_MAX: usize = 4;
/// Octets of the client's part (RFC 7873 section 4).
const CLIENT_BYTES: usize = 8;
/// Octets of the server's part in version 1 (RFC 9018 section 4).
const SERVER_BYTES: usize = 16;
/// Octets of both.
pub(super) const COOKIE_BYTES: usize = CLIENT_BYTES + SERVER_BYTES;
const VERSION: u8 = 1;
/// Oldest cookie that counts (RFC 9018 section 4.3).
const AGE_SECONDS_MAX: i32 = 3600;
/// Furthest in the future, since the clocks of an anycast set differ.
const FUTURE_SECONDS_MAX: i32 = 300;
/// An older one is good, and replaced.
const REISSUE_AGE_SECONDS: i32 = 1800;
/// Octets before an address in what is hashed: client part, version, reserved, time.
const HASHED_HEAD_BYTES: usize = CLIENT_BYTES + 8;

/// The COOKIE option of a query, of valid length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cookie {
    client: [u8; CLIENT_BYTES],
    server: ServerPart,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ServerPart {
    Absent,
    /// Of the length of version 1.
    Known([u8; SERVER_BYTES]),
    /// Of another length, so none of ours (RFC 9018 section 4.4).
    Foreign,
}

/// What a cookie says of its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has none of ours yet.
    Unknown,
    /// Ours, and fresh: the client is where it says it is.
    Proven,
    /// Not ours, or too old.
    Bad,
}

impl Cookie {
    /// Reads the data of a COOKIE option; `None` if its length is none that
    /// RFC 7873 section 4 allows.
    pub(super) fn parse(data: &[u8]) -> Option<Self> {
        let (client, server) = data.split_first_chunk()?;
        let server = match server.len() {
            0 => ServerPart::Absent,
            8..=32 => server
                .try_into()
                .map_or(ServerPart::Foreign, ServerPart::Known),
            _ => return None,
        };
        Some(Self {
            client: *client,
            server,
        })
    }
}

/// The secrets of server cookies. The first makes cookies, all verify them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CookieSecrets {
    secrets: Vec<Secret>,
}

/// Why a text holds no secrets for cookies. The text itself is never repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CookieSecretsError {
    /// A line that is no secret.
    #[error("line {line}: a secret is 32 hexadecimal digits")]
    Malformed {
        /// Its number, from 1.
        line: usize,
    },
    /// Too many secrets.
    #[error("line {line}: more than {SECRETS_MAX} secrets")]
    TooMany {
        /// The first line too many.
        line: usize,
    },
    /// None at all.
    #[error("no secret, write one of 32 hexadecimal digits on a line")]
    Empty,
}

impl CookieSecrets {
    /// No secrets: cookies are neither made nor verified.
    pub fn none() -> Self {
        Self::default()
    }

    /// One secret.
    pub fn one(secret: Secret) -> Self {
        Self {
            secrets: vec![secret],
        }
    }

    /// Reads a secret a line; `#` starts a comment.
    pub fn parse(text: &str) -> Result<Self, CookieSecretsError> {
        let mut secrets = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line_number = index + 1;
            let content = line.split('#').next().unwrap_or_default().trim();
            if content.is_empty() {
                continue;
            }
            if secrets.len() == SECRETS_MAX {
                return Err(CookieSecretsError::TooMany { line: line_number });
            }
            secrets.push(
                Secret::from_hex(content)
                    .ok_or(CookieSecretsError::Malformed { line: line_number })?,
            );
        }
        if secrets.is_empty() {
            return Err(CookieSecretsError::Empty);
        }
        Ok(Self { secrets })
    }

    /// What the cookie of a query is worth, and the one to send back; `None`
    /// without secrets.
    pub(super) fn judge(
        &self,
        cookie: &Cookie,
        client: IpAddr,
        now: u64,
    ) -> Option<(Standing, [u8; COOKIE_BYTES])> {
        let maker = self.secrets.first()?;
        // RFC 9018 section 4.3: 32 bits of seconds, compared as serial numbers.
        let [.., a, b, c, d] = now.to_be_bytes();
        let now = u32::from_be_bytes([a, b, c, d]);
        let standing = match &cookie.server {
            ServerPart::Absent => Standing::Unknown,
            ServerPart::Foreign => Standing::Bad,
            ServerPart::Known(server) => {
                let age = now.wrapping_sub(time_of(server)).cast_signed();
                match self.find_maker(&cookie.client, server, client) {
                    Some(_) if !(-FUTURE_SECONDS_MAX..=AGE_SECONDS_MAX).contains(&age) => {
                        Standing::Bad
                    }
                    Some(0) if age <= REISSUE_AGE_SECONDS => {
                        return Some((Standing::Proven, join(&cookie.client, server)));
                    }
                    Some(_) => Standing::Proven,
                    None => Standing::Bad,
                }
            }
        };
        let mut server = [0; SERVER_BYTES];
        server[0] = VERSION;
        server[4..8].copy_from_slice(&now.to_be_bytes());
        let hash = hash(maker, &cookie.client, &server, client);
        server[8..].copy_from_slice(&hash);
        Some((standing, join(&cookie.client, &server)))
    }

    /// The number of the secret that made a cookie.
    fn find_maker(
        &self,
        client_part: &[u8; CLIENT_BYTES],
        server_part: &[u8; SERVER_BYTES],
        client: IpAddr,
    ) -> Option<usize> {
        if server_part[0] != VERSION {
            return None;
        }
        self.secrets
            .iter()
            .position(|secret| hash(secret, client_part, server_part, client) == server_part[8..])
    }
}

fn time_of(server: &[u8; SERVER_BYTES]) -> u32 {
    u32::from_be_bytes([server[4], server[5], server[6], server[7]])
}

fn join(client: &[u8; CLIENT_BYTES], server: &[u8; SERVER_BYTES]) -> [u8; COOKIE_BYTES] {
    let mut cookie = [0; COOKIE_BYTES];
    cookie[..CLIENT_BYTES].copy_from_slice(client);
    cookie[CLIENT_BYTES..].copy_from_slice(server);
    cookie
}

/// RFC 9018 section 4.4: client part, version, reserved and time as received,
/// and the client's address.
fn hash(
    secret: &Secret,
    client_part: &[u8; CLIENT_BYTES],
    server_part: &[u8; SERVER_BYTES],
    client: IpAddr,
) -> [u8; 8] {
    let mut input = [0; HASHED_HEAD_BYTES + 16];
    input[..CLIENT_BYTES].copy_from_slice(client_part);
    input[CLIENT_BYTES..HASHED_HEAD_BYTES].copy_from_slice(&server_part[..8]);
    let length = match client.to_canonical() {
        IpAddr::V4(address) => {
            input[HASHED_HEAD_BYTES..HASHED_HEAD_BYTES + 4].copy_from_slice(&address.octets());
            HASHED_HEAD_BYTES + 4
        }
        IpAddr::V6(address) => {
            input[HASHED_HEAD_BYTES..].copy_from_slice(&address.octets());
            HASHED_HEAD_BYTES + 16
        }
    };
    SipHasher24::new_with_key(secret.value())
        .hash(&input[..length])
        .to_le_bytes()
}

#[cfg(test)]
mod tests;
