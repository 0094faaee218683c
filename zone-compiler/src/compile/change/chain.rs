//! The NSEC3 chain of a signed zone after a change.
//!
//! Made anew are the records of names whose types changed or that come, and the record
//! before each hash that comes or goes, which names another next one (RFC 5155 section
//! 7.1). Neighbours are found in the image and among what changes; nothing else of the
//! chain is read.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use zone_image::writer::{BodyBytes, Nsec3Changes};
use zone_image::{Name, Zone};

use super::proven::Proof;
use super::signed::SignedZone;
use crate::compile::SignedCounts;
use crate::compile::classify::Names;
use crate::compile::denial::encode_proof;
use crate::compile::signer::types_of;
use crate::compile::table::Table;
use crate::record::RecordType;
use crate::sign::{SignError, SignableRrset, nsec3_hash, nsec3_owner, nsec3_rdata};
use crate::wire::read_proof;

type Hash = [u8; 20];

/// Octets of NSEC3 RDATA without salt before the next hash, and with it.
const NEXT_AT: usize = 6;
const TYPES_AT: usize = NEXT_AT + 20;

/// Why the NSEC3 records of a change were not made.
pub(super) enum ChainError {
    /// The zone has to be compiled whole.
    Whole(&'static str),
    Sign(SignError),
}

impl From<SignError> for ChainError {
    fn from(error: SignError) -> Self {
        Self::Sign(error)
    }
}

/// The image is not of these names, or two names have one hash.
const STALE: ChainError = ChainError::Whole("the NSEC3 chain is not that of the names");

/// A chain as it will be: that of the image, and what comes and goes.
pub(super) struct NewChain<'w> {
    zone: Zone<'w>,
    came: BTreeSet<Hash>,
    gone: BTreeSet<Hash>,
    /// The types of names that are made anew, by their hash.
    types: BTreeMap<Hash, Vec<RecordType>>,
    /// Those whose signatures get old.
    due: BTreeSet<Hash>,
}

impl<'w> NewChain<'w> {
    pub(super) fn new(
        zone: Zone<'w>,
        signed: &SignedZone<'_>,
        proofs: &[Proof],
        table: &Table,
        names: &Names,
    ) -> Result<Self, ChainError> {
        let mut chain = Self {
            zone,
            came: BTreeSet::new(),
            gone: BTreeSet::new(),
            types: BTreeMap::new(),
            due: BTreeSet::new(),
        };
        for proof in proofs {
            let owner = [&proof.relative, zone.apex()].concat();
            let hash = nsec3_hash(&owner);
            let found = zone.nsec3(&hash).ok_or(STALE)?;
            if found.matches != proof.was {
                return Err(STALE);
            }
            let is_news = match (proof.was, proof.is) {
                (false, true) => chain.came.insert(hash),
                (true, false) => chain.gone.insert(hash),
                _ => true,
            };
            if !is_news {
                return Err(STALE);
            }
            if proof.is {
                let group = table.find(&owner).filter(|group| names.has_entry(*group));
                let types = group.map(|group| types_of(signed.denial(), table, names, group));
                // An empty name has none.
                chain.types.insert(hash, types.unwrap_or_default());
            }
        }
        Ok(chain)
    }

    /// Also makes the signatures of these anew, where they are still there.
    pub(super) fn refreshing(mut self, due: &BTreeSet<Hash>) -> Self {
        self.due = due.difference(&self.gone).copied().collect();
        self
    }

    /// The records that come, differ, or go.
    pub(super) fn changes(
        &self,
        signed: &SignedZone<'_>,
        apex: &Name,
        ttl: u32,
        counts: &mut SignedCounts,
    ) -> Result<Nsec3Changes, ChainError> {
        let mut made: BTreeSet<Hash> = self.types.keys().chain(&self.due).copied().collect();
        for hash in self.came.iter().chain(&self.gone) {
            made.insert(self.before(hash)?);
        }
        let mut changes: Nsec3Changes = self.gone.iter().map(|hash| (*hash, None)).collect();
        for hash in made {
            let next = self.after(&hash)?;
            let rdata = match self.types.get(&hash) {
                Some(types) => nsec3_rdata(signed.has_opt_out(), &next, types),
                None => {
                    let mut rdata = self.installed(&hash)?.1;
                    rdata[NEXT_AT..TYPES_AT].copy_from_slice(&next);
                    rdata
                }
            };
            let body = self.body(signed, apex, ttl, &hash, &rdata, counts)?;
            let old = self.zone.nsec3(&hash).filter(|old| old.matches);
            if old.is_none_or(|old| BodyBytes::from(old.body) != body) {
                changes.insert(hash, Some(body));
            }
        }
        Ok(changes)
    }

