//! Signing the names of a change, where the image is signed with the same keys.
//!
//! Signatures of RRsets that did not change are kept from the image, as a full compile
//! keeps them, and its other names are not looked at. Other keys, another policy of
//! proofs, another TTL of misses, or a digest of the whole zone need the whole zone.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use zone_image::layout::{Denial as ImageDenial, Part};
use zone_image::writer::ProofsChange;
use zone_image::{Name, SortKey, Zone};

use crate::Record;
use crate::compile::apex::{self, ApexData};
use crate::compile::children::{Child, Children};
use crate::compile::classify::Names;
use crate::compile::fault::Findings;
use crate::compile::signer::{
    self, Made, PreviousZone, SignedCounts, ZoneSigner, add_apex_records, types_of,
};
use crate::compile::table::Table;
use crate::compile::{CompileError, refused};
use crate::record::RecordType;
use crate::sign::{Denial, RrsetSigner, RrsigFields, SignError, Signing, nsec_rdata};
use crate::wire::{read_proof, read_rrset};

/// Why a zone has to be compiled whole.
type Whole = &'static str;

/// A zone whose image is signed as the policy and the keys say.
pub(super) struct SignedZone<'w> {
    zone: Zone<'w>,
    signing: &'w Signing,
    signer: ZoneSigner<'w>,
}

/// What has signatures that get old.
#[derive(Default)]
pub(in crate::compile) struct Due {
    pub(super) names: Vec<Name>,
    /// NSEC3, by their hash.
    pub(super) proofs: BTreeSet<[u8; 20]>,
}

/// What a change knows of its names.
pub(super) struct Known {
    pub(super) names: Names,
    pub(super) apex_data: ApexData,
    pub(super) faults: Findings,
    pub(super) signed: SignedCounts,
    pub(super) proofs: ProofsChange,
    /// Parked names that got a DS.
    pub(super) parked: Vec<Child>,
}

impl<'w> SignedZone<'w> {
    /// `None` for a zone that is not signed.
    pub(super) fn new(
        zone: Zone<'w>,
        apex: &Name,
        signing: Option<&'w Signing>,
    ) -> Result<Option<Self>, Whole> {
        let Some(signing) = signing else {
            return match zone.denial() {
                ImageDenial::None => Ok(None),
                _ => Err("the zone is not signed any more"),
            };
        };
        let policy = signing.policy();
        if policy.zonemd {
            return Err("the zone has a digest of itself");
        }
        let is_alike = match policy.denial {
            Denial::Nsec => zone.denial() == ImageDenial::Nsec,
            Denial::Nsec3 { opt_out } => {
                zone.denial() == ImageDenial::Nsec3 && opt_out_of_image(zone) == Some(opt_out)
            }
        };
        if !is_alike {
            return Err("the zone proves in another way what is not there");
        }
        let previous = PreviousZone::of(zone, signing).ok_or(OTHER_KEYS)?;
        let keys = signing.keys().iter();
        let active = keys.filter(|key| key.signs.zone && key.signer.is_some());
        let active: BTreeSet<_> = active
            .map(|key| (key.dnskey.algorithm.number(), key.key_tag()))
            .collect();
        let signatures = read_rrset(zone, zone.apex_entry(), RecordType::SOA, Part::Signatures);
        let signatures = signatures.iter();
        let of_image: BTreeSet<_> = signatures
            .filter_map(|record| RrsigFields::parse(&record.rdata))
            .map(|fields| (fields.algorithm, fields.key_tag))
            .collect();
        if active != of_image || active.iter().any(|key| !previous.has_key(*key)) {
            return Err(OTHER_KEYS);
        }
        Ok(Some(Self {
            zone,
            signing,
            signer: ZoneSigner {
                signer: RrsetSigner::new(signing, apex),
                previous: Some(previous),
            },
        }))
    }

    pub(super) fn denial(&self) -> Denial {
        self.signing.policy().denial
    }

    pub(super) fn has_opt_out(&self) -> bool {
        self.denial() == Denial::Nsec3 { opt_out: true }
    }

    pub(super) fn has_nsec3(&self) -> bool {
        self.denial() != Denial::Nsec
    }

    pub(super) fn signer(&self) -> &ZoneSigner<'w> {
        &self.signer
    }

    /// Signatures of the image that a whole compile would make anew.
    pub(super) fn due(&self) -> Due {
        due_of(self.zone, self.signing)
    }

    /// Signs what is made anew; groups the table.
    pub(super) fn sign(
        &self,
        table: &mut Table,
        apex: &Name,
        entries: &BTreeSet<Box<[u8]>>,
        children: Option<&Children<'_>>,
    ) -> Result<Result<Known, Whole>, CompileError> {
        add_apex_records(table, apex, self.signing);
        table.group();
        let parked = children.map(|children| children.add_ds(table, apex.as_wire()));
        let mut warnings = Findings::default();
        let (names, apex_data) = signer::check(table, apex, self.signing, &mut warnings)?;
        if self.negative_ttl() != Some(apex_data.negative_ttl) {
            return Ok(Err("the TTL of all proofs changes"));
        }
        let failed = |error: SignError| CompileError::Sign {
            apex: apex.clone(),
            error,
        };
        let mut made = Made::new(table);
        let order = (self.denial() == Denial::Nsec)
            .then(|| NewOrder::new(self.zone, table, &names, entries));
        for owner in entries {
            let group = table.find(owner).filter(|group| names.has_entry(*group));
            let Some(group) = group else { continue };
            let signed = self.signer.name(table, &names, group, &mut made);
            signed.map_err(failed)?;
            if let Some(order) = &order {
                let Some(next) = order.after(owner) else {
                    return Ok(Err("the order of NSEC is not that of the names"));
                };
                let types = types_of(self.denial(), table, &names, group);
                let rdata = nsec_rdata(&next, &types);
                let (nsec, ttl) = (RecordType::NSEC, apex_data.negative_ttl);
                let proof = self.signer.proof(owner, nsec, ttl, &rdata, &mut made);
                proof.map_err(failed)?;
            }
        }
        let signed = made.counts;
        table.append(vec![made.rows]);
        let mut faults = Findings::default();
        let Some(apex_data) = apex::read(table, apex.as_wire(), &mut faults) else {
            return Err(refused(apex, faults));
        };
        Ok(Ok(Known {
            names: names.after_signing(table),
            apex_data,
            faults,
            signed,
            proofs: order.map_or(ProofsChange::Kept, NewOrder::into_changes),
            parked: parked.unwrap_or_default(),
        }))
    }

    fn negative_ttl(&self) -> Option<u32> {
        let body = self.zone.negative(Part::Records)?;
        let records = read_proof(self.zone, body);
        records.first().map(|record| record.ttl)
    }
}

