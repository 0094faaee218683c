//! What an event's digest covers, and the chain of a log that had none.
//!
//! The content is every column in order; a text is its length and its octets, so that no
//! two contents are the same octets.

use sqlx::{AnyConnection, AssertSqlSafe};

use super::super::database::Engine;
use super::Digest;

/// Tells these digests from any other use of BLAKE3. Another order or meaning of the
/// fields is another text.
const CONTEXT: &str = "Meridian registry, event log, version 1";
/// Events that are chained by one statement.
const PAGE: i64 = 500;

/// An event as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) number: i64,
    pub(crate) time: i64,
    pub(crate) kind: String,
    pub(crate) actor: String,
    pub(crate) zone_id: Option<i64>,
    pub(crate) object: Option<String>,
    pub(crate) cause: Option<String>,
    pub(crate) detail: Option<String>,
    /// Over the states that it ended.
    pub(crate) states: Option<Digest>,
}

/// An entry with the digest that stands beside it.
pub(super) struct Stored {
    pub(super) entry: Entry,
    pub(super) digest: Option<Digest>,
}

impl<'r> sqlx::FromRow<'r, sqlx::any::AnyRow> for Stored {
    fn from_row(row: &'r sqlx::any::AnyRow) -> sqlx::Result<Self> {
        use sqlx::Row as _;
        let (states, digest): (Option<Vec<u8>>, _) = (row.try_get(8)?, row.try_get(9)?);
        let digest: Option<Vec<u8>> = digest;
        Ok(Self {
            entry: Entry {
                number: row.try_get(0)?,
                time: row.try_get(1)?,
                kind: row.try_get(2)?,
                actor: row.try_get(3)?,
                zone_id: row.try_get(4)?,
                object: row.try_get(5)?,
                cause: row.try_get(6)?,
                detail: row.try_get(7)?,
                states: states.and_then(|octets| Digest::from_column(&octets)),
            },
            digest: digest.and_then(|octets| Digest::from_column(&octets)),
        })
    }
}

impl Entry {
    /// Its digest, after that of the event before it.
    pub(crate) fn digest(&self, before: Digest) -> Digest {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        hasher.update(&before.0);
        number(&mut hasher, Some(self.number));
        number(&mut hasher, Some(self.time));
        text(&mut hasher, Some(&self.kind));
        text(&mut hasher, Some(&self.actor));
        number(&mut hasher, self.zone_id);
        text(&mut hasher, self.object.as_deref());
        text(&mut hasher, self.cause.as_deref());
        text(&mut hasher, self.detail.as_deref());
        // All before has its length, so what has no states is what it was without this field.
        if let Some(states) = self.states {
            hasher.update(&states.0);
        }
        Digest(*hasher.finalize().as_bytes())
    }
}

fn number(hasher: &mut blake3::Hasher, value: Option<i64>) {
    hasher.update(&[u8::from(value.is_some())]);
    hasher.update(&value.unwrap_or_default().to_le_bytes());
}

fn text(hasher: &mut blake3::Hasher, value: Option<&str>) {
    hasher.update(&[u8::from(value.is_some())]);
    let value = value.unwrap_or_default();
    hasher.update(&(value.len() as u64).to_le_bytes());
    hasher.update(value.as_bytes());
}

/// Events after a number, oldest first, at most so many.
pub(super) async fn page(
    connection: &mut AnyConnection,
    after: i64,
    rows_max: i64,
) -> sqlx::Result<Vec<Stored>> {
    sqlx::query_as(
        "SELECT number, time, kind, actor, zone_id, object, cause, detail, states, digest FROM events \
         WHERE number > $1 ORDER BY number LIMIT $2",
    )
    .bind(after)
    .bind(rows_max)
    .fetch_all(connection)
    .await
}

/// Chains a log that has no digests yet, inside the caller's transaction.
pub(crate) async fn complete(engine: Engine, connection: &mut AnyConnection) -> sqlx::Result<()> {
    let is_chained: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM registry WHERE last_digest IS NOT NULL")
            .fetch_one(&mut *connection)
            .await?;
    if is_chained > 0 {
        return Ok(());
    }
    let (mut head, mut after) = (Digest::default(), 0);
    loop {
        let events = page(connection, after, PAGE).await?;
        let Some(last) = events.last() else { break };
        after = last.entry.number;
        let mut digests = Vec::with_capacity(events.len());
        for Stored { entry, .. } in &events {
            head = entry.digest(head);
            digests.push((entry.number, head));
        }
        write(engine, connection, &digests).await?;
    }
    sqlx::query("UPDATE registry SET last_digest = $1")
        .bind(head.column())
        .execute(connection)
        .await
        .map(drop)
}

/// Digests of a page in one statement.
async fn write(
    engine: Engine,
    connection: &mut AnyConnection,
    digests: &[(i64, Digest)],
) -> sqlx::Result<()> {
    let rows: Vec<_> = (0..digests.len())
        .map(|row| match engine {
            Engine::Sqlite => "(?, ?)".to_owned(),
            Engine::Postgres => format!("(${}, ${})", 2 * row + 1, 2 * row + 2),
        })
        .collect();
    // Both engines call the columns of VALUES column1, column2.
    let text = format!(
        "UPDATE events SET digest = v.column2 FROM (VALUES {}) AS v WHERE number = v.column1",
        rows.join(", ")
    );
    let mut update = sqlx::query(AssertSqlSafe(text));
    for (number, digest) in digests {
        update = update.bind(*number).bind(digest.column());
    }
    update.execute(connection).await.map(drop)
}
