//! The times of signatures (RFC 4034 section 3.2): seconds since 1970 modulo 2^32,
//! written as `YYYYMMDDHHmmSS` in UTC or as a plain number.

use std::fmt;

pub(super) const EXPECTED: &str = "a time as YYYYMMDDHHmmSS or in seconds";

const DAY: u64 = 86_400;

/// Reads either form; a time beyond 2106 wraps, as on the wire.
pub(super) fn parse(text: &[u8]) -> Option<u32> {
    if text.len() != 14 {
        let seconds = super::scan::decimal(text, u32::MAX.into())?;
        return u32::try_from(seconds).ok();
    }
    let part = |from: usize, to: usize| super::scan::decimal(&text[from..to], 9_999);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    if year < 1970 || !(1..=12).contains(&month) || day < 1 || day > days_of(year, month) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let years: u64 = (1970..year).map(days_of_year).sum();
    let months: u64 = (1..month).map(|month| days_of(year, month)).sum();
    let days = years + months + day - 1;
    let seconds = days * DAY + hour * 3_600 + minute * 60 + second;
    u32::try_from(seconds % (1 << 32)).ok()
}

/// Writes `YYYYMMDDHHmmSS`, taking the seconds as those from 1970 to 2106.
pub(super) fn write(f: &mut fmt::Formatter<'_>, seconds: u32) -> fmt::Result {
    let mut days = u64::from(seconds) / DAY;
    let rest = u64::from(seconds) % DAY;
    let mut year = 1970;
    while days >= days_of_year(year) {
        days -= days_of_year(year);
        year += 1;
    }
    let mut month = 1;
    while days >= days_of(year, month) {
        days -= days_of(year, month);
        month += 1;
    }
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    let day = days + 1;
    write!(
        f,
        "{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}"
    )
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of_year(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_of(year: u64, month: u64) -> u64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}
