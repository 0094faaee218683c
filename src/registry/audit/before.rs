//! What objects were before an event, and the digest over it that the event's own covers.

use sqlx::AnyConnection;

use super::Digest;

/// Tells these digests from any other use of BLAKE3.
const CONTEXT: &str = "Meridian registry, states before an event, version 1";

/// An object as it was before an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Before {
    pub(crate) object_id: i64,
    pub(crate) object_type: String,
    pub(crate) name: String,
    /// The domain above a host.
    pub(crate) domain_id: Option<i64>,
    /// The event that made it; 0 where nobody noted it.
    pub(crate) first_event: i64,
    pub(crate) created_at: i64,
    /// JSON.
    pub(crate) state: String,
}

/// The digest of all states that one event ended; nothing where it ended none.
pub(crate) fn digest<'b>(states: impl IntoIterator<Item = &'b Before>) -> Option<Digest> {
    let mut states: Vec<_> = states.into_iter().collect();
    if states.is_empty() {
        return None;
    }
    states.sort_by_key(|before| before.object_id);
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    for before in states {
        for number in [
            before.object_id,
            i64::from(before.domain_id.is_some()),
            before.domain_id.unwrap_or_default(),
            before.first_event,
            before.created_at,
        ] {
            hasher.update(&number.to_le_bytes());
        }
        for text in [&before.object_type, &before.name, &before.state] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
    }
    Some(Digest(*hasher.finalize().as_bytes()))
}

/// The states that the events from `first` to `last` ended, each with its event, in the
/// order of events.
pub(super) async fn between(
    connection: &mut AnyConnection,
    first: i64,
    last: i64,
) -> sqlx::Result<Vec<(i64, Before)>> {
    type Columns = (i64, i64, String, String, Option<i64>, i64, i64, String);
    let rows: Vec<Columns> = sqlx::query_as(
        "SELECT until_event, object_id, object_type, name, domain_id, first_event, created_at, \
         state FROM object_states WHERE until_event >= $1 AND until_event <= $2 \
         ORDER BY until_event, object_id",
    )
    .bind(first)
    .bind(last)
    .fetch_all(connection)
    .await?;
    let read = |row: Columns| {
        let (event, object_id, object_type, name, domain_id, first_event, created_at, state) = row;
        let before = Before {
            object_id,
            object_type,
            name,
            domain_id,
            first_event,
            created_at,
            state,
        };
        (event, before)
    };
    Ok(rows.into_iter().map(read).collect())
}
