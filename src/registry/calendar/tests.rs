//! Days that are known, and every day there and back.

use super::*;

#[test]
fn years_keep_day_and_time() {
    #[track_caller]
    fn check(from: (i64, i64, i64), years: u8, to: (i64, i64, i64)) {
        let time = 12_345_678_901;
        let at = |(year, month, day)| days_of(year, month, day) * DAY_MICROSECONDS + time;
        assert_eq!(add_years(Timestamp(at(from)), years), Timestamp(at(to)));
    }
    check((2026, 11, 22), 1, (2027, 11, 22));
    check((2024, 2, 29), 1, (2025, 2, 28));
    check((2024, 2, 29), 4, (2028, 2, 29));
    check((2096, 2, 29), 4, (2100, 2, 28));
    check((1999, 12, 31), 10, (2009, 12, 31));
    check((2023, 3, 1), 1, (2024, 3, 1));
}

#[test]
fn days_are_those_of_the_calendar() {
    assert_eq!(days_of(1970, 1, 1), 0);
    assert_eq!(days_of(2000, 2, 29), 11_016);
    assert_eq!(days_of(2026, 11, 22), 20_779);
    for day in -200_000..200_000 {
        let (year, month, date) = civil(day);
        assert_eq!(days_of(year, month, date), day);
    }
}

#[test]
fn times_are_read_back_as_they_are_shown() {
    for text in [
        "1970-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999Z",
        "2020-02-29T12:34:56.5Z",
        "2400-02-29T00:00:00.000001Z",
        "9999-12-31T23:59:59Z",
    ] {
        assert_eq!(to_text(from_text(text).unwrap()), text);
    }
    assert_eq!(
        from_text("1970-01-02T00:00:01.25Z"),
        Some(Timestamp(86_401_250_000))
    );
    for bad in [
        "",
        "2020-01-01",
        "2020-01-01T00:00:00",
        "2020-01-01 00:00:00Z",
        "2021-02-29T00:00:00Z",
        "2020-13-01T00:00:00Z",
        "2020-00-01T00:00:00Z",
        "2020-01-00T00:00:00Z",
        "2020-01-01T24:00:00Z",
        "2020-01-01T00:60:00Z",
        "2020-01-01T00:00:00.1234567Z",
        "+020-01-01T00:00:00Z",
        "2020-1-01T00:00:00Z",
        "2020-01-01T00:00:00:00Z",
    ] {
        assert_eq!(from_text(bad), None, "{bad}");
    }
}
