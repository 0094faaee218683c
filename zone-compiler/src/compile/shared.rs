//! NS sets that many delegations share are stored once.
//!
//! A delegation to a large host then costs a number instead of a hundred octets,
//! and renaming the host changes one page. The price is one more page to touch
//! in an answer, which for popular sets is in the cache.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use zone_image::WriteError;
use zone_image::layout::{PageKind, PageRef, Part, SHARED_PAGE_BODIES};
use zone_image::writer::{BodyBytes, SegmentWriter, SharedPageBuilder, TreePlan};

use super::classify::Standing;
use super::encode::Scope;
use super::rrset::{BodyMaker, Rrset, Rrsets};
use crate::record::RecordType;

/// Fewest delegations that share an NS set for it to be stored apart.
pub(crate) const SHARE_MIN: u32 = 4;

/// The shared bodies of a zone, numbered from 0.
#[derive(Default)]
pub(crate) struct SharedBodies {
    by_set: HashMap<u64, SharedSet>,
    bodies: Vec<(Part, BodyBytes)>,
}

/// An NS set that is stored apart: the numbers of its bodies.
#[derive(Clone, Copy)]
pub(crate) struct SharedSet {
    pub(crate) records: u32,
    pub(crate) sibling: Option<u32>,
}

/// Identifies an NS set with its TTL. Two sets of one zone with one hash would
/// need 2^32 sets; the compile checks contents again where it matters.
pub(crate) fn set_hash(set: &Rrset<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    set.ttl.hash(&mut hasher);
    set.rdata.hash(&mut hasher);
    hasher.finish()
}

/// Whether no host of the set lies at or below the delegation itself.
pub(crate) fn is_shareable(owner: &[u8], set: &Rrset<'_>) -> bool {
    !set.rdata
        .iter()
        .any(|host| at_or_below(&host.to_ascii_lowercase(), owner))
}

/// Whether the lower-case name `name` is `ancestor` or lies below it.
pub(crate) fn at_or_below(name: &[u8], ancestor: &[u8]) -> bool {
    let Some(start) = name.len().checked_sub(ancestor.len()) else {
        return false;
    };
    let mut at = 0;
    while at < start {
        at += 1 + usize::from(name[at]);
    }
    at == start && name[at..] == *ancestor
}

impl SharedBodies {
    /// Finds the NS sets that enough delegations share, and encodes them.
    pub(crate) fn collect(maker: &mut BodyMaker<'_>) -> Self {
        let mut counts: HashMap<u64, u32> = HashMap::new();
        let delegations = |maker: &BodyMaker<'_>| {
            let standing = &maker.names.standing;
            let groups = (0..standing.len()).filter(|g| standing[*g] == Standing::Delegation);
            groups.collect::<Vec<_>>()
        };
        let groups = delegations(maker);
        for &group in &groups {
            let rrsets = Rrsets::of(maker.table, group, &mut Default::default());
            if let Some(set) = rrsets.get(RecordType::NS)
                && is_shareable(maker.table.owner(group), set)
            {
                *counts.entry(set_hash(set)).or_default() += 1;
            }
        }
        let mut shared = Self::default();
        for &group in &groups {
            let rrsets = Rrsets::of(maker.table, group, &mut Default::default());
            if let Some(set) = rrsets.get(RecordType::NS)
                && is_shareable(maker.table.owner(group), set)
            {
                let hash = set_hash(set);
                let popular = counts.get(&hash).is_some_and(|count| *count >= SHARE_MIN);
                if popular && !shared.by_set.contains_key(&hash) {
                    shared.add(maker, maker.table.owner(group), hash, set);
                }
            }
        }
        shared
    }

    fn add<'t>(&mut self, maker: &mut BodyMaker<'t>, owner: &[u8], hash: u64, set: &Rrset<'t>) {
        let scope = Scope {
            owner,
            apex: maker.apex,
            point_to_owner: false,
        };
        let (body, targets) = maker.encode(scope, RecordType::NS, set);
        let glue = maker.glue(scope, set, &targets, |_| false);
        let records = self.push(Part::Records, body);
        let sibling = glue.sibling.map(|body| self.push(Part::SiblingGlue, body));
        self.by_set.insert(hash, SharedSet { records, sibling });
    }

    fn push(&mut self, part: Part, body: BodyBytes) -> u32 {
        self.bodies.push((part, body));
        u32::try_from(self.bodies.len() - 1).expect("fewer shared bodies than records")
    }

    /// The shared form of an NS set, if it has one and may be used by `owner`.
    pub(crate) fn find(&self, owner: &[u8], set: &Rrset<'_>) -> Option<SharedSet> {
        let shared = self.by_set.get(&set_hash(set)).copied()?;
        is_shareable(owner, set).then_some(shared)
    }

    pub(crate) fn body(&self, number: u32) -> &BodyBytes {
        &self.bodies[number as usize].1
    }

    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.bodies.len()).expect("fewer shared bodies than records")
    }

    /// Writes the shared pages and the tree over them; returns its root.
    pub(crate) fn write(&self, segment: &mut SegmentWriter) -> Result<PageRef, WriteError> {
        let mut pages = Vec::new();
        for (number, bodies) in (0u32..).zip(self.bodies.chunks(SHARED_PAGE_BODIES as usize)) {
            let mut page = SharedPageBuilder::default();
            for (part, body) in bodies {
                page.body(RecordType::NS.0, *part, body);
            }
            let reference = segment.append(PageKind::Shared, &page.finish(number)?)?;
            pages.push((zone_image::layout::shared_key(number), reference));
        }
        pages.sort_by_key(|(key, _)| *key);
        let (keys, references): (Vec<_>, Vec<_>) = pages.into_iter().unzip();
        TreePlan::new(&keys, |range| range.len() <= 1)?.write(&references, segment)
    }
}
