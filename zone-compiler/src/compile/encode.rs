//! RRsets as bodies: wire format with relocatable compression pointers.
//!
//! Names are compressed against the owner, the apex, and names earlier in the
//! same body, never against anything that another body could lack. Only the
//! types of RFC 1035 have names that may be compressed (RFC 3597 section 4).

use zone_image::layout::{Base, POINTER_REACH};
use zone_image::writer::BodyBytes;

use crate::record::RecordType;

/// Against what the names of a body may be compressed, and what its owner is.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'z> {
    /// Owner in wire format, lower case.
    pub(crate) owner: &'z [u8],
    /// Apex in wire format, lower case.
    pub(crate) apex: &'z [u8],
    /// Whether names below the apex that end like the owner may point to it. Not
    /// where many owners share the body, nor for a wildcard, whose owner in the
    /// message is the QNAME.
    pub(crate) point_to_owner: bool,
}

/// The names of a type's RDATA that are compressed: octets before the first of
/// them, and how many there are. A CNAME's target stays whole, since the next
/// RRset of a chain points into it.
pub(crate) fn compressible_names(rtype: RecordType) -> (usize, usize) {
    match rtype {
        RecordType::NS | RecordType::PTR => (0, 1),
        RecordType::MX => (2, 1),
        RecordType::SOA => (0, 2),
        _ => (0, 0),
    }
}

/// A body being encoded.
pub(crate) struct Encoder<'z> {
    scope: Scope<'z>,
    bytes: BodyBytes,
    /// Where names start that this body has written label by label.
    written: Vec<usize>,
    /// Where the names in the RDATA are, in order.
    pub(crate) targets: Vec<usize>,
}

impl<'z> Encoder<'z> {
    pub(crate) fn new(scope: Scope<'z>) -> Self {
        Self {
            scope,
            bytes: BodyBytes::default(),
            written: Vec::new(),
            targets: Vec::new(),
        }
    }

    /// Adds a record of the scope's owner.
    pub(crate) fn record(&mut self, rtype: RecordType, ttl: u32, rdata: &[u8]) {
        if self.scope.owner.len() == 1 {
            // A pointer to a root label would be longer than the label.
            self.bytes.wire.push(0);
        } else {
            self.pointer(Base::Owner, 0);
        }
        self.fixed(rtype, ttl, rdata);
    }

    /// Adds a record of an owner that is no root, whatever the scope's is.
    pub(crate) fn owner_record(&mut self, rtype: RecordType, ttl: u32, rdata: &[u8]) {
        self.pointer(Base::Owner, 0);
        self.fixed(rtype, ttl, rdata);
    }

    /// Adds a record of the apex, for messages whose QNAME lies below it.
    pub(crate) fn apex_record(&mut self, rtype: RecordType, ttl: u32, rdata: &[u8]) {
        if self.scope.apex.len() == 1 {
            self.bytes.wire.push(0);
        } else {
            self.pointer(Base::Apex, 0);
        }
        self.fixed(rtype, ttl, rdata);
    }

    /// Adds a record whose owner is `labels` below the apex, for messages that
    /// need not have that name.
    pub(crate) fn below_apex(&mut self, labels: &[u8], rtype: RecordType, ttl: u32, rdata: &[u8]) {
        self.bytes.wire.extend_from_slice(labels);
        self.apex_record(rtype, ttl, rdata);
    }

    /// Adds a record of the owner that the first record of this body has.
    pub(crate) fn same_owner(&mut self, rtype: RecordType, ttl: u32, rdata: &[u8]) {
        self.pointer(Base::Own, 0);
        self.fixed(rtype, ttl, rdata);
    }

