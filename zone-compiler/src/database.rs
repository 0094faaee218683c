//! Registry databases as a source of zones.
//!
//! Reads the registry's views `dns_*` and nothing else, in one read transaction,
//! so that rows and event belong together; streams, so that memory does not grow
//! with the zone. SQLite is read by rusqlite on the caller's thread, PostgreSQL by
//! sqlx. Never writes, and never decides what is published: the views say.

mod changes;
mod parking;
mod postgres;
mod signing;
mod sqlite;

pub use changes::{ChangedZone, SIGNATURES};

use std::fmt;
use std::path::PathBuf;

use zone_image::{Name, NameError};

use crate::{Parking, Record, RecordType, SourceError, ZoneSource};

/// The version of the views' contract that this reader understands.
const CONTRACT: i64 = 1;

/// Where a registry database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// An SQLite file.
    File(PathBuf),
    /// A PostgreSQL URL; may hold a password, so it is never shown.
    Url(String),
}

impl std::str::FromStr for Location {
    type Err = std::convert::Infallible;

    /// Takes `postgres://..` or a file name, with or without `sqlite:` before it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Url(text.to_owned()));
        }
        Ok(Self::File(
            text.strip_prefix("sqlite:").unwrap_or(text).into(),
        ))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Url(_) => f.write_str("PostgreSQL database"),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}

/// Why zones cannot be read from a database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// No file.
    #[error("{place}: no database there; make one with `meridian registry init`")]
    Missing {
        /// Where it was looked for.
        place: String,
    },
    /// No views of ours.
    #[error(
        "{place}: not a registry database; name another, or make one with `meridian registry init`"
    )]
    NotARegistry {
        /// The database.
        place: String,
    },
    /// Views of another time.
    #[error(
        "{place}: its views have version {found}, this program reads {CONTRACT}; use the newer program"
    )]
    Contract {
        /// The database.
        place: String,
        /// Version of its views.
        found: i64,
    },
    /// No such zone.
    #[error("{place}: no zone {apex}; `meridian registry status` lists the zones")]
    NoZone {
        /// The database.
        place: String,
        /// The apex that was asked for.
        apex: Name,
    },
    /// A zone that is still being imported.
    #[error(
        "{place}: import of zone {apex} is unfinished; run `meridian registry import` again with the same file"
    )]
    Unfinished {
        /// The database.
        place: String,
        /// Its apex.
        apex: Name,
    },
    /// A row that is no DNS data.
    #[error("{place}: {owner:?}: {reason}; restore the database from a backup")]
    BadRow {
        /// The database.
        place: String,
        /// Owner name as stored.
        owner: String,
        /// What is wrong with it.
        reason: String,
    },
    /// SQLite's own words.
    #[error("{place}: {source}")]
    Sqlite {
        /// The database.
        place: String,
        /// What it said.
        source: rusqlite::Error,
    },
    /// PostgreSQL's own words.
    #[error("{place}: {source}")]
    Postgres {
        /// The database.
        place: String,
        /// What it said.
        source: sqlx::Error,
    },
}

pub use signing::{StoredKey, ZoneSigning};

/// One moment of a registry: all zones, all at the same event.
#[derive(Debug)]
pub struct Snapshot {
    place: String,
    backend: Backend,
    event: u64,
    /// In canonical order, so that one of many is found without looking at each.
    zones: Vec<Zone>,
}

#[derive(Debug)]
enum Backend {
    Sqlite(sqlite::Reader),
    Postgres(postgres::Reader),
}

/// A zone of a snapshot.
#[derive(Debug, Clone)]
pub struct Zone {
    id: i64,
    importing: bool,
    soa_rdata: Box<[u8]>,
    soa_ttl: u32,
    /// Its apex.
    pub apex: Name,
    /// Its stored SOA serial.
    pub serial: u32,
}

impl Zone {
    /// Whether its first import is unfinished, so that nothing of it is published.
    pub fn is_importing(&self) -> bool {
        self.importing
    }
}

