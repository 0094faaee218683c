//! Keys that sign: the trait that all of them have, and keys in this process.
//!
//! A private key is never printed, logged or compared; its octets are wiped when they
//! are dropped. Tokens (PKCS#11) are a further implementation of [`SigningKey`], in
//! another place. Algorithms as RFC 9904 has them: the four that may be used to sign.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use zeroize::Zeroizing;

/// A DNSSEC algorithm that this program signs with, by its IANA number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Algorithm {
    /// RSA/SHA-256 (RFC 5702): long keys and signatures, for those who must.
    RsaSha256 = 8,
    /// ECDSA P-256 with SHA-256 (RFC 6605), the default.
    EcdsaP256Sha256 = 13,
    /// ECDSA P-384 with SHA-384 (RFC 6605).
    EcdsaP384Sha384 = 14,
    /// Ed25519 (RFC 8080).
    Ed25519 = 15,
}

/// No algorithm that this program signs with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("algorithm {0} is not known here; use 13 (ECDSA P-256), 14, 15 (Ed25519) or 8 (RSA)")]
pub struct UnknownAlgorithm(pub String);

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::EcdsaP256Sha256,
        Self::EcdsaP384Sha384,
        Self::Ed25519,
        Self::RsaSha256,
    ];

    /// The IANA number.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The algorithm of a number.
    pub fn from_number(number: u8) -> Result<Self, UnknownAlgorithm> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.number() == number)
            .ok_or_else(|| UnknownAlgorithm(number.to_string()))
    }

    /// The mnemonic of the IANA registry.
    pub fn mnemonic(self) -> &'static str {
        match self {
            Self::RsaSha256 => "RSASHA256",
            Self::EcdsaP256Sha256 => "ECDSAP256SHA256",
            Self::EcdsaP384Sha384 => "ECDSAP384SHA384",
            Self::Ed25519 => "ED25519",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.mnemonic())
    }
}

impl std::str::FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    /// Reads a number or a mnemonic in any case.
    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        Self::ALL
            .into_iter()
            .find(|algorithm| {
                algorithm.mnemonic().eq_ignore_ascii_case(text)
                    || algorithm.number().to_string() == text
            })
            .ok_or_else(|| UnknownAlgorithm(text.to_owned()))
    }
}

/// Why a signature was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The cryptographic library refused.
    #[error("the cryptographic library made no signature")]
    Primitive,
    /// A token or another device refused; the text says which and why.
    #[error("{0}")]
    Device(String),
    /// No signature over this RRset was brought along for the present moment.
    #[error(
        "no valid signature of the offline key {key_tag} over {rtype}; import the signed \
         key response for this moment"
    )]
    MadeElsewhere {
        /// Tag of the offline key.
        key_tag: u16,
        /// What it should cover.
        rtype: crate::RecordType,
    },
}

/// A private key that signs, wherever it is. Many threads sign with it at once.
pub trait SigningKey: Send + Sync {
    /// Its algorithm.
    fn algorithm(&self) -> Algorithm;

    /// The field Public Key of its DNSKEY (RFC 3110, RFC 6605 section 4, RFC 8080
    /// section 3).
    fn public_key(&self) -> &[u8];

    /// Signs `message`: the field Signature of an RRSIG. Hashing is part of it.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// Why a key is not one that can sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not PKCS#8, damaged, or of another kind.
    #[error("not a private key of ECDSA P-256, P-384, Ed25519 or RSA with 2048 bits and more")]
    Rejected,
    /// RSA of a length that is not made.
    #[error("RSA keys have 2048, 3072 or 4096 bits here, not {0}")]
    RsaBits(u16),
    /// The system gave no random numbers, or the library failed.
    #[error("the cryptographic library made no key")]
    Generate,
}

/// A private key in PKCS#8 (RFC 5958), wiped when dropped.
pub struct Pkcs8(Zeroizing<Vec<u8>>);

impl Pkcs8 {
    /// Takes DER.
    pub fn from_der(der: Zeroizing<Vec<u8>>) -> Self {
        Self(der)
    }

    /// The DER.
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Pkcs8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pkcs8(..)")
    }
}

