//! Octets, packets and numbers of OpenPGP (RFC 9580 sections 3 and 4).

use super::Refusal;

/// Packets of one key: names, keys and signatures of others over them.
const PACKETS_MAX: usize = 512;

/// Kinds of packets (section 5).
pub(super) const SIGNATURE: u8 = 2;
pub(super) const SECRET_KEY: u8 = 5;
pub(super) const PUBLIC_KEY: u8 = 6;
pub(super) const SECRET_SUBKEY: u8 = 7;
pub(super) const MARKER: u8 = 10;
pub(super) const TRUST: u8 = 12;
pub(super) const USER_ID: u8 = 13;
pub(super) const PUBLIC_SUBKEY: u8 = 14;
pub(super) const USER_ATTRIBUTE: u8 = 17;
pub(super) const PADDING: u8 = 21;

/// What is left to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Octets<'o>(&'o [u8]);

impl<'o> Octets<'o> {
    pub(super) fn new(octets: &'o [u8]) -> Self {
        Self(octets)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn rest(&self) -> &'o [u8] {
        self.0
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'o [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// A number of many octets, whose length in bits is just that (section 3.2): one that is
    /// written in two ways could be signed in two ways.
    pub(super) fn number(&mut self) -> Option<&'o [u8]> {
        let bits = usize::from(self.u16()?);
        let octets = self.take(bits.div_ceil(8))?;
        let zeros = octets
            .first()
            .map_or(0, |octet| octet.leading_zeros() as usize);
        (octets.len() * 8 == bits + zeros).then_some(octets)
    }

    /// The length of a subpacket or of a packet in its new form: one, two or five octets.
    pub(super) fn length(&mut self) -> Option<usize> {
        let first = self.u8()?;
        match first {
            0..192 => Some(usize::from(first)),
            // A packet in parts never comes here.
            192..255 => {
                let second = usize::from(self.u8()?);
                Some(((usize::from(first) - 192) << 8) + second + 192)
            }
            255 => usize::try_from(self.u32()?).ok(),
        }
    }
}

/// A packet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet<'o> {
    pub(super) tag: u8,
    pub(super) body: &'o [u8],
}

/// All packets, none of which has an open end.
pub(super) fn packets(octets: &[u8]) -> Result<Vec<Packet<'_>>, Refusal> {
    let mut octets = Octets::new(octets);
    let mut packets = Vec::new();
    while !octets.is_empty() {
        if packets.len() == PACKETS_MAX {
            return Err("more than 512 packets; export a minimal key");
        }
        packets.push(packet(&mut octets).ok_or("not packets of OpenPGP, or not whole ones")?);
    }
    Ok(packets)
}

fn packet<'o>(octets: &mut Octets<'o>) -> Option<Packet<'o>> {
    let first = octets.u8()?;
    if first & 0x80 == 0 {
        return None;
    }
    let (tag, length) = match first & 0x40 {
        0 => {
            let length = match first & 3 {
                0 => usize::from(octets.u8()?),
                1 => usize::from(octets.u16()?),
                2 => usize::try_from(octets.u32()?).ok()?,
                _ => return None,
            };
            (first >> 2 & 0x0f, length)
        }
        _ => {
            // 224 to 254 begin a packet in parts, which keys and signatures are not.
            let is_in_parts = octets
                .rest()
                .first()
                .is_some_and(|o| (224..255).contains(o));
            if is_in_parts {
                return None;
            }
            (first & 0x3f, octets.length()?)
        }
    };
    let body = octets.take(length)?;
    Some(Packet { tag, body })
}

/// The length of something short in two octets.
pub(super) fn length_16(octets: &[u8]) -> [u8; 2] {
    let length = u16::try_from(octets.len());
    length
        .expect("whatever is hashed or kept was read within bounds")
        .to_be_bytes()
}

/// The same in four.
pub(super) fn length_32(octets: &[u8]) -> [u8; 4] {
    let length = u32::try_from(octets.len());
    length
        .expect("whatever is hashed or kept was read within bounds")
        .to_be_bytes()
}
