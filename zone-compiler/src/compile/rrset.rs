//! RRsets of one name, and the bodies made of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use zone_image::layout::Part;
use zone_image::writer::BodyBytes;

use super::classify::{Names, Standing};
use super::encode::{Encoder, Scope};
use super::fault::Findings;
use super::shared::at_or_below;
use super::table::{Stored, Table, display};
use crate::record::RecordType;

/// An RRset: records of one type with one TTL, without duplicates.
pub(crate) struct Rrset<'t> {
    pub(crate) ttl: u32,
    pub(crate) rdata: Vec<&'t [u8]>,
}

/// The RRsets of a name and their signatures.
#[derive(Default)]
pub(crate) struct Rrsets<'t> {
    pub(crate) sets: BTreeMap<RecordType, Rrset<'t>>,
    pub(crate) signatures: BTreeMap<RecordType, Rrset<'t>>,
}

impl<'t> Rrsets<'t> {
    pub(crate) fn of(table: &'t Table, group: usize, warnings: &mut Findings) -> Self {
        let mut rrsets = Self::default();
        for record in table.records(group) {
            rrsets.add(&record, warnings);
        }
        for set in rrsets
            .sets
            .values_mut()
            .chain(rrsets.signatures.values_mut())
        {
            // RFC 4034 section 6.3: as octets; RFC 2181 section 5: no duplicates.
            set.rdata.sort_unstable();
            set.rdata.dedup();
        }
        rrsets
    }

    fn add(&mut self, record: &Stored<'t>, warnings: &mut Findings) {
        let covered = covered_type(record);
        if covered.unwrap_or(record.rtype) == RecordType::NSEC3 {
            // Not data of this name: see `denial`.
            return;
        }
        let (sets, rtype) = match covered {
            Some(covered) => (&mut self.signatures, covered),
            None => (&mut self.sets, record.rtype),
        };
        let set = sets.entry(rtype).or_insert_with(|| Rrset {
            ttl: record.ttl,
            rdata: Vec::new(),
        });
        if set.ttl != record.ttl {
            // RFC 2181 section 5.2 lets us pick; the lowest is safe for every record.
            let text = format!("{rtype} records with different TTLs; the lowest is served");
            warnings.push(record.owner, text);
            set.ttl = set.ttl.min(record.ttl);
        }
        set.rdata.push(record.rdata);
    }

    pub(crate) fn get(&self, rtype: RecordType) -> Option<&Rrset<'t>> {
        self.sets.get(&rtype)
    }
}

/// The type an RRSIG covers (RFC 4034 section 3.1.1).
fn covered_type(record: &Stored<'_>) -> Option<RecordType> {
    let covered = record
        .rdata
        .get(..2)
        .filter(|_| record.rtype == RecordType::RRSIG)?;
    Some(RecordType(u16::from_be_bytes([covered[0], covered[1]])))
}

/// A body and what it is to its RRset.
pub(crate) type NamedBody = (RecordType, Part, BodyBytes);

/// Makes bodies for the names of one zone.
pub(crate) struct BodyMaker<'t> {
    pub(crate) table: &'t Table,
    pub(crate) names: &'t Names,
    pub(crate) apex: &'t [u8],
    /// Set for each group whose addresses went with some NS.
    pub(crate) used: &'t [AtomicBool],
    /// How long a miss is cached (RFC 2308 section 5).
    pub(crate) negative_ttl: u32,
    pub(crate) faults: Findings,
    pub(crate) warnings: Findings,
}

/// The addresses that go with an NS RRset.
#[derive(Default)]
pub(crate) struct Glue {
    pub(crate) required: Option<BodyBytes>,
    pub(crate) sibling: Option<BodyBytes>,
}

