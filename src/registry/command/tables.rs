//! Rows in and out, for commands.
//!
//! Statements are ours and hold no data; values are bound. The same functions serve
//! a read on its own and a read inside a write.

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::QueryAs;
use sqlx::{Any, AnyConnection, AssertSqlSafe, FromRow};

use super::super::database::Engine;
use super::super::error::RegistryError;
use super::super::sql::AnyQuery;

/// A query of rows.
pub(crate) type Rows<'q, T> = QueryAs<'q, Any, T, AnyArguments>;

/// A connection with its place in messages.
pub(crate) struct Tables<'c> {
    engine: Engine,
    place: &'c str,
    connection: &'c mut AnyConnection,
}

/// A row that sqlx can read.
pub(crate) trait Row: for<'r> FromRow<'r, AnyRow> + Send + Unpin {}

impl<T: for<'r> FromRow<'r, AnyRow> + Send + Unpin> Row for T {}

/// Reads a struct from the columns that are called like its fields.
macro_rules! from_row {
    ($type:ident: $($field:ident),+) => {
        impl<'r> sqlx::FromRow<'r, sqlx::any::AnyRow> for $type {
            fn from_row(row: &'r sqlx::any::AnyRow) -> sqlx::Result<Self> {
                use sqlx::Row as _;
                Ok(Self { $($field: row.try_get(stringify!($field))?,)+ })
            }
        }
    };
}
pub(in crate::registry) use from_row;

impl<'c> Tables<'c> {
    pub(crate) fn new(engine: Engine, place: &'c str, connection: &'c mut AnyConnection) -> Self {
        Self {
            engine,
            place,
            connection,
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        self.engine
    }

    fn fault(&self, source: sqlx::Error) -> RegistryError {
        RegistryError::engine(self.engine, self.place, source)
    }

    /// A row that no write of ours makes.
    pub(crate) fn inconsistent(&self, what: impl Into<String>) -> RegistryError {
        let (place, what) = (self.place.to_owned(), what.into());
        RegistryError::Inconsistent { place, what }
    }

    pub(crate) async fn optional<T: Row>(
        &mut self,
        query: Rows<'_, T>,
    ) -> Result<Option<T>, RegistryError> {
        let row = query.fetch_optional(&mut *self.connection).await;
        row.map_err(|source| self.fault(source))
    }

    pub(crate) async fn all<T: Row>(
        &mut self,
        query: Rows<'_, T>,
    ) -> Result<Vec<T>, RegistryError> {
        let rows = query.fetch_all(&mut *self.connection).await;
        rows.map_err(|source| self.fault(source))
    }

    /// Whether there is a row.
    pub(crate) async fn any(&mut self, query: Rows<'_, (i64,)>) -> Result<bool, RegistryError> {
        Ok(self.optional(query).await?.is_some())
    }

    /// Runs a statement and says how many rows it changed.
    pub(crate) async fn run(&mut self, query: AnyQuery<'_>) -> Result<u64, RegistryError> {
        let done = query.execute(&mut *self.connection).await;
        done.map(|done| done.rows_affected())
            .map_err(|source| self.fault(source))
    }
}

/// A query whose text holds no data.
pub(crate) fn rows<'q, T: Row>(text: &'static str) -> Rows<'q, T> {
    sqlx::query_as(text)
}

/// A query with a list of texts: `{list}` stands for the parameters, which come
/// first.
pub(crate) fn rows_in<'q, T: Row>(text: &str, list: &'q [String]) -> Rows<'q, T> {
    let parameters: Vec<_> = (1..=list.len())
        .map(|number| format!("${number}"))
        .collect();
    let text = text.replace("{list}", &parameters.join(", "));
    let query = sqlx::query_as(AssertSqlSafe(text));
    list.iter()
        .fold(query, |query, value| query.bind(value.as_str()))
}
