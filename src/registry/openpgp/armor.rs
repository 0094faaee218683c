//! The armor around keys and signatures (RFC 9580 section 6).
//!
//! One block, or octets without armor. Its headers say nothing that anybody checks, and its
//! checksum is not looked at (section 6.1): what is inside is checked by cryptography.

use std::borrow::Cow;

use super::Refusal;

const BEGIN: &str = "-----BEGIN PGP ";
const DASHES: &str = "-----";

/// The octets inside; `kind` is what the block has to be.
pub(super) fn open<'o>(octets: &'o [u8], kind: &str) -> Result<Cow<'o, [u8]>, Refusal> {
    if octets.first().is_some_and(|first| first & 0x80 != 0) {
        return Ok(Cow::Borrowed(octets));
    }
    let text = std::str::from_utf8(octets).map_err(|_| "neither armor nor packets of OpenPGP")?;
    let mut lines = text.lines().map(str::trim_end);
    let begin = format!("{BEGIN}{kind}{DASHES}");
    let end = format!("-----END PGP {kind}{DASHES}");
    loop {
        match lines.next() {
            Some(line) if line == begin => break,
            Some(line) if line.contains("PRIVATE KEY") => {
                return Err("a private key: it belongs to nobody but its owner");
            }
            Some(line) if line.starts_with(DASHES) => return Err("another kind of armor"),
            Some(_) => {}
            None => return Err("neither armor nor packets of OpenPGP"),
        }
    }
    // Headers end with an empty line.
    if !lines.by_ref().any(str::is_empty) {
        return Err("armor without an end of its headers");
    }
    let mut digits = String::new();
    for line in lines {
        if line == end {
            return decode(&digits)
                .map(Cow::Owned)
                .ok_or("armor that is not base64");
        }
        // What begins so is the checksum.
        if !line.starts_with('=') {
            digits.push_str(line);
        }
    }
    Err("armor without its end")
}

/// Base64 with padding (RFC 4648 section 4).
fn decode(digits: &str) -> Option<Vec<u8>> {
    let padded = digits.len();
    let digits = digits.trim_end_matches('=');
    if !padded.is_multiple_of(4) || padded - digits.len() > 2 {
        return None;
    }
    let mut octets = Vec::with_capacity(padded / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            octets.push((bits >> count & 0xff) as u8);
        }
    }
    Some(octets)
}
