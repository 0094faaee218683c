//! Child zones of parked names, where the policy signs these and the zone has keys.
//!
//! A parked name has a DS then, and a zone of its own in the image: what all parked names
//! have, under its name, signed. The keys that sign the parent's data sign it, with the flag
//! of an entry point (RFC 4034 section 2.1.1): whoever has them could sign any DS of the
//! parent, so there is nothing more to keep safe, and they roll with the parent's. DS and
//! DNSKEY have each of them that the parent publishes, so that what caches hold of the one
//! fits what they hold of the other, before, in and after a rollover; only a DS of another
//! algorithm comes when that of the parent does, after all else (RFC 6840 section 5.11). Their
//! TTL is short: who gets servers of its own is bogus for as long as a cache has the DS.
//! So when a zone is to sign these no more, its DS go first, and the child zones stay a while.
//! NSEC proves what is not there: of a zone of one name or two nothing is given away.
//!
//! A child zone has event 0, which no zone of a registry has, and comes and goes with the
//! cut above it. It is compiled as every zone is, and never by its changes.

use std::collections::BTreeSet;
use std::sync::Arc;

use zone_image::layout::Part;
use zone_image::writer::Installer;
use zone_image::{Generation, LookupName, Name, Zone};

use super::change::due_of;
use super::parking::ParkedNames;
use super::table::{Rows, Table};
use super::{CompileError, Options, Report, SignedCounts, compile_with};
use crate::record::{Record, RecordType};
use crate::sign::{
    Denial, DigestType, Dnskey, FLAG_SEP, FLAG_ZONE, PolicyValues, SignError, Signing,
    SigningPolicy, Signs, ZoneKey, ds_rdata,
};
use crate::source::{ParkedRecord, Parking, RecordList};
use crate::wire::read_rrset;

/// Event of a child zone.
const EVENT: u64 = 0;
/// Longest TTL of DS and DNSKEY.
const KEY_TTL_SECONDS: u32 = 300;
/// Octet of CDS RDATA with the algorithm; zero where it asks for a removal (RFC 8078 section 4).
const CDS_ALGORITHM: usize = 2;
/// Octets of SOA RDATA behind its field Expire.
const BEHIND_EXPIRE: usize = 4;

/// What the child zones of a zone have in common.
pub(crate) struct Children<'c> {
    parking: &'c Parking,
    names: ParkedNames,
    signing: Arc<Signing>,
    /// RDATA of the DNSKEY that DS are made of; none where these are withdrawn.
    ds_keys: Vec<Vec<u8>>,
    /// TTL of their DS.
    ttl: u32,
}

/// A parked name that has a zone of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Child {
    /// Lower case.
    pub(crate) apex: Name,
    /// TTL of its NS.
    ns_ttl: u32,
}

/// What was done to child zones.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ChildCounts {
    pub(crate) compiled: u64,
    pub(crate) signed: SignedCounts,
}

impl ChildCounts {
    fn add(&mut self, report: &Report) {
        self.compiled += 1;
        self.signed.made += report.signed.made;
        self.signed.kept += report.signed.kept;
    }
}

impl<'c> Children<'c> {
    /// `None` where parked names are not signed.
    pub(crate) fn new(
        parking: Option<&'c Parking>,
        signing: Option<&Signing>,
        apex: &Name,
    ) -> Result<Option<Self>, CompileError> {
        let (Some(parking), Some(signing)) = (parking.filter(|parking| parking.is_signed), signing)
        else {
            return Ok(None);
        };
        let soa = |record: &&ParkedRecord| record.rtype == RecordType::SOA;
        let soa_ttl = parking.records.iter().find(soa).map(|record| record.ttl);
        let ttl = KEY_TTL_SECONDS.min(signing.policy().dnskey_ttl_seconds);
        let ttl = ttl.min(soa_ttl.unwrap_or(ttl));
        let policy = PolicyValues {
            denial: Denial::Nsec,
            dnskey_ttl_seconds: ttl,
            zonemd: false,
            ..PolicyValues::clone(signing.policy())
        };
        let keys = signing.keys().iter().filter_map(key_of_child).collect();
        let failed = |error: String| CompileError::Sign {
            apex: apex.clone(),
            error: SignError::Device(format!("child zones of parked names: {error}")),
        };
        let policy = SigningPolicy::new(policy).map_err(|error| failed(error.to_string()))?;
        let own = Signing::new(policy, keys, signing.now_seconds());
        let own = own.map_err(|error| failed(error.to_string()))?;
        let told = told_algorithms(signing);
        let is_told = |key: &&ZoneKey| {
            !parking.is_withdrawn
                && key.published
                && (told.is_empty() || told.contains(&key.dnskey.algorithm.number()))
        };
        let ds_keys = own.keys().iter().filter(is_told);
        Ok(Some(Self {
            parking,
            names: ParkedNames::of(parking),
            ds_keys: ds_keys.map(|key| key.dnskey.rdata()).collect(),
            signing: Arc::new(own),
            ttl,
        }))
    }