/// RSA modulus of a key that is generated without saying more.
pub const RSA_BITS_DEFAULT: u16 = 2048;

/// A private key in the memory of this process.
pub struct SoftwareKey {
    algorithm: Algorithm,
    public_key: Box<[u8]>,
    pair: Pair,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftwareKey")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl SoftwareKey {
    /// A new key and what to keep of it. RSA gets [`RSA_BITS_DEFAULT`] bits.
    pub fn generate(algorithm: Algorithm) -> Result<(Self, Pkcs8), KeyError> {
        Self::generate_with_bits(algorithm, RSA_BITS_DEFAULT)
    }

    /// As [`SoftwareKey::generate`]; `rsa_bits` is for RSA only.
    pub fn generate_with_bits(
        algorithm: Algorithm,
        rsa_bits: u16,
    ) -> Result<(Self, Pkcs8), KeyError> {
        let random = SystemRandom::new();
        let failed = |_| KeyError::Generate;
        let document = match algorithm {
            Algorithm::EcdsaP256Sha256 => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
                    .map_err(failed)?
            }
            Algorithm::EcdsaP384Sha384 => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random)
                    .map_err(failed)?
            }
            Algorithm::Ed25519 => Ed25519KeyPair::generate_pkcs8(&random).map_err(failed)?,
            Algorithm::RsaSha256 => return generate_rsa(rsa_bits),
        };
        let key = Self::from_pkcs8(document.as_ref())?;
        let kept = key.to_pkcs8()?;
        Ok((key, kept))
    }

    /// Reads PKCS#8 in DER; the kind of key says the algorithm.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let curves = [
            (Algorithm::EcdsaP256Sha256, &ECDSA_P256_SHA256_FIXED_SIGNING),
            (Algorithm::EcdsaP384Sha384, &ECDSA_P384_SHA384_FIXED_SIGNING),
        ];
        for (algorithm, curve) in curves {
            if let Ok(pair) = EcdsaKeyPair::from_pkcs8(curve, der) {
                return Ok(Self::ecdsa(algorithm, pair));
            }
        }
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            return Ok(Self::ed25519(pair));
        }
        let pair = RsaKeyPair::from_pkcs8(der).map_err(|_| KeyError::Rejected)?;
        Self::rsa(pair)
    }

    /// A key on a curve from its scalar and the field Public Key of its DNSKEY, which
    /// must fit.
    pub fn from_scalar(
        algorithm: Algorithm,
        scalar: &[u8],
        public_key: &[u8],
    ) -> Result<Self, KeyError> {
        let rejected = |_| KeyError::Rejected;
        let curve: &EcdsaSigningAlgorithm = match algorithm {
            Algorithm::EcdsaP256Sha256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
            Algorithm::EcdsaP384Sha384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
            Algorithm::Ed25519 => {
                let pair = Ed25519KeyPair::from_seed_and_public_key(scalar, public_key)
                    .map_err(rejected)?;
                return Ok(Self::ed25519(pair));
            }
            Algorithm::RsaSha256 => return Err(KeyError::Rejected),
        };
        let point = [&[UNCOMPRESSED_POINT], public_key].concat();
        let pair = EcdsaKeyPair::from_private_key_and_public_key(curve, scalar, &point)
            .map_err(rejected)?;
        Ok(Self::ecdsa(algorithm, pair))
    }

    /// An RSA key from the DER of PKCS#1 (RFC 8017 appendix A.1.2).
    pub fn from_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        Self::rsa(RsaKeyPair::from_der(der).map_err(|_| KeyError::Rejected)?)
    }

    /// What is to be kept of it: version 1, without the public key, as every reader
    /// takes it.
    pub fn to_pkcs8(&self) -> Result<Pkcs8, KeyError> {
        let failed = |_| KeyError::Rejected;
        let der = |octets: &[u8]| Pkcs8(Zeroizing::new(octets.to_vec()));
        Ok(match &self.pair {
            Pair::Ecdsa(pair) => der(pair.to_pkcs8v1().map_err(failed)?.as_ref()),
            Pair::Ed25519(pair) => der(pair.to_pkcs8v1().map_err(failed)?.as_ref()),
            Pair::Rsa(pair) => der(AsDer::<Pkcs8V1Der<'_>>::as_der(pair)
                .map_err(failed)?
                .as_ref()),
        })
    }

    fn ecdsa(algorithm: Algorithm, pair: EcdsaKeyPair) -> Self {
        let public_key = pair.public_key().as_ref()[1..].into();
        Self {
            algorithm,
            public_key,
            pair: Pair::Ecdsa(pair),
        }
    }

    fn ed25519(pair: Ed25519KeyPair) -> Self {
        Self {
            algorithm: Algorithm::Ed25519,
            public_key: pair.public_key().as_ref().into(),
            pair: Pair::Ed25519(pair),
        }
    }

    fn rsa(pair: RsaKeyPair) -> Result<Self, KeyError> {
        let public_key =
            rsa_public_key_of_der(pair.public_key().as_ref()).ok_or(KeyError::Rejected)?;
        Ok(Self {
            algorithm: Algorithm::RsaSha256,
            public_key: public_key.into(),
            pair: Pair::Rsa(pair),
        })
    }
}

