//! Reading the records that an incremental compile needs, and deciding which names it
//! has to make anew.
//!
//! Made anew are the changed names and the apex; the delegations whose glue may differ,
//! since one of their hosts changed; the names below a delegation that came or went. Of
//! delegations that share their NS set only one is read. Beside them stand the
//! ancestors of each of these names and the hosts of its NS, which are read only. Where
//! we sign, the apex brings along the hosts of its NS, whose signatures stand with it,
//! and with NSEC each name the one before it, which may name another next one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use zone_image::layout::{Denial, ENTRY_DELEGATION, ENTRY_DNAME, Part};
use zone_image::{Name, Seed, StoredBody, Zone};

use super::signed::{Due, SignedZone};
use crate::compile::shared::at_or_below;
use crate::compile::signer::is_of_signer;
use crate::compile::table::{Table, lookup_name};
use crate::record::RecordType;
use crate::source::{ChangeSource, NAMES_MAX, SourceError};

/// Beyond this share of its names a zone is compiled whole: that is faster then, and
/// packs its pages again.
const WHOLE_SHARE: u64 = 4;
/// Changed names that are always few.
const FEW_NAMES: u64 = 1000;

/// What was read.
pub(super) struct Gathered {
    /// Not grouped yet.
    pub(super) table: Table,
    /// The names to be made anew, lower-case wire format.
    pub(super) entries: BTreeSet<Box<[u8]>>,
    /// Shared NS sets whose glue may differ, each with one of its users.
    pub(super) touched: BTreeMap<u32, Box<[u8]>>,
    /// Hashes of NSEC3 whose signatures get old.
    pub(super) due: BTreeSet<[u8; 20]>,
    /// Whether signatures were to be looked at.
    pub(super) resigns: bool,
}

/// Why a zone has to be compiled whole.
type Whole = &'static str;

pub(super) struct Gather<'w> {
    source: &'w mut dyn ChangeSource,
    zone: Zone<'w>,
    /// Shared NS sets that are given up.
    dissolved: &'w BTreeSet<u32>,
    table: Table,
    entries: BTreeSet<Box<[u8]>>,
    touched: BTreeMap<u32, Box<[u8]>>,
    /// The names that were read, with the NS targets of each.
    read: HashMap<Box<[u8]>, Vec<Box<[u8]>>>,
    has_dname: bool,
    signed: Option<&'w SignedZone<'w>>,
    due: Due,
}

impl<'w> Gather<'w> {
    pub(super) fn new(
        source: &'w mut dyn ChangeSource,
        zone: Zone<'w>,
        seed: Seed,
        dissolved: &'w BTreeSet<u32>,
        signed: Option<&'w SignedZone<'w>>,
    ) -> Self {
        Self {
            source,
            zone,
            dissolved,
            table: Table::new(seed),
            entries: BTreeSet::new(),
            touched: BTreeMap::new(),
            read: HashMap::new(),
            has_dname: false,
            signed,
            due: Due::default(),
        }
    }

    pub(super) fn run(mut self) -> Result<Result<Gathered, Whole>, SourceError> {
        let Some(changed) = self.source.changed()? else {
            return Ok(Err("the whole zone may have changed"));
        };
        let names = self.zone.info().names;
        if let Some(signed) = self.signed.filter(|_| changed.resigns) {
            self.due = signed.due();
        }
        let resigns = changed.resigns;
        let changed = changed.names;
        let count = (changed.len() + self.due.names.len()) as u64;
        if count > FEW_NAMES && count > names / WHOLE_SHARE {
            return Ok(Err("most of the zone changed"));
        }
        let mut names = vec![Box::from(self.zone.apex())];
        let due = self.due.names.iter();
        names.extend(changed.iter().chain(due).map(|name| name.as_wire().into()));
        self.make_anew(names)?;
        let changed: Vec<_> = changed.into_iter().collect();
        self.cuts(&changed)?;
        self.dependants(&changed)?;
        self.read_with_hosts(self.touched.values().cloned().collect())?;
        if self.signed.is_some() {
            self.neighbours()?;
        }
        if self.has_dname {
            return Ok(Err("a DNAME decides what is below it"));
        }
        Ok(Ok(Gathered {
            table: self.table,
            entries: self.entries,
            touched: self.touched,
            due: self.due.proofs,
            resigns,
        }))
    }

    /// Names that are to be made anew.
    fn make_anew(&mut self, owners: Vec<Box<[u8]>>) -> Result<(), SourceError> {
        let mut new = owners;
        new.retain(|owner| self.entries.insert(owner.clone()));
        for owner in &new {
            self.has_dname |= self.old_flags(owner) & ENTRY_DNAME != 0;
        }
        self.read_with_hosts(new)
    }

    fn old_flags(&self, owner: &[u8]) -> u8 {
        let is_inside = at_or_below(owner, self.zone.apex());
        let entry = is_inside.then(|| self.zone.find(owner)).flatten();
        entry.map_or(0, |entry| entry.flags())
    }

