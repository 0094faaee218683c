//! The views of an SQLite file, read on the caller's thread.
//!
//! One connection, opened for reading only, in one transaction from first read to
//! drop: in WAL mode that is a snapshot which no writer disturbs.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _};

use super::signing::{self, KeyRow, MadeRow, PolicyRow};
use super::{Data, DatabaseError, EVENT, Row, RowSink, ZONES, ZoneRow};
use crate::SourceError;

/// How long to wait for a lock; readers in WAL mode wait only for recovery.
const LOCK_WAIT: std::time::Duration = std::time::Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Reader {
    connection: Connection,
    place: String,
}

impl Reader {
    pub(super) fn open(path: &Path, place: &str) -> Result<Self, DatabaseError> {
        if !path.exists() {
            let place = place.to_owned();
            return Err(DatabaseError::Missing { place });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(path, flags).map_err(|error| fault(place, error))?;
        connection
            .busy_timeout(LOCK_WAIT)
            .and_then(|()| connection.execute_batch("BEGIN"))
            .map_err(|error| fault(place, error))?;
        Ok(Self {
            connection,
            place: place.to_owned(),
        })
    }

    pub(super) fn event(&self) -> Result<(i64, i64), DatabaseError> {
        self.connection
            .query_row(EVENT, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(|error| fault(&self.place, error))
    }

    pub(super) fn zones(&self) -> Result<Vec<ZoneRow>, DatabaseError> {
        let read = || -> rusqlite::Result<_> {
            let mut statement = self.connection.prepare(ZONES)?;
            let rows = statement.query_map([], |row| {
                Ok(ZoneRow {
                    id: row.get(0)?,
                    apex: row.get(1)?,
                    state: row.get(2)?,
                    mname: row.get(3)?,
                    rname: row.get(4)?,
                    numbers: [
                        row.get(5)?,
                        row.get(6)?,
                        row.get(7)?,
                        row.get(8)?,
                        row.get(9)?,
                    ],
                    ttl: row.get(10)?,
                })
            })?;
            rows.collect::<Result<Vec<_>, _>>()
        };
        read().map_err(|error| fault(&self.place, error))
    }

    pub(super) fn changed(
        &self,
        query: &'static str,
        event: i64,
    ) -> Result<Vec<(String, i64)>, DatabaseError> {
        let read = || -> rusqlite::Result<_> {
            let mut statement = self.connection.prepare(query)?;
            let rows = statement.query_map([event], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<Vec<_>, _>>()
        };
        read().map_err(|error| fault(&self.place, error))
    }

    pub(super) fn changed_names(
        &self,
        query: &'static str,
        zone: i64,
        event: i64,
        most: i64,
    ) -> Result<Vec<String>, DatabaseError> {
        self.texts(query, (zone, event, most))
    }

    pub(super) fn owners(
        &self,
        query: &'static str,
        zone: i64,
        names: &[String],
    ) -> Result<Vec<String>, DatabaseError> {
        let mut found = Vec::new();
        for name in names {
            found.extend(self.texts(query, (zone, name))?);
        }
        Ok(found)
    }

    pub(super) fn texts_of(
        &self,
        query: &'static str,
        zone: i64,
    ) -> Result<Vec<String>, DatabaseError> {
        self.texts(query, (zone,))
    }

    fn texts(
        &self,
        query: &'static str,
        parameters: impl rusqlite::Params,
    ) -> Result<Vec<String>, DatabaseError> {
        let read = || -> rusqlite::Result<_> {
            let mut statement = self.connection.prepare_cached(query)?;
            let rows = statement.query_map(parameters, |row| row.get(0))?;
            rows.collect::<Result<Vec<_>, _>>()
        };
        read().map_err(|error| fault(&self.place, error))
    }

    pub(super) fn number(
        &self,
        query: &'static str,
        parameter: i64,
    ) -> Result<Option<i64>, DatabaseError> {
        self.connection
            .query_row(query, [parameter], |row| row.get(0))
            .optional()
            .map_err(|error| fault(&self.place, error))
    }

    pub(super) fn rows(
        &self,
        query: &'static str,
        zone: i64,
        sink: RowSink<'_>,
    ) -> Result<(), SourceError> {
        self.each_row(query, (zone,), sink)
    }

    pub(super) fn rows_of(
        &self,
        query: &'static str,
        zone: i64,
        owners: &[String],
        sink: RowSink<'_>,
    ) -> Result<(), SourceError> {
        for owner in owners {
            self.each_row(query, (zone, owner), sink)?;
        }
        Ok(())
    }

    fn each_row(
        &self,
        query: &'static str,
        parameters: impl rusqlite::Params,
        sink: RowSink<'_>,
    ) -> Result<(), SourceError> {
        let fault = |error| fault(&self.place, error);
        let mut statement = self.connection.prepare_cached(query).map_err(fault)?;
        let mut rows = statement.query(parameters).map_err(fault)?;
        while let Some(row) = rows.next().map_err(fault)? {
            let owner = row.get_ref(0).map_err(fault)?;
            let data = match row.get_ref(3).map_err(fault)? {
                ValueRef::Blob(rdata) => Data::Rdata(rdata),
                host => Data::Host(host.as_str().map_err(|e| fault(e.into()))?),
            };
            sink(Row {
                owner: owner.as_str().map_err(|e| fault(e.into()))?,
                rtype: row.get(1).map_err(fault)?,
                ttl: row.get(2).map_err(fault)?,
                data,
            })?;
        }
        Ok(())
    }
}

/// A file without our views, or no database at all, is not a registry.
fn fault(place: &str, source: rusqlite::Error) -> DatabaseError {
    let place = place.to_owned();
    let foreign = source.sqlite_error_code() == Some(ErrorCode::NotADatabase)
        || source.to_string().contains("no such table: dns_");
    if foreign {
        DatabaseError::NotARegistry { place }
    } else {
        DatabaseError::Sqlite { place, source }
    }
}

impl Reader {
    pub(super) fn signing(&self, zone: i64) -> Result<signing::Rows, DatabaseError> {
        let read = || -> rusqlite::Result<signing::Rows> {
            let mut statement = self.connection.prepare(signing::POLICY)?;
            let policies = statement.query_map([zone], |row| {
                Ok(PolicyRow {
                    mode: row.get(0)?,
                    denial: row.get(1)?,
                    numbers: [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?],
                })
            })?;
            let policy = policies.collect::<rusqlite::Result<Vec<_>>>()?.pop();
            let mut statement = self.connection.prepare(signing::KEYS)?;
            let keys = statement.query_map([zone], |row| {
                let mut numbers = [0; 7];
                for (index, number) in numbers.iter_mut().enumerate() {
                    *number = row.get(index)?;
                }
                let public_key = row.get(7)?;
                Ok(KeyRow {
                    numbers,
                    public_key,
                })
            })?;
            let keys = keys.collect::<rusqlite::Result<Vec<_>>>()?;
            let mut statement = self.connection.prepare(signing::MADE)?;
            let made = statement.query_map([zone], |row| {
                Ok(MadeRow {
                    rdata: row.get(0)?,
                    inception: row.get(1)?,
                    expiration: row.get(2)?,
                })
            })?;
            Ok((policy, keys, made.collect::<rusqlite::Result<_>>()?))
        };
        read().map_err(|error| fault(&self.place, error))
    }
}