impl<'t> BodyMaker<'t> {
    /// All bodies of an authoritative name, by type and part.
    pub(crate) fn authoritative(&mut self, group: usize) -> Vec<NamedBody> {
        let owner = self.table.owner(group);
        let rrsets = Rrsets::of(self.table, group, &mut self.warnings);
        let mut bodies = Vec::new();
        for (&rtype, set) in &rrsets.sets {
            let point_to_owner = !owner.starts_with(b"\x01*");
            let scope = Scope {
                owner,
                apex: self.apex,
                point_to_owner,
            };
            let (body, targets) = self.rrset(scope, rtype, rtype, set);
            bodies.push((rtype, Part::Records, body));
            self.signatures(scope, rtype, &rrsets, &mut bodies);
            if rtype == RecordType::NS {
                // The apex: addresses help a priming resolver (RFC 9609 section 3.3).
                let glue = self.glue(scope, set, &targets, |_| false);
                bodies.extend(glue.sibling.map(|body| (rtype, Part::SiblingGlue, body)));
                let signatures = self.address_signatures(scope, set, &targets);
                bodies.extend(signatures.map(|body| (rtype, Part::AddressSignatures, body)));
            }
        }
        for rtype in rrsets
            .signatures
            .keys()
            .filter(|rtype| rrsets.get(**rtype).is_none())
        {
            let text = format!("RRSIG over {rtype}, which is not there; it is left out");
            self.warnings.push(owner, text);
        }
        bodies
    }

    /// NS and glue of a delegation that shares them with no other.
    pub(crate) fn private_delegation(&mut self, owner: &[u8], set: &Rrset<'t>) -> Vec<NamedBody> {
        let scope = Scope {
            owner,
            apex: self.apex,
            point_to_owner: true,
        };
        let (body, targets) = self.encode(scope, RecordType::NS, set);
        let glue = self.glue(scope, set, &targets, |host| at_or_below(host, owner));
        let parts = [
            (Part::Records, Some(body)),
            (Part::RequiredGlue, glue.required),
            (Part::SiblingGlue, glue.sibling),
        ];
        let parts = parts.into_iter();
        parts
            .filter_map(|(part, body)| Some((RecordType::NS, part, body?)))
            .collect()
    }

    /// The bodies of a delegation but for its NS and glue.
    pub(crate) fn delegation_extras(
        &mut self,
        owner: &'t [u8],
        rrsets: &Rrsets<'t>,
    ) -> Vec<NamedBody> {
        let scope = Scope {
            owner,
            apex: self.apex,
            point_to_owner: true,
        };
        let mut bodies = Vec::new();
        for rtype in [RecordType::DS, RecordType::NSEC] {
            if let Some(set) = rrsets.get(rtype) {
                let body = self.rrset(scope, rtype, rtype, set).0;
                bodies.push((rtype, Part::Records, body));
                self.signatures(scope, rtype, rrsets, &mut bodies);
            }
        }
        bodies
    }

    /// The RRset of type `covered`, or its RRSIGs: `rtype` says which.
    fn rrset(
        &mut self,
        scope: Scope<'_>,
        covered: RecordType,
        rtype: RecordType,
        set: &Rrset<'_>,
    ) -> (BodyBytes, Vec<usize>) {
        if covered != RecordType::NSEC {
            return self.encode(scope, rtype, set);
        }
        // An NSEC proves things of names that it does not own, so its owner need
        // not be in the message; and it is cached no longer than a miss (RFC 9077
        // section 3).
        let labels = &scope.owner[..scope.owner.len() - scope.apex.len()];
        let ttl = set.ttl.min(self.negative_ttl);
        let mut encoder = Encoder::new(Scope {
            point_to_owner: false,
            ..scope
        });
        for rdata in &set.rdata {
            encoder.below_apex(labels, rtype, ttl, rdata);
        }
        (self.finish(encoder, scope, rtype), Vec::new())
    }

    fn signatures(
        &mut self,
        scope: Scope<'_>,
        rtype: RecordType,
        rrsets: &Rrsets<'t>,
        bodies: &mut Vec<NamedBody>,
    ) {
        if let Some(set) = rrsets.signatures.get(&rtype) {
            let body = self.rrset(scope, rtype, RecordType::RRSIG, set).0;
            bodies.push((rtype, Part::Signatures, body));
        }
    }

