//! Presentation format to wire format, field by field.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use zone_image::Name;

use super::encoding::{self, counted};
use super::table::{self, Codes, Field, Form};
use super::words::{Shape, Word, Words};
use super::{RDATA_BYTES_MAX, RdataError, WireError};
use super::{bitmap, location, measure, prefixes, service, time};
use crate::RecordType;

/// Appends the RDATA that the rest of `words` says to `out`, which must be empty.
pub(crate) fn scan(
    rtype: RecordType,
    words: &mut Words<'_>,
    origin: Option<&Name>,
    out: &mut Vec<u8>,
) -> Result<(), RdataError> {
    debug_assert!(out.is_empty());
    let form = table::form(rtype);
    if let Form::Meta = form {
        return Err(RdataError::Meta { rtype });
    }
    if words
        .peek()
        .is_some_and(|word| word.raw == b"\\#" && word.shape == Shape::Plain)
    {
        return generic(rtype, words, out);
    }
    let Form::Fields(fields) = form else {
        return Err(RdataError::Opaque { rtype });
    };
    for &field in fields {
        scan_field(field, words, origin, out)?;
    }
    words.end()?;
    if out.len() > RDATA_BYTES_MAX {
        return Err(RdataError::TooLong);
    }
    Ok(())
}

/// RFC 3597 section 5: `\# length hex`. Of a known type the octets must fit it.
fn generic(rtype: RecordType, words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    words.plain("`\\#`")?;
    let announced = number(words, RDATA_BYTES_MAX as u64, "a length up to 65535")?;
    encoding::hex_rest(words, out)?;
    let announced = usize::try_from(announced).expect("at most 65535");
    if announced != out.len() {
        let found = out.len();
        return Err(RdataError::GenericLength { announced, found });
    }
    Ok(measure::validate(rtype, out)?)
}

fn scan_field(
    field: Field,
    words: &mut Words<'_>,
    origin: Option<&Name>,
    out: &mut Vec<u8>,
) -> Result<(), RdataError> {
    match field {
        Field::Name(_) => name(words, origin, out)?,
        Field::Names(_) => {
            while !words.is_empty() {
                name(words, origin, out)?;
            }
        }
        Field::U8
        | Field::U16
        | Field::U32
        | Field::U64
        | Field::Period
        | Field::Type
        | Field::Time
        | Field::Code(_) => scan_number(field, words, out)?,
        Field::Ipv4 => out.extend(address::<Ipv4Addr>(words, "an IPv4 address")?.octets()),
        Field::Ipv6 => out.extend(address::<Ipv6Addr>(words, "an IPv6 address")?.octets()),
        Field::Groups64 => groups64(words, out)?,
        Field::Eui(octets) => eui(octets, words, out)?,
        Field::String => encoding::string(&words.string("a string")?, out)?,
        Field::StringOption if words.is_empty() => {}
        Field::StringOption => encoding::string(&words.string("a string")?, out)?,
        Field::Strings => strings(words, out)?,
        Field::Text => encoding::unescape(words.string("a string")?.raw, out)?,
        Field::Tag => tag(words, out)?,
        Field::Hex(least) => {
            let at = out.len();
            encoding::hex_rest(words, out)?;
            at_least(least, at, out, words, "hex digits")?;
        }
        Field::Digest(digests) => {
            let at = out.len();
            encoding::hex_rest(words, out)?;
            at_least(1, at, out, words, "a digest in hex")?;
            measure::check_digest(digests, out, at)?;
        }
        Field::Base64(least) => {
            let at = out.len();
            encoding::base64_rest(words, out)?;
            at_least(least, at, out, words, "base64")?;
        }
        Field::Base64OrDash => base64_or_dash(words, out)?,
        Field::Salt => salt(words, out)?,
        Field::Hash => {
            let word = words.plain("a hash in base32hex")?;
            let too_long = || word.expected("a hash of at most 255 octets");
            counted(out, too_long, |out| encoding::base32hex_word(&word, out))?;
        }
        Field::Bitmap => bitmap::scan(words, out)?,
        Field::Gateway(mask) => gateway(mask, words, origin, out)?,
        Field::Discovery => discovery(words, out)?,
        Field::HostIdentity => host_identity(words, out)?,
        Field::A6Suffix => a6_suffix(words, out)?,
        Field::A6Name => {
            if out[0] > 0 {
                name(words, origin, out)?;
            }
        }
        Field::Ports => ports(words, out)?,
        Field::Nsap => nsap(words, out)?,
        Field::Location => location::scan(words, out)?,
        Field::Prefixes => prefixes::scan(words, out)?,
        Field::ServiceParameters => service::scan(words, out)?,
    }
    Ok(())
}

