//! What the command line is shown of zones that others may have.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use zone_image::{Name, Zone};

use super::{TransferVitals, Vitals};
use crate::transfer::key::parse_name;

/// Most zones that are listed.
const ZONES_MAX: usize = 1000;

/// A zone as it is sent to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SentZone {
    /// Its apex.
    pub apex: String,
    /// The serial that is served.
    pub serial: Option<u32>,
    /// The serial that is sent; it follows the one that is served.
    pub sent: Option<u32>,
    /// The serial from which there are changes.
    pub changes_from: Option<u32>,
    /// How many.
    pub changes: usize,
    /// Notices that are not answered.
    pub unanswered: Vec<NoticeStatus>,
}

/// A notice that is not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct NoticeStatus {
    /// The secondary.
    pub address: SocketAddr,
    /// Of which serial it is told.
    pub serial: u32,
    /// How often it was sent.
    pub sends: u32,
}

impl Vitals {
    /// One zone, or the first ones, as they are sent to others.
    pub(super) fn sent_zones(&self, only: Option<&str>) -> Result<Vec<SentZone>, String> {
        let transfer = self.transfer()?;
        let apexes = match only {
            Some(text) => vec![named(text)?],
            None => {
                let current = self.generations().current();
                let zones = current.first_zones(ZONES_MAX).into_iter();
                zones.map(|zone| zone.apex).collect()
            }
        };
        let zones = apexes.iter().map(|apex| self.sent_zone(transfer, apex));
        let zones: Vec<_> = zones.collect();
        match (only, &zones[..]) {
            (Some(text), [zone]) if zone.serial.is_none() => Err(none(text)),
            _ => Ok(zones),
        }
    }

    /// Has secondaries told of a zone once more.
    pub(super) fn notify(&self, zone: &str) -> Result<Vec<SentZone>, String> {
        let transfer = self.transfer()?;
        let without = "no secondary is named in transfer.notify";
        let notifier = transfer.notifier.as_ref().ok_or(without)?;
        let apex = named(zone)?;
        let head = transfer.history.head();
        let found = head.zone(apex.as_wire()).ok_or_else(|| none(zone))?;
        if !notifier.tell_at_once(found) {
            return Err("too many zones are told of already; try again later".to_owned());
        }
        self.sent_zones(Some(zone))
    }

    fn transfer(&self) -> Result<&TransferVitals, String> {
        let none = "the server sends no zones; see [transfer] in its configuration";
        self.parts.transfer.as_ref().ok_or_else(|| none.to_owned())
    }

    fn sent_zone(&self, transfer: &TransferVitals, apex: &Name) -> SentZone {
        let serial = |zone: Option<Zone<'_>>| zone.map(|zone| zone.serial());
        let (served, head) = (self.generations().current(), transfer.history.head());
        let journal = transfer.history.journal_of(apex);
        let unanswered = transfer.notifier.iter();
        let unanswered = unanswered.flat_map(|notifier| notifier.unanswered(apex));
        SentZone {
            apex: apex.to_string(),
            serial: serial(served.zone(apex.as_wire())),
            sent: serial(head.zone(apex.as_wire())),
            changes_from: journal.map(|(from, _)| from),
            changes: journal.map_or(0, |(_, count)| count),
            unanswered: unanswered
                .map(|notice| NoticeStatus {
                    address: notice.address,
                    serial: notice.serial,
                    sends: notice.sends,
                })
                .collect(),
        }
    }
}

fn named(text: &str) -> Result<Name, String> {
    let name = parse_name(text).map(|name| name.to_lowercase());
    name.ok_or_else(|| format!("{text:?} is not a name"))
}

fn none(zone: &str) -> String {
    format!("no zone {zone} is served; `meridian zone status` lists them")
}
