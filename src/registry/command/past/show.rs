//! The look into the past: an object by its name at an event, or at a moment.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{Key, domain, host, load};
use crate::registry::audit::Before;
use crate::registry::calendar::{from_text, to_text};
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::changes::ObjectKind;
use crate::registry::command::contact;
use crate::registry::command::tables::{Tables, from_row, rows};
use crate::registry::database::{Database, Timestamp};
use crate::registry::error::RegistryError;

/// Most hosts below a domain that are shown.
const BELOW_MAX: usize = 1000;

/// When in the past: after an event, or at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// After this event and before the next.
    Event(i64),
    /// After the last event that was accepted by then.
    Time(Timestamp),
}

impl std::str::FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(event) = text.parse() {
            return Ok(Self::Event(event));
        }
        let time = from_text(text).or_else(|| from_text(&format!("{text}T00:00:00Z")));
        let bad = "neither the number of an event nor a time as 2026-01-31T12:00:00Z or 2026-01-31";
        time.map(Self::Time)
            .ok_or_else(|| format!("{text:?} is {bad}"))
    }
}

/// What there was of a name.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Past {
    /// The event that it stood at.
    pub event: i64,
    /// The moment that was asked about, or that of the event.
    pub at: Timestamp,
    /// A domain, a host, a contact of that name.
    pub objects: Vec<PastObject>,
}

/// An object as it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PastObject {
    /// `domain`, `host` or `contact`.
    pub kind: String,
    /// The event that ended this state; none where it still is so.
    pub until_event: Option<i64>,
    /// As its sponsor was shown it, but for what follows from other objects or policy too.
    pub info: Value,
}

/// Shows what there was of a name at a moment.
pub async fn show(
    database: &mut Database,
    name: &str,
    moment: Moment,
) -> Result<Past, CommandError> {
    let mut tables = database.tables();
    let (event, at) = event_at(&mut tables, moment).await?;
    let when = When { event, at };
    let mut objects = Vec::new();
    for kind in [ObjectKind::Domain, ObjectKind::Host, ObjectKind::Contact] {
        let name = match kind {
            ObjectKind::Contact => name.to_owned(),
            _ => name.trim_end_matches('.').to_ascii_lowercase(),
        };
        if let Some((before, until_event)) = when.find(&mut tables, kind, &name).await? {
            let info = when.shown(&mut tables, kind, &before).await?;
            let kind = kind.column().to_owned();
            objects.push(PastObject {
                kind,
                until_event,
                info,
            });
        }
    }
    if objects.is_empty() {
        let reason = format!("nothing had this name at event {event}, {}", to_text(at));
        return Err(rejected(ResultCode::ObjectDoesNotExist, name, reason));
    }
    Ok(Past { event, at, objects })
}

/// The last event by a moment. Times of events go up but where a clock was set back, so
/// some twenty looks by number find it.
async fn event_at(
    tables: &mut Tables<'_>,
    moment: Moment,
) -> Result<(i64, Timestamp), CommandError> {
    let last = rows::<(i64,)>("SELECT last_event FROM registry");
    let last = tables.optional(last).await?.map_or(0, |(last,)| last);
    let time = match moment {
        Moment::Event(event) => {
            let found = match event {
                1.. => time_of(tables, event).await?,
                _ => None,
            };
            let missing = || {
                let reason = format!("no such event; the newest is {last}");
                rejected(ResultCode::ObjectDoesNotExist, event, reason)
            };
            return Ok((event, found.ok_or_else(missing)?));
        }
        Moment::Time(time) => time,
    };
    let (mut by_then, mut later) = (0, last + 1);
    while later - by_then > 1 {
        let middle = by_then + (later - by_then) / 2;
        let found = time_of(tables, middle).await?;
        let found = found.ok_or_else(|| tables.inconsistent(format!("no event {middle}")))?;
        match found <= time {
            true => by_then = middle,
            false => later = middle,
        }
    }
    if by_then == 0 {
        let reason = "before the first event of the registry";
        return Err(rejected(
            ResultCode::ObjectDoesNotExist,
            to_text(time),
            reason,
        ));
    }
    Ok((by_then, time))
}

async fn time_of(tables: &mut Tables<'_>, event: i64) -> Result<Option<Timestamp>, RegistryError> {
    let query = rows::<(i64,)>("SELECT time FROM events WHERE number = $1");
    let found = tables.optional(query.bind(event)).await?;
    Ok(found.map(|(time,)| Timestamp(time)))
}

struct Row {
    until_event: i64,
    object_id: i64,
    object_type: String,
    name: String,
    domain_id: Option<i64>,
    first_event: i64,
    created_at: i64,
    state: String,
}

from_row!(Row: until_event, object_id, object_type, name, domain_id, first_event, created_at, state);

impl Row {
    fn before(self) -> (Before, i64) {
        let before = Before {
            object_id: self.object_id,
            object_type: self.object_type,
            name: self.name,
            domain_id: self.domain_id,
            first_event: self.first_event,
            created_at: self.created_at,
            state: self.state,
        };
        (before, self.until_event)
    }
}