fn scan_number(field: Field, words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    match field {
        Field::U8 => out.push(octet(words)?),
        Field::U16 => out.extend(short(words)?.to_be_bytes()),
        Field::U32 => {
            let value = number(words, u32::MAX.into(), "a number up to 4294967295")?;
            out.extend_from_slice(&value.to_be_bytes()[4..]);
        }
        Field::U64 => {
            let value = number(words, u64::MAX, "a number up to 18446744073709551615")?;
            out.extend(value.to_be_bytes());
        }
        Field::Period => {
            let word = words.plain(PERIOD)?;
            let seconds = period(word.raw).ok_or_else(|| word.expected(PERIOD))?;
            out.extend(seconds.to_be_bytes());
        }
        Field::Type => {
            let word = words.plain("a record type")?;
            let rtype = RecordType::from_mnemonic(word.raw);
            out.extend(
                rtype
                    .map_err(|_| word.expected("a record type"))?
                    .0
                    .to_be_bytes(),
            );
        }
        Field::Time => {
            let word = words.plain(time::EXPECTED)?;
            let seconds = time::parse(word.raw).ok_or_else(|| word.expected(time::EXPECTED))?;
            out.extend(seconds.to_be_bytes());
        }
        Field::Code(codes) => code(codes, words, out)?,
        _ => unreachable!("called for numbers only"),
    }
    Ok(())
}

const PERIOD: &str = "seconds up to 4294967295, or a time such as 1h30m";

/// Seconds, as digits or with the units w, d, h, m and s.
pub(crate) fn period(text: &[u8]) -> Option<u32> {
    let mut total: u64 = 0;
    let mut part: Option<u64> = None;
    let mut units = false;
    for &byte in text {
        if byte.is_ascii_digit() {
            let digit = u64::from(byte - b'0');
            part = Some(part.unwrap_or(0).checked_mul(10)?.checked_add(digit)?);
            continue;
        }
        let unit = match byte.to_ascii_lowercase() {
            b'w' => 604_800,
            b'd' => 86_400,
            b'h' => 3_600,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        total = total.checked_add(part.take()?.checked_mul(unit)?)?;
        units = true;
    }
    match (part, units) {
        (Some(seconds), false) => u32::try_from(seconds).ok(),
        (None, true) => u32::try_from(total).ok(),
        // Nothing at all, or a number after the last unit.
        _ => None,
    }
}

/// A name, completed by the origin where it is relative.
pub(crate) fn read_name(word: &Word<'_>, origin: Option<&Name>) -> Result<Name, RdataError> {
    Name::parse(word.raw, origin).map_err(|reason| RdataError::Name {
        found: word.shown(),
        reason,
    })
}

fn name(words: &mut Words<'_>, origin: Option<&Name>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    let word = words.plain("a domain name")?;
    out.extend_from_slice(read_name(&word, origin)?.as_wire());
    Ok(())
}

/// Decimal digits and nothing else.
pub(super) fn decimal(text: &[u8], most: u64) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    let value = text.iter().try_fold(0_u64, |value, &byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })?;
    (value <= most).then_some(value)
}

pub(super) fn number(
    words: &mut Words<'_>,
    most: u64,
    expected: &'static str,
) -> Result<u64, RdataError> {
    let word = words.plain(expected)?;
    decimal(word.raw, most).ok_or_else(|| word.expected(expected))
}

