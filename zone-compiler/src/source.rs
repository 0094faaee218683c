//! Where a compile takes its records from: a registry database, a zone file,
//! later an incoming transfer. All feed the same compile.

use std::collections::BTreeSet;

use zone_image::Name;

use crate::{Record, RecordType};

/// What went wrong while reading a source; its text names the place.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// The child zone that a zone's parked names have in common: what the registry's parking
/// servers answer for a delegation to exactly them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parking {
    /// The parking servers, lower case.
    pub servers: BTreeSet<Name>,
    /// Its records, SOA included, NS apart.
    pub records: Vec<ParkedRecord>,
    /// Whether each parked name gets a DS and a signed zone of its own, where the zone is
    /// signed.
    pub is_signed: bool,
    /// Whether it is only until caches have forgotten their DS, which are gone.
    pub is_withdrawn: bool,
}

/// A record that every parked name has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedRecord {
    /// Whether it is what a wildcard below the name makes, not of the name itself.
    pub is_below: bool,
    /// Type.
    pub rtype: RecordType,
    /// Time to live. The SOA's is also how long a miss is cached.
    pub ttl: u32,
    /// RDATA.
    pub rdata: Box<[u8]>,
}

/// One zone as a stream of records in any order.
pub trait ZoneSource {
    /// The zone's apex.
    fn apex(&self) -> &Name;

    /// The registry event this snapshot stands at; 0 for a source without events.
    fn event(&self) -> u64;

    /// How many records are to be expected, for progress; 0 where not known.
    fn records_expected(&self) -> u64 {
        0
    }

    /// What parked names of the zone are answered with, if it parks any.
    fn parking(&mut self) -> Result<Option<Parking>, SourceError> {
        Ok(None)
    }

    /// Hands every record of the zone to `sink`, in any order, all from one snapshot.
    /// The first error of either side ends it.
    fn for_each(
        &mut self,
        sink: &mut dyn FnMut(Record) -> Result<(), SourceError>,
    ) -> Result<(), SourceError>;
}

/// What may have changed of a zone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangedNames {
    /// Every owner name whose records may be other than they were.
    pub names: BTreeSet<Name>,
    /// Whether every signature is to be looked at, and made anew where it gets old.
    pub resigns: bool,
}

/// Names that a [`ChangeSource`] is asked for at once.
pub const NAMES_MAX: usize = 1000;

/// What changed of a zone, and how it is now, all from one snapshot: a registry between
/// two events, later a zone file beside the one before, or an incoming transfer.
///
/// Names are lower case. Those that are asked for together are, since a source may be far
/// away; whoever asks asks for at most [`NAMES_MAX`].
pub trait ChangeSource {
    /// The zone's apex.
    fn apex(&self) -> &Name;

    /// The event that the zone is at now.
    fn event(&self) -> u64;

    /// What may be other than it was; `None` where that is not known, or is the whole
    /// zone.
    fn changed(&mut self) -> Result<Option<ChangedNames>, SourceError>;

    /// What parked names of the zone are answered with, as for [`ZoneSource::parking`].
    fn parking(&mut self) -> Result<Option<Parking>, SourceError> {
        Ok(None)
    }

    /// Hands the records of these owners to `sink`; none of one that has none.
    fn records_of(
        &mut self,
        owners: &[Name],
        sink: &mut dyn FnMut(Record),
    ) -> Result<(), SourceError>;

    /// The delegations whose NS records name one of these hosts.
    fn delegations_to(&mut self, hosts: &[Name]) -> Result<Vec<Name>, SourceError>;

    /// The owners of addresses and of the zone's own data below names that are, or were,
    /// delegations.
    fn names_below(&mut self, cuts: &[Name]) -> Result<Vec<Name>, SourceError>;
}

/// A zone that is in memory already.
#[derive(Debug, Clone)]
pub struct RecordList {
    apex: Name,
    event: u64,
    records: Vec<Record>,
    parking: Option<Parking>,
}

impl RecordList {
    /// A zone of these records.
    pub fn new(apex: Name, event: u64, records: Vec<Record>) -> Self {
        Self {
            apex,
            event,
            records,
            parking: None,
        }
    }

    /// The same zone, which parks names.
    pub fn with_parking(self, parking: Option<Parking>) -> Self {
        Self { parking, ..self }
    }
}

impl ZoneSource for RecordList {
    fn apex(&self) -> &Name {
        &self.apex
    }

    fn event(&self) -> u64 {
        self.event
    }

    fn records_expected(&self) -> u64 {
        self.records.len() as u64
    }

    fn parking(&mut self) -> Result<Option<Parking>, SourceError> {
        Ok(self.parking.clone())
    }

    fn for_each(
        &mut self,
        sink: &mut dyn FnMut(Record) -> Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        self.records.iter().cloned().try_for_each(sink)
    }
}
