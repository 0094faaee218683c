//! What changed of one zone between two events of a registry, and how it is now.
//!
//! Each question is answered by an index: a change costs what it touches, whatever the
//! zone has. Only a delegation that comes or goes also looks through the zone's own
//! records, which are few, for names below it.

use std::collections::BTreeSet;

use zone_image::Name;

use super::{Backend, DatabaseError, Names, Row, Snapshot, Zone, parking, parse};
use crate::source::{ChangeSource, ChangedNames, Parking, SourceError};
use crate::{Record, RecordType};

/// Changed names that are read; of more, the zone is compiled whole.
const CHANGED_MAX: i64 = 500_000;

/// Stands in the place of an owner where the signatures of a zone are to be looked at;
/// no name is written so.
pub const SIGNATURES: &str = "..signatures";

/// As `QUERIES`, of one owner.
const OF_OWNER: [&str; 5] = [
    "SELECT owner, rtype, ttl, rdata FROM dns_apex WHERE zone_id = $1 AND owner = $2",
    "SELECT owner, CAST(2 AS BIGINT) AS rtype, ttl, host FROM dns_delegation \
     WHERE zone_id = $1 AND owner = $2",
    "SELECT owner, CAST(2 AS BIGINT) AS rtype, ttl, host FROM dns_parked \
     WHERE zone_id = $1 AND owner = $2",
    "SELECT owner, CAST(43 AS BIGINT) AS rtype, ttl, rdata FROM dns_ds \
     WHERE zone_id = $1 AND owner = $2",
    "SELECT owner, rtype, ttl, rdata FROM dns_glue WHERE zone_id = $1 AND owner = $2",
];
const CHANGED_NAMES: &str =
    "SELECT owner FROM dns_changed WHERE zone_id = $1 AND event > $2 LIMIT $3";
const DELEGATIONS_TO: &str = "SELECT owner FROM dns_delegation WHERE zone_id = $1 AND host = $2";
const PARKED_AT: &str = "SELECT owner FROM dns_parked WHERE zone_id = $1 AND host = $2";
const BELOW: &str = "SELECT owner FROM dns_below WHERE zone_id = $1 AND cut = $2";
const OWN_BELOW: &str =
    "SELECT owner FROM dns_apex WHERE zone_id = $1 AND owner LIKE $2 ESCAPE '!'";

/// A zone of a snapshot and what changed of it since an event.
#[derive(Debug)]
pub struct ChangedZone<'s> {
    snapshot: &'s Snapshot,
    zone: &'s Zone,
    since: u64,
}

impl Snapshot {
    /// What changed of a zone after event `since`.
    pub fn changes(&self, apex: &Name, since: u64) -> Result<ChangedZone<'_>, DatabaseError> {
        let zone = self.source(apex)?.zone;
        Ok(ChangedZone {
            snapshot: self,
            zone,
            since,
        })
    }
}

impl ChangedZone<'_> {
    /// The owners that a query of zone and text finds.
    fn owners(&self, query: &'static str, text: &str) -> Result<Vec<Name>, SourceError> {
        let id = self.zone.id;
        let found = match &self.snapshot.backend {
            Backend::Sqlite(reader) => reader.owners(query, id, text)?,
            Backend::Postgres(reader) => reader.owners(query, id, text)?,
        };
        let names = found.into_iter().map(|owner| self.name(owner));
        Ok(names.collect::<Result<_, _>>()?)
    }

    fn name(&self, owner: String) -> Result<Name, DatabaseError> {
        parse(&owner).map_err(|error| DatabaseError::BadRow {
            place: self.snapshot.place.clone(),
            reason: error.to_string(),
            owner,
        })
    }
}

impl ChangeSource for ChangedZone<'_> {
    fn apex(&self) -> &Name {
        &self.zone.apex
    }

    fn event(&self) -> u64 {
        self.snapshot.event
    }

    fn changed(&mut self) -> Result<Option<ChangedNames>, SourceError> {
        let since = i64::try_from(self.since).unwrap_or(i64::MAX);
        let (id, most) = (self.zone.id, CHANGED_MAX + 1);
        let owners = match &self.snapshot.backend {
            Backend::Sqlite(reader) => reader.changed_names(CHANGED_NAMES, id, since, most)?,
            Backend::Postgres(reader) => reader.changed_names(CHANGED_NAMES, id, since, most)?,
        };
        let all = owners.len();
        let mut owners = owners;
        owners.retain(|owner| owner != SIGNATURES);
        let resigns = owners.len() < all;
        let is_too_much = all as u64 > CHANGED_MAX.cast_unsigned();
        if is_too_much || owners.iter().any(String::is_empty) {
            return Ok(None);
        }
        let names = owners.into_iter().map(|owner| self.name(owner));
        let names = names.collect::<Result<BTreeSet<_>, _>>()?;
        Ok(Some(ChangedNames { names, resigns }))
    }

    fn parking(&mut self) -> Result<Option<Parking>, SourceError> {
        parking::read(self.snapshot, self.zone)
    }

    fn records_of(
        &mut self,
        owner: &Name,
        sink: &mut dyn FnMut(Record),
    ) -> Result<(), SourceError> {
        if *owner == self.zone.apex {
            sink(Record {
                owner: self.zone.apex.clone(),
                rtype: RecordType::SOA,
                ttl: self.zone.soa_ttl,
                rdata: self.zone.soa_rdata.clone(),
            });
        }
        let (id, text) = (self.zone.id, stored(owner));
        let place = &self.snapshot.place;
        let mut names = Names::default();
        for query in OF_OWNER {
            let row = &mut |row: Row<'_>| {
                sink(names.record(place, row)?);
                Ok::<_, SourceError>(())
            };
            match &self.snapshot.backend {
                Backend::Sqlite(reader) => reader.rows_of(query, id, &text, row)?,
                Backend::Postgres(reader) => reader.rows_of(query, id, &text, row)?,
            }
        }
        Ok(())
    }

    fn delegations_to(&mut self, host: &Name) -> Result<Vec<Name>, SourceError> {
        let mut owners = self.owners(DELEGATIONS_TO, &stored(host))?;
        owners.extend(self.owners(PARKED_AT, &stored(host))?);
        Ok(owners)
    }

    fn names_below(&mut self, cut: &Name) -> Result<Vec<Name>, SourceError> {
        let text = stored(cut);
        let mut names = self.owners(BELOW, &text)?;
        let escaped = text
            .replace('!', "!!")
            .replace('%', "!%")
            .replace('_', "!_");
        names.extend(self.owners(OWN_BELOW, &format!("%.{escaped}"))?);
        Ok(names)
    }
}

/// The form that names have in the registry's columns.
fn stored(name: &Name) -> String {
    if name.is_root() {
        return ".".to_owned();
    }
    let mut text = name.to_lowercase().to_string();
    text.pop();
    text
}
