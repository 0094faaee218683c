//! Writing a response: header, question, sections in order, OPT last.
//!
//! The octets of the OPT are kept free from the start, so that whatever else
//! does not fit, an EDNS client gets its OPT (RFC 6891 section 7). Options go
//! into what the records leave, but for those that have room of their own.

use zone_image::{Bases, BodyRef};

use super::edns::Offered;
use super::query::{Edns, HEADER_BYTES, rcode, rtype};

/// Octets of an OPT without options.
const OPT_BYTES: usize = 11;

/// The sections that records go to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Section {
    Answer = 0,
    Authority = 1,
    Additional = 2,
}

/// Octets of a header, the longest question, and an OPT with a cookie: what a
/// buffer for replies must hold at least.
pub(super) const MINIMAL_BYTES_MAX: usize = HEADER_BYTES + 255 + 4 + OPT_BYTES + 28;

/// The message does not fit: the reply is to say TC.
#[derive(Debug, Clone, Copy)]
pub(super) struct Full;

/// How large a response may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    /// Octets of the message, at least 512.
    pub(super) bytes_max: usize,
    /// Octets that are kept free for options.
    pub(super) options_bytes: usize,
    /// What we say of ourselves in an OPT.
    pub(super) payload_bytes: u16,
}

/// A response being written.
pub(super) struct Response<'o> {
    out: &'o mut [u8],
    /// Where the next record goes.
    at: usize,
    /// Where the records must end.
    limit: usize,
    /// Where the message must end.
    end: usize,
    counts: [u16; 3],
    question_bytes: usize,
    pub(super) authoritative: bool,
    /// Whether it is of the child zone of parked names, not of the zone that was found.
    pub(super) is_parked: bool,
    pub(super) rcode: u16,
    edns: Option<Edns>,
    payload_bytes: u16,
}

impl<'o> Response<'o> {
    /// Starts the reply to `message`, whose question has `question_bytes` octets.
    /// `out` must hold [`MINIMAL_BYTES_MAX`]; what fits of the rest is bounded
    /// by `size`.
    #[inline]
    pub(super) fn new(
        message: &[u8],
        question_bytes: usize,
        edns: Option<Edns>,
        size: Size,
        out: &'o mut [u8],
    ) -> Self {
        let at = HEADER_BYTES + question_bytes;
        out[..at].copy_from_slice(&message[..at]);
        let end = size.bytes_max.min(out.len());
        let reserved = match edns {
            Some(_) => OPT_BYTES + size.options_bytes,
            None => 0,
        };
        debug_assert!(at + reserved <= end);
        Self {
            out,
            at,
            limit: end - reserved,
            end,
            counts: [0; 3],
            question_bytes,
            authoritative: false,
            is_parked: false,
            rcode: rcode::NOERROR,
            edns,
            payload_bytes: size.payload_bytes,
        }
    }

    pub(super) fn dnssec_ok(&self) -> bool {
        self.edns.is_some_and(|edns| edns.dnssec_ok)
    }

    pub(super) fn answers(&self) -> u16 {
        self.counts[Section::Answer as usize]
    }

    /// Where the next record goes.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// What was written so far.
    pub(super) fn written(&self) -> &[u8] {
        &self.out[..self.at]
    }

    /// Adds a whole body.
    #[inline]
    pub(super) fn body(
        &mut self,
        section: Section,
        body: BodyRef<'_>,
        bases: Bases,
    ) -> Result<(), Full> {
        self.at = body
            .write(&mut self.out[..self.limit], self.at, bases)
            .ok_or(Full)?;
        self.counts[section as usize] += body.records();
        Ok(())
    }

    /// Adds the records of an NSEC, or its RRSIGs, under the name at `owner`.
    pub(super) fn body_under(
        &mut self,
        section: Section,
        body: BodyRef<'_>,
        owner: u16,
    ) -> Result<(), Full> {
        let out = &mut self.out[..self.limit];
        self.at = body.write_under(out, self.at, owner).ok_or(Full)?;
        self.counts[section as usize] += body.records();
        Ok(())
    }

    /// Adds as many whole RRsets of an optional body as fit.
    pub(super) fn optional_body(&mut self, section: Section, body: BodyRef<'_>, bases: Bases) {
        if self.body(section, body, bases).is_ok() {
            return;
        }
        let (length, records) = body.fitting(self.limit - self.at);
        let out = &mut self.out[..self.limit];
        if let Some(end) = body.write_prefix(length, out, self.at, bases) {
            self.at = end;
            self.counts[section as usize] += records;
        }
    }

