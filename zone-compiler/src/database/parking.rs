//! What parked domains of a zone are answered with, as the registry has it.

use super::{Backend, Data, DatabaseError, Row, Snapshot, Zone, parse};
use crate::RecordType;
use crate::source::{ParkedRecord, Parking, SourceError};

const SERVERS: &str = "SELECT CAST('@' AS TEXT) AS owner, CAST(2 AS BIGINT) AS rtype, CAST(0 AS BIGINT) AS ttl, \
     host FROM dns_parking_server WHERE zone_id = $1";
const RECORDS: &str = "SELECT owner, rtype, ttl, rdata FROM dns_parking_record WHERE zone_id = $1";

const SIGNED: &str = "SELECT CAST(signed AS BIGINT) AS signed FROM dns_parking WHERE zone_id = $1";

/// What the view says of a zone whose DS for parked names are gone.
const WITHDRAWN: i64 = 2;

/// `None` where the zone parks nothing.
pub(super) fn read(snapshot: &Snapshot, zone: &Zone) -> Result<Option<Parking>, SourceError> {
    let mut parking = Parking::default();
    let mut each = |row: Row<'_>| -> Result<(), SourceError> {
        let bad = |reason: String| DatabaseError::BadRow {
            place: snapshot.place.clone(),
            owner: zone.apex.to_string(),
            reason: format!("parking: {reason}"),
        };
        match row.data {
            Data::Host(host) => {
                let host = parse(host).map_err(|e| bad(format!("host {host:?}: {e}")))?;
                parking.servers.insert(host);
            }
            Data::Rdata(rdata) => {
                let rtype = u16::try_from(row.rtype);
                parking.records.push(ParkedRecord {
                    is_below: row.owner == "*",
                    rtype: RecordType(rtype.map_err(|_| bad(format!("type {}", row.rtype)))?),
                    ttl: u32::try_from(row.ttl).map_err(|_| bad(format!("TTL {}", row.ttl)))?,
                    rdata: rdata.into(),
                });
            }
        }
        Ok(())
    };
    for query in [SERVERS, RECORDS] {
        match &snapshot.backend {
            Backend::Sqlite(reader) => reader.rows(query, zone.id, &mut each)?,
            Backend::Postgres(reader) => reader.rows(query, zone.id, &mut each)?,
        }
    }
    let is_signed = match &snapshot.backend {
        Backend::Sqlite(reader) => reader.number(SIGNED, zone.id)?,
        Backend::Postgres(reader) => reader.number(SIGNED, zone.id)?,
    };
    parking.is_signed = matches!(is_signed, Some(1 | WITHDRAWN));
    parking.is_withdrawn = is_signed == Some(WITHDRAWN);
    Ok(Some(parking).filter(|parking| !parking.servers.is_empty()))
}
