//! The proofs of a signed zone: its NSEC3 chain, or the order of its NSEC.
//!
//! Compiles what a signer made: the chain must be closed, and its parameters
//! those of NSEC3PARAM. Never makes a proof of its own.

use std::collections::BTreeMap;

use zone_image::layout::{Denial, NSEC3_PAGE_PROOFS_FILL, PageKind};
use zone_image::writer::{
    BodyBytes, Nsec3PageBuilder, Proofs, SegmentWriter, TreePlan, write_order,
};
use zone_image::{SortKey, WriteError, nsec3_key};

use super::classify::Names;
use super::encode::{Encoder, Scope};
use super::fault::Findings;
use super::table::{Table, lookup_name};
use crate::record::RecordType;
use crate::sign::nsec3_hash_of_owner;

/// The parameters of a chain (RFC 5155 section 4.1).
#[derive(Clone, PartialEq, Eq)]
struct Parameters {
    iterations: u16,
    salt: Vec<u8>,
}

/// One link of an NSEC3 chain.
struct Link {
    group: usize,
    next: [u8; 20],
}

/// The proofs of a zone before they are written.
pub(crate) enum Chain {
    Unsigned,
    /// Sort keys of the owners of NSEC.
    Nsec(Vec<Vec<u8>>),
    Nsec3 {
        parameters: (u16, Vec<u8>),
        proofs: Vec<([u8; 20], BodyBytes)>,
    },
}

pub(crate) struct ChainReader<'t> {
    pub(crate) table: &'t Table,
    pub(crate) names: &'t Names,
    pub(crate) apex: &'t [u8],
    /// No proof is cached longer than a miss (RFC 9077 section 3).
    pub(crate) negative_ttl: u32,
    pub(crate) iterations_max: u16,
    pub(crate) faults: Findings,
}

impl ChainReader<'_> {
    pub(crate) fn read(&mut self) -> Chain {
        let Some(apex) = self.table.find(self.apex) else {
            return Chain::Unsigned;
        };
        if let Some(parameters) = self.parameters(apex) {
            return self.nsec3(parameters);
        }
        if self.table.has(apex, RecordType::NSEC) {
            return self.nsec();
        }
        Chain::Unsigned
    }

    /// What NSEC3PARAM says; flags other than zero are not for us (RFC 5155 section 4.1.2).
    fn parameters(&mut self, apex: usize) -> Option<Parameters> {
        let records = self.table.records(apex);
        let mut parameters = records
            .filter(|record| record.rtype == RecordType::NSEC3PARAM)
            .filter_map(|record| match *record.rdata {
                [1, 0, high, low, length, ref salt @ ..] if usize::from(length) == salt.len() => {
                    let iterations = u16::from_be_bytes([high, low]);
                    Some(Parameters {
                        iterations,
                        salt: salt.to_vec(),
                    })
                }
                _ => None,
            });
        let first = parameters.next()?;
        if first.iterations > self.iterations_max {
            let text = format!(
                "{} NSEC3 iterations, at most {} are allowed (RFC 9276 section 3.1); sign with 0",
                first.iterations, self.iterations_max
            );
            self.faults.push(self.apex, text);
        }
        Some(first)
    }

    fn nsec3(&mut self, parameters: Parameters) -> Chain {
        let mut links: BTreeMap<[u8; 20], Link> = BTreeMap::new();
        for &group in &self.names.nsec3 {
            for record in self.table.records(group) {
                if record.rtype != RecordType::NSEC3 {
                    continue;
                }
                let owner = self.table.owner(group);
                let Some((own, next)) = nsec3_next(record.rdata) else {
                    self.faults
                        .push(owner, "NSEC3 is cut off; sign the zone again");
                    continue;
                };
                if own != parameters {
                    continue;
                }
                match nsec3_hash_of_owner(owner) {
                    Some(hash) => {
                        links.insert(hash, Link { group, next });
                    }
                    None => self
                        .faults
                        .push(owner, "NSEC3 whose owner is no hash; sign again"),
                }
            }
        }
        self.check_closed(&links);
        let mut proofs = Vec::with_capacity(links.len());
        for (hash, link) in &links {
            proofs.push((*hash, self.proof(link.group)));
        }
        Chain::Nsec3 {
            parameters: (parameters.iterations, parameters.salt),
            proofs,
        }
    }

    fn check_closed(&mut self, links: &BTreeMap<[u8; 20], Link>) {
        if links.is_empty() {
            let text = "NSEC3PARAM without NSEC3 of its parameters; sign the zone again";
            self.faults.push(self.apex, text);
        }
        let after = links.keys().skip(1).chain(links.keys().take(1));
        for (link, next) in links.values().zip(after) {
            if link.next != *next {
                let text = "the NSEC3 chain is broken after this record; sign the zone again";
                self.faults.push(self.table.owner(link.group), text);
            }
        }
    }

    /// An NSEC3 with its RRSIGs.
    fn proof(&mut self, group: usize) -> BodyBytes {
        let owner = self.table.owner(group);
        let mut records = Vec::new();
        for rtype in [RecordType::NSEC3, RecordType::RRSIG] {
            let own = self.table.records(group);
            for record in own.filter(|record| record.rtype == rtype) {
                let covers_nsec3 = record.rdata.starts_with(&RecordType::NSEC3.0.to_be_bytes());
                if rtype == RecordType::NSEC3 || covers_nsec3 {
                    let ttl = record.ttl.min(self.negative_ttl);
                    records.push((rtype, ttl, record.rdata));
                }
            }
        }
        encode_proof(self.apex, owner, records).unwrap_or_else(|| {
            self.faults.push(
                owner,
                "NSEC3 and its RRSIGs pass 65,535 octets; remove some",
            );
            BodyBytes::default()
        })
    }

    /// NSEC names its next owner; in canonical order these must be the owners.
    fn nsec(&mut self) -> Chain {
        let apex_labels = lookup_name(self.apex).labels();
        let key_of = |owner: &[u8]| {
            let name = lookup_name(owner);
            SortKey::new(name.relative(name.labels(), apex_labels))
                .as_slice()
                .to_vec()
        };
        let mut owners: Vec<(Vec<u8>, usize)> = (0..self.table.groups())
            .filter(|group| {
                self.names.has_entry(*group) && self.table.has(*group, RecordType::NSEC)
            })
            .map(|group| (key_of(self.table.owner(group)), group))
            .collect();
        owners.sort();
        let after = owners.iter().skip(1).chain(owners.first());
        for ((_, group), (_, next)) in owners.iter().zip(after) {
            let mut records = self.table.records(*group);
            let named = records.find(|record| record.rtype == RecordType::NSEC);
            let named = named.map(|record| record.rdata.to_ascii_lowercase());
            if !named.is_some_and(|rdata| rdata.starts_with(self.table.owner(*next))) {
                let text = "the NSEC chain is broken after this record; sign the zone again";
                self.faults.push(self.table.owner(*group), text);
            }
        }
        Chain::Nsec(owners.into_iter().map(|(key, _)| key).collect())
    }
}