    /// Whether nothing was added yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.wire.is_empty()
    }

    /// Adds an address of the host that stands at `target` in the NS body.
    pub(crate) fn glue(
        &mut self,
        target: usize,
        host: &[u8],
        rtype: RecordType,
        ttl: u32,
        rdata: &[u8],
    ) {
        if target < POINTER_REACH {
            self.pointer(Base::Lead, target);
        } else {
            self.bytes.wire.extend_from_slice(host);
        }
        self.fixed(rtype, ttl, rdata);
    }

    /// The body; `None` where it passes the 65,535 octets of a message.
    pub(crate) fn finish(self) -> Option<BodyBytes> {
        u16::try_from(self.bytes.wire.len())
            .ok()
            .map(|_| self.bytes)
    }

    fn fixed(&mut self, rtype: RecordType, ttl: u32, rdata: &[u8]) {
        let wire = &mut self.bytes.wire;
        wire.extend_from_slice(&rtype.0.to_be_bytes());
        wire.extend_from_slice(&1u16.to_be_bytes());
        wire.extend_from_slice(&ttl.to_be_bytes());
        let length_at = wire.len();
        wire.extend_from_slice(&[0, 0]);
        self.rdata(rtype, rdata);
        let length = self.bytes.wire.len() - length_at - 2;
        let length = u16::try_from(length).expect("compression never lengthens RDATA");
        self.bytes.wire[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
        self.bytes.records = self.bytes.records.saturating_add(1);
    }

    fn rdata(&mut self, rtype: RecordType, rdata: &[u8]) {
        let (fixed, names) = compressible_names(rtype);
        let (fixed, mut rest) = rdata.split_at(fixed.min(rdata.len()));
        self.bytes.wire.extend_from_slice(fixed);
        for _ in 0..names {
            let length = zone_image::name::wire_length(rest).expect("RDATA was checked");
            let (name, after) = rest.split_at(length);
            self.targets.push(self.bytes.wire.len());
            self.name(name);
            rest = after;
        }
        self.bytes.wire.extend_from_slice(rest);
    }

    /// Writes a name: labels until the rest of it is known, then a pointer.
    fn name(&mut self, name: &[u8]) {
        let mut rest = name;
        while rest[0] != 0 {
            if let Some((base, addend)) = self.known(rest) {
                return self.pointer(base, addend);
            }
            let at = self.bytes.wire.len();
            if at < POINTER_REACH {
                self.written.push(at);
            }
            let (label, after) = rest.split_at(1 + usize::from(rest[0]));
            self.bytes.wire.extend_from_slice(label);
            rest = after;
        }
        self.bytes.wire.push(0);
    }

    fn known(&self, suffix: &[u8]) -> Option<(Base, usize)> {
        let Scope {
            owner,
            apex,
            point_to_owner,
        } = self.scope;
        if let Some(addend) = ends_with(apex, suffix) {
            return Some((Base::Apex, addend));
        }
        if point_to_owner && let Some(addend) = ends_with(owner, suffix) {
            return Some((Base::Owner, addend));
        }
        let written = self.written.iter().find(|at| self.reads(**at, suffix))?;
        Some((Base::Own, *written))
    }

    /// Whether the name that starts at `at` in this body is `suffix`.
    fn reads(&self, at: usize, suffix: &[u8]) -> bool {
        let (mut at, mut rest) = (at, suffix);
        loop {
            let Ok(position) = u16::try_from(at) else {
                return false;
            };
            if self.bytes.patches.binary_search(&position).is_ok() {
                let value = u16::from_be_bytes([self.bytes.wire[at], self.bytes.wire[at + 1]]);
                let addend = usize::from(value & 0x3fff);
                return match value >> 14 {
                    base if base == Base::Own as u16 => self.reads(addend, rest),
                    base if base == Base::Apex as u16 => same(&self.scope.apex[addend..], rest),
                    _ => same(&self.scope.owner[addend..], rest),
                };
            }
            // Where the wire ends, the name at hand is still being written: its own
            // labels may repeat, as in `ns.ns.tld.`.
            let Some(length) = self.bytes.wire.get(at) else {
                return false;
            };
            let end = at + 1 + usize::from(*length);
            let Some(label) = rest.get(..end - at) else {
                return false;
            };
            if !same(&self.bytes.wire[at..end], label) {
                return false;
            }
            if end - at == 1 {
                return true;
            }
            (at, rest) = (end, &rest[end - at..]);
        }
    }

    fn pointer(&mut self, base: Base, addend: usize) {
        let position = self.bytes.wire.len();
        let Ok(position) = u16::try_from(position) else {
            // The body is too large already; `finish` refuses it.
            return self.bytes.wire.extend_from_slice(&[0, 0]);
        };
        let value = (base as u16) << 14 | u16::try_from(addend).expect("below POINTER_REACH");
        self.bytes.wire.extend_from_slice(&value.to_be_bytes());
        self.bytes.patches.push(position);
    }
}

fn same(a: &[u8], b: &[u8]) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// Where in `name` the name `suffix` starts, if it ends with it label by label.
fn ends_with(name: &[u8], suffix: &[u8]) -> Option<usize> {
    let start = name.len().checked_sub(suffix.len())?;
    let mut at = 0;
    while at < start {
        at += 1 + usize::from(name[at]);
    }
    (at == start && same(&name[at..], suffix)).then_some(start)
}