fn octet(words: &mut Words<'_>) -> Result<u8, RdataError> {
    let value = number(words, u8::MAX.into(), "a number up to 255")?;
    Ok(u8::try_from(value).expect("checked against the bound"))
}

fn short(words: &mut Words<'_>) -> Result<u16, RdataError> {
    let value = number(words, u16::MAX.into(), "a number up to 65535")?;
    Ok(u16::try_from(value).expect("checked against the bound"))
}

fn address<A: FromStr>(words: &mut Words<'_>, expected: &'static str) -> Result<A, RdataError> {
    let word = words.plain(expected)?;
    let text = std::str::from_utf8(word.raw).ok();
    let address = text.and_then(|text| text.parse().ok());
    address.ok_or_else(|| word.expected(expected))
}

fn code(codes: &Codes, words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    let word = words.plain(codes.what)?;
    let named = codes
        .names
        .iter()
        .find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(word.raw))
        .map(|(_, value)| u64::from(*value));
    let most = if codes.octets == 1 { 0xff } else { 0xffff };
    let value = named.or_else(|| decimal(word.raw, most));
    let value = value.ok_or_else(|| word.expected(codes.what))?;
    out.extend_from_slice(&value.to_be_bytes()[8 - codes.octets..]);
    Ok(())
}

fn groups64(words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    const EXPECTED: &str = "four groups of up to four hex digits, as in 2001:db8:0:1";
    let word = words.plain(EXPECTED)?;
    let mut groups = 0;
    for group in word.raw.split(|&byte| byte == b':') {
        let mut digits = group.iter().map(|&byte| encoding::hex_digit(byte));
        let value = digits.try_fold(0_u16, |value, digit| Some(value << 4 | u16::from(digit?)));
        let value = value.filter(|_| matches!(group.len(), 1..=4));
        out.extend(value.ok_or_else(|| word.expected(EXPECTED))?.to_be_bytes());
        groups += 1;
    }
    if groups != 4 {
        return Err(word.expected(EXPECTED));
    }
    Ok(())
}

fn eui(octets: usize, words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    const EXPECTED: &str =
        "pairs of hex digits with `-` between them, six or eight as the type says";
    let word = words.plain(EXPECTED)?;
    let at = out.len();
    for pair in word.raw.split(|&byte| byte == b'-') {
        let &[high, low] = pair else {
            return Err(word.expected(EXPECTED));
        };
        let (high, low) = encoding::hex_digit(high)
            .zip(encoding::hex_digit(low))
            .ok_or_else(|| word.expected(EXPECTED))?;
        out.push(high << 4 | low);
    }
    if out.len() - at != octets {
        return Err(word.expected(EXPECTED));
    }
    Ok(())
}

fn strings(words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    encoding::string(&words.string("a string")?, out)?;
    while !words.is_empty() {
        encoding::string(&words.string("a string")?, out)?;
    }
    Ok(())
}

fn tag(words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    const EXPECTED: &str = "a tag of ASCII letters and digits";
    let word = words.plain(EXPECTED)?;
    if !word.raw.iter().all(u8::is_ascii_alphanumeric) {
        return Err(word.expected(EXPECTED));
    }
    encoding::string(&word, out)
}

/// Refuses a field to the end that is too short.
fn at_least(
    least: usize,
    at: usize,
    out: &[u8],
    words: &mut Words<'_>,
    expected: &'static str,
) -> Result<(), RdataError> {
    if out.len() - at >= least {
        return Ok(());
    }
    words.any(expected).map(|_| ())
}

fn base64_or_dash(words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    match words.peek() {
        Some(Word {
            raw: b"-",
            shape: Shape::Plain,
        }) => words.any("`-`").map(|_| ()),
        Some(_) => encoding::base64_rest(words, out),
        None => words.any("base64, or `-` for none").map(|_| ()),
    }
}

