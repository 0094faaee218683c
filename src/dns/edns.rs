//! EDNS options: what a query asks for, and what a reply carries.
//!
//! A reply has its options in one order. COOKIE has room of its own; any other
//! goes in only where the records leave room, and the explanation of an error
//! goes before padding and after all else, so that it is the first to be left
//! out (RFC 8914 section 3). Unknown options are neither looked at nor echoed
//! (RFC 6891 section 6.1.2).

use super::cookie::{COOKIE_BYTES, Cookie};

/// Most options of a query that are looked at; no client has reason for more.
const OPTIONS_MAX: usize = 64;
/// Octets of an option's code and length.
const HEAD_BYTES: usize = 4;
/// Octets of a ZONEVERSION of type SOA-SERIAL (RFC 9660 section 4).
const ZONE_VERSION_BYTES: usize = 6;
const ZONE_VERSION_SOA_SERIAL: u8 = 0;
/// Replies are padded to a multiple of this (RFC 8467 section 4.1).
const PADDING_BLOCK_BYTES: usize = 468;

/// Option codes (IANA "DNS EDNS0 Option Codes").
mod code {
    pub(super) const NSID: u16 = 3;
    pub(super) const EXPIRE: u16 = 9;
    pub(super) const COOKIE: u16 = 10;
    pub(super) const TCP_KEEPALIVE: u16 = 11;
    pub(super) const PADDING: u16 = 12;
    pub(super) const EXTENDED_ERROR: u16 = 15;
    pub(super) const REPORT_CHANNEL: u16 = 18;
    pub(super) const ZONEVERSION: u16 = 19;
}

/// Info codes of extended errors (RFC 8914 section 4).
pub(super) mod extended_error {
    pub(in crate::dns) const NOT_AUTHORITATIVE: u16 = 20;
    pub(in crate::dns) const NOT_SUPPORTED: u16 = 21;
    pub(in crate::dns) const INVALID_DATA: u16 = 24;
    /// RFC 9824 section 3.5.
    pub(in crate::dns) const INVALID_QUERY_TYPE: u16 = 30;
}

/// What the options of a query ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// The first COOKIE counts (RFC 7873 section 5.2).
    pub(super) cookie: Option<Cookie>,
    pub(super) nsid: bool,
    pub(super) zone_version: bool,
    /// RFC 7314: answered once we are the secondary of somebody.
    pub(super) expire: bool,
    pub(super) keepalive: bool,
    pub(super) padding: bool,
}

/// The options are no options, or break a rule that calls for FORMERR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

impl Asked {
    /// Reads the RDATA of an OPT.
    pub(super) fn parse(rdata: &[u8]) -> Result<Self, Malformed> {
        let mut asked = Self::default();
        let mut rest = rdata;
        for _ in 0..OPTIONS_MAX {
            let Some((head, after)) = rest.split_first_chunk::<HEAD_BYTES>() else {
                break;
            };
            let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
            let (data, next) = after.split_at_checked(length).ok_or(Malformed)?;
            asked.take(u16::from_be_bytes([head[0], head[1]]), data)?;
            rest = next;
        }
        // RFC 6891 section 6.1.2: options fill the RDATA.
        if rest.is_empty() {
            Ok(asked)
        } else {
            Err(Malformed)
        }
    }

    fn take(&mut self, option: u16, data: &[u8]) -> Result<(), Malformed> {
        match option {
            code::COOKIE if self.cookie.is_none() => {
                // RFC 7873 section 5.2.2: a wrong length is FORMERR.
                self.cookie = Some(Cookie::parse(data).ok_or(Malformed)?);
            }
            // RFC 9660 section 3.2.1: FORMERR unless it is one and empty.
            code::ZONEVERSION if self.zone_version || !data.is_empty() => return Err(Malformed),
            code::ZONEVERSION => self.zone_version = true,
            code::NSID => self.nsid = true,
            code::EXPIRE => self.expire = true,
            code::TCP_KEEPALIVE => self.keepalive = true,
            code::PADDING => self.padding = true,
            _ => {}
        }
        Ok(())
    }
}

