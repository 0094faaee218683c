//! Private keys in files: PKCS#8 in PEM (RFC 7468), and the pairs of files that BIND's
//! tools, Knot's `keymgr` and ldns write.
//!
//! For zones that are signed without a key store: tests, comparisons, a zone file by
//! hand. What was read is wiped; errors name the file and never its contents.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Algorithm, FLAG_SEP, FLAG_ZONE, KeyError, SigningKey, Signs, SoftwareKey, ZoneKey};
use crate::RecordType;
use crate::rdata;

/// Largest key file: an RSA key of 4096 bits has 4 KiB.
const FILE_BYTES_MAX: usize = 64 * 1024;

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}", path.display())]
pub struct KeyFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: KeyFileFault,
}

/// What is wrong with a key file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileFault {
    /// The system cannot read it or the file beside it.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// Which of the two.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// More than any key needs.
    #[error("larger than a key file")]
    TooLarge,
    /// Neither of the formats.
    #[error("neither PKCS#8 in PEM nor the private file of a DNSSEC key")]
    Format,
    /// A field of the private file is missing or not in base64.
    #[error("field {0} is missing or broken")]
    Field(&'static str),
    /// The public file has no DNSKEY of an algorithm of ours.
    #[error("no DNSKEY record of algorithm 8, 13, 14 or 15")]
    Dnskey,
    /// Not a key, or not the one of the public file.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The private file belongs to another key.
    #[error("the private key is not the one of the DNSKEY beside it")]
    OtherKey,
}

/// Reads keys that are all published and active. A key with the SEP flag, and every key
/// in PEM, signs the whole zone unless another one of its algorithm is there without
/// that flag: then it signs DNSKEY, and that one the rest.
pub fn read_keys(paths: &[PathBuf]) -> Result<Vec<ZoneKey>, KeyFileError> {
    let mut keys = Vec::with_capacity(paths.len());
    for path in paths {
        let read = read_key(path).map_err(|fault| KeyFileError {
            path: path.clone(),
            fault,
        })?;
        keys.push(read);
    }
    let is_sep = |flags: u16| flags & FLAG_SEP != 0;
    let zone_signers: Vec<Algorithm> = keys
        .iter()
        .filter(|(flags, _)| !is_sep(*flags))
        .map(|(_, key)| key.algorithm())
        .collect();
    let zone_key = |(flags, key): (u16, SoftwareKey)| {
        let signs = match (is_sep(flags), zone_signers.contains(&key.algorithm())) {
            (true, true) => Signs::KEYS,
            (true, false) => Signs::ALL,
            (false, _) => Signs::ZONE,
        };
        ZoneKey::active(Arc::new(key), flags, signs)
    };
    Ok(keys.into_iter().map(zone_key).collect())
}

/// Reads one key and the flags of its DNSKEY; PEM has no flags, it gets those of a key
/// that signs the whole zone.
pub fn read_key(path: &Path) -> Result<(u16, SoftwareKey), KeyFileFault> {
    let name = path.as_os_str().to_string_lossy();
    let base = name
        .strip_suffix(".private")
        .or_else(|| name.strip_suffix(".key"));
    if let Some(base) = base {
        return read_pair(Path::new(base));
    }
    if !path.exists() && path.with_file_name(with_suffix(path, ".private")).exists() {
        return read_pair(path);
    }
    let text = read(path)?;
    let der = pem(&text).ok_or(KeyFileFault::Format)?;
    Ok((FLAG_ZONE | FLAG_SEP, SoftwareKey::from_pkcs8(&der)?))
}

fn with_suffix(path: &Path, suffix: &str) -> String {
    let name = path.file_name().unwrap_or_default();
    format!("{}{suffix}", name.to_string_lossy())
}

