//! What has to be compiled so that the image says what the registry says.
//!
//! A zone's serial goes up with each commit that changes it, and its image knows the
//! event that it stands at; so the two can be compared without reading a record.
//! Zones that have not changed keep their pages.

use std::collections::{BTreeMap, BTreeSet};

use zone_image::{Generation, Name};

/// Segments at which everything is compiled into one. Folding keeps them far below it,
/// even while a large fold takes its time and each publish adds one; this is for an image
/// that cannot be folded.
const SEGMENTS_MAX: usize = 4096;

/// A zone as it is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InstalledZone {
    pub(super) serial: u32,
    pub(super) event: u64,
}

/// What is installed: asked for zones one at a time, since a list of 100,000 takes
/// longer than the change of one of them.
pub(super) trait Installed {
    /// The zone with this apex, in lower case.
    fn zone(&self, apex: &Name) -> Option<InstalledZone>;

    /// Number of zones.
    fn zones_count(&self) -> usize;

    /// Every apex.
    fn apexes(&self) -> Vec<Name>;

    /// Number of segments.
    fn segments_count(&self) -> usize;
}

impl Installed for Generation {
    fn zone(&self, apex: &Name) -> Option<InstalledZone> {
        let zone = self.zone(apex.as_wire())?;
        let (serial, event) = (zone.serial(), zone.event());
        Some(InstalledZone { serial, event })
    }

    fn zones_count(&self) -> usize {
        usize::try_from(self.zones_count()).unwrap_or(usize::MAX)
    }

    fn apexes(&self) -> Vec<Name> {
        self.zones().into_iter().map(|zone| zone.apex).collect()
    }

    fn segments_count(&self) -> usize {
        self.segments_count()
    }
}

/// What the registry has, at one event.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// The event that all this is at.
    pub(super) event: u64,
    /// Each zone that is to be served, with its serial.
    pub(super) zones: BTreeMap<Name, u32>,
    /// The event of each zone's last change, as far back as was asked.
    pub(super) changed: BTreeMap<Name, u64>,
    /// Zones that the compiler refused at this serial: they stay as they are.
    pub(super) refused: BTreeSet<Name>,
    /// Whether the image is of this registry's own history, so that a zone can be
    /// compiled by its changes.
    pub(super) follows: bool,
    /// Child zones of parked names that are installed: they come and go with their parents.
    pub(super) children: u64,
}

impl Wanted {
    /// Whether a zone that is installed, and not wanted itself, is one that was made for a
    /// parked name of a zone that is: no zone of a registry has event 0.
    pub(super) fn is_child(&self, apex: &Name, event: u64) -> bool {
        let is_wanted = |zone: &Name| self.zones.contains_key(zone);
        event == 0 && !is_wanted(apex) && apex.ancestors().any(|above| is_wanted(&above))
    }
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Plan {
    /// The image says what the registry says.
    Nothing,
    /// All zones into a new image that takes over nothing.
    Anew(Vec<Name>),
    /// Some zones beside those that stay.
    Update {
        /// To be compiled.
        compile: Vec<Name>,
        /// To be taken out.
        remove: Vec<Name>,
    },
}

impl Plan {
    pub(super) fn new(wanted: &Wanted, installed: Option<&dyn Installed>) -> Self {
        let is_fit = |apex: &&Name| !wanted.refused.contains(*apex);
        let Some(installed) = installed else {
            return Self::Anew(wanted.zones.keys().filter(is_fit).cloned().collect());
        };
        let compile: Vec<Name> = wanted
            .zones
            .iter()
            .filter(|(apex, serial)| !is_current(apex, **serial, wanted, installed))
            .map(|(apex, _)| apex)
            .filter(is_fit)
            .cloned()
            .collect();
        let remove = to_remove(wanted, installed);
        if compile.is_empty() && remove.is_empty() {
            return Self::Nothing;
        }
        // Only an update keeps the last good pages of a zone that was refused.
        let keeps_refused = wanted
            .refused
            .iter()
            .any(|apex| installed.zone(apex).is_some());
        let is_all = compile.len() == wanted.zones.len();
        let is_all = is_all && !wanted.follows;
        if !keeps_refused && (is_all || installed.segments_count() >= SEGMENTS_MAX) {
            return Self::Anew(wanted.zones.keys().filter(is_fit).cloned().collect());
        }
        Self::Update { compile, remove }
    }
}

/// Zones that are installed and not wanted any more.
fn to_remove(wanted: &Wanted, installed: &dyn Installed) -> Vec<Name> {
    let apexes = wanted.zones.keys();
    let stay = apexes.filter(|apex| installed.zone(apex).is_some()).count();
    if stay as u64 + wanted.children == installed.zones_count() as u64 {
        return Vec::new();
    }
    let mut remove = installed.apexes();
    remove.retain(|apex| {
        let event = installed.zone(apex).map_or(0, |zone| zone.event);
        !wanted.zones.contains_key(apex) && !wanted.is_child(apex, event)
    });
    remove.sort();
    remove
}

fn is_current(apex: &Name, serial: u32, wanted: &Wanted, installed: &dyn Installed) -> bool {
    let changed = wanted.changed.get(apex).copied().unwrap_or_default();
    installed
        .zone(apex)
        // An image from after the registry's last event is of another registry, or of a
        // time that a restore took back.
        .is_some_and(|zone| zone.serial == serial && (changed..=wanted.event).contains(&zone.event))
}

#[cfg(test)]
mod tests;
