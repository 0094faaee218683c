//! Hex, base64 and base32hex (RFC 4648) as zone files use them, and escapes.
//!
//! Decoders take the octets of one or several words and refuse what the encoders
//! would not write: odd digits, padding in the middle, bits that are lost.

use std::fmt::{self, Write};

use super::RdataError;
use super::words::{Shape, Word, Words};

/// Longest `<character-string>` (RFC 1035 section 3.3).
pub(super) const STRING_BYTES_MAX: usize = 255;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32HEX: &[u8; 32] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";
const NO_DIGIT: u8 = u8::MAX;
static BASE64_VALUES: [u8; 256] = values(BASE64);

const fn values(alphabet: &[u8]) -> [u8; 256] {
    let mut values = [NO_DIGIT; 256];
    let mut value: u8 = 0;
    while (value as usize) < alphabet.len() {
        values[alphabet[value as usize] as usize] = value;
        value += 1;
    }
    values
}

/// The value of a hex digit.
pub(super) fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Appends the octets of one word of hex.
pub(super) fn hex_word(word: &Word<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    let mut half = None;
    hex_digits(word, &mut half, out)?;
    half.map_or(Ok(()), |_| {
        Err(word.expected("an even number of hex digits"))
    })
}

/// Appends the octets of all words that are left, as hex; digits may be split over
/// words anywhere.
pub(super) fn hex_rest(words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    let mut half = None;
    while !words.is_empty() {
        let word = words.plain("hex digits")?;
        hex_digits(&word, &mut half, out)?;
        if half.is_some() && words.is_empty() {
            return Err(word.expected("an even number of hex digits"));
        }
    }
    Ok(())
}

fn hex_digits(word: &Word<'_>, half: &mut Option<u8>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    for &byte in word.raw {
        let digit = hex_digit(byte).ok_or_else(|| word.expected("hex digits"))?;
        match half.take() {
            None => *half = Some(digit << 4),
            Some(high) => out.push(high | digit),
        }
    }
    Ok(())
}

/// Decodes base64 group by group.
#[derive(Debug, Default)]
struct Base64 {
    bits: u32,
    digits: u8,
    padding: u8,
}

impl Base64 {
    fn take(&mut self, mut text: &[u8], out: &mut Vec<u8>) -> Option<()> {
        if self.digits == 0 && self.padding == 0 {
            text = take_groups(text, out);
        }
        for &byte in text {
            if byte == b'=' {
                self.padding += 1;
                // Padding completes a group of at least two digits.
                if self.digits < 2 || self.digits + self.padding > 4 {
                    return None;
                }
                continue;
            }
            let value = BASE64_VALUES[usize::from(byte)];
            if value == NO_DIGIT || self.padding > 0 {
                return None;
            }
            self.bits = self.bits << 6 | u32::from(value);
            self.digits += 1;
            if self.digits == 4 {
                out.extend_from_slice(&self.bits.to_be_bytes()[1..]);
                (self.bits, self.digits) = (0, 0);
            }
        }
        Some(())
    }

    fn finish(self, out: &mut Vec<u8>) -> Option<()> {
        match (self.digits, self.padding) {
            (0, 0) => {}
            (2, 2) if self.bits & 0xf == 0 => out.push((self.bits << 12).to_be_bytes()[1]),
            (3, 1) if self.bits & 0x3 == 0 => {
                out.extend_from_slice(&(self.bits << 6).to_be_bytes()[1..3]);
            }
            _ => return None,
        }
        Some(())
    }
}

/// Decodes whole groups without padding as far as there are any: nearly all of a
/// signed zone is base64. Gives what is left.
fn take_groups<'t>(mut text: &'t [u8], out: &mut Vec<u8>) -> &'t [u8] {
    while let Some((&[a, b, c, d], rest)) = text.split_first_chunk() {
        let [a, b, c, d] = [a, b, c, d].map(|byte| BASE64_VALUES[usize::from(byte)]);
        if (a | b | c | d) > 63 {
            break;
        }
        out.extend([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
        text = rest;
    }
    text
}

const BASE64_EXPECTED: &str = "base64 with its padding";

/// Appends the octets of a base64 text.
pub(super) fn base64(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut decoder = Base64::default();
    decoder.take(text, out)?;
    decoder.finish(out)
}

/// Appends the octets of one word of base64.
pub(super) fn base64_word(word: &Word<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    base64(word.raw, out).ok_or_else(|| word.expected(BASE64_EXPECTED))
}

/// Appends the octets of all words that are left, as base64.
pub(super) fn base64_rest(words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    let mut decoder = Base64::default();
    while !words.is_empty() {
        let word = words.plain(BASE64_EXPECTED)?;
        let error = || word.expected(BASE64_EXPECTED);
        decoder.take(word.raw, out).ok_or_else(error)?;
        if words.is_empty() {
            return decoder.finish(out).ok_or_else(error);
        }
    }
    Ok(())
}

/// Appends the octets of a word of base32hex, which has no padding (RFC 5155
/// section 3.3).
pub(super) fn base32hex_word(word: &Word<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    let error = || word.expected("base32hex without padding");
    let (mut bits, mut held) = (0_u32, 0_u32);
    for &byte in word.raw {
        let upper = byte.to_ascii_uppercase();
        let value = match upper {
            b'0'..=b'9' => upper - b'0',
            b'A'..=b'V' => upper - b'A' + 10,
            _ => return Err(error()),
        };
        bits = (bits << 5 | u32::from(value)) & 0xfff;
        held += 5;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held).to_le_bytes()[0]);
        }
    }
    // What is held is less than a digit, and zero: else digits are missing or lost.
    if held >= 5 || bits & ((1 << held) - 1) != 0 {
        return Err(error());
    }
    Ok(())
}