/// A moment, with its event.
struct When {
    event: i64,
    at: Timestamp,
}

impl When {
    /// Whether an object was made by then.
    fn has(&self, before: &Before) -> bool {
        before.first_event <= self.event
            && (before.first_event > 0 || before.created_at <= self.at.0)
    }

    /// The object of a name, and the event that ended the state: the first note of an object
    /// after the event is what it was; without one it still is so.
    async fn find(
        &self,
        tables: &mut Tables<'_>,
        kind: ObjectKind,
        name: &str,
    ) -> Result<Option<(Before, Option<i64>)>, RegistryError> {
        let noted = rows::<Row>(
            "SELECT s.until_event, s.object_id, s.object_type, s.name, s.domain_id, \
             s.first_event, s.created_at, s.state FROM object_states s \
             WHERE s.object_type = $1 AND s.name = $2 AND s.until_event > $3 \
             AND s.first_event <= $3 AND (s.first_event > 0 OR s.created_at <= $4) \
             AND NOT EXISTS (SELECT p.object_id FROM object_states p \
             WHERE p.object_id = s.object_id AND p.until_event > $3 \
             AND p.until_event < s.until_event) ORDER BY s.until_event LIMIT 1",
        );
        let noted = noted.bind(kind.column()).bind(name);
        let noted = noted.bind(self.event).bind(self.at.0);
        if let Some(row) = tables.optional(noted).await? {
            let (before, until) = row.before();
            return Ok(Some((before, Some(until))));
        }
        let now = load(tables, kind, Key::Name(name)).await?;
        let Some(now) = now.filter(|now| self.has(now)) else {
            return Ok(None);
        };
        let is_later = rows::<(i64,)>(
            "SELECT object_id FROM object_states WHERE object_id = $1 AND until_event > $2 LIMIT 1",
        );
        // It has this name only since.
        let is_later = is_later.bind(now.object_id).bind(self.event);
        Ok((!tables.any(is_later).await?).then_some((now, None)))
    }

    async fn shown(
        &self,
        tables: &mut Tables<'_>,
        kind: ObjectKind,
        before: &Before,
    ) -> Result<Value, RegistryError> {
        match kind {
            ObjectKind::Host => host::shown(tables, before),
            ObjectKind::Contact => contact::shown_of(tables, before).await,
            ObjectKind::Domain => {
                let mut names = BTreeMap::new();
                for id in domain::hosts(tables, before)? {
                    names.insert(id, self.host_name(tables, id).await?);
                }
                let below = self.below(tables, before.object_id).await?;
                let of = |ids: &[i64]| {
                    let mut found: Vec<_> = ids.iter().filter_map(|id| names.get(id)).collect();
                    found.sort_unstable();
                    found.into_iter().cloned().collect()
                };
                domain::shown(tables, before, self.at, of, below)
            }
        }
    }

    /// What a host was called.
    async fn host_name(&self, tables: &mut Tables<'_>, id: i64) -> Result<String, RegistryError> {
        let noted = rows::<(String,)>(
            "SELECT name FROM object_states WHERE object_id = $1 AND until_event > $2 \
             ORDER BY until_event LIMIT 1",
        );
        if let Some((name,)) = tables.optional(noted.bind(id).bind(self.event)).await? {
            return Ok(name);
        }
        let now = rows::<(String,)>("SELECT name FROM hosts WHERE id = $1");
        let found = tables.optional(now.bind(id)).await?;
        let (name,) = found.ok_or_else(|| tables.inconsistent(format!("no host {id}")))?;
        Ok(name)
    }

    /// Hosts below a domain.
    async fn below(
        &self,
        tables: &mut Tables<'_>,
        domain_id: i64,
    ) -> Result<Vec<String>, RegistryError> {
        let noted = rows::<(String,)>(
            "SELECT s.name FROM object_states s WHERE s.domain_id = $1 AND s.until_event > $2 \
             AND s.first_event <= $2 AND (s.first_event > 0 OR s.created_at <= $3) \
             AND NOT EXISTS (SELECT p.object_id FROM object_states p \
             WHERE p.object_id = s.object_id AND p.until_event > $2 \
             AND p.until_event < s.until_event)",
        );
        let now = rows::<(String,)>(
            "SELECT h.name FROM hosts h WHERE h.domain_id = $1 AND h.first_event <= $2 \
             AND (h.first_event > 0 OR h.created_at <= $3) \
             AND NOT EXISTS (SELECT p.object_id FROM object_states p \
             WHERE p.object_id = h.id AND p.until_event > $2)",
        );
        let mut names = Vec::new();
        for query in [noted, now] {
            let query = query.bind(domain_id).bind(self.event).bind(self.at.0);
            names.extend(tables.all(query).await?.into_iter().map(|(name,)| name));
        }
        names.sort_unstable();
        names.truncate(BELOW_MAX);
        Ok(names)
    }
}
