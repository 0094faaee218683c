//! Filling the name pages of a zone, on all cores, in the order of the hashes.

use std::ops::Range;
use std::sync::atomic::AtomicBool;

use zone_image::layout::{
    ENTRY_CNAME, ENTRY_DELEGATION, ENTRY_DNAME, ENTRY_PARKED, ENTRY_WILDCARD, ENTRY_WILDCARD_BELOW,
    PAGE_NAMES_FILL, PageKind, PageRef, Part,
};
use zone_image::writer::{NamePageBuilder, SegmentWriter, TreePlan};

use super::classify::{Names, Standing};
use super::fault::Findings;
use super::rrset::{BodyMaker, Rrsets};
use super::shared::SharedBodies;
use super::table::Table;
use super::{CompileError, Progress, Stage};
use crate::record::RecordType;

/// Octets of records that one page takes before it is split.
const PAGE_WEIGHT_MAX: u64 = 256 * 1024;
/// Leaves that one thread fills at a time.
const LEAVES_PER_THREAD: usize = 128;

/// A name that gets an entry.
#[derive(Clone, Copy)]
struct Item {
    hash: u64,
    /// Group of the table, or index among the empty non-terminals.
    source: ItemSource,
}

#[derive(Clone, Copy)]
enum ItemSource {
    Group(u32),
    Empty(u32),
}

/// The input of the pages of one zone.
pub(crate) struct ZonePages<'t> {
    pub(crate) table: &'t Table,
    pub(crate) names: &'t Names,
    pub(crate) apex: &'t [u8],
    pub(crate) shared: &'t SharedBodies,
    pub(crate) used: &'t [AtomicBool],
    pub(crate) negative_ttl: u32,
}

/// What writing the pages came to.
pub(crate) struct WrittenPages {
    pub(crate) root: PageRef,
    pub(crate) names: u64,
    pub(crate) records: u64,
    pub(crate) depths: u128,
    pub(crate) apex_flags: u8,
    pub(crate) faults: Findings,
    pub(crate) warnings: Findings,
}

/// One filled page and what came up while filling it.
struct Filled {
    page: Vec<u8>,
    records: u64,
    faults: Findings,
    warnings: Findings,
}

impl<'t> ZonePages<'t> {
    pub(crate) fn write(
        &self,
        segment: &mut SegmentWriter,
        progress: &dyn Fn(Progress),
    ) -> Result<WrittenPages, CompileError> {
        let items = self.items();
        let keys: Vec<u64> = items.iter().map(|item| item.hash).collect();
        let weights = self.weights(&items);
        let plan = TreePlan::new(&keys, |range| {
            let weight = weights[range.end] - weights[range.start];
            range.len() <= 1 || range.len() <= PAGE_NAMES_FILL && weight <= PAGE_WEIGHT_MAX
        })?;
        let mut written = WrittenPages {
            root: PageRef::NONE,
            names: items.len() as u64,
            records: 0,
            depths: self.depths(&items),
            apex_flags: self.apex_flags(),
            faults: Findings::default(),
            warnings: Findings::default(),
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut leaves = Vec::with_capacity(plan.leaves().len());
        for window in plan.leaves().chunks(threads * LEAVES_PER_THREAD) {
            for filled in self.fill_window(&items, window)? {
                leaves.push(segment.append(PageKind::Names, &filled.page)?);
                written.records += filled.records;
                written.faults.extend(filled.faults);
                written.warnings.extend(filled.warnings);
            }
            let done = window.last().map_or(0, |range| range.end as u64);
            progress(Progress {
                stage: Stage::Pages,
                done,
                total: items.len() as u64,
            });
        }
        written.root = plan.write(&leaves, segment)?;
        Ok(written)
    }

    /// Every name that gets an entry, by hash.
    fn items(&self) -> Vec<Item> {
        let standing = &self.names.standing;
        let index = |index| u32::try_from(index).expect("fewer than 2^32 names");
        let mut items: Vec<Item> = (0..standing.len())
            .filter(|group| {
                matches!(
                    standing[*group],
                    Standing::Authoritative | Standing::Delegation
                )
            })
            .map(|group| Item {
                hash: self.table.hash_of(group),
                source: ItemSource::Group(index(group)),
            })
            .collect();
        items.extend(self.names.empty.iter().enumerate().map(|(at, name)| Item {
            hash: self.table.seed.hash(name),
            source: ItemSource::Empty(index(at)),
        }));
        // Nearly sorted already: the groups are.
        items.sort_by_key(|item| item.hash);
        items
    }

    /// Octets of records before each item, and in all at the end.
    fn weights(&self, items: &[Item]) -> Vec<u64> {
        let mut sum = 0;
        let mut weights = Vec::with_capacity(items.len() + 1);
        weights.push(0);
        for item in items {
            if let ItemSource::Group(group) = item.source {
                let records = self.table.records(group as usize);
                sum += records
                    .map(|record| record.rdata.len() as u64 + 14)
                    .sum::<u64>();
            }
            weights.push(sum);
        }
        weights
    }

    fn owner(&self, item: &Item) -> &'t [u8] {
        match item.source {
            ItemSource::Group(group) => self.table.owner(group as usize),
            ItemSource::Empty(at) => &self.names.empty[at as usize],
        }
    }

