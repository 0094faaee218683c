//! What DNS answers, as whoever knows it hands it in.

use crate::lookup::QueryName;

/// Asks DNS for a name: a call without waiting.
pub type DnsSource = Box<dyn Fn(&QueryName) -> Served + Send + Sync>;

/// What is answered for a name at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// Number of the generation that answered.
    pub generation: u64,
    /// The event up to which all that was accepted is in it.
    pub event: u64,
    /// The zone that has the name.
    pub zone: Option<ServedZone>,
    /// How it is answered.
    pub answered: Answered,
    /// NS, DS, A and AAAA, in that order and each once.
    pub records: Vec<ServedRecord>,
}

/// A zone that is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedZone {
    /// Its apex, without its final dot.
    pub apex: String,
    /// Serial of its SOA.
    pub serial: u32,
}

/// How a name is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// By a referral to its own servers.
    Referral,
    /// By records of ours.
    Answer,
    /// It is there, without such records.
    NoData,
    /// It is not there.
    Missing,
    /// No zone here has it.
    NotHere,
    /// With an error.
    Failed,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedRecord {
    /// Its name, without its final dot.
    pub owner: String,
    /// Seconds.
    pub ttl: u32,
    /// Such as `NS`.
    pub rtype: String,
    /// As in a zone file.
    pub data: String,
}