/// First octet of a point on a curve that has both coordinates (SEC 1 section 2.3.3).
pub(super) const UNCOMPRESSED_POINT: u8 = 4;

fn generate_rsa(bits: u16) -> Result<(SoftwareKey, Pkcs8), KeyError> {
    let size = match bits {
        2048 => KeySize::Rsa2048,
        3072 => KeySize::Rsa3072,
        4096 => KeySize::Rsa4096,
        _ => return Err(KeyError::RsaBits(bits)),
    };
    let pair = RsaKeyPair::generate(size).map_err(|_| KeyError::Generate)?;
    let key = SoftwareKey::rsa(pair)?;
    let kept = key.to_pkcs8()?;
    Ok((key, kept))
}

/// The public key of RFC 3110 section 2 from the DER of an RSAPublicKey.
fn rsa_public_key_of_der(der: &[u8]) -> Option<Vec<u8>> {
    let (sequence, _) = der_element(der, 0x30)?;
    let (modulus, rest) = der_element(sequence, 0x02)?;
    let (exponent, _) = der_element(rest, 0x02)?;
    rsa_public_key(exponent, modulus)
}

/// The public key of RFC 3110 section 2 from its two numbers, highest octet first;
/// `None` for an exponent that is longer than can be told.
pub fn rsa_public_key(exponent: &[u8], modulus: &[u8]) -> Option<Vec<u8>> {
    let strip = |number: &[u8]| -> Vec<u8> {
        let zeros = number.iter().take_while(|octet| **octet == 0).count();
        number[zeros..].to_vec()
    };
    let (modulus, exponent) = (strip(modulus), strip(exponent));
    let mut key = Vec::with_capacity(3 + exponent.len() + modulus.len());
    match u8::try_from(exponent.len()) {
        Ok(length) => key.push(length),
        Err(_) => {
            key.push(0);
            key.extend(u16::try_from(exponent.len()).ok()?.to_be_bytes());
        }
    }
    key.extend(exponent);
    key.extend(modulus);
    Some(key)
}

/// The contents of a DER element with this tag, and what follows it.
fn der_element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = der.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => {
            let (octets, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*octets)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

impl SigningKey for SoftwareKey {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let random = SystemRandom::new();
        let failed = |_| SignError::Primitive;
        match &self.pair {
            Pair::Ecdsa(pair) => {
                let signature = pair.sign(&random, message).map_err(failed)?;
                Ok(signature.as_ref().to_vec())
            }
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(failed)?;
                Ok(signature)
            }
        }
    }
}

/// Key tag of a DNSKEY by its RDATA (RFC 4034 appendix B).
pub fn key_tag(rdata: &[u8]) -> u16 {
    let sum: u32 = rdata
        .chunks(2)
        .map(|pair| {
            let low = pair.get(1).copied().unwrap_or_default();
            u32::from(u16::from_be_bytes([pair[0], low]))
        })
        .sum();
    let folded = (sum + (sum >> 16)) & 0xffff;
    u16::try_from(folded).expect("masked to 16 bits")
}
