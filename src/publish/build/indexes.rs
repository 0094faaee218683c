//! What incremental compiles know of zones, kept between builds: of a bounded number, each
//! of one version of its zone.

use std::collections::BTreeMap;

use zone_compiler::compile::change::{IndexDelta, ZoneIndex};
use zone_image::{Generation, Name, Zone};

/// Zones whose counts are kept.
const INDEXES_MAX: usize = 1000;
/// Names of a zone whose counts are made before its first change, so that the change
/// does not wait for a look at every name.
const WARM_NAMES_MIN: u64 = 20_000;

#[derive(Debug, Default)]
pub(super) struct Indexes(BTreeMap<Name, ZoneIndex>);

impl Indexes {
    /// The index of a zone, made where none is kept of this version.
    pub(super) fn take(&mut self, zone: Zone<'_>, apex: &Name) -> ZoneIndex {
        let kept = self.0.remove(apex).filter(|index| index.is_of(zone));
        kept.unwrap_or_else(|| ZoneIndex::of(zone))
    }

    /// Keeps an index, where there is room or after the others are forgotten.
    pub(super) fn put(&mut self, apex: &Name, index: ZoneIndex) {
        if self.0.len() >= INDEXES_MAX {
            self.0.clear();
        }
        self.0.insert(apex.clone(), index);
    }

    pub(super) fn remove(&mut self, apex: &Name) {
        self.0.remove(apex);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// A change is installed, in `image`.
    pub(super) fn follow(&mut self, apex: &Name, delta: IndexDelta, image: &Generation) {
        let zone = image.zone(apex.as_wire());
        if let (Some(index), Some(zone)) = (self.0.get_mut(apex), zone) {
            index.follow(delta, zone);
        }
    }

    /// The same zones stand in other pages.
    pub(super) fn folded(&mut self, before: &Generation, after: &Generation) {
        self.0.retain(|apex, index| {
            let zone = before.zone(apex.as_wire());
            zone.is_some_and(|zone| index.is_of(zone))
        });
        for (apex, index) in &mut self.0 {
            if let Some(zone) = after.zone(apex.as_wire()) {
                index.follow(IndexDelta::default(), zone);
            }
        }
    }

    /// Makes the index of one large zone that has none; says whether there was one.
    pub(super) fn warm(&mut self, image: &Generation, apexes: &[Name]) -> bool {
        if self.0.len() >= INDEXES_MAX {
            return false;
        }
        // Child zones of parked names are small, and may be many.
        let zones = apexes.iter().filter(|apex| !self.0.contains_key(*apex));
        let mut zones = zones.filter_map(|apex| image.zone(apex.as_wire()));
        let Some(zone) = zones.find(|zone| zone.names_count() >= WARM_NAMES_MIN) else {
            return false;
        };
        let (index, info) = (ZoneIndex::of(zone), zone.info());
        let (apex, delegations, bytes) = (info.apex, info.delegations, index.memory_bytes());
        tracing::debug!(zone = %apex, delegations, bytes, "ready for changes");
        self.0.insert(apex, index);
        true
    }
}
