//! What the event log says of each domain, done again without the registry's code: where it
//! is in its life and when it ends. The rows have to say the same, and the log has to be
//! possible: no step before its time, none twice, none left out.

use std::collections::{BTreeMap, BTreeSet};

use meridian::registry::Timestamp;
use meridian::registry::types::CalendarDate;

use super::{Acknowledged, DAY};
use crate::registry::Registry;

/// In which a deleted domain can be restored, and what comes then.
const REDEMPTION: i64 = 2 * DAY;
const PENDING_DELETE: i64 = DAY;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Domain {
    phase: &'static str,
    /// Day and time of the day.
    ends: (String, i64),
    ends_at: i64,
    phase_ends_at: Option<i64>,
}

/// The same day and time, years later; no leap day is near.
fn later(ends: &(String, i64), years: i64) -> (String, i64) {
    let (year, rest) = ends.0.split_once('-').unwrap();
    let year: i64 = year.parse().unwrap();
    (format!("{}-{rest}", year + years), ends.1)
}

fn moment(at: i64) -> (String, i64) {
    (
        CalendarDate::of(Timestamp(at)).to_string(),
        at.rem_euclid(DAY),
    )
}

/// Microseconds of a day and a time: the day is looked for around a guess.
fn microseconds((day, time): &(String, i64), guess: i64) -> i64 {
    let first = guess.div_euclid(DAY) - 2;
    let found = (first..first + 5).find(|number| moment(number * DAY).0 == *day);
    found.expect("a year has 365 days or one more") * DAY + time
}

struct Event {
    number: i64,
    time: i64,
    kind: String,
    object: String,
    detail: serde_json::Value,
}

fn events(registry: &Registry) -> Vec<Event> {
    // One column: number, time, kind and object have no blank in them.
    let lines: Vec<String> = registry.query(
        "SELECT number || ' ' || time || ' ' || kind || ' ' || object || ' ' || detail \
         FROM events WHERE kind LIKE 'domain-%' ORDER BY number",
    );
    let read = |line: String| {
        let words: Vec<_> = line.splitn(5, ' ').collect();
        Event {
            number: words[0].parse().unwrap(),
            time: words[1].parse().unwrap(),
            kind: words[2].to_owned(),
            object: words[3].to_owned(),
            detail: serde_json::from_str(words[4]).unwrap(),
        }
    };
    lines.into_iter().map(read).collect()
}

/// Compares; with a moment up to which time has passed, nothing that was due before is left.
/// Steps of time, by kind.
pub(super) fn check(
    registry: &Registry,
    acknowledged: &[Acknowledged],
    until: Option<i64>,
) -> BTreeMap<String, u64> {
    let numbers: Vec<i64> = registry.query("SELECT number FROM events ORDER BY number");
    let expected: Vec<i64> = (1..=i64::try_from(numbers.len()).unwrap()).collect();
    assert_eq!(numbers, expected, "event numbers");
    let events = events(registry);
    let there: BTreeMap<_, _> = events.iter().map(|event| (event.number, event)).collect();
    for Acknowledged {
        event,
        kind,
        object,
    } in acknowledged
    {
        let found = there.get(event).map(|found| (&found.kind, &found.object));
        assert_eq!(
            found,
            Some((kind, object)),
            "acknowledged and lost: event {event}"
        );
    }
    let (mut domains, mut steps) = (BTreeMap::new(), BTreeMap::new());
    let (mut taken, mut begun) = (BTreeSet::new(), BTreeMap::new());
    for event in &events {
        apply(&mut domains, event);
        // Whose end has passed and who is restored comes to the same end again.
        if matches!(event.kind.as_str(), "domain-create" | "domain-restore") {
            *begun.entry(&event.object).or_insert(0) += 1;
        }
        let due = &event.detail["domain"]["step"]["due-at"];
        if let Some(due) = due.as_i64() {
            let life = begun.get(&event.object);
            let is_first = taken.insert((&event.kind, &event.object, life.copied(), due));
            assert!(is_first, "twice: {} {} {due}", event.kind, event.object);
            *steps.entry(event.kind.clone()).or_insert(0) += 1;
        }
    }
    let expected: Vec<_> = domains
        .iter()
        .map(|(name, domain)| row(name, domain))
        .collect();
    assert_eq!(rows(registry), expected, "rows are not what the log says");
    if let Some(until) = until {
        let left = format!("SELECT name FROM domains WHERE due_at <= {until} ORDER BY name");
        let left: Vec<String> = registry.query(&left);
        assert_eq!(left, [""; 0], "due and not done");
        for (name, domain) in &domains {
            let next = domain.phase_ends_at.unwrap_or(domain.ends_at);
            // A purge waits for the window of its day.
            assert!(next > until - DAY, "{name}: {domain:?} was forgotten");
        }
    }
    steps
}

