//! Private keys in files: PKCS#8 in PEM (RFC 7468), and BIND's private key files.
//!
//! What is read is made into PKCS#8, the one form that is sealed. Buffers are wiped; an
//! error names what is missing and never what was there.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
use zeroize::Zeroizing;
use zone_compiler::RecordType;
use zone_compiler::rdata;
use zone_compiler::sign::{KeyError, Pkcs8, SoftwareKey};

use crate::registry::types::DnskeyData;

/// Longest file; an RSA key of 4096 bits has 4 KiB.
const FILE_BYTES_MAX: u64 = 64 * 1024;
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
/// Characters of a line of PEM.
const LINE: usize = 64;

/// Why a file is no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The system.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// Too long.
    #[error("longer than {FILE_BYTES_MAX} octets: not a key file")]
    TooLong,
    /// A field is missing or not in base64.
    #[error("field {0} is missing or broken; give PKCS#8 in PEM, or BIND's .private with its .key")]
    Field(&'static str),
    /// The file of the public key has none.
    #[error("{}: no DNSKEY record", .0.display())]
    PublicKey(PathBuf),
    /// The key itself.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Reads a key.
pub fn read(path: &Path) -> Result<(SoftwareKey, Pkcs8), FileError> {
    let text = read_text(path)?;
    let der = match text.split_once(BEGIN) {
        Some((_, rest)) => {
            let body = rest.split(END).next().unwrap_or_default();
            base64_decode(body).ok_or(FileError::Field("PRIVATE KEY"))?
        }
        None => from_bind(path, &text)?,
    };
    let key = SoftwareKey::from_pkcs8(&der)?;
    Ok((key, Pkcs8::from_der(der)))
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

fn read_text(path: &Path) -> Result<Zeroizing<String>, FileError> {
    let io = |source| FileError::Io {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(io)?;
    let mut text = Zeroizing::new(String::new());
    let read = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text);
    if read.map_err(io)? as u64 > FILE_BYTES_MAX {
        return Err(FileError::TooLong);
    }
    Ok(text)
}

/// `Private-key-format: v1.3` of BIND: lines of `Field: base64`.
fn from_bind(path: &Path, text: &str) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let field = |name: &'static str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let value = line.and_then(|rest| rest.strip_prefix(':'));
        value.and_then(base64_decode).ok_or(FileError::Field(name))
    };
    let algorithm = text
        .lines()
        .find_map(|line| line.strip_prefix("Algorithm:"));
    let algorithm = algorithm.and_then(|rest| rest.split_ascii_whitespace().next());
    let rejected = |_| KeyError::Rejected;
    match algorithm {
        Some("8") => rsa_pkcs8(&rsa_pkcs1(&field)?),
        Some(number @ ("13" | "14")) => {
            let curve = if number == "13" {
                &ECDSA_P256_SHA256_FIXED_SIGNING
            } else {
                &ECDSA_P384_SHA384_FIXED_SIGNING
            };
            let dnskey = public_key(path)?;
            let point = [&[4], dnskey.public_key()].concat();
            let scalar = field("PrivateKey")?;
            let pair = EcdsaKeyPair::from_private_key_and_public_key(curve, &scalar, &point);
            let der = pair.map_err(rejected)?;
            let der = der.to_pkcs8v1().map_err(|_| KeyError::Rejected)?;
            Ok(Zeroizing::new(der.as_ref().to_vec()))
        }
        Some("15") => {
            let dnskey = public_key(path)?;
            let seed = field("PrivateKey")?;
            let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, dnskey.public_key());
            let der = pair.map_err(rejected)?;
            let der = der.to_pkcs8v1().map_err(|_| KeyError::Rejected)?;
            Ok(Zeroizing::new(der.as_ref().to_vec()))
        }
        _ => Err(FileError::Field("Algorithm")),
    }
}

fn rsa_pkcs8(pkcs1: &[u8]) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let pair = RsaKeyPair::from_der(pkcs1).map_err(|_| KeyError::Rejected)?;
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_| KeyError::Rejected)?;
    Ok(Zeroizing::new(der.as_ref().to_vec()))
}

type Field<'f> = &'f dyn Fn(&'static str) -> Result<Zeroizing<Vec<u8>>, FileError>;

/// RSAPrivateKey of RFC 8017 appendix A.1.2.
fn rsa_pkcs1(field: Field<'_>) -> Result<Zeroizing<Vec<u8>>, FileError> {
    const FIELDS: [&str; 8] = [
        "Modulus",
        "PublicExponent",
        "PrivateExponent",
        "Prime1",
        "Prime2",
        "Exponent1",
        "Exponent2",
        "Coefficient",
    ];
    let mut body = Zeroizing::new(vec![2, 1, 0]);
    for name in FIELDS {
        let number = field(name)?;
        let zeros = number.iter().take_while(|octet| **octet == 0).count();
        let digits = &number[zeros..];
        let is_high = digits.first().is_some_and(|octet| octet & 0x80 != 0);
        let length = digits.len() + usize::from(is_high);
        push_head(&mut body, 2, length);
        if is_high {
            body.push(0);
        }
        body.extend_from_slice(digits);
    }
    let mut der = Zeroizing::new(Vec::with_capacity(body.len() + 4));
    push_head(&mut der, 0x30, body.len());
    der.extend_from_slice(&body);
    Ok(der)
}

/// Tag and length in DER.
fn push_head(der: &mut Vec<u8>, tag: u8, length: usize) {
    der.push(tag);
    let [.., high, low] = length.to_be_bytes();
    match length {
        0..=0x7f => der.push(low),
        0x80..=0xff => der.extend([0x81, low]),
        _ => der.extend([0x82, high, low]),
    }
}

/// The public half, in the file that ends in `.key`.
fn public_key(path: &Path) -> Result<DnskeyData, FileError> {
    let path = path.with_extension("key");
    let text = read_text(&path)?;
    let record = text.lines().find_map(|line| {
        let (head, data) = line.split_once("DNSKEY")?;
        (!head.trim_start().starts_with(';')).then_some(data)
    });
    let data = record.and_then(|data| rdata::parse(RecordType::DNSKEY, data.trim(), None).ok());
    let key = data.and_then(|data| DnskeyData::from_rdata(&data));
    key.ok_or(FileError::PublicKey(path))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 of RFC 4648 section 4; spaces and line ends are passed over.
fn base64_decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut octets = Zeroizing::new(Vec::with_capacity(text.len()));
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        if byte == b'=' {
            break;
        }
        let value = ALPHABET.iter().position(|known| *known == byte)?;
        bits = (bits << 6 | u32::try_from(value).ok()?) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            octets.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    (!octets.is_empty()).then_some(octets)
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
