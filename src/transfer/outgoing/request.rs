//! What a request asks for, before and after it is read.

use std::path::PathBuf;

use zone_image::{Generation, Name};

use crate::transfer::history::History;
use crate::transfer::message::{AXFR, HEADER_BYTES, IXFR, Malformed, Message};

/// Octets of changes that are never more than a zone.
const CHANGES_BYTES_SMALL: u64 = 1 << 20;
/// Octets of a record in a message, about.
const RECORD_BYTES: u64 = 64;

/// What is sent to a client that may have the zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// The whole zone (RFC 5936 section 2.2).
    Whole,
    /// What changed, oldest first (RFC 1995 section 4), and its octets.
    Changes(Vec<PathBuf>, u64),
    /// The SOA alone: the client has the zone as it is (RFC 1995 section 2).
    Current,
}

impl Form {
    pub(super) fn of(
        message: &Message<'_>,
        generation: &Generation,
        apex: &Name,
        history: &History,
    ) -> Result<Self, Malformed> {
        if message.qtype == AXFR {
            return Ok(Self::Whole);
        }
        let has = message.client_serial().ok_or(Malformed)?;
        let zone = generation.zone(apex.as_wire()).ok_or(Malformed)?;
        // RFC 1995 section 2: also where the client has a newer one than the server.
        if !is_newer(zone.serial(), has) {
            return Ok(Self::Current);
        }
        let most = CHANGES_BYTES_SMALL.max(zone.info().records.saturating_mul(RECORD_BYTES));
        let changes = history.changes(apex, has, zone.serial());
        let changes = changes.filter(|(_, bytes)| *bytes <= most);
        Ok(changes.map_or(Self::Whole, |(files, bytes)| Self::Changes(files, bytes)))
    }
}

/// Whether a serial is greater than another (RFC 1982 section 3.2). Those that are half
/// the space apart are unordered, and count as newer: a client then takes the zone.
pub(in crate::transfer) fn is_newer(serial: u32, than: u32) -> bool {
    let ahead = serial.wrapping_sub(than);
    ahead != 0 && ahead <= 1 << 31
}

/// Looks at the type of the question only: every message of a stream comes by here.
pub(super) fn could_be_transfer(wire: &[u8]) -> bool {
    let Some(mut rest) = wire.get(HEADER_BYTES..) else {
        return false;
    };
    while let Some((&length, behind)) = rest.split_first() {
        match length {
            0 => {
                let rtype = behind.first_chunk::<2>().copied().map(u16::from_be_bytes);
                return matches!(rtype, Some(AXFR | IXFR));
            }
            1..64 => rest = behind.get(usize::from(length)..).unwrap_or_default(),
            _ => return false,
        }
    }
    false
}

/// Whether some record of a message that cannot be read as a whole claims to be a TSIG.
pub(super) fn has_signature(wire: &[u8]) -> bool {
    const TSIG: [u8; 4] = [0, 250, 0, 255];
    wire.windows(4).any(|octets| octets == TSIG)
}

/// The message as if it had never been signed.
pub(super) fn without_signature(message: &Message<'_>, start: usize) -> Vec<u8> {
    let mut octets = message.wire[..start].to_vec();
    let additionals = u16::from_be_bytes([octets[10], octets[11]]).saturating_sub(1);
    octets[10..12].copy_from_slice(&additionals.to_be_bytes());
    octets
}

#[cfg(test)]
mod tests;
