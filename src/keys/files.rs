//! Private keys in files: PKCS#8 in PEM (RFC 7468), and BIND's private key files.
//!
//! What is read is made into PKCS#8, the one form that is sealed. Buffers are wiped; an
//! error names what is missing and never what was there.

use std::io::Read as _;
use std::path::Path;

use zeroize::Zeroizing;
use zone_compiler::sign::{KeyFileFault, Pkcs8, SoftwareKey, read_key};

use crate::registry::types::DnskeyData;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
/// More than any DNSKEY record has.
const PUBLIC_BYTES_MAX: u64 = 16 * 1024;
/// Characters of a line of PEM.
const LINE: usize = 64;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Reads a key.
pub fn read(path: &Path) -> Result<(SoftwareKey, Pkcs8), KeyFileFault> {
    let (_, key) = read_key(path)?;
    let private = key.to_pkcs8()?;
    Ok((key, private))
}

/// Reads the DNSKEY record of a file that has nothing else, as `dnssec-keygen` writes it.
pub fn read_public(path: &Path) -> std::io::Result<DnskeyData> {
    let file = std::fs::File::open(path)?;
    let mut text = String::new();
    file.take(PUBLIC_BYTES_MAX).read_to_string(&mut text)?;
    let lines = text.lines().filter(|line| !line.starts_with(';'));
    let records: Vec<_> = lines.filter_map(|line| line.split_once("DNSKEY")).collect();
    let other = |text: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, text.to_owned());
    let [(_, data)] = records.as_slice() else {
        return Err(other("not the file of one DNSKEY record"));
    };
    DnskeyData::parse(data.trim()).map_err(|error| other(&error.to_string()))
}

/// PKCS#8 in PEM.
pub fn pem(private: &Pkcs8) -> Zeroizing<String> {
    let body = base64_encode(private.as_der());
    let mut text = Zeroizing::new(String::with_capacity(2 * body.len() + 64));
    text.push_str(BEGIN);
    text.push('\n');
    for (at, character) in body.chars().enumerate() {
        if at > 0 && at % LINE == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push('\n');
    text.push_str(END);
    text.push('\n');
    text
}

fn base64_encode(octets: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(octets.len() * 4 / 3 + 4));
    for chunk in octets.chunks(3) {
        let mut bits = 0_u32;
        for at in 0..3 {
            bits = bits << 8 | u32::from(chunk.get(at).copied().unwrap_or_default());
        }
        for at in 0..4 {
            let is_there = at <= chunk.len();
            let index = (bits >> (18 - 6 * at)) & 63;
            let digit = char::from(ALPHABET[index as usize]);
            text.push(if is_there { digit } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests;