/// One octet of text with escapes undone and the octets it took (RFC 1035 section 5.1).
pub(super) fn unescape_one(text: &[u8]) -> Result<(u8, usize), RdataError> {
    match text {
        [b'\\', a @ b'0'..=b'9', rest @ ..] => {
            let [b @ b'0'..=b'9', c @ b'0'..=b'9', ..] = rest else {
                return Err(RdataError::BadEscape);
            };
            let digit = |digit: &u8| u16::from(digit - b'0');
            let value = digit(a) * 100 + digit(b) * 10 + digit(c);
            let value = u8::try_from(value).map_err(|_| RdataError::BadEscape)?;
            Ok((value, 4))
        }
        [b'\\', byte, ..] => Ok((*byte, 2)),
        [b'\\'] | [] => Err(RdataError::BadEscape),
        [byte, ..] => Ok((*byte, 1)),
    }
}

/// Appends text with escapes undone.
pub(super) fn unescape(mut text: &[u8], out: &mut Vec<u8>) -> Result<(), RdataError> {
    while !text.is_empty() {
        let (byte, used) = unescape_one(text)?;
        out.push(byte);
        text = &text[used..];
    }
    Ok(())
}

/// Appends a word as `<character-string>`: a length octet and its text.
pub(super) fn string(word: &Word<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    debug_assert_ne!(word.shape, Shape::Mixed);
    counted(
        out,
        || RdataError::StringTooLong,
        |out| unescape(word.raw, out),
    )
}

/// Appends what `fill` appends, with its length in an octet before it.
pub(super) fn counted<E>(
    out: &mut Vec<u8>,
    too_long: impl FnOnce() -> E,
    fill: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let at = out.len();
    out.push(0);
    fill(out)?;
    out[at] = u8::try_from(out.len() - at - 1).map_err(|_| too_long())?;
    Ok(())
}

/// Writes hex in upper case.
pub(super) fn write_hex(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    octets.iter().try_for_each(|octet| write!(f, "{octet:02X}"))
}

/// Writes base64 with padding.
pub(super) fn write_base64(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    for group in octets.chunks(3) {
        let octet = |at| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = octet(0) << 16 | octet(1) << 8 | octet(2);
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) & 0x3f;
            let shown = digit <= group.len();
            f.write_char(if shown {
                char::from(BASE64[value as usize])
            } else {
                '='
            })?;
        }
    }
    Ok(())
}

/// Writes base32hex without padding, in upper case.
pub(super) fn write_base32hex(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    let (mut bits, mut held) = (0_u32, 0_u32);
    for &octet in octets {
        bits = (bits << 8 | u32::from(octet)) & 0xffff;
        held += 8;
        while held >= 5 {
            held -= 5;
            f.write_char(char::from(BASE32HEX[(bits >> held) as usize & 0x1f]))?;
        }
    }
    if held > 0 {
        f.write_char(char::from(BASE32HEX[(bits << (5 - held)) as usize & 0x1f]))?;
    }
    Ok(())
}

/// Writes a string in quotes, escaped.
pub(super) fn write_quoted(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    f.write_char('"')?;
    write_escaped(f, octets)?;
    f.write_char('"')
}

/// Writes text that stands between quotes.
pub(super) fn write_escaped(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    for &octet in octets {
        match octet {
            b'"' | b'\\' => write!(f, "\\{}", char::from(octet))?,
            0x20..=0x7e => f.write_char(char::from(octet))?,
            _ => write!(f, "\\{octet:03}")?,
        }
    }
    Ok(())
}
