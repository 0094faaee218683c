//! LOC (RFC 1876): latitude, longitude and altitude of a sphere, with its size and
//! the precision of each.

use std::fmt::{self, Write};

use super::words::Words;
use super::{RdataError, WireError};

/// Octets of version 0.
pub(super) const OCTETS: usize = 16;
/// The equator and the prime meridian, in thousandths of a second of arc.
const ORIGIN: u64 = 1 << 31;
const DEGREE: u64 = 3_600_000;
/// Centimetres from the reference spheroid down to where altitudes start.
const DEPTH: u64 = 10_000_000;
/// Size 1 m, horizontal precision 10,000 m, vertical precision 10 m.
const DEFAULTS: [u64; 3] = [100, 1_000_000, 1_000];
/// The largest size: 9e9 cm.
const SIZE_MAX: u64 = 9_000_000_000;

/// Reads all of the words.
pub(super) fn scan(words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    let latitude = angle(words, 90, (b'N', b'S'), "a latitude, as in 52 22 23.000 N")?;
    let longitude = angle(words, 180, (b'E', b'W'), "a longitude, as in 4 53 32.000 E")?;
    let altitude = altitude(words)?;
    let mut sizes = DEFAULTS;
    for size in &mut sizes {
        if !words.is_empty() {
            const EXPECTED: &str = "metres up to 90000000.00, as in 10m";
            let word = words.plain(EXPECTED)?;
            let size_found = metres(word.raw).filter(|&centimetres| centimetres <= SIZE_MAX);
            *size = size_found.ok_or_else(|| word.expected(EXPECTED))?;
        }
    }
    out.push(0);
    out.extend(sizes.map(base_and_exponent));
    for value in [latitude, longitude, altitude] {
        out.extend(value.to_be_bytes());
    }
    Ok(())
}

/// Degrees, then minutes and seconds if there are any, then the hemisphere.
fn angle(
    words: &mut Words<'_>,
    degrees_max: u64,
    (plus, minus): (u8, u8),
    expected: &'static str,
) -> Result<u32, RdataError> {
    let mut thousandths = 0;
    for (part, unit) in [DEGREE, 60_000, 1_000].into_iter().enumerate() {
        let word = words.plain(expected)?;
        if part > 0 && hemisphere(word.raw, plus, minus).is_some() {
            break;
        }
        let most = if part == 0 { degrees_max } else { 59 };
        let decimals = if part == 2 { 3 } else { 0 };
        let value =
            decimal(word.raw, decimals).filter(|value| value / 10_u64.pow(decimals) <= most);
        thousandths += value.ok_or_else(|| word.expected(expected))? * unit / 10_u64.pow(decimals);
        let next = words.peek().map(|word| word.raw);
        if part == 2 || next.is_some_and(|raw| hemisphere(raw, plus, minus).is_some()) {
            break;
        }
    }
    let word = words.plain(expected)?;
    let east_or_north = hemisphere(word.raw, plus, minus).ok_or_else(|| word.expected(expected))?;
    if thousandths > degrees_max * DEGREE {
        return Err(word.expected(expected));
    }
    let value = if east_or_north {
        ORIGIN + thousandths
    } else {
        ORIGIN - thousandths
    };
    Ok(u32::try_from(value).expect("at most 180 degrees from the middle"))
}

fn hemisphere(raw: &[u8], plus: u8, minus: u8) -> Option<bool> {
    match raw {
        [letter] if letter.to_ascii_uppercase() == plus => Some(true),
        [letter] if letter.to_ascii_uppercase() == minus => Some(false),
        _ => None,
    }
}