fn salt(words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    let word = words.plain("a salt in hex, or `-` for none")?;
    if word.raw == b"-" {
        out.push(0);
        return Ok(());
    }
    let too_long = || word.expected("a salt of at most 255 octets");
    counted(out, too_long, |out| encoding::hex_word(&word, out))
}

fn gateway(
    mask: u8,
    words: &mut Words<'_>,
    origin: Option<&Name>,
    out: &mut Vec<u8>,
) -> Result<(), RdataError> {
    match out[1] & mask {
        0 => {
            let word = words.plain("`.` for no gateway")?;
            if word.raw != b"." {
                return Err(word.expected("`.` for no gateway"));
            }
        }
        1 => out.extend(address::<Ipv4Addr>(words, "an IPv4 address")?.octets()),
        2 => out.extend(address::<Ipv6Addr>(words, "an IPv6 address")?.octets()),
        3 => name(words, origin, out)?,
        _ => return Err(WireError::Value(measure::GATEWAY_KINDS).into()),
    }
    Ok(())
}

fn discovery(words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    let optional = number(words, 1, "the discovery-optional bit, 0 or 1")?;
    let kind = number(words, 3, "a relay type from 0 to 3")?;
    out.push((optional << 7 | kind).to_le_bytes()[0]);
    Ok(())
}

/// RFC 8005 section 5: on the wire the lengths and the algorithm come first.
fn host_identity(words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    let algorithm = octet(words)?;
    let tag = words.plain("a HIT in hex")?;
    let (mut tag_octets, mut key_octets) = (Vec::new(), Vec::new());
    encoding::hex_word(&tag, &mut tag_octets)?;
    let tag_length = u8::try_from(tag_octets.len())
        .ok()
        .filter(|&length| length > 0);
    let tag_length = tag_length.ok_or_else(|| tag.expected("a HIT of 1 to 255 octets"))?;
    let key = words.plain("a public key in base64")?;
    encoding::base64_word(&key, &mut key_octets)?;
    let key_length = u16::try_from(key_octets.len())
        .ok()
        .filter(|&length| length > 0);
    let key_length = key_length.ok_or_else(|| key.expected("a key of 1 to 65535 octets"))?;
    out.extend([tag_length, algorithm]);
    out.extend(key_length.to_be_bytes());
    out.extend(tag_octets);
    out.extend(key_octets);
    Ok(())
}

fn a6_suffix(words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    let prefix = number(words, 128, "a prefix length up to 128")?.to_le_bytes()[0];
    out.push(prefix);
    if prefix == 128 {
        return Ok(());
    }
    let address = address::<Ipv6Addr>(words, "an IPv6 address")?;
    let bits = u128::from(address) & (u128::MAX >> prefix);
    out.extend_from_slice(&bits.to_be_bytes()[usize::from(prefix / 8)..]);
    Ok(())
}

fn ports(words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    const EXPECTED: &str = "a port number up to 65535 (names of services are not read)";
    let at = out.len();
    while !words.is_empty() {
        let port = usize::try_from(number(words, 65_535, EXPECTED)?).expect("at most 65535");
        let octet = at + port / 8;
        if out.len() <= octet {
            out.resize(octet + 1, 0);
        }
        out[octet] |= 0x80 >> (port % 8);
    }
    Ok(())
}

fn nsap(words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    const EXPECTED: &str = "0x and hex digits, with dots where you like";
    let word = words.plain(EXPECTED)?;
    let digits = word
        .raw
        .strip_prefix(b"0x")
        .or_else(|| word.raw.strip_prefix(b"0X"));
    let digits = digits.ok_or_else(|| word.expected(EXPECTED))?;
    let mut half = None;
    for &byte in digits.iter().filter(|&&byte| byte != b'.') {
        let digit = encoding::hex_digit(byte).ok_or_else(|| word.expected(EXPECTED))?;
        match half.take() {
            None => half = Some(digit << 4),
            Some(high) => out.push(high | digit),
        }
    }
    if half.is_some() || out.is_empty() {
        return Err(word.expected(EXPECTED));
    }
    Ok(())
}
