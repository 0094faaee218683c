//! Service parameters of SVCB and HTTPS (RFC 9460 section 2): keys in ascending
//! order, each with a value whose form its key decides. A key without a known form
//! is `keyNNNNN` with a value of any octets.

use std::fmt::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::encoding::{self, STRING_BYTES_MAX, counted};
use super::scan::decimal;
use super::words::Words;
use super::{RDATA_BYTES_MAX, RdataError, WireError};

/// What is wrong with service parameters.
#[derive(Debug, Clone, PartialEq, Eq, Copy, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// Neither a registered key nor `keyNNNNN`.
    #[error("unknown service parameter, write its number as keyNNNNN")]
    UnknownKey,
    /// A key twice.
    #[error("service parameter {0} is given twice")]
    Repeated(ShownKey),
    /// Keys out of order on the wire.
    #[error("service parameters are not in ascending order at {0}")]
    Order(ShownKey),
    /// A value that the key does not have.
    #[error("bad value of service parameter {0}")]
    BadValue(ShownKey),
    /// RFC 9460 section 8.
    #[error("`mandatory` names {0}, which is not among the parameters")]
    MandatoryMissing(ShownKey),
    /// RFC 9460 section 7.1.1.
    #[error("`no-default-alpn` needs `alpn`")]
    AlpnMissing,
    /// Octets that end early.
    #[error("service parameters end early")]
    Truncated,
}

/// The number of a service parameter, shown by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownKey(pub u16);

/// What the value of a key looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Keys,
    Protocols,
    Empty,
    Port,
    Ipv4List,
    Ipv6List,
    Base64,
    Numbers,
    Octets,
}

/// IANA "DNS SVCB Service Parameter Keys".
static KEYS: &[(&str, Value)] = &[
    ("mandatory", Value::Keys),
    ("alpn", Value::Protocols),
    ("no-default-alpn", Value::Empty),
    ("port", Value::Port),
    ("ipv4hint", Value::Ipv4List),
    ("ech", Value::Base64),
    ("ipv6hint", Value::Ipv6List),
    ("dohpath", Value::Octets),
    ("ohttp", Value::Empty),
    ("tls-supported-groups", Value::Numbers),
];
const MANDATORY: u16 = 0;
const ALPN: u16 = 1;
const NO_DEFAULT_ALPN: u16 = 2;

fn value_of(key: u16) -> Value {
    KEYS.get(usize::from(key))
        .map_or(Value::Octets, |(_, value)| *value)
}

impl fmt::Display for ShownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match KEYS.get(usize::from(self.0)) {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "key{}", self.0),
        }
    }
}

/// Reads parameters in any order to the end and appends them in ascending order.
pub(super) fn scan(words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    let mut parameters: Vec<(u16, Vec<u8>)> = Vec::new();
    while !words.is_empty() {
        let word = words.any("a service parameter")?;
        let equals = word.raw.iter().position(|&byte| byte == b'=');
        let (key, text) = match equals {
            Some(at) => (&word.raw[..at], Some(&word.raw[at + 1..])),
            None => (word.raw, None),
        };
        let key = parse_key(key).ok_or(ServiceError::UnknownKey)?;
        let mut value = Vec::new();
        parse_value(key, text, &mut value)?;
        parameters.push((key, value));
    }
    parameters.sort_by_key(|(key, _)| *key);
    if let Some(pair) = parameters.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(ServiceError::Repeated(ShownKey(pair[0].0)).into());
    }
    let at = out.len();
    for (key, value) in parameters {
        let length = u16::try_from(value.len()).map_err(|_| RdataError::TooLong)?;
        out.extend(key.to_be_bytes());
        out.extend(length.to_be_bytes());
        out.extend(value);
    }
    Ok(check(&out[at..])?)
}

fn parse_key(text: &[u8]) -> Option<u16> {
    let known = KEYS.iter().position(|(name, _)| name.as_bytes() == text);
    if let Some(key) = known {
        return u16::try_from(key).ok();
    }
    // RFC 9460 section 2.1: no leading zeros; 65535 is reserved as invalid key.
    let digits = text.strip_prefix(b"key")?;
    if digits.starts_with(b"0") && digits.len() > 1 {
        return None;
    }
    u16::try_from(decimal(digits, 65_534)?).ok()
}