/// The options of a reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Offered<'c> {
    pub(super) cookie: Option<[u8; COOKIE_BYTES]>,
    /// Name of this server (RFC 5001).
    pub(super) nsid: Option<&'c [u8]>,
    /// Labels of the zone that answers, and its serial (RFC 9660).
    pub(super) zone_version: Option<(u8, u32)>,
    /// How long this connection may be idle, in tenths of a second (RFC 7828).
    pub(super) keepalive: Option<u16>,
    /// Where resolvers report errors, in wire format (RFC 9567).
    pub(super) report_channel: Option<&'c [u8]>,
    /// Why there is an error (RFC 8914).
    pub(super) extended_error: Option<u16>,
    /// Whether to hide how long the reply is (RFC 7830).
    pub(super) padded: bool,
}

impl Offered<'_> {
    /// Octets to keep free of records.
    pub(super) fn reserved_bytes(&self) -> usize {
        self.cookie.map_or(0, |cookie| HEAD_BYTES + cookie.len())
    }

    /// Writes the options at `at`, none past the end of `message`; gives the
    /// place after them.
    #[inline]
    pub(super) fn write(&self, message: &mut [u8], at: usize) -> usize {
        if self.is_empty() {
            return at;
        }
        self.write_all(message, at)
    }

    /// Whether there is none, as for most queries.
    #[inline]
    fn is_empty(&self) -> bool {
        self.cookie.is_none()
            && self.nsid.is_none()
            && self.zone_version.is_none()
            && self.keepalive.is_none()
            && self.report_channel.is_none()
            && self.extended_error.is_none()
            && !self.padded
    }

    fn write_all(&self, message: &mut [u8], at: usize) -> usize {
        let mut writer = Writer { message, at };
        if let Some(cookie) = &self.cookie {
            writer.option(code::COOKIE, cookie);
        }
        if let Some(nsid) = self.nsid {
            writer.option(code::NSID, nsid);
        }
        if let Some((labels, serial)) = self.zone_version {
            let [a, b, c, d] = serial.to_be_bytes();
            let data: [u8; ZONE_VERSION_BYTES] = [labels, ZONE_VERSION_SOA_SERIAL, a, b, c, d];
            writer.option(code::ZONEVERSION, &data);
        }
        if let Some(tenths) = self.keepalive {
            writer.option(code::TCP_KEEPALIVE, &tenths.to_be_bytes());
        }
        if let Some(agent) = self.report_channel {
            writer.option(code::REPORT_CHANNEL, agent);
        }
        if let Some(error) = self.extended_error {
            writer.option(code::EXTENDED_ERROR, &error.to_be_bytes());
        }
        if self.padded {
            writer.pad();
        }
        writer.at
    }
}

struct Writer<'o> {
    message: &'o mut [u8],
    at: usize,
}

impl Writer<'_> {
    /// Adds an option if it fits.
    fn option(&mut self, code: u16, data: &[u8]) {
        if let Some(target) = self.start(code, data.len()) {
            target.copy_from_slice(data);
        }
    }

    /// Fills the last block of the message, or the message if it ends before.
    fn pad(&mut self) {
        let padded = (self.at + HEAD_BYTES)
            .next_multiple_of(PADDING_BLOCK_BYTES)
            .min(self.message.len());
        if let Some(length) = padded.checked_sub(self.at + HEAD_BYTES)
            && let Some(target) = self.start(code::PADDING, length)
        {
            target.fill(0);
        }
    }

    /// Writes the head of an option, if all of it fits; gives the place of its data.
    fn start(&mut self, code: u16, length: usize) -> Option<&mut [u8]> {
        let octets = u16::try_from(length).ok()?;
        let data = self.at + HEAD_BYTES;
        let target = self.message.get_mut(self.at..data + length)?;
        let (head, target) = target.split_at_mut(HEAD_BYTES);
        head[..2].copy_from_slice(&code.to_be_bytes());
        head[2..].copy_from_slice(&octets.to_be_bytes());
        self.at = data + length;
        Some(target)
    }
}

#[cfg(test)]
mod tests;
