//! The views of a PostgreSQL database.
//!
//! sqlx is asynchronous and a compile is not: a runtime of the reader's own drives
//! one connection, each time on a short-lived thread, since the caller's may be
//! driving a runtime already. One repeatable-read transaction from first read to
//! drop is the snapshot.

use std::sync::{Mutex, MutexGuard};

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection as _, Row as _};
use tokio::runtime::Runtime;

use super::signing::{self, KeyRow, MadeRow, PolicyRow};
use super::{Data, DatabaseError, EVENT, Row, RowSink, ZONES, ZoneRow};
use crate::SourceError;

/// Rows fetched from the cursor at a time: bounds memory.
const ROWS_A_FETCH: usize = 4096;

#[derive(Debug)]
pub(super) struct Reader {
    /// Present until drop.
    runtime: Option<Runtime>,
    connection: Mutex<PgConnection>,
    place: String,
}

impl Reader {
    pub(super) fn open(url: &str, place: &str) -> Result<Self, DatabaseError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| fault(place, sqlx::Error::Io(error)))?;
        let connection = drive(&runtime, async {
            let mut connection = PgConnection::connect(url).await?;
            // A question about one name is over before machine code for it is made.
            sqlx::raw_sql("SET jit = off; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                .execute(&mut connection)
                .await?;
            sqlx::Result::Ok(connection)
        });
        Ok(Self {
            runtime: Some(runtime),
            connection: Mutex::new(connection.map_err(|error| fault(place, error))?),
            place: place.to_owned(),
        })
    }

    pub(super) fn event(&self) -> Result<(i64, i64), DatabaseError> {
        self.fetch(EVENT)?
            .first()
            .ok_or(sqlx::Error::RowNotFound)
            .and_then(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .map_err(|error| fault(&self.place, error))
    }

    pub(super) fn zones(&self) -> Result<Vec<ZoneRow>, DatabaseError> {
        let rows = self.fetch(ZONES)?;
        let zones: sqlx::Result<_> = rows.iter().map(zone_row).collect();
        zones.map_err(|error| fault(&self.place, error))
    }

    pub(super) fn changed(
        &self,
        query: &'static str,
        event: i64,
    ) -> Result<Vec<(String, i64)>, DatabaseError> {
        let connection = &mut *self.connection();
        let rows = sqlx::query_as(query).bind(event).fetch_all(connection);
        self.drive(rows).map_err(|error| fault(&self.place, error))
    }

    pub(super) fn changed_names(
        &self,
        query: &'static str,
        zone: i64,
        event: i64,
        most: i64,
    ) -> Result<Vec<String>, DatabaseError> {
        let connection = &mut *self.connection();
        let query = sqlx::query_scalar(query).bind(zone).bind(event).bind(most);
        let rows = query.fetch_all(connection);
        self.drive(rows).map_err(|error| fault(&self.place, error))
    }

    pub(super) fn owners(
        &self,
        query: &'static str,
        zone: i64,
        names: &[String],
    ) -> Result<Vec<String>, DatabaseError> {
        let connection = &mut *self.connection();
        let rows = sqlx::query_scalar(query)
            .bind(zone)
            .bind(names)
            .fetch_all(connection);
        self.drive(rows).map_err(|error| fault(&self.place, error))
    }

    pub(super) fn texts_of(
        &self,
        query: &'static str,
        zone: i64,
    ) -> Result<Vec<String>, DatabaseError> {
        let connection = &mut *self.connection();
        let rows = sqlx::query_scalar(query).bind(zone).fetch_all(connection);
        self.drive(rows).map_err(|error| fault(&self.place, error))
    }

    pub(super) fn number(
        &self,
        query: &'static str,
        parameter: i64,
    ) -> Result<Option<i64>, DatabaseError> {
        let connection = &mut *self.connection();
        let row = sqlx::query_scalar(query)
            .bind(parameter)
            .fetch_optional(connection);
        self.drive(row).map_err(|error| fault(&self.place, error))
    }

    pub(super) fn rows_of(
        &self,
        query: &'static str,
        zone: i64,
        owners: &[String],
        sink: RowSink<'_>,
    ) -> Result<(), SourceError> {
        let fault = |error| fault(&self.place, error);
        let connection = &mut *self.connection();
        let rows = sqlx::query(query)
            .bind(zone)
            .bind(owners)
            .fetch_all(connection);
        for row in &self.drive(rows).map_err(fault)? {
            sink(record_row(row).map_err(fault)?)?;
        }
        Ok(())
    }

    pub(super) fn rows(
        &self,
        query: &'static str,
        zone: i64,
        sink: RowSink<'_>,
    ) -> Result<(), SourceError> {
        let fault = |error| fault(&self.place, error);
        let declare = format!("DECLARE zone_rows NO SCROLL CURSOR FOR {query}");
        let fetch = format!("FETCH {ROWS_A_FETCH} FROM zone_rows");
        let connection = &mut *self.connection();
        // The text is ours; the zone is a parameter.
        let declare = sqlx::query(sqlx::AssertSqlSafe(declare)).bind(zone);
        let declared = self.drive(declare.execute(&mut *connection));
        declared.map_err(fault)?;
        loop {
            // Not kept as a prepared statement: the columns of the same text are those
            // of whichever query the cursor stands for.
            let batch = sqlx::query(sqlx::AssertSqlSafe(fetch.as_str())).persistent(false);
            let batch = self.drive(batch.fetch_all(&mut *connection));
            let batch = batch.map_err(fault)?;
            for row in &batch {
                sink(record_row(row).map_err(fault)?)?;
            }
            if batch.len() < ROWS_A_FETCH {
                break;
            }
        }
        let close = sqlx::query("CLOSE zone_rows").execute(connection);
        self.drive(close).map_err(fault)?;
        Ok(())
    }

    fn drive<F>(&self, future: F) -> F::Output
    where
        F: Future<Output: Send> + Send,
    {
        drive(self.runtime.as_ref().expect("present until drop"), future)
    }

    fn connection(&self) -> MutexGuard<'_, PgConnection> {
        self.connection.lock().expect("no reader panics")
    }

    fn fetch(&self, query: &'static str) -> Result<Vec<PgRow>, DatabaseError> {
        let connection = &mut *self.connection();
        let rows = sqlx::query(query).fetch_all(connection);
        let rows = self.drive(rows);
        rows.map_err(|error| fault(&self.place, error))
    }
}

