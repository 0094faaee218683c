//! When a certificate ends (RFC 5280 section 4.1.2.5).
//!
//! Reads as much of the DER as stands before it, and judges nothing: whether a
//! certificate is any good is for the clients to say.

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// `[0] EXPLICIT`, the version.
const VERSION: u8 = 0xa0;

const DAY_SECONDS: i64 = 86_400;

/// `notAfter` in seconds since 1970; `None` where this is no certificate.
pub(crate) fn expires_at(der: &[u8]) -> Option<u64> {
    let mut certificate = Der(Der(der).of(SEQUENCE)?);
    let mut inner = Der(certificate.of(SEQUENCE)?);
    if inner.0.first() == Some(&VERSION) {
        inner.of(VERSION)?;
    }
    inner.of(INTEGER)?;
    let (_signature, _issuer) = (inner.of(SEQUENCE)?, inner.of(SEQUENCE)?);
    let mut validity = Der(inner.of(SEQUENCE)?);
    let _not_before = validity.next()?;
    let (tag, time) = validity.next()?;
    match tag {
        // Two digits of a year mean 1950 to 2049.
        UTC_TIME => {
            let (year, rest) = time.split_at_checked(2)?;
            let year = number(year)?;
            seconds(if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = time.split_at_checked(4)?;
            seconds(number(year)?, rest)
        }
        _ => None,
    }
}

/// Values one after the other.
struct Der<'d>(&'d [u8]);

impl<'d> Der<'d> {
    /// The contents of the next value, which must have this tag.
    fn of(&mut self, tag: u8) -> Option<&'d [u8]> {
        self.next()
            .filter(|(found, _)| *found == tag)
            .map(|(_, contents)| contents)
    }

    /// Tag and contents of the next value.
    fn next(&mut self) -> Option<(u8, &'d [u8])> {
        let (&[tag, first], rest) = self.0.split_first_chunk()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            // A length of one to three octets follows; more is no certificate.
            0x81..=0x83 => {
                let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = octets
                    .iter()
                    .fold(0, |length, octet| length << 8 | usize::from(*octet));
                (length, rest)
            }
            _ => return None,
        };
        let (contents, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, contents))
    }
}

/// Seconds since 1970 of `MMDDHHMMSSZ` in a year; 0 for what was before.
fn seconds(year: i64, rest: &[u8]) -> Option<u64> {
    let (digits, zone) = rest.split_at_checked(10)?;
    if zone != b"Z" {
        return None;
    }
    let mut parts = digits.chunks_exact(2).map(number);
    let mut part = |range: std::ops::RangeInclusive<i64>| {
        parts.next().flatten().filter(|value| range.contains(value))
    };
    let (month, day) = (part(1..=12)?, part(1..=31)?);
    let (hour, minute, second) = (part(0..=23)?, part(0..=59)?, part(0..=60)?);
    let time = hour * 3600 + minute * 60 + second;
    Some(u64::try_from(days(year, month, day) * DAY_SECONDS + time).unwrap_or(0))
}

/// Days from 1970 to a date. Years start in March here, so that a leap day is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let leap_days = year / 4 - year / 100 + year / 400;
    // Months from March on have 31, 30, 31, 30, 31 days, again and again.
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    const UNTIL_1970: i64 = 719_468;
    365 * year + leap_days + day_of_year - UNTIL_1970
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        Some(value * 10 + i64::from(digit))
    })
}

#[cfg(test)]
mod tests;