/// The body of an NSEC3 with its RRSIGs, owner written below the apex; `None` where it
/// passes the octets of a message.
pub(crate) fn encode_proof<'r>(
    apex: &[u8],
    owner: &[u8],
    records: impl IntoIterator<Item = (RecordType, u32, &'r [u8])>,
) -> Option<BodyBytes> {
    let scope = Scope {
        owner: apex,
        apex,
        point_to_owner: false,
    };
    let mut encoder = Encoder::new(scope);
    let label = &owner[..owner.len() - apex.len()];
    for (rtype, ttl, rdata) in records {
        // The hash of an owner is written once: 33 octets less a proof.
        match encoder.is_empty() {
            true => encoder.below_apex(label, rtype, ttl, rdata),
            false => encoder.same_owner(rtype, ttl, rdata),
        }
    }
    encoder.finish()
}

/// Parameters and next hash of an NSEC3 (RFC 5155 section 3.2).
fn nsec3_next(rdata: &[u8]) -> Option<(Parameters, [u8; 20])> {
    let (&[1, _, high, low, salt_length], rest) = rdata.split_first_chunk::<5>()? else {
        return None;
    };
    let (salt, rest) = rest.split_at_checked(usize::from(salt_length))?;
    let (&hash_length, rest) = rest.split_first()?;
    let next = rest.get(..usize::from(hash_length))?.try_into().ok()?;
    let iterations = u16::from_be_bytes([high, low]);
    Some((
        Parameters {
            iterations,
            salt: salt.to_vec(),
        },
        next,
    ))
}

impl Chain {
    pub(crate) fn write(self, segment: &mut SegmentWriter) -> Result<Proofs, WriteError> {
        match self {
            Self::Unsigned => Ok(Proofs::default()),
            Self::Nsec(keys) => Ok(Proofs {
                denial: Denial::Nsec,
                root: write_order(&keys, segment)?,
                count: keys.len() as u64,
                ..Proofs::default()
            }),
            Self::Nsec3 {
                parameters: (iterations, salt),
                proofs,
            } => Ok(Proofs {
                denial: Denial::Nsec3,
                root: write_nsec3(&proofs, segment)?,
                count: proofs.len() as u64,
                iterations,
                salt,
            }),
        }
    }
}

fn write_nsec3(
    proofs: &[([u8; 20], BodyBytes)],
    segment: &mut SegmentWriter,
) -> Result<zone_image::layout::PageRef, WriteError> {
    let keys: Vec<u64> = proofs.iter().map(|(hash, _)| nsec3_key(hash)).collect();
    let plan = TreePlan::new(&keys, |range| range.len() <= NSEC3_PAGE_PROOFS_FILL)?;
    let mut leaves = Vec::with_capacity(plan.leaves().len());
    for range in plan.leaves() {
        let before = range.start.checked_sub(1).unwrap_or(proofs.len() - 1);
        let mut page = Nsec3PageBuilder::default();
        for at in std::iter::once(before).chain(range.clone()) {
            let (hash, body) = &proofs[at];
            page.proof(*hash, body);
        }
        leaves.push(segment.append(PageKind::Nsec3, &page.finish()?)?);
    }
    plan.write_cyclic(&leaves, segment)
}