    /// Gives each parked name of a grouped table its DS; says which they are.
    pub(crate) fn add_ds(&self, table: &mut Table, apex: &[u8]) -> Vec<Child> {
        let mut rows = Rows::new(table.seed);
        let mut children = Vec::new();
        for group in 0..table.groups() {
            let owner = table.owner(group);
            if owner == apex || !self.names.holds(table, group) {
                continue;
            }
            let name = Name::from_wire(owner).expect("owners come from names");
            for key in &self.ds_keys {
                let ds = ds_rdata(&name, key, DigestType::Sha256);
                rows.push(owner, RecordType::DS, self.ttl, &ds);
            }
            let servers = table.records(group);
            let servers = servers.filter(|record| record.rtype == RecordType::NS);
            children.push(Child {
                apex: name,
                ns_ttl: servers.map(|record| record.ttl).min().unwrap_or_default(),
            });
        }
        if !children.is_empty() {
            table.append(vec![rows]);
        }
        children
    }

    /// Compiles child zones; signatures of `previous` that are good are kept.
    pub(crate) fn compile(
        &self,
        children: &[Child],
        previous: Option<&Arc<Generation>>,
        installer: &mut Installer,
    ) -> Result<ChildCounts, CompileError> {
        let options = Options {
            signing: Some(Arc::clone(&self.signing)),
            previous: previous.cloned(),
            ..Options::default()
        };
        let mut counts = ChildCounts::default();
        for child in children {
            let records = self.records(child);
            let mut source = RecordList::new(child.apex.clone(), EVENT, records);
            let report = compile_with(&mut source, installer, &options, &|_| {})?;
            counts.add(&report);
        }
        Ok(counts)
    }

    fn records(&self, child: &Child) -> Vec<Record> {
        let apex = &child.apex;
        let below = [b"\x01*", apex.as_wire()].concat();
        // A name that is as long as names may be has none below it.
        let below = Name::from_wire(&below).ok();
        let template = self.parking.records.iter().filter_map(|record| {
            Some(Record {
                owner: match record.is_below {
                    true => below.clone()?,
                    false => apex.clone(),
                },
                rtype: record.rtype,
                ttl: record.ttl,
                rdata: match record.rtype {
                    RecordType::SOA => self.soa(&record.rdata),
                    _ => record.rdata.clone(),
                },
            })
        });
        let servers = self.parking.servers.iter().map(|server| Record {
            owner: apex.clone(),
            rtype: RecordType::NS,
            ttl: child.ns_ttl,
            rdata: server.as_wire().into(),
        });
        template.chain(servers).collect()
    }

    /// RFC 6781 section 4.4.1: nobody may serve the zone for longer than signatures last.
    /// Nobody transfers it either, so its field follows the policy.
    fn soa(&self, rdata: &[u8]) -> Box<[u8]> {
        let mut rdata: Box<[u8]> = rdata.into();
        let most = self.signing.policy().refresh_seconds.saturating_sub(1);
        let end = rdata.len().saturating_sub(BEHIND_EXPIRE);
        if let Some(field) = rdata[..end].last_chunk_mut::<4>() {
            *field = u32::from_be_bytes(*field).min(most).to_be_bytes();
        }
        rdata
    }

    /// The child zones of an image whose signatures a whole compile would make anew.
    pub(crate) fn due(&self, parent: Zone<'_>) -> Vec<Child> {
        let mut due = Vec::new();
        each_child(parent.generation(), parent.apex(), &mut |zone| {
            if !due_of(zone, &self.signing).is_empty() {
                due.push(of_image(zone));
            }
        });
        due.sort();
        due
    }