impl Snapshot {
    /// Opens a database and stays at its present event until dropped.
    pub fn open(location: &Location) -> Result<Self, DatabaseError> {
        let place = location.to_string();
        let backend = match location {
            Location::File(path) => Backend::Sqlite(sqlite::Reader::open(path, &place)?),
            Location::Url(url) => Backend::Postgres(postgres::Reader::open(url, &place)?),
        };
        let (event, contract) = match &backend {
            Backend::Sqlite(reader) => reader.event()?,
            Backend::Postgres(reader) => reader.event()?,
        };
        if contract != CONTRACT {
            let found = contract;
            return Err(DatabaseError::Contract { place, found });
        }
        let rows = match &backend {
            Backend::Sqlite(reader) => reader.zones()?,
            Backend::Postgres(reader) => reader.zones()?,
        };
        let zones = rows.into_iter().map(|row| row.into_zone(&place));
        let mut zones: Vec<_> = zones.collect::<Result<_, _>>()?;
        zones.sort_by(|one, other| one.apex.cmp(&other.apex));
        Ok(Self {
            event: u64::try_from(event).unwrap_or_default(),
            zones,
            place,
            backend,
        })
    }

    /// The event it stands at.
    pub fn event(&self) -> u64 {
        self.event
    }

    /// Its zones.
    pub fn zones(&self) -> &[Zone] {
        &self.zones
    }

    /// The zones with published changes after `event`, each with the event of its last
    /// one; that a zone is not there any more shows in [`Self::zones`].
    pub fn changed_since(&self, event: u64) -> Result<Vec<(Name, u64)>, DatabaseError> {
        let event = i64::try_from(event).unwrap_or(i64::MAX);
        let rows = match &self.backend {
            Backend::Sqlite(reader) => reader.changed(CHANGED, event)?,
            Backend::Postgres(reader) => reader.changed(CHANGED, event)?,
        };
        let place = &self.place;
        let zone = |(apex, last): (String, i64)| match parse(&apex) {
            Ok(name) => Ok((name, u64::try_from(last).unwrap_or_default())),
            Err(error) => Err(DatabaseError::BadRow {
                place: place.clone(),
                reason: error.to_string(),
                owner: apex,
            }),
        };
        rows.into_iter().map(zone).collect()
    }

    /// When an event was accepted, in microseconds since 1970; `None` where there is no
    /// such event.
    pub fn event_time(&self, event: u64) -> Result<Option<i64>, DatabaseError> {
        let event = i64::try_from(event).unwrap_or(i64::MAX);
        match &self.backend {
            Backend::Sqlite(reader) => reader.number(EVENT_TIME, event),
            Backend::Postgres(reader) => reader.number(EVENT_TIME, event),
        }
    }

    /// One zone as a source for a compile.
    pub fn source(&self, apex: &Name) -> Result<DatabaseSource<'_>, DatabaseError> {
        let place = self.place.clone();
        let apex = apex.clone();
        let found = self.zones.binary_search_by(|zone| zone.apex.cmp(&apex));
        match found.ok().map(|at| &self.zones[at]) {
            None => Err(DatabaseError::NoZone { place, apex }),
            Some(zone) if zone.importing => Err(DatabaseError::Unfinished { place, apex }),
            Some(zone) => Ok(DatabaseSource {
                snapshot: self,
                zone,
            }),
        }
    }

    /// Every zone as a source.
    pub fn sources(&self) -> Result<Vec<DatabaseSource<'_>>, DatabaseError> {
        let apexes = self.zones.iter().map(|zone| self.source(&zone.apex));
        apexes.collect()
    }
}

/// A zone of a snapshot as a stream of records.
#[derive(Debug)]
pub struct DatabaseSource<'s> {
    snapshot: &'s Snapshot,
    zone: &'s Zone,
}

/// The views and the shape of their rows: owner, type, TTL, RDATA; a host name
/// stands for the RDATA of an NS record.
const QUERIES: [&str; 5] = [
    "SELECT owner, rtype, ttl, rdata FROM dns_apex WHERE zone_id = $1",
    "SELECT owner, CAST(2 AS BIGINT) AS rtype, ttl, host FROM dns_delegation WHERE zone_id = $1",
    "SELECT owner, CAST(2 AS BIGINT) AS rtype, ttl, host FROM dns_parked WHERE zone_id = $1",
    "SELECT owner, CAST(43 AS BIGINT) AS rtype, ttl, rdata FROM dns_ds WHERE zone_id = $1",
    "SELECT owner, rtype, ttl, rdata FROM dns_glue WHERE zone_id = $1",
];