    /// What signing makes anew besides.
    fn neighbours(&mut self) -> Result<(), SourceError> {
        let apex = self.zone.apex();
        let mut hosts = self.targets(apex).to_vec();
        hosts.retain(|host| at_or_below(host, apex));
        self.make_anew(hosts)?;
        if self.zone.denial() == Denial::Nsec {
            let before = self.entries.iter().filter_map(|owner| {
                let before = self.zone.nsec_before(owner.strip_suffix(apex)?)?;
                Some(before.name().as_wire().into())
            });
            let before = before.collect();
            self.make_anew(before)?;
        }
        Ok(())
    }

    /// Where a delegation comes or goes, what is below it becomes another thing.
    fn cuts(&mut self, changed: &[Name]) -> Result<(), SourceError> {
        let mut cuts = changed.to_vec();
        cuts.retain(|name| {
            let owner = name.as_wire();
            let was = self.old_flags(owner) & ENTRY_DELEGATION != 0;
            was == self.targets(owner).is_empty() && *owner != *self.zone.apex()
        });
        for cuts in cuts.chunks(NAMES_MAX) {
            let below = self.source.names_below(cuts)?;
            self.make_anew(below.iter().map(|name| name.as_wire().into()).collect())?;
        }
        Ok(())
    }

    /// The delegations to hosts that may have other addresses now.
    fn dependants(&mut self, changed: &[Name]) -> Result<(), SourceError> {
        for hosts in changed.chunks(NAMES_MAX) {
            let mut alone = Vec::new();
            for name in self.source.delegations_to(hosts)? {
                let owner = name.as_wire();
                if self.entries.contains(owner) {
                    continue;
                }
                match self
                    .shared_set(owner)
                    .filter(|set| !self.dissolved.contains(set))
                {
                    Some(number) => {
                        self.touched.entry(number).or_insert_with(|| owner.into());
                    }
                    None => alone.push(owner.into()),
                }
            }
            self.make_anew(alone)?;
        }
        Ok(())
    }

    fn shared_set(&self, owner: &[u8]) -> Option<u32> {
        shared_set(self.zone, owner)
    }

    fn targets(&self, owner: &[u8]) -> &[Box<[u8]>] {
        self.read.get(owner).map_or(&[], Vec::as_slice)
    }

    /// Reads names with their ancestors, then the hosts of their NS records likewise.
    fn read_with_hosts(&mut self, owners: Vec<Box<[u8]>>) -> Result<(), SourceError> {
        self.read_with_ancestors(&owners)?;
        let hosts = owners.iter().flat_map(|owner| self.targets(owner));
        let inside = hosts.filter(|host| at_or_below(host, self.zone.apex()));
        let inside: Vec<_> = inside.cloned().collect();
        self.read_with_ancestors(&inside)
    }

    fn read_with_ancestors(&mut self, owners: &[Box<[u8]>]) -> Result<(), SourceError> {
        let apex = self.zone.apex_labels();
        let mut wanted = BTreeSet::new();
        for owner in owners {
            wanted.insert(owner.clone());
            let name = lookup_name(owner);
            wanted.extend((apex..name.labels()).map(|labels| name.suffix(labels).into()));
        }
        wanted.retain(|owner| !self.read.contains_key(owner));
        let names = wanted
            .iter()
            .map(|owner| Name::from_wire(owner).expect("names come from names"));
        let names: Vec<_> = names.collect();
        for names in names.chunks(NAMES_MAX) {
            self.read(names)?;
        }
        for owner in wanted {
            self.read.entry(owner).or_default();
        }
        Ok(())
    }

    /// Reads the records of names that were not read yet.
    fn read(&mut self, names: &[Name]) -> Result<(), SourceError> {
        let (table, targets) = (&mut self.table, &mut self.read);
        let (is_signed, apex) = (self.signed.is_some(), self.zone.apex());
        let has_dname = &mut self.has_dname;
        self.source.records_of(names, &mut |record| {
            let owner = record.owner.as_wire();
            if is_signed && is_of_signer(record.rtype, *owner == *apex) {
                return;
            }
            if record.rtype == RecordType::NS {
                let target = record.rdata.to_ascii_lowercase().into();
                targets.entry(owner.into()).or_default().push(target);
            }
            *has_dname |= record.rtype == RecordType::DNAME;
            table.push(&record);
        })
    }
}

/// The number of the shared NS set of a delegation that has one.
pub(super) fn shared_set(zone: Zone<'_>, owner: &[u8]) -> Option<u32> {
    if !at_or_below(owner, zone.apex()) {
        return None;
    }
    zone.find(owner)?
        .stored_bodies()
        .find_map(|body| match body {
            (2, Part::Records, StoredBody::Shared(number)) => Some(number),
            _ => None,
        })
}
