//! APL (RFC 3123): address prefixes, as in `!1:192.0.2.0/24`.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::words::{Word, Words};
use super::{RdataError, WireError};

const EXPECTED: &str = "an address prefix, as in 1:192.0.2.0/24 or !2:2001:db8::/32";

/// Reads prefixes to the end; there may be none.
pub(super) fn scan(words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    while !words.is_empty() {
        let word = words.plain(EXPECTED)?;
        scan_one(&word, out).ok_or_else(|| word.expected(EXPECTED))?;
    }
    Ok(())
}

fn scan_one(word: &Word<'_>, out: &mut Vec<u8>) -> Option<()> {
    let text = std::str::from_utf8(word.raw).ok()?;
    let (negated, text) = match text.strip_prefix('!') {
        Some(text) => (0x80, text),
        None => (0, text),
    };
    let (family, text) = text.split_once(':')?;
    let (address, prefix) = text.split_once('/')?;
    let prefix = super::scan::decimal(prefix.as_bytes(), 128)?.to_le_bytes()[0];
    let (family, most, octets) = match family {
        "1" => (1, 32, address.parse::<Ipv4Addr>().ok()?.octets().to_vec()),
        "2" => (2, 128, address.parse::<Ipv6Addr>().ok()?.octets().to_vec()),
        _ => return None,
    };
    if prefix > most {
        return None;
    }
    // RFC 3123 section 4.1: trailing zero octets are left out.
    let zeros = octets.iter().rev().take_while(|&&octet| octet == 0).count();
    let length = octets.len() - zeros;
    let counted = u8::try_from(length).expect("at most 16 octets");
    out.extend([0, family, prefix, negated | counted]);
    out.extend_from_slice(&octets[..length]);
    Some(())
}

/// Checks prefixes to the end.
pub(super) fn check(mut rest: &[u8]) -> Result<(), WireError> {
    while let [high, family, prefix, counted, after @ ..] = rest {
        let (prefix_max, length_max) = match (high, family) {
            (0, 1) => (32, 4),
            (0, 2) => (128, 16),
            _ => return Err(WireError::Value("address family is neither 1 nor 2")),
        };
        let length = usize::from(counted & 0x7f);
        if *prefix > prefix_max || length > length_max || after.len() < length {
            return Err(WireError::Value("address prefix of a wrong length"));
        }
        if length > 0 && after[length - 1] == 0 {
            return Err(WireError::Value("address prefix ends with a zero octet"));
        }
        rest = &after[length..];
    }
    match rest {
        [] => Ok(()),
        _ => Err(WireError::Value("address prefix of a wrong length")),
    }
}

/// Writes valid prefixes with a blank between them.
pub(super) fn write(f: &mut fmt::Formatter<'_>, mut rest: &[u8]) -> fmt::Result {
    let mut blank = "";
    while let [_, family, prefix, counted, after @ ..] = rest {
        let (octets, next) = after.split_at(usize::from(counted & 0x7f));
        let negated = if counted & 0x80 != 0 { "!" } else { "" };
        let mut address = [0; 16];
        address[..octets.len()].copy_from_slice(octets);
        write!(f, "{blank}{negated}{family}:")?;
        match family {
            1 => {
                let [a, b, c, d, ..] = address;
                write!(f, "{}/{prefix}", Ipv4Addr::new(a, b, c, d))?;
            }
            _ => write!(f, "{}/{prefix}", Ipv6Addr::from(address))?,
        }
        blank = " ";
        rest = next;
    }
    Ok(())
}
