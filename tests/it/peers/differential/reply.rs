//! A reply as sets of records, read without the help of anything that is compared.
//!
//! Names are put out in full and in lower case, so that compression and the case of
//! the question make no difference (RFC 4343 section 4.1).

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Context, ensure};
use hickory_proto::op::Message;
use zone_image::Name;

/// Types whose records start with names that may be compressed: octets before the
/// names, and how many names there are (RFC 3597 section 4).
const COMPRESSED: [(u16, usize, usize); 7] = [
    (2, 0, 1),
    (5, 0, 1),
    (6, 0, 2),
    (12, 0, 1),
    (15, 2, 1),
    (33, 6, 1),
    (39, 0, 1),
];

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Record {
    pub(super) owner: Name,
    pub(super) rtype: u16,
    /// The type that a signature covers.
    pub(super) covered: Option<u16>,
    pub(super) ttl: u32,
    pub(super) rdata: Vec<u8>,
}

impl Record {
    /// The name at the start of the RDATA.
    pub(super) fn target(&self) -> Option<Name> {
        let (_, skip, _) = COMPRESSED.iter().find(|(rtype, ..)| *rtype == self.rtype)?;
        let rest = self.rdata.get(*skip..)?;
        Name::from_wire(&rest[..zone_image::name::wire_length(rest).ok()?]).ok()
    }

    /// Its type, or the type that it signs.
    pub(super) fn of(&self) -> u16 {
        self.covered.unwrap_or(self.rtype)
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.owner, self.ttl, self.rtype)?;
        if let Some(covered) = self.covered {
            return write!(f, " of {covered}");
        }
        if let Some(target) = self.target() {
            return write!(f, " {target}");
        }
        let shown = &self.rdata[..self.rdata.len().min(24)];
        write!(f, " {}", shown.escape_ascii())
    }
}

/// What counts of a reply. Order within a section does not (RFC 1034 section 3.6).
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) rcode: u8,
    pub(super) authoritative: bool,
    pub(super) truncated: bool,
    pub(super) edns: bool,
    pub(super) octets: usize,
    /// What stands in a section twice (RFC 2181 section 5).
    pub(super) repeated: Vec<(usize, Record)>,
    /// Answer, authority, additional.
    pub(super) sections: [BTreeSet<Record>; 3],
}

impl Reply {
    /// Reads `wire`, which must be the reply to the query `asked`.
    pub(super) fn decode(wire: &[u8], asked: &[u8]) -> anyhow::Result<Self> {
        ensure!(wire.len() >= 12, "{} octets", wire.len());
        ensure!(wire[..2] == asked[..2], "another message's id");
        ensure!(wire[2] & 0xf8 == 0x80, "QR and opcode");
        ensure!(wire[4..6] == [0, 1], "one question");
        // OPT has 11 octets.
        let question_end = asked.len() - 11 * usize::from(asked[11]);
        ensure!(
            wire[12..question_end] == asked[12..question_end],
            "the question is not repeated octet by octet"
        );
        let count = |at: usize| u16::from_be_bytes([wire[at], wire[at + 1]]);
        let mut reader = Reader {
            wire,
            at: question_end,
        };
        let mut sections = [const { BTreeSet::new() }; 3];
        let (mut edns, mut repeated) = (false, Vec::new());
        for (index, section) in sections.iter_mut().enumerate() {
            for _ in 0..count(6 + 2 * index) {
                let record = reader.record().context("a record")?;
                if record.rtype == 41 {
                    ensure!(!edns, "two OPT");
                    edns = true;
                } else if let Some(double) = section.replace(record) {
                    repeated.push((index, double));
                }
            }
        }
        ensure!(reader.at == wire.len(), "octets behind the last record");
        Ok(Self {
            rcode: wire[3] & 15,
            authoritative: wire[2] & 4 != 0,
            truncated: wire[2] & 2 != 0,
            edns,
            octets: wire.len(),
            repeated,
            sections,
        })
    }

    pub(super) fn answer(&self) -> &BTreeSet<Record> {
        &self.sections[0]
    }
}

/// Wants that hickory-proto, which others wrote, reads the reply as well.
pub(super) fn check_by_hickory(wire: &[u8]) -> anyhow::Result<()> {
    let message = Message::from_vec(wire).context("hickory-proto")?;
    let count = |at: usize| usize::from(u16::from_be_bytes([wire[at], wire[at + 1]]));
    ensure!(
        message.answers.len() == count(6),
        "answers by hickory-proto"
    );
    ensure!(
        message.authorities.len() == count(8),
        "authorities by hickory-proto"
    );
    Ok(())
}

struct Reader<'w> {
    wire: &'w [u8],
    at: usize,
}

impl Reader<'_> {
    fn record(&mut self) -> Option<Record> {
        let owner = self.name()?;
        let fixed = self.wire.get(self.at..self.at + 10)?;
        let rtype = u16::from_be_bytes([fixed[0], fixed[1]]);
        let ttl = u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
        let end = self.at + 10 + usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
        self.at += 10;
        let mut rdata = Vec::new();
        if let Some((_, skip, names)) = COMPRESSED.iter().find(|(own, ..)| *own == rtype) {
            rdata.extend_from_slice(self.wire.get(self.at..self.at + skip)?);
            self.at += skip;
            for _ in 0..*names {
                rdata.extend_from_slice(self.name()?.as_wire());
            }
        }
        rdata.extend_from_slice(self.wire.get(self.at..end)?);
        self.at = end;
        Some(Record {
            owner,
            rtype,
            covered: (rtype == 46).then(|| u16::from_be_bytes([rdata[0], rdata[1]])),
            ttl,
            rdata,
        })
    }

    fn name(&mut self) -> Option<Name> {
        let (mut at, mut end, mut wire) = (self.at, None, Vec::new());
        loop {
            match *self.wire.get(at)? {
                0 => break,
                length @ 1..64 => {
                    let next = at + 1 + usize::from(length);
                    wire.extend_from_slice(self.wire.get(at..next)?);
                    at = next;
                }
                high @ 0xc0.. => {
                    end = end.or(Some(at + 2));
                    let target =
                        usize::from(u16::from_be_bytes([high & 0x3f, *self.wire.get(at + 1)?]));
                    // Backwards only, so that it ends.
                    if target >= at {
                        return None;
                    }
                    at = target;
                }
                _ => return None,
            }
        }
        wire.push(0);
        self.at = end.unwrap_or(at + 1);
        Some(Name::from_wire(&wire).ok()?.to_lowercase())
    }
}
