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
use crate::source::{ChangeSource, SourceError};

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
        let changed = changed.names;
        let count = (changed.len() + self.due.names.len()) as u64;
        if count > FEW_NAMES && count > names / WHOLE_SHARE {
            return Ok(Err("most of the zone changed"));
        }
        self.entry(self.zone.apex())?;
        for name in changed.iter().chain(&self.due.names.clone()) {
            self.entry(name.as_wire())?;
        }
        for name in &changed {
            self.cut(name)?;
        }
        for name in &changed {
            self.dependants(name)?;
        }
        for user in self.touched.clone().into_values() {
            self.read_with_hosts(&user)?;
        }
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
        }))
    }

    /// A name that is to be made anew.
    fn entry(&mut self, owner: &[u8]) -> Result<(), SourceError> {
        if self.entries.insert(owner.into()) {
            self.has_dname |= self.old_flags(owner) & ENTRY_DNAME != 0;
            self.read_with_hosts(owner)?;
        }
        Ok(())
    }

    fn old_flags(&self, owner: &[u8]) -> u8 {
        let is_inside = at_or_below(owner, self.zone.apex());
        let entry = is_inside.then(|| self.zone.find(owner)).flatten();
        entry.map_or(0, |entry| entry.flags())
    }

    /// What signing makes anew besides.
    fn neighbours(&mut self) -> Result<(), SourceError> {
        let apex = self.zone.apex();
        for host in self.targets(apex).to_vec() {
            if at_or_below(&host, apex) {
                self.entry(&host)?;
            }
        }
        if self.zone.denial() == Denial::Nsec {
            for owner in self.entries.clone() {
                if let Some(relative) = owner.strip_suffix(apex)
                    && let Some(before) = self.zone.nsec_before(relative)
                {
                    self.entry(before.name().as_wire())?;
                }
            }
        }
        Ok(())
    }

    /// Where a delegation comes or goes, what is below it becomes another thing.
    fn cut(&mut self, name: &Name) -> Result<(), SourceError> {
        let owner = name.as_wire();
        let was = self.old_flags(owner) & ENTRY_DELEGATION != 0;
        let is = !self.targets(owner).is_empty();
        if was != is && *owner != *self.zone.apex() {
            for below in self.source.names_below(name)? {
                self.entry(below.as_wire())?;
            }
        }
        Ok(())
    }

    /// The delegations to a host that may have other addresses now.
    fn dependants(&mut self, host: &Name) -> Result<(), SourceError> {
        for name in self.source.delegations_to(host)? {
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
                None => self.entry(owner)?,
            }
        }
        Ok(())
    }

    fn shared_set(&self, owner: &[u8]) -> Option<u32> {
        shared_set(self.zone, owner)
    }

    fn targets(&self, owner: &[u8]) -> &[Box<[u8]>] {
        self.read.get(owner).map_or(&[], Vec::as_slice)
    }

    fn read_with_hosts(&mut self, owner: &[u8]) -> Result<(), SourceError> {
        self.read_with_ancestors(owner)?;
        for host in self.targets(owner).to_vec() {
            if at_or_below(&host, self.zone.apex()) {
                self.read_with_ancestors(&host)?;
            }
        }
        Ok(())
    }

    fn read_with_ancestors(&mut self, owner: &[u8]) -> Result<(), SourceError> {
        self.read(owner)?;
        let (name, apex) = (lookup_name(owner), self.zone.apex_labels());
        for labels in apex..name.labels() {
            self.read(name.suffix(labels))?;
        }
        Ok(())
    }

    /// Reads the records of one name, once.
    fn read(&mut self, owner: &[u8]) -> Result<(), SourceError> {
        if self.read.contains_key(owner) {
            return Ok(());
        }
        let mut targets = Vec::new();
        let name = Name::from_wire(owner).expect("names come from names");
        let (table, has_dname) = (&mut self.table, &mut self.has_dname);
        let (is_signed, at_apex) = (self.signed.is_some(), *owner == *self.zone.apex());
        self.source.records_of(&name, &mut |record| {
            if is_signed && is_of_signer(record.rtype, at_apex) {
                return;
            }
            if record.rtype == RecordType::NS {
                targets.push(record.rdata.to_ascii_lowercase().into());
            }
            *has_dname |= record.rtype == RecordType::DNAME;
            table.push(&record);
        })?;
        self.read.insert(owner.into(), targets);
        Ok(())
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
