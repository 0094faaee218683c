//! Type bit maps (RFC 4034 section 4.1.2): windows of 256 types, each with a bit map
//! of up to 32 octets, in order and without zero octets at the end.

use std::fmt;

use super::words::Words;
use super::{RdataError, WireError};
use crate::RecordType;

/// Longest bit map of a window.
const WINDOW_BYTES_MAX: usize = 32;

/// Types in any order to the end.
pub(super) fn scan(words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    let mut types = Vec::new();
    while !words.is_empty() {
        let word = words.plain("a record type")?;
        let rtype = RecordType::from_mnemonic(word.raw);
        types.push(rtype.map_err(|_| word.expected("a record type"))?);
    }
    types.sort_unstable();
    append(&types, out);
    Ok(())
}

/// Appends the bit maps of sorted types.
pub(super) fn append(types: &[RecordType], out: &mut Vec<u8>) {
    for window in types.chunk_by(|a, b| a.0 >> 8 == b.0 >> 8) {
        let mut bits = [0_u8; WINDOW_BYTES_MAX];
        let mut length = 0;
        for rtype in window {
            let [_, low] = rtype.0.to_be_bytes();
            bits[usize::from(low / 8)] |= 0x80 >> (low % 8);
            length = low / 8 + 1;
        }
        out.extend([window[0].0.to_be_bytes()[0], length]);
        out.extend_from_slice(&bits[..usize::from(length)]);
    }
}

/// Checks bit maps.
pub(super) fn check(mut rest: &[u8]) -> Result<(), WireError> {
    let mut least = 0;
    while let [window, length, after @ ..] = rest {
        let length = usize::from(*length);
        if u16::from(*window) < least {
            return Err(WireError::Value(
                "windows of type bit maps are not in order",
            ));
        }
        least = u16::from(*window) + 1;
        if !(1..=WINDOW_BYTES_MAX).contains(&length) || after.len() < length {
            return Err(WireError::Value("type bit map of a wrong length"));
        }
        if after[length - 1] == 0 {
            return Err(WireError::Value("type bit map ends with a zero octet"));
        }
        rest = &after[length..];
    }
    match rest {
        [] => Ok(()),
        _ => Err(WireError::Value("type bit map of a wrong length")),
    }
}

/// Writes the types, a blank before each.
pub(super) fn write(f: &mut fmt::Formatter<'_>, mut rest: &[u8]) -> fmt::Result {
    while let [window, length, after @ ..] = rest {
        let (bits, next) = after.split_at(usize::from(*length));
        for (octet, byte) in (0_u8..).zip(bits) {
            for bit in (0..8).filter(|bit| byte & (0x80 >> bit) != 0) {
                let number = u16::from_be_bytes([*window, octet * 8 + bit]);
                write!(f, " {}", RecordType(number))?;
            }
        }
        rest = next;
    }
    Ok(())
}
