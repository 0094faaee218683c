//! Addresses of hosts.
//!
//! Syntax is checked here; whether an address may be published is asked by the
//! command, since policy comes late in the order of checks.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::{ValueError, text_value};

/// An address of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(IpAddr);

/// Why an address is no address of a name server on the Internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressFault {
    /// Never reachable by others: private, loopback, multicast and so on.
    NotGlobal,
    /// Set apart for documentation (RFC 5737, RFC 3849); good in a lab.
    Documentation,
}

impl Address {
    /// Reads an IPv4 or IPv6 address.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let address = text.parse();
        let address =
            address.map_err(|_| ValueError::syntax(text, "not an IPv4 or IPv6 address"))?;
        Ok(Self(address))
    }

    /// As the standard library has it.
    pub(crate) fn ip(self) -> IpAddr {
        self.0
    }

    /// The type of the record that holds it: A is 1, AAAA is 28.
    pub(crate) fn rtype(self) -> i64 {
        match self.0 {
            IpAddr::V4(_) => 1,
            IpAddr::V6(_) => 28,
        }
    }

    /// Its octets: the RDATA.
    pub(crate) fn rdata(self) -> Vec<u8> {
        match self.0 {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        }
    }

    /// The reverse of [`Self::rdata`]; `None` for any other length.
    pub(crate) fn from_rdata(rdata: &[u8]) -> Option<Self> {
        let four = || <[u8; 4]>::try_from(rdata).ok().map(IpAddr::from);
        let sixteen = || <[u8; 16]>::try_from(rdata).ok().map(IpAddr::from);
        four().or_else(sixteen).map(Self)
    }

    /// What speaks against publishing it.
    pub fn fault(self) -> Option<AddressFault> {
        match self.0 {
            IpAddr::V4(address) => fault_v4(address),
            IpAddr::V6(address) => fault_v6(address),
        }
    }
}

/// The IANA registry of special-purpose addresses (RFC 6890), as far as others
/// cannot reach them.
fn fault_v4(address: Ipv4Addr) -> Option<AddressFault> {
    let [a, b, c, _] = address.octets();
    if address.is_documentation() {
        return Some(AddressFault::Documentation);
    }
    let shared = a == 100 && (64..128).contains(&b);
    let protocol = (a, b, c) == (192, 0, 0);
    let benchmark = a == 198 && (18..20).contains(&b);
    let special = address.is_private() || address.is_loopback() || address.is_link_local();
    (special || shared || protocol || benchmark || a == 0 || a >= 224)
        .then_some(AddressFault::NotGlobal)
}

/// Unicast that is given out (2000::/3), without what is inside it and is not.
fn fault_v6(address: Ipv6Addr) -> Option<AddressFault> {
    let [first, second, ..] = address.segments();
    let documentation = (first, second) == (0x2001, 0x0db8) || first == 0x3fff && second < 0x1000;
    if documentation {
        return Some(AddressFault::Documentation);
    }
    // RFC 2928 with Teredo and ORCHID; RFC 3056 (6to4, retired by RFC 7526).
    let special = first == 0x2001 && second < 0x0200 || first == 0x2002;
    (special || first & 0xe000 != 0x2000).then_some(AddressFault::NotGlobal)
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        Self(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

text_value!(Address);
