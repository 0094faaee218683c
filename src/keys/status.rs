//! What can be seen of the keys that a server looks after.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::machine::Step;
use super::offline::Ahead;
use crate::registry::command::keys::ZoneKeys;
use crate::registry::signing::State;
use crate::registry::types::AnyName;

/// One record of a key: tag of the key, its role, the record, the state.
pub type RecordState = (u16, &'static str, &'static str, State);

/// One zone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ZoneStatus {
    /// States of the records of its keys.
    pub records: Vec<RecordState>,
    /// Seconds for which every signature that is served is good; negative when some are
    /// not any more.
    pub signatures_expire_seconds: Option<i64>,
    /// DS records that the parent is waited for.
    pub awaits_parent: usize,
    /// What was signed ahead on another machine, where some of it was to be.
    pub ahead: Option<Ahead>,
}

impl ZoneStatus {
    pub(super) fn new(keys: &ZoneKeys, step: &Step) -> Self {
        let mut records = Vec::new();
        for key in &step.timeline.keys {
            let tag = keys.key(key.id).map_or(0, |info| info.key_tag);
            for kind in key.role.records() {
                records.push((tag, key.role.name(), kind.name(), key.record(kind).state));
            }
        }
        Self {
            records,
            signatures_expire_seconds: None,
            awaits_parent: step.parent.len(),
            ahead: None,
        }
    }
}

/// All zones, shared with whoever asks.
#[derive(Debug, Default)]
pub struct KeysState {
    zones: Mutex<BTreeMap<AnyName, ZoneStatus>>,
}

impl KeysState {
    /// All zones as they are.
    pub fn zones(&self) -> BTreeMap<AnyName, ZoneStatus> {
        self.lock().clone()
    }

    pub(super) fn set(&self, apex: AnyName, status: ZoneStatus) {
        let mut zones = self.lock();
        let before = zones.remove(&apex).unwrap_or_default();
        let status = ZoneStatus {
            signatures_expire_seconds: before.signatures_expire_seconds,
            ahead: before.ahead,
            ..status
        };
        zones.insert(apex, status);
    }

    pub(super) fn expire(&self, apex: &AnyName, seconds: i64) {
        if let Some(zone) = self.lock().get_mut(apex) {
            zone.signatures_expire_seconds = Some(seconds);
        }
    }

    pub(super) fn ahead(&self, apex: &AnyName, ahead: Option<Ahead>) {
        self.lock().entry(apex.clone()).or_default().ahead = ahead;
    }

    pub(super) fn keep_only<'n>(&self, apexes: impl Iterator<Item = &'n AnyName>) {
        let kept: std::collections::BTreeSet<_> = apexes.collect();
        self.lock().retain(|apex, _| kept.contains(apex));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<AnyName, ZoneStatus>> {
        // What it holds is whole at every moment.
        self.zones.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
