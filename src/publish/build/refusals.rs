//! Zones that a build left as they are, and why.
//!
//! What the compiler refuses would be refused again until the zone changes. What could not
//! be signed may be signed later without a change: a token comes back.

use std::collections::{BTreeMap, BTreeSet};

use zone_image::Name;

/// Refused zones.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// With the serial that each had: the same rows would be refused again.
    serials: BTreeMap<Name, u32>,
    /// Those among them that could not be signed, and why.
    unsigned: BTreeMap<Name, String>,
}

impl Refusals {
    pub(super) fn count(&self) -> usize {
        self.serials.len()
    }

    pub(super) fn has_unsigned(&self) -> bool {
        !self.unsigned.is_empty()
    }

    /// The compiler refuses a zone.
    pub(super) fn refuse(&mut self, apex: &Name, serial: u32) {
        self.serials.insert(apex.clone(), serial);
    }

    /// A zone cannot be signed now.
    pub(super) fn leave_unsigned(&mut self, apex: &Name, serial: u32, error: String) {
        // It is tried again and again: the same reason is news once.
        if self.unsigned.get(apex) != Some(&error) {
            tracing::error!(zone = %apex, serial, error, "zone not signed, it stays as it is");
        }
        self.unsigned.insert(apex.clone(), error);
        self.refuse(apex, serial);
    }

    /// Lets the next build try again what could not be signed.
    pub(super) fn retry_unsigned(&mut self) {
        for apex in self.unsigned.keys() {
            self.serials.remove(apex);
        }
    }

    /// Drops refusals of zones that have changed since or are gone; gives the others.
    pub(super) fn still(&mut self, zones: &BTreeMap<Name, u32>) -> BTreeSet<Name> {
        self.serials
            .retain(|apex, serial| zones.get(apex) == Some(serial));
        self.serials.keys().cloned().collect()
    }

    /// A build is over: what is not refused any more was signed.
    pub(super) fn settle(&mut self) {
        let serials = &self.serials;
        self.unsigned.retain(|apex, reason| {
            let is_so = serials.contains_key(apex);
            if !is_so {
                tracing::info!(zone = %apex, after = reason, "zone can be signed again");
            }
            is_so
        });
    }
}
