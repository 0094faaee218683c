//! Who may have which zone: rules of networks, keys and certificates.
//!
//! A request is allowed by one rule all of whose conditions it meets; without a rule
//! nobody is. A certificate is known by the SHA-256 of its DER (RFC 9103 section 9 leaves
//! the choice of how a client is authenticated to policy).

use std::fmt;
use std::net::IpAddr;

use zone_image::Name;

/// A network: an address and how many of its leading bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    length: u8,
}

impl Network {
    /// Reads `192.0.2.0/24`, or an address alone. Bits after the prefix are 0: a typing
    /// error would else let in somebody else.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| "write ADDRESS/BITS")?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            None => most,
            Some(digits) => digits.parse().map_err(|_| "write ADDRESS/BITS")?,
        };
        if length > most {
            return Err("more bits than the address has");
        }
        let network = Self { address, length };
        let behind = u32::from(most - length);
        if masked(address, length).checked_shl(behind).unwrap_or(0) != masked(address, most) {
            return Err("the address has bits behind its prefix");
        }
        Ok(network)
    }

    /// Whether an address is in it. One of IPv4 that came as IPv6 is one of IPv4.
    pub fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4()
            && masked(address, self.length) == masked(self.address, self.length)
    }
}

fn masked(address: IpAddr, length: u8) -> u128 {
    let (bits, most) = match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    bits.checked_shr(most - u32::from(length)).unwrap_or(0)
}

/// The SHA-256 of a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pin([u8; 32]);

impl Pin {
    /// Reads 64 hexadecimal digits; colons between octets are allowed.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|digit| *digit != ':').collect();
        if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let mut octets = [0; 32];
        for (at, octet) in octets.iter_mut().enumerate() {
            *octet = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(Self(octets))
    }

    /// That of a certificate in DER.
    pub fn of(der: &[u8]) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der);
        let octets = digest.as_ref().try_into();
        Self(octets.expect("SHA-256 has 32 octets"))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// A rule: what a request must have to be allowed by it. It has at least one of
/// networks, key and certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// Apexes, lower case; empty is all zones.
    pub zones: Vec<Name>,
    /// Networks; empty is any.
    pub networks: Vec<Network>,
    /// The key that signed it, lower case.
    pub key: Option<Name>,
    /// The client's certificate.
    pub certificate: Option<Pin>,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Client<'c> {
    /// From where.
    pub address: IpAddr,
    /// The key that the request was signed with, lower case, verified.
    pub key: Option<&'c Name>,
    /// The certificate that was shown, with proof of its key.
    pub certificate: Option<Pin>,
}

impl Rule {
    fn allows(&self, zone: &Name, client: &Client<'_>) -> bool {
        let networks = &self.networks;
        (self.zones.is_empty() || self.zones.contains(zone))
            && (networks.is_empty() || networks.iter().any(|network| network.has(client.address)))
            && self.key.as_ref().is_none_or(|key| client.key == Some(key))
            && (self.certificate.is_none() || self.certificate == client.certificate)
    }
}

/// The rules in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access(pub Vec<Rule>);

impl Access {
    /// Whether a client may have a zone, named in lower case.
    pub fn allows(&self, zone: &Name, client: &Client<'_>) -> bool {
        self.0.iter().any(|rule| rule.allows(zone, client))
    }

    /// Whether some rule is about this zone.
    pub fn names(&self, zone: &Name) -> bool {
        let mut rules = self.0.iter();
        rules.any(|rule| rule.zones.is_empty() || rule.zones.contains(zone))
    }

    /// Whether some rule asks for a certificate.
    pub fn asks_certificates(&self) -> bool {
        self.0.iter().any(|rule| rule.certificate.is_some())
    }
}

#[cfg(test)]
mod tests;
