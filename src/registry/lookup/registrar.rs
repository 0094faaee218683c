//! Registrars as the public sees them.

use super::Snapshot;
use super::search::Candidate;
use crate::registry::command::registrar::{PublicData, PublicField, read_public};
use crate::registry::command::tables::{Tables, from_row, rows};
use crate::registry::database::Timestamp;
use crate::registry::error::RegistryError;

/// A registrar.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of a registrar")]
pub struct RegistrarRecord {
    pub id: i64,
    pub handle: String,
    pub name: String,
    pub iana_id: Option<i64>,
    /// `active`, `suspended` or `terminated`.
    pub status: String,
    pub public: PublicData,
    pub created_at: Timestamp,
    pub updated_at: Option<Timestamp>,
}

impl RegistrarRecord {
    /// What it shows as this field.
    pub fn public(&self, field: PublicField) -> Option<&str> {
        self.public.get(&field).map(String::as_str)
    }
}

struct Row {
    id: i64,
    handle: String,
    name: String,
    iana_id: Option<i64>,
    status: String,
    public_data: Option<String>,
    created_at: i64,
    updated_at: Option<i64>,
}

from_row!(Row: id, handle, name, iana_id, status, public_data, created_at, updated_at);

impl From<Row> for RegistrarRecord {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            handle: row.handle,
            name: row.name,
            iana_id: row.iana_id,
            status: row.status,
            public: read_public(row.public_data.as_deref()),
            created_at: Timestamp(row.created_at),
            updated_at: row.updated_at.map(Timestamp),
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, handle, name, iana_id, status, public_data, created_at, updated_at \
             FROM registrars ",
            $rest
        )
    };
}

/// The registrar that a row names.
pub(super) async fn by_id(
    tables: &mut Tables<'_>,
    id: i64,
) -> Result<RegistrarRecord, RegistryError> {
    let query = rows::<Row>(select!("WHERE id = $1")).bind(id);
    let row = tables.optional(query).await?;
    let row = row.ok_or_else(|| tables.inconsistent(format!("registrar {id} is not there")))?;
    Ok(row.into())
}

/// Registrars are thousands at most: beyond this some are not searched.
const SEARCHED_MAX: i64 = 20_000;

impl Snapshot<'_> {
    /// The registrar with this number at IANA.
    pub async fn registrar_by_iana_id(
        &mut self,
        iana_id: i64,
    ) -> Result<Option<RegistrarRecord>, RegistryError> {
        let query = rows::<Row>(select!(
            "WHERE iana_id = $1 AND stage = 'production' ORDER BY id LIMIT 1"
        ))
        .bind(iana_id);
        let row = self.tables().optional(query).await?;
        Ok(row.map(Into::into))
    }

    /// The registrar of this handle.
    pub async fn registrar_by_handle(
        &mut self,
        handle: &str,
    ) -> Result<Option<RegistrarRecord>, RegistryError> {
        let query = rows::<Row>(select!("WHERE handle = $1 AND stage = 'production'"));
        let row = self.tables().optional(query.bind(handle)).await?;
        Ok(row.map(Into::into))
    }

    /// The registrar of this name, in whatever case.
    pub async fn registrar_by_name(
        &mut self,
        name: &str,
    ) -> Result<Option<RegistrarRecord>, RegistryError> {
        let query = rows::<Row>(select!(
            "WHERE lower(name) = lower($1) AND stage = 'production' ORDER BY id LIMIT 1"
        ));
        let row = self.tables().optional(query.bind(name)).await?;
        Ok(row.map(Into::into))
    }

    /// All of them, in the order of their ids.
    pub async fn registrars(&mut self) -> Result<Vec<Candidate>, RegistryError> {
        let query = rows::<(i64, String, Option<i64>, i64, Option<i64>)>(
            "SELECT id, name, iana_id, created_at, updated_at FROM registrars \
             WHERE id > $1 AND stage = 'production' ORDER BY id LIMIT $2",
        );
        let found = self.tables().all(query.bind(0).bind(SEARCHED_MAX)).await?;
        let candidate = |(id, name, iana_id, created_at, updated_at)| Candidate {
            id,
            name,
            iana_id,
            created_at,
            updated_at,
            ..Candidate::default()
        };
        Ok(found.into_iter().map(candidate).collect())
    }

    /// The registrar of this id.
    pub async fn registrar_by_id(&mut self, id: i64) -> Result<RegistrarRecord, RegistryError> {
        by_id(&mut self.tables(), id).await
    }
}