fn read(path: &Path) -> Result<Zeroizing<String>, KeyFileFault> {
    let io = |source| KeyFileFault::Io {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(io)?;
    // Sized ahead, so that no copy is left behind where it grew.
    let mut text = Zeroizing::new(String::with_capacity(FILE_BYTES_MAX + 1));
    let mut bounded = file.take(FILE_BYTES_MAX as u64 + 1);
    if bounded.read_to_string(&mut text).map_err(io)? > FILE_BYTES_MAX {
        return Err(KeyFileFault::TooLarge);
    }
    Ok(text)
}

/// The contents of `-----BEGIN PRIVATE KEY-----`.
fn pem(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (_, rest) = text.split_once("-----BEGIN PRIVATE KEY-----")?;
    let (body, _) = rest.split_once("-----END PRIVATE KEY-----")?;
    base64(body)
}

fn base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let packed: Zeroizing<Vec<u8>> = Zeroizing::new(
        text.bytes()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect(),
    );
    rdata::from_base64(&packed).map(Zeroizing::new)
}

/// The files `BASE.key` and `BASE.private`.
fn read_pair(base: &Path) -> Result<(u16, SoftwareKey), KeyFileFault> {
    let beside = |suffix| base.with_file_name(with_suffix(base, suffix));
    let dnskey = dnskey(&read(&beside(".key"))?).ok_or(KeyFileFault::Dnskey)?;
    let flags = u16::from_be_bytes([dnskey[0], dnskey[1]]);
    let algorithm = Algorithm::from_number(dnskey[3]).map_err(|_| KeyFileFault::Dnskey)?;
    let public_key = &dnskey[4..];
    let private = read(&beside(".private"))?;
    let number = private.lines().find_map(|line| {
        line.strip_prefix("Algorithm:")?
            .split_ascii_whitespace()
            .next()
    });
    if number != Some(algorithm.number().to_string().as_str()) {
        return Err(KeyFileFault::OtherKey);
    }
    let field = |name: &'static str| -> Result<Zeroizing<Vec<u8>>, KeyFileFault> {
        let value = private
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        value.and_then(base64).ok_or(KeyFileFault::Field(name))
    };
    let key = match algorithm {
        Algorithm::RsaSha256 => SoftwareKey::from_pkcs1(&pkcs1(field)?)?,
        curve => SoftwareKey::from_scalar(curve, &field("PrivateKey")?, public_key)?,
    };
    if *key.public_key() != *public_key {
        return Err(KeyFileFault::OtherKey);
    }
    Ok((flags, key))
}

/// RDATA of the one DNSKEY of a `.key` file, whose lines are those of a zone file.
fn dnskey(text: &str) -> Option<Box<[u8]>> {
    let line = text.lines().find(|line| !line.starts_with(';'))?;
    let (_, fields) = line.split_once("DNSKEY")?;
    let rdata = rdata::parse(RecordType::DNSKEY, fields, None).ok()?;
    (rdata.len() > 4).then_some(rdata)
}

/// RSAPrivateKey of RFC 8017 appendix A.1.2 from the fields of a private file.
fn pkcs1(
    field: impl Fn(&'static str) -> Result<Zeroizing<Vec<u8>>, KeyFileFault>,
) -> Result<Zeroizing<Vec<u8>>, KeyFileFault> {
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
    // Sized ahead, so that no copy is left behind where it grew.
    let mut numbers = Zeroizing::new(Vec::with_capacity(FILE_BYTES_MAX));
    // Version 0: two primes.
    numbers.extend([0x02, 0x01, 0x00]);
    for name in FIELDS {
        let value = field(name)?;
        let zeros = value.iter().take_while(|octet| **octet == 0).count();
        let value = &value[zeros..];
        // A number whose first bit is set would be read as negative.
        let sign = usize::from(value.first().is_none_or(|first| first & 0x80 != 0));
        der_head(0x02, value.len() + sign, &mut numbers)?;
        numbers.extend(std::iter::repeat_n(0, sign));
        numbers.extend_from_slice(value);
    }
    let mut der = Zeroizing::new(Vec::with_capacity(numbers.len() + 4));
    der_head(0x30, numbers.len(), &mut der)?;
    der.extend_from_slice(&numbers);
    Ok(der)
}

/// Tag and length of a DER element.
fn der_head(tag: u8, length: usize, out: &mut Vec<u8>) -> Result<(), KeyFileFault> {
    let length = u16::try_from(length).map_err(|_| KeyFileFault::Format)?;
    let [high, low] = length.to_be_bytes();
    out.push(tag);
    match length {
        0..=0x7f => out.push(low),
        0x80..=0xff => out.extend([0x81, low]),
        _ => out.extend([0x82, high, low]),
    }
    Ok(())
}