fn parse_value(key: u16, text: Option<&[u8]>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    let bad = || RdataError::from(ServiceError::BadValue(ShownKey(key)));
    let mut raw = Vec::new();
    match text {
        Some([b'"', quoted @ .., b'"']) => unquote(quoted, &mut raw).ok_or_else(bad)?,
        Some(plain) => unquote(plain, &mut raw).ok_or_else(bad)?,
        None => {}
    }
    let items = || raw.split(|&byte| byte == b',');
    let form = value_of(key);
    match form {
        Value::Octets => out.extend_from_slice(&raw),
        Value::Empty if text.is_none() => {}
        Value::Protocols => parse_protocols(&raw, out).ok_or_else(bad)?,
        Value::Base64 => encoding::base64(&raw, out).ok_or_else(bad)?,
        Value::Empty => return Err(bad()),
        Value::Port | Value::Numbers | Value::Keys | Value::Ipv4List | Value::Ipv6List => {
            for item in items() {
                parse_item(form, item, out).ok_or_else(bad)?;
            }
        }
    }
    if form == Value::Keys {
        sort_keys(out);
    }
    Ok(())
}

/// RFC 9460 section 8: on the wire the keys are in ascending order.
fn sort_keys(out: &mut Vec<u8>) {
    let mut keys: Vec<[u8; 2]> = out.chunks_exact(2).map(|key| [key[0], key[1]]).collect();
    keys.sort_unstable();
    out.clear();
    out.extend(keys.concat());
}

/// Undoes escapes; a quote inside must be escaped.
fn unquote(mut text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    while !text.is_empty() {
        if text[0] == b'"' {
            return None;
        }
        let (byte, used) = encoding::unescape_one(text).ok()?;
        out.push(byte);
        text = &text[used..];
    }
    Some(())
}

fn parse_item(form: Value, item: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let text = std::str::from_utf8(item).ok()?;
    match form {
        Value::Ipv4List => out.extend(text.parse::<Ipv4Addr>().ok()?.octets()),
        Value::Ipv6List => out.extend(text.parse::<Ipv6Addr>().ok()?.octets()),
        Value::Keys => out.extend(parse_key(item)?.to_be_bytes()),
        _ => out.extend_from_slice(&decimal(item, 65_535)?.to_be_bytes()[6..]),
    }
    Some(())
}

/// RFC 9460 appendix A.1: `\,` is a comma within an item, `\\` a backslash.
fn parse_protocols(raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = raw;
    loop {
        let mut more = false;
        counted(
            out,
            || (),
            |out| {
                while let [first, after @ ..] = rest {
                    rest = after;
                    match (first, after) {
                        (b',', _) => {
                            more = true;
                            break;
                        }
                        (b'\\', [escaped @ (b',' | b'\\'), after @ ..]) => {
                            out.push(*escaped);
                            rest = after;
                        }
                        (b'\\', _) => return Err(()),
                        _ => out.push(*first),
                    }
                }
                Ok(())
            },
        )
        .ok()?;
        if !more {
            return Some(());
        }
    }
}

/// Walks parameters: key, value, and what follows.
fn split(rest: &[u8]) -> Result<(u16, &[u8], &[u8]), ServiceError> {
    let [k0, k1, l0, l1, after @ ..] = rest else {
        return Err(ServiceError::Truncated);
    };
    let length = usize::from(u16::from_be_bytes([*l0, *l1]));
    let (value, next) = after
        .split_at_checked(length)
        .ok_or(ServiceError::Truncated)?;
    Ok((u16::from_be_bytes([*k0, *k1]), value, next))
}

/// Checks parameters to the end.
pub(super) fn check(octets: &[u8]) -> Result<(), WireError> {
    let mut rest = octets;
    let mut least = 0_u32;
    let (mut mandatory, mut alpn): (&[u8], bool) = (&[], false);
    while !rest.is_empty() {
        let (key, value, next) = split(rest)?;
        if u32::from(key) < least {
            return Err(ServiceError::Order(ShownKey(key)).into());
        }
        least = u32::from(key) + 1;
        if key == u16::MAX || !is_value(value_of(key), value) {
            return Err(ServiceError::BadValue(ShownKey(key)).into());
        }
        match key {
            MANDATORY => mandatory = value,
            ALPN => alpn = true,
            NO_DEFAULT_ALPN if !alpn => return Err(ServiceError::AlpnMissing.into()),
            _ => {}
        }
        rest = next;
    }
    check_mandatory(mandatory, octets)
}

