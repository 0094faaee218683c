//! What changed of one zone between two events of a registry, and how it is now.
//!
//! Each question is answered by an index: a change costs what it touches, whatever the
//! zone has. Only delegations that come or go also have the zone's own records looked
//! through, which are few, for names below them. PostgreSQL is asked for many names at
//! once, so that a publish costs as many round trips as kinds of questions.

use std::collections::{BTreeSet, HashSet};

use zone_image::Name;

use super::{Backend, DatabaseError, Names, Row, Snapshot, Zone, parking, parse};
use crate::source::{ChangeSource, ChangedNames, Parking, SourceError};
use crate::{Record, RecordType};

/// Changed names that are read; of more, the zone is compiled whole.
const CHANGED_MAX: i64 = 500_000;

/// Stands in the place of an owner where the signatures of a zone are to be looked at;
/// no name is written so.
pub const SIGNATURES: &str = "..signatures";

/// Questions of some names, given how the second parameter stands for them.
macro_rules! questions {
    ($names:literal) => {
        Questions {
            records: [
                concat!(
                    "SELECT owner, rtype, ttl, rdata FROM dns_apex \
                     WHERE zone_id = $1 AND owner ",
                    $names
                ),
                concat!(
                    "SELECT owner, CAST(2 AS BIGINT) AS rtype, ttl, host FROM dns_delegation \
                     WHERE zone_id = $1 AND owner ",
                    $names
                ),
                concat!(
                    "SELECT owner, CAST(2 AS BIGINT) AS rtype, ttl, host FROM dns_parked \
                     WHERE zone_id = $1 AND owner ",
                    $names
                ),
                concat!(
                    "SELECT owner, CAST(43 AS BIGINT) AS rtype, ttl, rdata FROM dns_ds \
                     WHERE zone_id = $1 AND owner ",
                    $names
                ),
                concat!(
                    "SELECT owner, rtype, ttl, rdata FROM dns_glue \
                     WHERE zone_id = $1 AND owner ",
                    $names
                ),
            ],
            delegations_to: concat!(
                "SELECT owner FROM dns_delegation WHERE zone_id = $1 AND host ",
                $names
            ),
            parked_at: concat!(
                "SELECT owner FROM dns_parked WHERE zone_id = $1 AND host ",
                $names
            ),
            below: concat!(
                "SELECT owner FROM dns_below WHERE zone_id = $1 AND cut ",
                $names
            ),
        }
    };
}

struct Questions {
    /// As `QUERIES`.
    records: [&'static str; 5],
    delegations_to: &'static str,
    parked_at: &'static str,
    below: &'static str,
}

/// SQLite is in this process and has no lists: one name after the other.
const OF_ONE: Questions = questions!("= $2");
/// PostgreSQL is a round trip away.
const OF_ALL: Questions = questions!("= ANY($2)");

const CHANGED_NAMES: &str =
    "SELECT owner FROM dns_changed WHERE zone_id = $1 AND event > $2 LIMIT $3";
const OWN: &str = "SELECT owner FROM dns_apex WHERE zone_id = $1";
const PARKING_SERVERS: &str = "SELECT host FROM dns_parking_server WHERE zone_id = $1";

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
    /// The owners that a question finds of these names.
    fn owners(
        &self,
        question: fn(&Questions) -> &'static str,
        names: &[String],
    ) -> Result<Vec<Name>, SourceError> {
        let id = self.zone.id;
        let found = match &self.snapshot.backend {
            Backend::Sqlite(reader) => reader.owners(question(&OF_ONE), id, names)?,
            Backend::Postgres(reader) => reader.owners(question(&OF_ALL), id, names)?,
        };
        let names = found.into_iter().map(|owner| self.name(owner));
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// All that a question finds of the zone.
    fn texts(&self, question: &'static str) -> Result<Vec<String>, DatabaseError> {
        match &self.snapshot.backend {
            Backend::Sqlite(reader) => reader.texts_of(question, self.zone.id),
            Backend::Postgres(reader) => reader.texts_of(question, self.zone.id),
        }
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
        owners: &[Name],
        sink: &mut dyn FnMut(Record),
    ) -> Result<(), SourceError> {
        if owners.contains(&self.zone.apex) {
            sink(Record {
                owner: self.zone.apex.clone(),
                rtype: RecordType::SOA,
                ttl: self.zone.soa_ttl,
                rdata: self.zone.soa_rdata.clone(),
            });
        }
        let (id, texts) = (self.zone.id, all_stored(owners));
        let place = &self.snapshot.place;
        for (one, all) in OF_ONE.records.into_iter().zip(OF_ALL.records) {
            let mut names = Names::default();
            let row = &mut |row: Row<'_>| {
                sink(names.record(place, row)?);
                Ok::<_, SourceError>(())
            };
            match &self.snapshot.backend {
                Backend::Sqlite(reader) => reader.rows_of(one, id, &texts, row)?,
                Backend::Postgres(reader) => reader.rows_of(all, id, &texts, row)?,
            }
        }
        Ok(())
    }

    fn delegations_to(&mut self, hosts: &[Name]) -> Result<Vec<Name>, SourceError> {
        let texts = all_stored(hosts);
        let mut owners = self.owners(|questions| questions.delegations_to, &texts)?;
        // A planner that does not know how few parking servers there are looks for parked
        // names among all domains: it is asked only where there can be some.
        let parking: HashSet<String> = self.texts(PARKING_SERVERS)?.into_iter().collect();
        let at: Vec<_> = texts
            .into_iter()
            .filter(|host| parking.contains(host))
            .collect();
        if !at.is_empty() {
            owners.extend(self.owners(|questions| questions.parked_at, &at)?);
        }
        Ok(owners)
    }

    fn names_below(&mut self, cuts: &[Name]) -> Result<Vec<Name>, SourceError> {
        let texts = all_stored(cuts);
        let mut names = self.owners(|questions| questions.below, &texts)?;
        let cuts: HashSet<&str> = texts.iter().map(String::as_str).collect();
        let is_below = |owner: &String| {
            let mut rest = owner.as_str();
            while let Some((_, above)) = rest.split_once('.') {
                if cuts.contains(above) {
                    return true;
                }
                rest = above;
            }
            false
        };
        let own = self.texts(OWN)?.into_iter().filter(is_below);
        let own = own.map(|owner| self.name(owner));
        names.extend(own.collect::<Result<Vec<_>, _>>()?);
        Ok(names)
    }
}

fn all_stored(names: &[Name]) -> Vec<String> {
    names.iter().map(stored).collect()
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