/// Runs a future to its end. A thread costs some microseconds, a batch of rows
/// a thousand.
fn drive<F>(runtime: &Runtime, future: F) -> F::Output
where
    F: Future<Output: Send> + Send,
{
    std::thread::scope(|scope| {
        let driven = scope.spawn(|| runtime.block_on(future)).join();
        driven.expect("a query returns its errors")
    })
}

impl Drop for Reader {
    /// A runtime that is dropped waits for its threads, which tokio forbids on a
    /// thread that drives another runtime. Ours has none left.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn zone_row(row: &PgRow) -> sqlx::Result<ZoneRow> {
    Ok(ZoneRow {
        id: row.try_get(0)?,
        apex: row.try_get(1)?,
        state: row.try_get(2)?,
        mname: row.try_get(3)?,
        rname: row.try_get(4)?,
        numbers: [
            row.try_get(5)?,
            row.try_get(6)?,
            row.try_get(7)?,
            row.try_get(8)?,
            row.try_get(9)?,
        ],
        ttl: row.try_get(10)?,
    })
}

fn record_row(row: &PgRow) -> sqlx::Result<Row<'_>> {
    let data = match row.try_get::<&[u8], _>("rdata") {
        Ok(rdata) => Data::Rdata(rdata),
        Err(sqlx::Error::ColumnNotFound(_)) => Data::Host(row.try_get("host")?),
        Err(error) => return Err(error),
    };
    Ok(Row {
        owner: row.try_get(0)?,
        rtype: row.try_get(1)?,
        ttl: row.try_get(2)?,
        data,
    })
}

/// A database without our views is not a registry.
fn fault(place: &str, source: sqlx::Error) -> DatabaseError {
    const UNDEFINED_TABLE: &str = "42P01";
    let place = place.to_owned();
    let code = source.as_database_error().and_then(|error| error.code());
    if code.as_deref() == Some(UNDEFINED_TABLE) {
        DatabaseError::NotARegistry { place }
    } else {
        DatabaseError::Postgres { place, source }
    }
}

impl Reader {
    pub(super) fn signing(&self, zone: i64) -> Result<signing::Rows, DatabaseError> {
        let fetch = |query: &'static str| {
            let connection = &mut *self.connection();
            let rows = sqlx::query(query).bind(zone).fetch_all(connection);
            self.drive(rows)
        };
        let read = || -> sqlx::Result<signing::Rows> {
            let policies = fetch(signing::POLICY)?;
            let policy = policies.first().map(|row| -> sqlx::Result<PolicyRow> {
                let numbers = [
                    row.try_get(2)?,
                    row.try_get(3)?,
                    row.try_get(4)?,
                    row.try_get(5)?,
                ];
                Ok(PolicyRow {
                    mode: row.try_get(0)?,
                    denial: row.try_get(1)?,
                    numbers,
                })
            });
            let keys = fetch(signing::KEYS)?;
            let keys = keys.iter().map(|row| -> sqlx::Result<KeyRow> {
                let mut numbers = [0; 7];
                for (index, number) in numbers.iter_mut().enumerate() {
                    *number = row.try_get(index)?;
                }
                let public_key = row.try_get(7)?;
                Ok(KeyRow {
                    numbers,
                    public_key,
                })
            });
            let made = fetch(signing::MADE)?;
            let made = made.iter().map(|row| -> sqlx::Result<MadeRow> {
                Ok(MadeRow {
                    rdata: row.try_get(0)?,
                    inception: row.try_get(1)?,
                    expiration: row.try_get(2)?,
                })
            });
            let keys = keys.collect::<sqlx::Result<_>>()?;
            Ok((
                policy.transpose()?,
                keys,
                made.collect::<sqlx::Result<_>>()?,
            ))
        };
        read().map_err(|error| fault(&self.place, error))
    }
}