/// Looks at every signature of a zone for those that a whole compile would make anew: of
/// names one look at their heads, where nothing is signed.
pub(in crate::compile) fn due_of(zone: Zone<'_>, signing: &Signing) -> Due {
    let (policy, now) = (signing.policy(), signing.now_seconds());
    let is_kept = |record: &Record| {
        let left = RrsigFields::parse(&record.rdata).map(|fields| fields.seconds_left(now));
        let kept = i64::from(policy.refresh_seconds) + 1..=i64::from(policy.validity_seconds);
        record.rtype != RecordType::RRSIG || left.is_some_and(|left| kept.contains(&left))
    };
    let mut due = Due::default();
    zone.each_entry(&mut |entry| {
        let signed = entry
            .stored_bodies()
            .filter(|(_, part, _)| *part == Part::Signatures);
        let mut signed = signed.map(|(rtype, ..)| RecordType(rtype));
        let is_old = |rtype| {
            let signatures = read_rrset(zone, entry, rtype, Part::Signatures);
            !signatures.iter().all(is_kept)
        };
        if signed.any(is_old) {
            due.names.push(entry.name());
        }
    });
    zone.each_nsec3(&mut |hash, body| {
        if !read_proof(zone, body).iter().all(is_kept) {
            due.proofs.insert(*hash);
        }
    });
    due
}

impl Due {
    pub(in crate::compile) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.proofs.is_empty()
    }
}

const OTHER_KEYS: Whole = "other keys sign the zone";

/// Whether the NSEC3 of the apex has the flag (RFC 5155 section 3.1.2.1).
fn opt_out_of_image(zone: Zone<'_>) -> Option<bool> {
    let hash = crate::sign::nsec3_hash(zone.apex());
    let proof = zone.nsec3(&hash).filter(|proof| proof.matches)?;
    let records = read_proof(zone, proof.body).into_iter();
    let mut nsec3 = records.filter(|record| record.rtype == RecordType::NSEC3);
    match *nsec3.next()?.rdata.first_chunk::<6>()? {
        [1, flags, 0, 0, 0, 20] => Some(flags & 1 == 1),
        _ => None,
    }
}

/// The owners of NSEC as they will be: those of the image, and what comes and goes.
struct NewOrder<'w> {
    zone: Zone<'w>,
    /// By sort key: the name of one that comes, nothing for one that goes.
    changes: BTreeMap<Vec<u8>, Option<Box<[u8]>>>,
}

impl<'w> NewOrder<'w> {
    fn new(zone: Zone<'w>, table: &Table, names: &Names, entries: &BTreeSet<Box<[u8]>>) -> Self {
        let mut changes = BTreeMap::new();
        for owner in entries {
            let Some(relative) = owner.strip_suffix(zone.apex()) else {
                continue;
            };
            let had = zone.find(owner);
            let had = had.is_some_and(|entry| entry.has(RecordType::NSEC.0));
            let has = table
                .find(owner)
                .is_some_and(|group| names.has_entry(group));
            if had != has {
                changes.insert(sort_key(relative), has.then(|| owner.clone()));
            }
        }
        Self { zone, changes }
    }

    /// The owner that comes after a name.
    fn after(&self, owner: &[u8]) -> Option<Box<[u8]>> {
        let relative = owner.strip_suffix(self.zone.apex())?;
        let own = sort_key(relative);
        let mut kept = self.zone.nsec_after(relative)?;
        while self.changes.get(&sort_key(kept.relative_name())) == Some(&None) {
            // The apex stays, so this ends.
            kept = self.zone.nsec_after(kept.relative_name())?;
        }
        let behind = (Bound::Excluded(own.clone()), Bound::Unbounded);
        let mut came = self.changes.range(behind).chain(&self.changes);
        let came = came.find_map(|(key, name)| Some((key, name.as_ref()?)));
        let distance = |key: &[u8]| (key <= &own[..], key.to_vec());
        let kept_key = sort_key(kept.relative_name());
        match came {
            Some((key, name)) if distance(key) < distance(&kept_key) => Some(name.clone()),
            _ => Some(kept.name().as_wire().into()),
        }
    }

    fn into_changes(self) -> ProofsChange {
        let changes = self.changes.into_iter();
        ProofsChange::Nsec(changes.map(|(key, name)| (key, name.is_some())).collect())
    }
}

fn sort_key(relative: &[u8]) -> Vec<u8> {
    SortKey::new(relative).as_slice().to_vec()
}
