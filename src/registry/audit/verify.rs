//! The look along the whole chain.

use serde::Serialize;

use super::super::database::Database;
use super::super::error::RegistryError;
use super::Digest;
use super::before::{self, Before};
use super::chain::{Stored, page};

/// Events that are in memory at once.
const PAGE: i64 = 2_000;
/// Most breaks that are told one by one.
const TOLD_MAX: usize = 20;

/// An event whose digest was noted elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// The event.
    pub event: i64,
    /// What its digest was.
    pub digest: Digest,
}

impl std::str::FromStr for Anchor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once(':');
        let (event, digest) = parts.ok_or_else(|| format!("{text:?} is not EVENT:DIGEST"))?;
        let event = event.parse();
        Ok(Self {
            event: event.map_err(|_| format!("{text:?} begins with no event number"))?,
            digest: digest.parse()?,
        })
    }
}

/// What is wrong at an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum BreakKind {
    /// Its content, its digest or the digest before it is not what was written.
    Changed,
    /// What objects were before it is not what was written.
    States,
    /// It is not there.
    Missing,
    /// It has no digest.
    Unchained,
    /// The registry knows nothing of it: it is beyond the newest.
    Beyond,
    /// The registry has another digest for its newest event.
    Head,
    /// It had another digest when that was noted.
    Anchor,
}

/// A place where the chain does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Break {
    /// The event.
    pub event: i64,
    /// What is wrong with it.
    pub kind: BreakKind,
}

impl std::fmt::Display for Break {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let event = self.event;
        match self.kind {
            BreakKind::Changed => write!(f, "event {event} or the digest before it was changed"),
            BreakKind::States => write!(f, "the states before event {event} were changed"),
            BreakKind::Missing => write!(f, "event {event} is missing"),
            BreakKind::Unchained => write!(f, "event {event} has no digest"),
            BreakKind::Beyond => write!(f, "event {event} is newer than the registry's newest"),
            BreakKind::Head => write!(f, "event {event} is not the newest that was written"),
            BreakKind::Anchor => write!(f, "event {event} is not the one that was noted"),
        }
    }
}

/// What came of the look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// Events that were looked at.
    pub events: u64,
    /// The newest event.
    pub last_event: i64,
    /// Its digest: note it elsewhere, as an anchor.
    pub digest: Digest,
    /// Places where the chain does not hold.
    pub breaks: u64,
    /// The first of them.
    pub told: Vec<Break>,
}

impl Verification {
    fn tell(&mut self, event: i64, kind: BreakKind) {
        self.breaks += 1;
        if self.told.len() < TOLD_MAX {
            self.told.push(Break { event, kind });
        }
    }
}

/// Newest event, its digest, and the newest row of the log, as of one moment.
const HEAD: &str = "SELECT r.last_event, r.last_digest, \
    (SELECT e.number FROM events e ORDER BY e.number DESC LIMIT 1) FROM registry r";

/// Follows the chain up to the newest event. `progress` is told how many events were
/// looked at, and of how many.
pub async fn verify(
    database: &mut Database,
    anchors: &[Anchor],
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Verification, RegistryError> {
    let fault = database.fault();
    let place = database.place().to_owned();
    let connection = database.connection();
    let head: (i64, Option<Vec<u8>>, Option<i64>) = sqlx::query_as(HEAD)
        .fetch_optional(&mut *connection)
        .await
        .map_err(&fault)?
        .ok_or(RegistryError::NotARegistry { place })?;
    let (last, head, newest) = head;
    let mut found = Verification {
        events: 0,
        last_event: last,
        digest: Digest::default(),
        breaks: 0,
        told: Vec::new(),
    };
    let mut expected = 1;
    while expected <= last {
        let events = page(connection, expected - 1, PAGE).await.map_err(&fault)?;
        let Some(newest) = events.last() else { break };
        let newest = newest.entry.number;
        let states = before::between(connection, expected, newest).await;
        let mut states = States(states.map_err(&fault)?.into_iter().peekable());
        for stored in events
            .iter()
            .take_while(|stored| stored.entry.number <= last)
        {
            look(&mut found, stored, expected, anchors);
            let number = stored.entry.number;
            if !states.are_those_of(number, stored.entry.states) {
                found.tell(number, BreakKind::States);
            }
            expected = number + 1;
        }
        if newest > last {
            break;
        }
        progress(found.events, u64::try_from(last).unwrap_or_default());
    }
    if expected <= last {
        found.tell(expected, BreakKind::Missing);
    }
    for anchor in anchors.iter().filter(|anchor| anchor.event >= expected) {
        found.tell(anchor.event, BreakKind::Missing);
    }
    if head.as_deref().and_then(Digest::from_column) != Some(found.digest) {
        found.tell(last, BreakKind::Head);
    }
    if let Some(newest) = newest.filter(|newest| *newest > last) {
        found.tell(newest, BreakKind::Beyond);
    }
    Ok(found)
}

/// The states of a page of events, in their order.
struct States<I: Iterator<Item = (i64, Before)>>(std::iter::Peekable<I>);

impl<I: Iterator<Item = (i64, Before)>> States<I> {
    /// Whether those of an event, and of no event that is missing before it, are what its
    /// digest says.
    fn are_those_of(&mut self, event: i64, digest: Option<Digest>) -> bool {
        let mut own = Vec::new();
        let mut are_others = false;
        while let Some((until, before)) = self.0.next_if(|(until, _)| *until <= event) {
            are_others |= until < event;
            own.push(before);
        }
        !are_others && before::digest(&own) == digest
    }
}

/// One event against what comes before it; `expected` is the number that it should have.
fn look(found: &mut Verification, stored: &Stored, expected: i64, anchors: &[Anchor]) {
    let number = stored.entry.number;
    found.events += 1;
    if number > expected {
        found.tell(expected, BreakKind::Missing);
    }
    let computed = stored.entry.digest(found.digest);
    match stored.digest {
        None => found.tell(number, BreakKind::Unchained),
        // After a gap the digest cannot fit: that is told already.
        Some(digest) if digest != computed && number == expected => {
            found.tell(number, BreakKind::Changed);
        }
        Some(_) => {}
    }
    // Goes on from what stands there: one change is one break.
    found.digest = stored.digest.unwrap_or(computed);
    let noted = anchors.iter().find(|anchor| anchor.event == number);
    if noted.is_some_and(|anchor| anchor.digest != found.digest) {
        found.tell(number, BreakKind::Anchor);
    }
}