fn altitude(words: &mut Words<'_>) -> Result<u32, RdataError> {
    const EXPECTED: &str = "an altitude from -100000.00 to 42849672.95 metres, as in -2.00m";
    let word = words.plain(EXPECTED)?;
    let centimetres = match word.raw {
        [b'-', depth @ ..] => metres(depth).and_then(|depth| DEPTH.checked_sub(depth)),
        height => metres(height).and_then(|height| height.checked_add(DEPTH)),
    };
    let value = centimetres.and_then(|value| u32::try_from(value).ok());
    value.ok_or_else(|| word.expected(EXPECTED))
}

/// Metres with up to two decimals and perhaps an `m`, as centimetres.
fn metres(raw: &[u8]) -> Option<u64> {
    decimal(raw.strip_suffix(b"m").unwrap_or(raw), 2)
}

/// A number with up to so many decimals, in units of the last of them.
fn decimal(raw: &[u8], decimals: u32) -> Option<u64> {
    const MOST: u64 = 1 << 40;
    let mut parts = raw.splitn(2, |&byte| byte == b'.');
    let whole = super::scan::decimal(parts.next()?, MOST)? * 10_u64.pow(decimals);
    let Some(fraction) = parts.next() else {
        return Some(whole);
    };
    let digits = u32::try_from(fraction.len()).ok()?;
    let missing = decimals.checked_sub(digits)?;
    Some(whole + super::scan::decimal(fraction, MOST)? * 10_u64.pow(missing))
}

/// One digit and a power of ten (RFC 1876 section 2); further digits are cut off.
fn base_and_exponent(mut centimetres: u64) -> u8 {
    let mut exponent = 0_u8;
    while centimetres > 9 {
        centimetres /= 10;
        exponent += 1;
    }
    centimetres.to_le_bytes()[0] << 4 | exponent
}

/// Checks the octets of version 0, which is the only one.
pub(super) fn check(octets: &[u8]) -> Result<(), WireError> {
    if octets[0] != 0 {
        return Err(WireError::Value("location of an unknown version"));
    }
    for size in &octets[1..4] {
        let (base, exponent) = (size >> 4, size & 0xf);
        if base > 9 || exponent > 9 || (base == 0 && exponent > 0) {
            return Err(WireError::Value(
                "location with an undefined size or precision",
            ));
        }
    }
    let (latitude, longitude) = (value(octets, 4), value(octets, 8));
    if latitude.abs_diff(ORIGIN) > 90 * DEGREE || longitude.abs_diff(ORIGIN) > 180 * DEGREE {
        return Err(WireError::Value("location beyond 90 or 180 degrees"));
    }
    Ok(())
}

fn value(octets: &[u8], at: usize) -> u64 {
    let octets = octets[at..at + 4].try_into().expect("four octets");
    u32::from_be_bytes(octets).into()
}

/// Writes valid octets.
pub(super) fn write(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    write_angle(f, value(octets, 4), ('N', 'S'))?;
    write_angle(f, value(octets, 8), ('E', 'W'))?;
    let altitude = value(octets, 12);
    if altitude < DEPTH {
        f.write_char('-')?;
    }
    write_metres(f, altitude.abs_diff(DEPTH))?;
    for size in &octets[1..4] {
        f.write_char(' ')?;
        write_metres(f, u64::from(size >> 4) * 10_u64.pow(u32::from(size & 0xf)))?;
    }
    Ok(())
}

fn write_angle(f: &mut fmt::Formatter<'_>, value: u64, letters: (char, char)) -> fmt::Result {
    let thousandths = value.abs_diff(ORIGIN);
    let letter = if value >= ORIGIN {
        letters.0
    } else {
        letters.1
    };
    let (degrees, minutes) = (thousandths / DEGREE, thousandths / 60_000 % 60);
    let (seconds, fraction) = (thousandths / 1_000 % 60, thousandths % 1_000);
    write!(f, "{degrees} {minutes} {seconds}.{fraction:03} {letter} ")
}

fn write_metres(f: &mut fmt::Formatter<'_>, centimetres: u64) -> fmt::Result {
    write!(f, "{}.{:02}m", centimetres / 100, centimetres % 100)
}