fn apply<'e>(domains: &mut BTreeMap<&'e str, Domain>, event: &'e Event) {
    let (name, time) = (event.object.as_str(), event.time);
    let context = format!("event {} {} {name}", event.number, event.kind);
    if event.kind == "domain-create" {
        let ends = later(&moment(time), 1);
        let made = Domain {
            phase: "registered",
            ends_at: microseconds(&ends, time + 365 * DAY),
            ends,
            phase_ends_at: None,
        };
        assert_eq!(domains.insert(name, made), None, "{context}: there already");
        return;
    }
    let domain = domains.get_mut(name);
    let domain = domain.unwrap_or_else(|| panic!("{context}: of no domain"));
    let in_phase = |phase: &str| assert_eq!(domain.phase, phase, "{context}");
    let due = |at: i64| assert!(at <= time, "{context}: before its time");
    let is_auto = name.ends_with(".auto");
    match event.kind.as_str() {
        "domain-renew" => {
            in_phase("registered");
            domain.lengthen();
        }
        "domain-expire" if is_auto => {
            in_phase("registered");
            due(domain.ends_at);
            domain.lengthen();
        }
        "domain-expire" | "domain-delete" => {
            in_phase("registered");
            if event.kind == "domain-expire" {
                due(domain.ends_at);
            }
            domain.phase = "redemption";
            domain.phase_ends_at = Some(time + REDEMPTION);
        }
        "domain-restore" => {
            in_phase("redemption");
            domain.phase = "registered";
            domain.phase_ends_at = None;
        }
        "domain-redemption-end" => {
            in_phase("redemption");
            let ended = domain.phase_ends_at.unwrap();
            due(ended);
            domain.phase = "pending-delete";
            domain.phase_ends_at = Some(ended + PENDING_DELETE);
        }
        "domain-purge-due" => {
            in_phase("pending-delete");
            due(domain.phase_ends_at.unwrap());
            domains.remove(name);
        }
        other => panic!("{context}: {other}"),
    }
}

impl Domain {
    fn lengthen(&mut self) {
        self.ends = later(&self.ends, 1);
        self.ends_at = microseconds(&self.ends, self.ends_at + 365 * DAY);
    }
}

fn row(name: &str, domain: &Domain) -> String {
    let is_registered = domain.phase == "registered";
    let statuses = if is_registered { "" } else { "pendingDelete" };
    let (phase, ends_at) = (domain.phase, domain.ends_at);
    format!(
        "{name} {phase} {ends_at} {statuses} 2 {}",
        i64::from(is_registered)
    )
}

/// Name, phase, end, statuses, name servers, whether it is published.
fn rows(registry: &Registry) -> Vec<String> {
    let mut rows: Vec<String> = registry.query(
        "SELECT d.name || ' ' || d.phase || ' ' || d.expires_at || ' ' || d.statuses || ' ' || \
         (SELECT COUNT(*) FROM delegations n WHERE n.domain_id = d.id) || ' ' || d.published \
         FROM domains d",
    );
    rows.sort_by(|one, other| one.split(' ').next().cmp(&other.split(' ').next()));
    rows
}
