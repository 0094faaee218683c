//! The times of signatures (RFC 4034 section 3.2): seconds since 1970 modulo 2^32,
//! written as `YYYYMMDDHHmmSS` in UTC or as a plain number.

use std::fmt;

pub(super) const EXPECTED: &str = "a time as YYYYMMDDHHmmSS or in seconds";

const DAY: u64 = 86_400;
/// RFC 4034 section 3.1.5: times are serial numbers, so that some software writes
/// the upper half of them as years before 1970.
const YEAR_MIN: u64 = 1902;
/// Seconds from the start of `YEAR_MIN` to 1970: 68 years with 17 leap days.
const BEFORE_1970: u64 = (68 * 365 + 17) * DAY;

/// Reads either form; a time before 1970 or beyond 2106 wraps, as on the wire.
pub(super) fn parse(text: &[u8]) -> Option<u32> {
    if text.len() != 14 {
        let seconds = super::scan::decimal(text, u32::MAX.into())?;
        return u32::try_from(seconds).ok();
    }
    let part = |from: usize, to: usize| super::scan::decimal(&text[from..to], 9_999);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    if year < YEAR_MIN || !(1..=12).contains(&month) || day < 1 || day > days_of(year, month) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let years = days_before(year) - days_before(YEAR_MIN);
    let months: u64 = (1..month).map(|month| days_of(year, month)).sum();
    let days = years + months + day - 1;
    let seconds = days * DAY + hour * 3_600 + minute * 60 + second;
    // 2^32 - BEFORE_1970 is what 0 in YEAR_MIN stands for.
    u32::try_from((seconds + (1 << 32) - BEFORE_1970) % (1 << 32)).ok()
}

/// Writes `YYYYMMDDHHmmSS`, taking the seconds as those from 1970 to 2106.
pub(super) fn write(f: &mut fmt::Formatter<'_>, seconds: u32) -> fmt::Result {
    let mut days = u64::from(seconds) / DAY;
    let rest = u64::from(seconds) % DAY;
    // At most the year, and less by no more than a year in a lifetime.
    let mut year = 1970 + days / 366;
    days -= days_before(year) - days_before(1970);
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

/// Days from the start of year 1 to that of `year` in today's calendar.
fn days_before(year: u64) -> u64 {
    let years = year - 1;
    years * 365 + years / 4 - years / 100 + years / 400
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
