//! Networks that a registrar comes from: an address with a number of leading bits.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::registry::types::{ValueError, text_value};

/// A network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

impl Prefix {
    /// Reads `192.0.2.0/24`, or an address alone. Bits after the prefix are 0: a typing
    /// error would else let in, or keep out, somebody else.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let bad = |reason: &str| ValueError::syntax(text, reason);
        let (address, length) = text.split_once('/').unwrap_or((text, ""));
        let address: IpAddr = address.parse().map_err(|_| bad("write ADDRESS/BITS"))?;
        let most = bits(address);
        let length = match length {
            "" if !text.contains('/') => most,
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits
                .parse()
                .ok()
                .filter(|length| *length <= most)
                .ok_or_else(|| bad("more bits than the address has, or none"))?,
            _ => return Err(bad("write ADDRESS/BITS")),
        };
        let prefix = Self { address, length };
        if masked(address, length) != number(address) {
            return Err(bad("the address has bits behind its prefix"));
        }
        Ok(prefix)
    }

    /// Whether an address is in it. One of IPv4 that came as IPv6 is one of IPv4.
    pub fn has(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4()
            && masked(address, self.length) == number(self.address)
    }
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// An address without what follows its first bits.
fn masked(address: IpAddr, length: u8) -> u128 {
    let after = u32::from(bits(address) - length);
    let number = number(address);
    number
        .checked_shr(after)
        .unwrap_or(0)
        .checked_shl(after)
        .unwrap_or(0)
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

text_value!(Prefix);

#[cfg(test)]
mod tests;