    fn depths(&self, items: &[Item]) -> u128 {
        let labels = |name: &[u8]| super::table::lookup_name(name).labels();
        let apex = labels(self.apex);
        items.iter().fold(0, |mask, item| {
            mask | 1 << (labels(self.owner(item)) - apex)
        })
    }

    fn apex_flags(&self) -> u8 {
        let group = self
            .table
            .find(self.apex)
            .expect("a zone without SOA was refused");
        self.flags(self.apex, Some(group))
    }

    fn flags(&self, owner: &[u8], group: Option<usize>) -> u8 {
        let below = if self.names.wildcard_parents.contains(owner) {
            ENTRY_WILDCARD_BELOW
        } else {
            0
        };
        below | own_flags(self.table, self.names, owner, group)
    }

    fn fill_window(
        &self,
        items: &[Item],
        leaves: &[Range<usize>],
    ) -> Result<Vec<Filled>, CompileError> {
        let fill = |leaves: &[Range<usize>]| -> Result<Vec<Filled>, CompileError> {
            leaves
                .iter()
                .map(|range| self.fill(&items[range.clone()]))
                .collect()
        };
        if leaves.len() <= 1 {
            return fill(leaves);
        }
        std::thread::scope(|scope| {
            let threads = std::thread::available_parallelism().map_or(1, usize::from);
            let chunks = leaves.chunks(leaves.len().div_ceil(threads));
            let workers: Vec<_> = chunks
                .map(|chunk| scope.spawn(move || fill(chunk)))
                .collect();
            let mut filled = Vec::with_capacity(leaves.len());
            for worker in workers {
                filled.extend(worker.join().expect("filling a page does not panic")?);
            }
            Ok(filled)
        })
    }

    fn fill(&self, items: &[Item]) -> Result<Filled, CompileError> {
        let mut page = NamePageBuilder::default();
        let mut maker = BodyMaker {
            table: self.table,
            names: self.names,
            apex: self.apex,
            used: self.used,
            negative_ttl: self.negative_ttl,
            faults: Findings::default(),
            warnings: Findings::default(),
        };
        let mut records = 0;
        for item in items {
            let owner = self.owner(item);
            let relative = &owner[..owner.len() - self.apex.len()];
            let group = match item.source {
                ItemSource::Group(group) => Some(group as usize),
                ItemSource::Empty(_) => None,
            };
            let flags = self.flags(owner, group);
            page.entry(item.hash, flags, relative);
            match group {
                Some(group) if flags & ENTRY_DELEGATION != 0 => {
                    records += self.delegation(&mut page, &mut maker, group);
                }
                Some(group) => {
                    for (rtype, part, body) in maker.authoritative(group) {
                        page.body(rtype.0, part, &body);
                        records += u64::from(body.records);
                    }
                }
                None => {}
            }
        }
        let BodyMaker {
            faults, warnings, ..
        } = maker;
        Ok(Filled {
            page: page.finish()?,
            records,
            faults,
            warnings,
        })
    }

    /// Adds the bodies of a cut to its entry; returns how many records they hold.
    fn delegation(
        &self,
        page: &mut NamePageBuilder,
        maker: &mut BodyMaker<'t>,
        group: usize,
    ) -> u64 {
        let owner = self.table.owner(group);
        let rrsets = Rrsets::of(self.table, group, &mut maker.warnings);
        let Some(set) = rrsets.get(RecordType::NS) else {
            return 0;
        };
        let ns = RecordType::NS.0;
        let mut records = 0;
        if let Some(shared) = self.shared.find(owner, set) {
            let parts = [
                (Part::Records, Some(shared.records)),
                (Part::SiblingGlue, shared.sibling),
            ];
            for (part, number) in parts {
                if let Some(number) = number {
                    let body = self.shared.body(number);
                    page.shared(ns, part, number, body);
                    records += u64::from(body.records);
                }
            }
        } else {
            for (rtype, part, body) in maker.private_delegation(owner, set) {
                page.body(rtype.0, part, &body);
                records += u64::from(body.records);
            }
        }
        for (rtype, part, body) in maker.delegation_extras(owner, &rrsets) {
            page.body(rtype.0, part, &body);
            records += u64::from(body.records);
        }
        records
    }
}

/// Flags of an entry that its own name and records decide.
pub(crate) fn own_flags(table: &Table, names: &Names, owner: &[u8], group: Option<usize>) -> u8 {
    let flag = |holds: bool, flag: u8| if holds { flag } else { 0 };
    let has = |rtype| group.is_some_and(|group| table.has(group, rtype));
    let delegation = group.is_some_and(|group| names.standing[group] == Standing::Delegation);
    let parked = |group| names.parking.holds(table, group);
    flag(delegation, ENTRY_DELEGATION)
        | flag(delegation && group.is_some_and(parked), ENTRY_PARKED)
        | flag(!delegation && has(RecordType::DNAME), ENTRY_DNAME)
        | flag(!delegation && has(RecordType::CNAME), ENTRY_CNAME)
        | flag(owner.starts_with(b"\x01*"), ENTRY_WILDCARD)
}