/// RFC 9460 section 8: in order, each one present, and not itself.
fn check_mandatory(mandatory: &[u8], octets: &[u8]) -> Result<(), WireError> {
    let mut last = MANDATORY;
    let mut rest = octets;
    for key in mandatory.chunks_exact(2) {
        let key = u16::from_be_bytes([key[0], key[1]]);
        if key <= last {
            return Err(ServiceError::BadValue(ShownKey(MANDATORY)).into());
        }
        last = key;
        // Both are in ascending order: one walk finds all.
        loop {
            let missing = ServiceError::MandatoryMissing(ShownKey(key));
            let (found, _, next) = split(rest).map_err(|_| missing)?;
            rest = next;
            if found == key {
                break;
            }
        }
    }
    Ok(())
}

fn is_value(form: Value, value: &[u8]) -> bool {
    let multiple_of = |octets| !value.is_empty() && value.len().is_multiple_of(octets);
    match form {
        Value::Octets => true,
        Value::Empty => value.is_empty(),
        Value::Base64 => !value.is_empty(),
        Value::Port => value.len() == 2,
        Value::Keys | Value::Numbers => multiple_of(2),
        Value::Ipv4List => multiple_of(4),
        Value::Ipv6List => multiple_of(16),
        Value::Protocols => {
            let mut rest = value;
            while let Some((&length, after)) = rest.split_first() {
                match after.split_at_checked(usize::from(length)) {
                    Some((_, next)) if length > 0 => rest = next,
                    _ => return false,
                }
            }
            !value.is_empty()
        }
    }
}

/// Writes valid parameters, a blank before each.
pub(super) fn write(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    let mut rest = octets;
    while let Ok((key, value, next)) = split(rest) {
        write!(f, " {}", ShownKey(key))?;
        write_value(f, value_of(key), value)?;
        rest = next;
    }
    Ok(())
}

fn write_value(f: &mut fmt::Formatter<'_>, form: Value, value: &[u8]) -> fmt::Result {
    let number = |pair: &[u8]| u16::from_be_bytes([pair[0], pair[1]]);
    match form {
        Value::Empty => Ok(()),
        Value::Octets if value.is_empty() => Ok(()),
        Value::Octets => {
            f.write_char('=')?;
            encoding::write_quoted(f, value)
        }
        Value::Base64 => {
            f.write_str("=")?;
            encoding::write_base64(f, value)
        }
        Value::Protocols => write_protocols(f, value),
        Value::Port | Value::Numbers => {
            write_list(f, value, 2, |f, item| write!(f, "{}", number(item)))
        }
        Value::Keys => write_list(f, value, 2, |f, item| {
            write!(f, "{}", ShownKey(number(item)))
        }),
        Value::Ipv4List => write_list(f, value, 4, |f, item| {
            let octets: [u8; 4] = item.try_into().expect("chunks of four");
            write!(f, "{}", Ipv4Addr::from(octets))
        }),
        Value::Ipv6List => write_list(f, value, 16, |f, item| {
            let octets: [u8; 16] = item.try_into().expect("chunks of sixteen");
            write!(f, "{}", Ipv6Addr::from(octets))
        }),
    }
}

fn write_list(
    f: &mut fmt::Formatter<'_>,
    value: &[u8],
    octets: usize,
    item: impl Fn(&mut fmt::Formatter<'_>, &[u8]) -> fmt::Result,
) -> fmt::Result {
    for (number, octets) in value.chunks_exact(octets).enumerate() {
        f.write_char(if number == 0 { '=' } else { ',' })?;
        item(f, octets)?;
    }
    Ok(())
}

/// Both levels of escapes: that of the list, then that of the string around it.
fn write_protocols(f: &mut fmt::Formatter<'_>, value: &[u8]) -> fmt::Result {
    let mut list = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&length, after)) = rest.split_first() {
        let (protocol, next) = after.split_at(usize::from(length));
        if !list.is_empty() {
            list.push(b',');
        }
        for &byte in protocol {
            if matches!(byte, b',' | b'\\') {
                list.push(b'\\');
            }
            list.push(byte);
        }
        rest = next;
    }
    f.write_char('=')?;
    encoding::write_quoted(f, &list)
}

// What the length octets of protocols and the 16-bit length of a value can hold.
const _: () = assert!(STRING_BYTES_MAX == u8::MAX as usize && RDATA_BYTES_MAX == u16::MAX as usize);
