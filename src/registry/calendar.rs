//! Years of the calendar, and times as text.
//!
//! A registration of a year ends on the same day at the same time of day; from the
//! 29th of February it ends on the 28th. Proleptic Gregorian, no leap seconds.

use super::database::Timestamp;

const DAY_MICROSECONDS: i64 = 86_400_000_000;
const SECOND_MICROSECONDS: i64 = 1_000_000;
/// Days of 400 years: after them the calendar repeats.
const ERA_DAYS: i64 = 146_097;
/// Days from the 1st of March of the year 0 to 1970.
const EPOCH_DAYS: i64 = 719_468;

/// The same time of day `years` later.
pub(crate) fn add_years(at: Timestamp, years: u8) -> Timestamp {
    let (days, time) = (
        at.0.div_euclid(DAY_MICROSECONDS),
        at.0.rem_euclid(DAY_MICROSECONDS),
    );
    let (year, month, day) = civil(days);
    let year = year + i64::from(years);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let day = if (month, day) == (2, 29) && !is_leap {
        28
    } else {
        day
    };
    Timestamp(days_of(year, month, day) * DAY_MICROSECONDS + time)
}

/// Year, month and day of a day since 1970. Years are counted from March, so that
/// the leap day is the last of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH_DAYS;
    let (era, day_of_era) = (days.div_euclid(ERA_DAYS), days.rem_euclid(ERA_DAYS));
    let leaps = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leaps) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Months from March have 31, 30, 31, 30, 31 days, twice and a bit.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// The reverse of [`civil`].
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * ERA_DAYS + day_of_era - EPOCH_DAYS
}

/// As `2026-01-31T12:00:00Z`, with as many decimals as there are microseconds (RFC
/// 3339 section 5.6).
pub(crate) fn to_text(at: Timestamp) -> String {
    let (days, time) = (
        at.0.div_euclid(DAY_MICROSECONDS),
        at.0.rem_euclid(DAY_MICROSECONDS),
    );
    let (year, month, day) = civil(days);
    let (seconds, fraction) = (time / SECOND_MICROSECONDS, time % SECOND_MICROSECONDS);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if fraction > 0 {
        let decimals = format!("{fraction:06}");
        text.push('.');
        text.push_str(decimals.trim_end_matches('0'));
    }
    text.push('Z');
    text
}

/// The reverse of [`to_text`].
pub(crate) fn from_text(text: &str) -> Option<Timestamp> {
    let number = |text: &str, digits: usize, most: i64| -> Option<i64> {
        let is_number = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
        let number = is_number.then(|| text.parse().ok()).flatten();
        number.filter(|number| *number <= most)
    };
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.split('-');
    let year = number(date.next()?, 4, 9999)?;
    let (month, day) = (number(date.next()?, 2, 12)?, number(date.next()?, 2, 31)?);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut time = time.split(':');
    let hour = number(time.next()?, 2, 23)?;
    let minute = number(time.next()?, 2, 59)?;
    let second = number(time.next()?, 2, 59)?;
    if fraction.len() > 6 || date.next().is_some() || time.next().is_some() {
        return None;
    }
    let fraction = number(&format!("{fraction:0<6}"), 6, 999_999)?;
    let days = days_of(year, month, day);
    // A day that its month does not have comes back as one of the next month.
    (civil(days) == (year, month, day)).then(|| {
        let seconds = hour * 3600 + minute * 60 + second;
        Timestamp(days * DAY_MICROSECONDS + seconds * SECOND_MICROSECONDS + fraction)
    })
}

#[cfg(test)]
mod tests;
