//! What DNS answers at this moment, and whether that is all that the registry has.

use super::Tone;
use crate::lookup::LastUpdate;
use crate::web::served::{Answered, Served, ServedRecord, ServedZone};
use crate::web::words;

/// What is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::web) struct Dns {
    pub(in crate::web) tone: Tone,
    /// How the name is answered.
    pub(in crate::web) state: &'static str,
    pub(in crate::web) meaning: &'static str,
    pub(in crate::web) records: Vec<ServedRecord>,
    pub(in crate::web) generation: u64,
    pub(in crate::web) zone: Option<ServedZone>,
    /// Whether something that was accepted is not served yet.
    pub(in crate::web) is_behind: bool,
    pub(in crate::web) freshness: String,
}

/// What is served of a host.
pub(in crate::web) fn host(mut served: Served, name: &str, last_update: LastUpdate) -> Dns {
    // A referral has records of others beside those of the host.
    served.records.retain(|record| record.owner == name);
    let is_below = served.answered == Answered::Referral;
    let mut dns = dns(served, last_update);
    if is_below {
        (dns.state, dns.meaning) = match dns.records.is_empty() {
            true => (
                "Below a delegation",
                "Its own name servers know its addresses.",
            ),
            false => (
                "Below a delegation",
                "These addresses are told to whoever is sent there (glue).",
            ),
        };
    }
    dns
}

/// What is served, beside what the registry had at the look-up.
pub(in crate::web) fn dns(served: Served, last_update: LastUpdate) -> Dns {
    let (tone, state, meaning) = match served.answered {
        Answered::Referral => (
            Tone::Good,
            "Delegated",
            "Whoever asks for it is sent to these name servers.",
        ),
        Answered::Answer => (Tone::Good, "Answered", "It is answered with these records."),
        Answered::NoData => (
            Tone::Plain,
            "No address",
            "The name is there; it has none of the records that are shown here.",
        ),
        Answered::Missing => (
            Tone::Plain,
            "Not in DNS",
            "Whoever asks for it is told that there is no such name (NXDOMAIN).",
        ),
        Answered::NotHere => (
            Tone::Plain,
            "Not served here",
            "It is in no zone of this registry; its own name servers answer for it.",
        ),
        Answered::Failed => (
            Tone::Warn,
            "Not answered",
            "The name servers of this registry cannot answer for it at the moment.",
        ),
    };
    let newest = u64::try_from(last_update.event).unwrap_or_default();
    let behind = newest.saturating_sub(served.event);
    let freshness = match behind {
        0 => "All that the registry has accepted is served.".to_owned(),
        _ => {
            let events = words::count(behind, "newer change");
            format!("{events} of the registry will be served within moments; load this page again.")
        }
    };
    Dns {
        tone,
        state,
        meaning,
        records: served.records,
        generation: served.generation,
        zone: served.zone,
        is_behind: behind > 0,
        freshness,
    }
}
