//! Seeded questions about a zone: names that are there, names that nearly are, names
//! below cuts, wildcards and aliases, with all that EDNS can ask for.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::fmt;

use loadtest::generate::Random;
use zone_image::Name;

use super::zones::{Zone, label};

/// Types that are asked for, the likely ones more than once.
const TYPES: [(u16, &str); 26] = [
    (1, "A"),
    (1, "A"),
    (1, "A"),
    (28, "AAAA"),
    (28, "AAAA"),
    (2, "NS"),
    (2, "NS"),
    (6, "SOA"),
    (5, "CNAME"),
    (5, "CNAME"),
    (39, "DNAME"),
    (43, "DS"),
    (43, "DS"),
    (43, "DS"),
    (16, "TXT"),
    (16, "TXT"),
    (15, "MX"),
    (33, "SRV"),
    (48, "DNSKEY"),
    (47, "NSEC"),
    (50, "NSEC3"),
    (51, "NSEC3PARAM"),
    (46, "RRSIG"),
    (255, "ANY"),
    (65400, "TYPE65400"),
    (65, "HTTPS"),
];

/// A question and how it is asked.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) name: Name,
    pub(super) rtype: u16,
    /// Payload size of an OPT, if one is sent.
    pub(super) payload: Option<u16>,
    pub(super) dnssec_ok: bool,
    pub(super) tcp: bool,
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = TYPES
            .iter()
            .find(|(code, _)| *code == self.rtype)
            .unwrap()
            .1;
        write!(f, "{} {word}", self.name)?;
        match self.payload {
            Some(payload) => write!(f, " +bufsize={payload}")?,
            None => write!(f, " +noedns")?,
        }
        f.write_str(if self.dnssec_ok { " +dnssec" } else { "" })?;
        f.write_str(if self.tcp { " +tcp" } else { "" })
    }
}

impl Question {
    pub(super) fn chance(zone: &Zone, random: &mut Random) -> Self {
        let owner = pick(random, &zone.owners).clone();
        let mut name = change(&owner, random);
        if random.below(8) == 0 {
            name = mixed_case(&name, random);
        }
        let rtype = pick(random, &TYPES).0;
        let payload = *pick(
            random,
            &[None, Some(512), Some(1232), Some(1232), Some(4096), Some(0)],
        );
        Self {
            name,
            rtype,
            payload,
            dnssec_ok: payload.is_some() && random.below(3) > 0,
            tcp: random.below(8) == 0,
        }
    }

    /// What chance brings too seldom.
    pub(super) fn sharp(zone: &Zone) -> Vec<Self> {
        let of = |name: &str, rtype| Self {
            name: Name::parse(name.as_bytes(), Some(&zone.apex)).unwrap(),
            rtype,
            payload: Some(1232),
            dnssec_ok: true,
            tcp: false,
        };
        vec![
            of("l.wloop", 47),
            of("l.walias", 47),
            of("x.bywildcard", 1),
            of("x.over", 1),
            of("x.deep.hidden", 28),
        ]
    }

    pub(super) fn encode(&self, id: u16) -> Vec<u8> {
        let mut wire = id.to_be_bytes().to_vec();
        wire.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(self.payload.is_some())]);
        wire.extend_from_slice(self.name.as_wire());
        wire.extend(self.rtype.to_be_bytes());
        wire.extend(1u16.to_be_bytes());
        if let Some(payload) = self.payload {
            wire.extend([0, 0, 41]);
            wire.extend(payload.to_be_bytes());
            wire.extend([0, 0, if self.dnssec_ok { 0x80 } else { 0 }, 0, 0, 0]);
        }
        wire
    }

    /// Octets that a reply may have, where the server allows 1232.
    pub(super) fn bytes_max(&self) -> usize {
        match self.payload {
            _ if self.tcp => 65_535,
            None => 512,
            Some(payload) => usize::from(payload.clamp(512, 1232)),
        }
    }
}

fn pick<'l, T>(random: &mut Random, list: &'l [T]) -> &'l T {
    let index = random.below(u64::try_from(list.len()).unwrap());
    &list[usize::try_from(index).unwrap()]
}

/// The owner, or a name near it.
fn change(owner: &Name, random: &mut Random) -> Name {
    let below = |name: &Name, random: &mut Random| name.child(&label(random));
    let parent = owner.parent().unwrap_or_else(Name::root);
    let changed = match random.below(20) {
        0..8 => Ok(owner.clone()),
        8..11 => below(owner, random),
        11 => below(owner, random).and_then(|name| below(&name, random)),
        12 => Ok(parent),
        13 | 14 => below(&parent, random),
        15 => below(&parent, random).and_then(|name| below(&name, random)),
        16 => owner.child(b"*"),
        17 => below(&parent.parent().unwrap_or_else(Name::root), random),
        18 => owner.child(&[b'w'; 60]),
        // The next octet after, so that it stands right behind in canonical order.
        _ => near(owner),
    };
    changed.unwrap_or_else(|_| owner.clone())
}

fn near(owner: &Name) -> Result<Name, zone_image::NameError> {
    let mut label = owner.labels().next().unwrap_or_default().to_vec();
    match label.len() {
        63 => label[62] = label[62].wrapping_add(1),
        _ => label.push(0),
    }
    owner.parent().unwrap_or_else(Name::root).child(&label)
}

fn mixed_case(name: &Name, random: &mut Random) -> Name {
    let mixed = |octet: &u8| match random.below(2) {
        0 => octet.to_ascii_uppercase(),
        _ => octet.to_ascii_lowercase(),
    };
    // Length octets are below 64 and so have no case.
    let wire: Vec<u8> = name.as_wire().iter().map(mixed).collect();
    Name::from_wire(&wire).unwrap()
}