    /// An RRset as a body, and where in it the names of its RDATA stand.
    pub(crate) fn encode(
        &mut self,
        scope: Scope<'_>,
        rtype: RecordType,
        set: &Rrset<'_>,
    ) -> (BodyBytes, Vec<usize>) {
        let mut encoder = Encoder::new(scope);
        for rdata in &set.rdata {
            encoder.record(rtype, set.ttl, rdata);
        }
        let targets = std::mem::take(&mut encoder.targets);
        (self.finish(encoder, scope, rtype), targets)
    }

    fn finish(&mut self, encoder: Encoder<'_>, scope: Scope<'_>, rtype: RecordType) -> BodyBytes {
        encoder.finish().unwrap_or_else(|| {
            let text = format!("the {rtype} RRset passes 65,535 octets; remove some records");
            self.faults.push(scope.owner, text);
            BodyBytes::default()
        })
    }

    /// The addresses this zone has for the targets of an NS RRset. `required`
    /// says of a target whether it lies at or below the delegation.
    pub(crate) fn glue(
        &mut self,
        scope: Scope<'_>,
        set: &Rrset<'t>,
        targets: &[usize],
        required: impl Fn(&[u8]) -> bool,
    ) -> Glue {
        let mut glue = Glue::default();
        let mut encoders = [Encoder::new(scope), Encoder::new(scope)];
        let mut counts = [0u32; 2];
        for (target, at) in set.rdata.iter().zip(targets) {
            let host = target.to_ascii_lowercase();
            let kind = usize::from(!required(&host));
            let before = counts[kind];
            for (rtype, ttl, rdata) in self.addresses(&host) {
                encoders[kind].glue(*at, target, rtype, ttl, rdata);
                counts[kind] += 1;
            }
            if kind == 0 && counts[kind] == before {
                let text = format!(
                    "NS {} lies in the delegation and has no address; add glue for it",
                    display(&host)
                );
                self.faults.push(scope.owner, text);
            }
        }
        let [required, sibling] = encoders.map(Encoder::finish);
        // At 28 octets an address, only thousands of hosts could pass a message.
        glue.required = required.filter(|body| body.records > 0);
        glue.sibling = sibling.filter(|body| body.records > 0);
        glue
    }

    /// RRSIGs of the addresses of NS targets, which the zone has where they are
    /// its own data and not glue.
    fn address_signatures(
        &self,
        scope: Scope<'_>,
        set: &Rrset<'t>,
        targets: &[usize],
    ) -> Option<BodyBytes> {
        let mut encoder = Encoder::new(scope);
        for (target, at) in set.rdata.iter().zip(targets) {
            let group = self.table.find(&target.to_ascii_lowercase());
            let own = group.filter(|group| self.names.standing[*group] == Standing::Authoritative);
            for record in own.into_iter().flat_map(|group| self.table.records(group)) {
                let covered = covered_type(&record);
                if matches!(covered, Some(RecordType::A | RecordType::AAAA)) {
                    encoder.glue(*at, target, RecordType::RRSIG, record.ttl, record.rdata);
                }
            }
        }
        encoder.finish().filter(|body| body.records > 0)
    }

    /// The addresses of a host in this zone: its own data or glue.
    fn addresses(&mut self, host: &[u8]) -> Vec<(RecordType, u32, &'t [u8])> {
        // Most hosts are of other zones, and a search costs more than this look.
        if !at_or_below(host, self.apex) {
            return Vec::new();
        }
        let Some(group) = self.table.find(host) else {
            return Vec::new();
        };
        if matches!(
            self.names.standing[group],
            Standing::Outside | Standing::BelowDname
        ) {
            return Vec::new();
        }
        self.used[group].store(true, Ordering::Relaxed);
        let rrsets = Rrsets::of(self.table, group, &mut Findings::default());
        let of_type = |rtype| {
            let set: Option<&Rrset<'t>> = rrsets.get(rtype);
            set.into_iter()
                .flat_map(move |set| set.rdata.iter().map(move |rdata| (rtype, set.ttl, *rdata)))
        };
        of_type(RecordType::A)
            .chain(of_type(RecordType::AAAA))
            .collect()
    }
}