impl ZoneSource for DatabaseSource<'_> {
    fn apex(&self) -> &Name {
        &self.zone.apex
    }

    fn event(&self) -> u64 {
        self.snapshot.event
    }

    fn parking(&mut self) -> Result<Option<Parking>, SourceError> {
        parking::read(self.snapshot, self.zone)
    }

    fn for_each(
        &mut self,
        sink: &mut dyn FnMut(Record) -> Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        sink(Record {
            owner: self.zone.apex.clone(),
            rtype: RecordType::SOA,
            ttl: self.zone.soa_ttl,
            rdata: self.zone.soa_rdata.clone(),
        })?;
        let place = &self.snapshot.place;
        for query in QUERIES {
            let mut names = Names::default();
            let row = &mut |row: Row<'_>| sink(names.record(place, row)?);
            match &self.snapshot.backend {
                Backend::Sqlite(reader) => reader.rows(query, self.zone.id, row)?,
                Backend::Postgres(reader) => reader.rows(query, self.zone.id, row)?,
            }
        }
        Ok(())
    }
}

/// A row of `QUERIES`.
struct Row<'r> {
    owner: &'r str,
    rtype: i64,
    ttl: i64,
    data: Data<'r>,
}

enum Data<'r> {
    Rdata(&'r [u8]),
    Host(&'r str),
}

type RowSink<'s> = &'s mut dyn FnMut(Row<'_>) -> Result<(), SourceError>;

/// Makes records of rows. Rows of one owner mostly follow each other, so the last
/// owner is kept instead of being parsed again.
#[derive(Default)]
struct Names {
    text: String,
    name: Option<Name>,
}

impl Names {
    fn record(&mut self, place: &str, row: Row<'_>) -> Result<Record, DatabaseError> {
        let bad = |reason: String| DatabaseError::BadRow {
            place: place.to_owned(),
            owner: row.owner.to_owned(),
            reason,
        };
        let owner = match &self.name {
            Some(name) if self.text == row.owner => name.clone(),
            _ => {
                let name = parse(row.owner).map_err(|e| bad(e.to_string()))?;
                row.owner.clone_into(&mut self.text);
                self.name.insert(name).clone()
            }
        };
        let rdata = match row.data {
            Data::Rdata(rdata) => rdata.into(),
            Data::Host(host) => {
                let host = parse(host).map_err(|e| bad(format!("host {host:?}: {e}")))?;
                host.as_wire().into()
            }
        };
        Ok(Record {
            owner,
            rtype: RecordType(
                u16::try_from(row.rtype).map_err(|_| bad(format!("type {}", row.rtype)))?,
            ),
            ttl: u32::try_from(row.ttl).map_err(|_| bad(format!("TTL {}", row.ttl)))?,
            rdata,
        })
    }
}

/// Names are stored in lower case, absolute, without the final dot.
fn parse(text: &str) -> Result<Name, NameError> {
    Name::parse_absolute(text)
}

/// A row of `dns_zone`.
struct ZoneRow {
    id: i64,
    apex: String,
    state: String,
    mname: String,
    rname: String,
    // Serial, refresh, retry, expire, minimum: in RDATA order.
    numbers: [i64; 5],
    ttl: i64,
}

const ZONES: &str = "SELECT zone_id, apex, state, soa_mname, soa_rname, serial, soa_refresh, \
    soa_retry, soa_expire, soa_minimum, soa_ttl FROM dns_zone ORDER BY apex";
const CHANGED: &str = "SELECT z.apex, MAX(c.event) FROM dns_changed c \
    JOIN dns_zone z ON z.zone_id = c.zone_id WHERE c.event > $1 GROUP BY z.apex";
const EVENT_TIME: &str = "SELECT time FROM dns_event_time WHERE event = $1";
const EVENT: &str = "SELECT event, CAST(contract AS BIGINT) AS contract FROM dns_event";

impl ZoneRow {
    /// Builds the SOA RDATA of RFC 1035 section 3.3.13.
    fn into_zone(self, place: &str) -> Result<Zone, DatabaseError> {
        let bad = |reason: String| DatabaseError::BadRow {
            place: place.to_owned(),
            owner: self.apex.clone(),
            reason,
        };
        let name = |text: &str| parse(text).map_err(|e| bad(format!("{text:?}: {e}")));
        let number = |value: i64| u32::try_from(value).map_err(|_| bad(format!("SOA: {value}")));
        let mut rdata = name(&self.mname)?.as_wire().to_vec();
        rdata.extend_from_slice(name(&self.rname)?.as_wire());
        for value in self.numbers {
            rdata.extend_from_slice(&number(value)?.to_be_bytes());
        }
        Ok(Zone {
            id: self.id,
            importing: self.state != "active",
            soa_rdata: rdata.into(),
            soa_ttl: number(self.ttl)?,
            apex: name(&self.apex)?,
            serial: number(self.numbers[0])?,
        })
    }
}

#[cfg(test)]
mod tests;
