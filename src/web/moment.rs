//! Moments as people write them: `31 January 2026, 12:00 UTC`.

use crate::lookup::{Timestamp, time_text};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment {
    /// For programs (RFC 3339), to the second.
    pub(super) machine: String,
    /// For people.
    pub(super) people: String,
}

impl Moment {
    /// To the minute: what is on a page for years.
    pub(super) fn new(at: Timestamp) -> Self {
        Self::with(at, |time| &time[..5])
    }

    /// To the second: what was a moment ago.
    pub(super) fn precise(at: Timestamp) -> Self {
        Self::with(at, |time| time)
    }

    fn with(at: Timestamp, part: fn(&str) -> &str) -> Self {
        let text = time_text(at);
        let seconds = text.split(['.', 'Z']).next().unwrap_or_default();
        let (date, time) = seconds.split_once('T').unwrap_or((seconds, "00:00:00"));
        Self {
            machine: format!("{seconds}Z"),
            people: match day(date) {
                Some(day) => format!("{day}, {} UTC", part(time)),
                None => seconds.to_owned(),
            },
        }
    }
}

fn day(date: &str) -> Option<String> {
    let mut parts = date.rsplitn(3, '-');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
    Some(format!("{} {month} {year}", day.trim_start_matches('0')))
}

#[cfg(test)]
mod tests;