    fn body(
        &self,
        signed: &SignedZone<'_>,
        apex: &Name,
        ttl: u32,
        hash: &Hash,
        rdata: &[u8],
        counts: &mut SignedCounts,
    ) -> Result<BodyBytes, ChainError> {
        let owner = nsec3_owner(hash, apex);
        let rrset = SignableRrset {
            owner: &owner,
            rtype: RecordType::NSEC3,
            ttl,
            rdata: &[rdata],
        };
        let signatures = signed.signer().signatures(&rrset, counts)?;
        let signatures = signatures
            .iter()
            .map(|rdata| (RecordType::RRSIG, ttl, &**rdata));
        let records = [(RecordType::NSEC3, ttl, rdata)];
        let body = encode_proof(
            apex.as_wire(),
            &owner,
            records.into_iter().chain(signatures),
        );
        body.ok_or(ChainError::Whole("an NSEC3 is too large"))
    }

    /// The hash at or before a hash in the image, and the RDATA of its NSEC3.
    fn installed(&self, hash: &Hash) -> Result<(Hash, Vec<u8>), ChainError> {
        let (found, body) = self.zone.nsec3_at_or_before(hash).ok_or(STALE)?;
        let records = read_proof(self.zone, body).into_iter();
        let mut nsec3 = records.filter(|record| record.rtype == RecordType::NSEC3);
        let rdata = nsec3.next().map(|record| record.rdata.to_vec());
        let rdata = rdata.filter(|rdata| rdata.len() >= TYPES_AT).ok_or(STALE)?;
        Ok((found, rdata))
    }

    /// The hash before this one, which need not be in the chain.
    fn before(&self, hash: &Hash) -> Result<Hash, ChainError> {
        let mut kept = *hash;
        // The apex stays, so this ends.
        loop {
            kept = self
                .zone
                .nsec3_at_or_before(&less_one(&kept))
                .ok_or(STALE)?
                .0;
            if !self.gone.contains(&kept) {
                break;
            }
        }
        let came = self.came.range(..*hash).next_back();
        let came = came.or_else(|| self.came.last()).copied();
        // What is less comes before what is more, and of both the greater one is nearer.
        let nearness = |other: &Hash| (other < hash, *other);
        Ok(came.into_iter().fold(kept, |kept, came| {
            if nearness(&came) > nearness(&kept) {
                came
            } else {
                kept
            }
        }))
    }

    /// The hash after this one.
    fn after(&self, hash: &Hash) -> Result<Hash, ChainError> {
        let mut kept = *hash;
        loop {
            let (_, rdata) = self.installed(&kept)?;
            kept.copy_from_slice(&rdata[NEXT_AT..TYPES_AT]);
            if !self.gone.contains(&kept) {
                break;
            }
        }
        let came = self
            .came
            .range((Bound::Excluded(*hash), Bound::Unbounded))
            .next();
        let came = came.or_else(|| self.came.first()).copied();
        let distance = |other: &Hash| (other <= hash, *other);
        Ok(came.into_iter().fold(kept, |kept, came| {
            if distance(&came) < distance(&kept) {
                came
            } else {
                kept
            }
        }))
    }
}

/// The number before, on a circle.
fn less_one(hash: &Hash) -> Hash {
    let mut less = *hash;
    for octet in less.iter_mut().rev() {
        let is_enough = *octet > 0;
        *octet = octet.wrapping_sub(1);
        if is_enough {
            break;
        }
    }
    less
}
