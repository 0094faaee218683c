//! Reading the stamps out of a reply.
//!
//! Walks the records of a message from a server under test: every length is checked,
//! compression pointers must point backwards, and at most [`RECORDS_MAX`] are read.

/// Octets of a message header (RFC 1035 section 4.1.1).
const HEADER_BYTES: usize = 12;
/// Most records read of one reply.
const RECORDS_MAX: u32 = 512;
/// Most compression pointers followed to find a name's first label.
const POINTERS_MAX: usize = 16;

const TYPE_A: u16 = 1;
const TYPE_NS: u16 = 2;
const TYPE_SOA: u16 = 6;
const TYPE_AAAA: u16 = 28;
const TYPE_DS: u16 = 43;

/// A reply that cannot be read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// The TTL of the first record in any section, if there is one.
pub(crate) fn first_ttl(reply: &[u8]) -> Result<Option<u32>, Malformed> {
    let records = u16_at(reply, 6)? | u16_at(reply, 8)? | u16_at(reply, 10)?;
    if u16_at(reply, 4)? != 1 || records == 0 {
        return Ok(None);
    }
    let owner = skip_name(reply, HEADER_BYTES)? + 4;
    let ttl = skip_name(reply, owner)? + 4;
    let (high, low) = (u16_at(reply, ttl)?, u16_at(reply, ttl + 2)?);
    Ok(Some(u32::from(high) << 16 | u32::from(low)))
}

/// The serial of the SOA that is the first answer, if it is one.
pub(crate) fn answered_serial(reply: &[u8]) -> Result<Option<u32>, Malformed> {
    if u16_at(reply, 4)? != 1 || u16_at(reply, 6)? == 0 {
        return Ok(None);
    }
    let owner = skip_name(reply, HEADER_BYTES)? + 4;
    let fixed = skip_name(reply, owner)?;
    let end = fixed + 10 + usize::from(u16_at(reply, fixed + 8)?);
    // Five numbers end it (RFC 1035 section 3.3.13).
    let serial = end.checked_sub(20).ok_or(Malformed)?;
    if end > reply.len() {
        return Err(Malformed);
    }
    if u16_at(reply, fixed)? != TYPE_SOA {
        return Ok(None);
    }
    let (high, low) = (u16_at(reply, serial)?, u16_at(reply, serial + 2)?);
    Ok(Some(u32::from(high) << 16 | u32::from(low)))
}

/// What the stamps of one reply say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamps {
    /// None found: an error reply, or one with TC set.
    None,
    /// All name this generation.
    One(u16),
    /// Two generations in one reply.
    Mixed(u16, u16),
}

impl Stamps {
    /// Reads every stamp in `reply`.
    pub fn read(reply: &[u8]) -> Result<Self, Malformed> {
        let count = |offset| u16_at(reply, offset).map(u32::from);
        let questions = count(4)?;
        let records = count(6)? + count(8)? + count(10)?;
        if questions > 1 || records > RECORDS_MAX {
            return Err(Malformed);
        }
        let mut offset = HEADER_BYTES;
        for _ in 0..questions {
            offset = skip_name(reply, offset)? + 4;
        }
        let mut stamps = Self::None;
        for _ in 0..records {
            let owner = offset;
            let fixed = skip_name(reply, owner)?;
            let rtype = u16_at(reply, fixed)?;
            let rdata = fixed + 10;
            let end = rdata + usize::from(u16_at(reply, fixed + 8)?);
            if end > reply.len() {
                return Err(Malformed);
            }
            stamps.read_record(reply, rtype, owner, rdata..end)?;
            offset = end;
        }
        Ok(stamps)
    }

    fn read_record(
        &mut self,
        reply: &[u8],
        rtype: u16,
        owner: usize,
        rdata: std::ops::Range<usize>,
    ) -> Result<(), Malformed> {
        match rtype {
            TYPE_SOA => {
                self.add(generation_label(reply, rdata.start)?);
                let serial = skip_name(reply, skip_name(reply, rdata.start)?)?;
                self.add(Some(u16_at(reply, serial + 2)?));
            }
            TYPE_NS => self.add(generation_label(reply, rdata.start)?),
            TYPE_A | TYPE_AAAA if rdata.len() >= 4 => {
                self.add(generation_label(reply, owner)?);
                self.add(Some(u16_at(reply, rdata.end - 2)?));
            }
            TYPE_DS => self.add(Some(u16_at(reply, rdata.start)?)),
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, generation: Option<u16>) {
        let Some(generation) = generation else { return };
        match *self {
            Self::None => *self = Self::One(generation),
            Self::One(first) if first != generation => *self = Self::Mixed(first, generation),
            Self::One(_) | Self::Mixed(..) => {}
        }
    }
}

fn u16_at(message: &[u8], offset: usize) -> Result<u16, Malformed> {
    let octets = message.get(offset..offset + 2).ok_or(Malformed)?;
    Ok(u16::from_be_bytes([octets[0], octets[1]]))
}

/// The offset behind the name at `offset`.
fn skip_name(message: &[u8], mut offset: usize) -> Result<usize, Malformed> {
    loop {
        match *message.get(offset).ok_or(Malformed)? {
            0 => return Ok(offset + 1),
            length @ 1..=63 => offset += 1 + usize::from(length),
            192.. => return Ok(offset + 2),
            _ => return Err(Malformed),
        }
    }
}

/// The number in the first label of the name at `offset` if that label is `g` and digits.
fn generation_label(message: &[u8], mut offset: usize) -> Result<Option<u16>, Malformed> {
    for _ in 0..POINTERS_MAX {
        let length = *message.get(offset).ok_or(Malformed)?;
        if length < 192 {
            let label = message
                .get(offset + 1..offset + 1 + usize::from(length))
                .ok_or(Malformed)?;
            return Ok(parse_generation(label));
        }
        let target = usize::from(u16_at(message, offset)? & 0x3fff);
        if target >= offset {
            return Err(Malformed);
        }
        offset = target;
    }
    Err(Malformed)
}

fn parse_generation(label: &[u8]) -> Option<u16> {
    let digits = label
        .strip_prefix(b"g")
        .or_else(|| label.strip_prefix(b"G"))?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}