    /// Whether the image has DNSKEY as the parent has it now, and tells of the same
    /// algorithms, so that no child zone has another DNSKEY or DS than its image.
    pub(crate) fn has_keys_of(parent: Zone<'_>, signing: &Signing) -> bool {
        let entry = parent.apex_entry();
        let records = read_rrset(parent, entry, RecordType::DNSKEY, Part::Records);
        let there: BTreeSet<_> = records.into_iter().map(|record| record.rdata).collect();
        let published = signing.keys().iter().filter(|key| key.published);
        let now = published.map(|key| key.dnskey.rdata().into_boxed_slice());
        let told = read_rrset(parent, entry, RecordType::CDS, Part::Records);
        let told = told
            .iter()
            .filter_map(|record| record.rdata.get(CDS_ALGORITHM));
        let told: BTreeSet<u8> = told.copied().filter(|number| *number > 0).collect();
        there == now.collect() && told == told_algorithms(signing)
    }
}

/// Algorithms of the keys that the parent's own parent is told of: their DNSKEY and
/// signatures are in every cache then, and are so until its DS is gone from all. Nothing
/// where it is told of none, and no DS above is waited for.
fn told_algorithms(signing: &Signing) -> BTreeSet<u8> {
    let told = signing.keys().iter();
    let told = told.filter(|key| key.cds && !signing.asks_for_removal());
    told.map(|key| key.dnskey.algorithm.number()).collect()
}

/// What a key of the parent is for child zones: those that only sign DNSKEY are nothing.
fn key_of_child(key: &ZoneKey) -> Option<ZoneKey> {
    if key.signs.keys && !key.signs.zone {
        return None;
    }
    let signs = match key.signs.zone {
        true => Signs::ALL,
        false => Signs::NOTHING,
    };
    Some(ZoneKey {
        dnskey: Dnskey {
            flags: FLAG_ZONE | FLAG_SEP,
            ..key.dnskey.clone()
        },
        published: key.published,
        cds: false,
        signs,
        signer: key.signer.clone().filter(|_| key.signs.zone),
    })
}

/// Whether a zone of an image is the child zone of a name of `parent`: nothing else that has
/// no event lies below a zone of a registry.
fn is_child(zone: Zone<'_>, parent: &[u8]) -> bool {
    if zone.event() != EVENT || zone.apex_labels() == 0 {
        return false;
    }
    let name = LookupName::parse(zone.apex()).expect("an apex is a name");
    let above = zone.generation().find_zone(&name, zone.apex_labels() - 1);
    above.is_some_and(|above| above.apex() == parent)
}

fn each_child<'g>(generation: &'g Generation, parent: &[u8], visit: &mut dyn FnMut(Zone<'g>)) {
    generation.find_zone_where(&mut |zone| {
        if is_child(zone, parent) {
            visit(zone);
        }
        false
    });
}

fn of_image(zone: Zone<'_>) -> Child {
    let servers = read_rrset(zone, zone.apex_entry(), RecordType::NS, Part::Records);
    Child {
        apex: Name::from_wire(zone.apex()).expect("an apex is a name"),
        ns_ttl: servers.first().map_or(0, |record| record.ttl),
    }
}

/// Takes out the child zone of a name, if the image has one.
pub(crate) fn remove(generation: &Generation, name: &Name, installer: &mut Installer) -> bool {
    let apex = name.as_wire();
    let has = generation
        .zone(apex)
        .is_some_and(|zone| zone.event() == EVENT);
    has && installer.remove_zone(apex)
}

/// Takes out all child zones below a zone but those that stay; says how many there were.
/// Looks at every zone of the image.
pub(crate) fn sweep(
    generation: &Generation,
    parent: &[u8],
    stay: &[Child],
    installer: &mut Installer,
) -> u64 {
    let stay: BTreeSet<_> = stay.iter().map(|child| child.apex.as_wire()).collect();
    let (mut count, mut gone) = (0, Vec::new());
    each_child(generation, parent, &mut |zone| {
        count += 1;
        if !stay.contains(zone.apex()) {
            gone.push(zone.apex());
        }
    });
    for apex in gone {
        installer.remove_zone(apex);
    }
    count
}

/// Whether an image has the child zone of this name.
pub(crate) fn has(generation: &Generation, name: &Name) -> bool {
    let zone = generation.zone(name.as_wire());
    zone.is_some_and(|zone| zone.event() == EVENT)
}

#[cfg(test)]
mod tests;