    /// Adds a CNAME that a DNAME makes (RFC 6672 section 3.1). Its owner stands
    /// at `owner` in the message. Returns where its target stands.
    pub(super) fn synthesized_cname(
        &mut self,
        owner: u16,
        ttl: [u8; 4],
        target: &[u8],
    ) -> Result<usize, Full> {
        let start = self.at + HEADER_BYTES;
        let record = self.out[..self.limit]
            .get_mut(self.at..start + target.len())
            .ok_or(Full)?;
        record[..2].copy_from_slice(&(0xc000 | owner).to_be_bytes());
        record[2..4].copy_from_slice(&rtype::CNAME.to_be_bytes());
        record[4..6].copy_from_slice(&1u16.to_be_bytes());
        record[6..10].copy_from_slice(&ttl);
        let length = u16::try_from(target.len()).map_err(|_| Full)?;
        record[10..12].copy_from_slice(&length.to_be_bytes());
        record[12..].copy_from_slice(target);
        self.at = start + target.len();
        self.counts[Section::Answer as usize] += 1;
        Ok(start)
    }

    /// Adds a TXT record of one character-string that is owned by the question's
    /// name, in its class.
    pub(super) fn text(&mut self, class: u16, text: &[u8]) -> Result<(), Full> {
        /// Points to the question's name, right behind the header.
        const OWNER: u16 = 0xc00c;
        let length = u8::try_from(text.len()).map_err(|_| Full)?;
        let end = self.at + HEADER_BYTES + 1 + text.len();
        let record = self.out[..self.limit].get_mut(self.at..end).ok_or(Full)?;
        record[..2].copy_from_slice(&OWNER.to_be_bytes());
        record[2..4].copy_from_slice(&rtype::TXT.to_be_bytes());
        record[4..6].copy_from_slice(&class.to_be_bytes());
        record[6..10].fill(0);
        record[10..12].copy_from_slice(&(u16::from(length) + 1).to_be_bytes());
        record[12] = length;
        record[13..].copy_from_slice(text);
        self.at = end;
        self.counts[Section::Answer as usize] += 1;
        Ok(())
    }

    /// Takes every record out and sets TC (RFC 2181 section 9): the client is to
    /// ask again over TCP, so half a reply would be no use to it.
    pub(super) fn truncate(&mut self, options: &Offered<'_>) -> usize {
        self.clear();
        self.finish_with(true, options)
    }

    /// Takes every record out and says SERVFAIL.
    pub(super) fn fail(&mut self) {
        self.clear();
        self.rcode = rcode::SERVFAIL;
        self.authoritative = false;
    }

    fn clear(&mut self) {
        self.at = HEADER_BYTES + self.question_bytes;
        self.counts = [0; 3];
    }

    /// Writes OPT and header; returns the octets of the message.
    #[inline]
    pub(super) fn finish(&mut self, options: &Offered<'_>) -> usize {
        self.finish_with(false, options)
    }

    #[inline]
    fn finish_with(&mut self, truncated: bool, options: &Offered<'_>) -> usize {
        let [answers, authorities, mut additionals] = self.counts;
        if let Some(edns) = self.edns {
            self.write_opt(edns, options);
            additionals += 1;
        }
        let header = &mut self.out[..HEADER_BYTES];
        // Opcode and RD come from the query; RA, Z, AD and CD are never set
        // (RFC 4035 sections 3.1.6 and 3.2.2).
        header[2] =
            0x80 | header[2] & 0x79 | u8::from(self.authoritative) << 2 | u8::from(truncated) << 1;
        header[3] = (self.rcode & 0x0f).to_le_bytes()[0];
        let questions = u16::from(self.question_bytes > 0);
        let counts = [questions, answers, authorities, additionals];
        for (target, count) in header[4..].chunks_exact_mut(2).zip(counts) {
            target.copy_from_slice(&count.to_be_bytes());
        }
        self.at
    }

    /// The OPT stands last, since TSIG, which would stand behind it, is not ours.
    #[inline]
    fn write_opt(&mut self, edns: Edns, options: &Offered<'_>) {
        let data = self.at + OPT_BYTES;
        let end = options.write(&mut self.out[..self.end], data);
        let length = u16::try_from(end - data).expect("a message has at most 65,535 octets");
        let opt = &mut self.out[self.at..data];
        opt[0] = 0;
        opt[1..3].copy_from_slice(&rtype::OPT.to_be_bytes());
        opt[3..5].copy_from_slice(&self.payload_bytes.to_be_bytes());
        opt[5] = (self.rcode >> 4).to_le_bytes()[0];
        opt[6] = 0;
        opt[7] = u8::from(edns.dnssec_ok) << 7;
        opt[8] = 0;
        opt[9..].copy_from_slice(&length.to_be_bytes());
        self.at = end;
    }
}
