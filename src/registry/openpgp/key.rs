//! Public keys of version 4 (RFC 9580 section 5.5.2.2), and what verifies by them.
//!
//! RSA, ECDSA over the curves of NIST and Ed25519, in its old and its new form. All others are
//! read over, so that a key that encrypts may stand beside those that sign.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature as algorithms;
use aws_lc_rs::signature::{EcdsaVerificationAlgorithm, RsaParameters, UnparsedPublicKey};

use super::Refusal;
use super::packet::{Octets, length_16};
use super::signature::Hash;

/// Bits of an RSA modulus.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PublicKey {
    /// Its packet.
    body: Vec<u8>,
    made_at: u32,
    algorithm: u8,
    material: Material,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    Ecdsa {
        curve: Curve,
        point: Vec<u8>,
    },
    Ed25519([u8; 32]),
    /// Of an algorithm that is not known here, or does not sign.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Curve {
    P256,
    P384,
    P521,
}

/// Names of curves in keys (section 9.2).
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
const ED25519_LEGACY: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];

impl PublicKey {
    /// Reads the body of a packet.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        const BAD: Refusal = "a public key that cannot be read";
        let mut octets = Octets::new(body);
        match octets.u8() {
            Some(4) => {}
            Some(_) => return Err("a key of another version than 4"),
            None => return Err(BAD),
        }
        // Two octets are its length where it is hashed.
        if body.len() > usize::from(u16::MAX) {
            return Err(BAD);
        }
        let made_at = octets.u32().ok_or(BAD)?;
        let algorithm = octets.u8().ok_or(BAD)?;
        Ok(Self {
            body: body.to_vec(),
            made_at,
            algorithm,
            material: material(algorithm, octets).ok_or(BAD)?,
        })
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Seconds since 1970.
    pub(super) fn made_at(&self) -> u32 {
        self.made_at
    }

    /// Section 5.5.4.2; SHA-1 tells keys apart here and vouches for nothing: whoever puts a
    /// key on file hands in the key itself.
    pub(super) fn fingerprint(&self) -> [u8; 20] {
        let text = [&[0x99][..], &length_16(&self.body), &self.body].concat();
        let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, &text);
        digest.as_ref().try_into().expect("SHA-1 has 20 octets")
    }

    /// What of it is hashed by a signature over it (section 5.2.4).
    pub(super) fn hashed(&self) -> Vec<u8> {
        [&[0x99][..], &length_16(&self.body), &self.body].concat()
    }

    /// Whether it is of a kind whose signatures count.
    pub(super) fn check_strength(&self) -> Result<(), Refusal> {
        match &self.material {
            Material::Rsa { modulus, .. } => {
                let top = modulus
                    .first()
                    .map_or(0, |octet| octet.leading_zeros() as usize);
                match RSA_BITS.contains(&(modulus.len() * 8 - top)) {
                    true => Ok(()),
                    false => Err("a key of RSA with less than 2048 bits, or more than 8192"),
                }
            }
            Material::Ecdsa { .. } | Material::Ed25519(_) => Ok(()),
            Material::Other => {
                Err("a key that is none of RSA, ECDSA over a curve of NIST, or Ed25519")
            }
        }
    }

    /// Whether a signature over `text` is by it.
    pub(super) fn verifies(
        &self,
        algorithm: u8,
        hash: Hash,
        text: &[u8],
        mut values: Octets<'_>,
    ) -> Option<()> {
        if algorithm != self.algorithm && !(is_rsa(algorithm) && is_rsa(self.algorithm)) {
            return None;
        }
        self.check_strength().ok()?;
        // Behind them there could be anything.
        if !is_value(algorithm, values) {
            return None;
        }
        match &self.material {
            Material::Rsa { modulus, exponent } => {
                let signature = padded(values.number()?, modulus.len())?;
                let key = PublicKeyComponents {
                    n: modulus,
                    e: exponent,
                };
                key.verify(rsa(hash), text, &signature).ok()
            }
            Material::Ecdsa { curve, point } => {
                let signature = sequence(values.number()?, values.number()?)?;
                let key = UnparsedPublicKey::new(ecdsa(*curve, hash), point);
                key.verify(text, &signature).ok()
            }
            Material::Ed25519(point) => {
                let signature = match algorithm {
                    LEGACY_EDDSA => {
                        [padded(values.number()?, 32)?, padded(values.number()?, 32)?].concat()
                    }
                    _ => values.take(64)?.to_vec(),
                };
                // What is signed is the digest (section 5.2.3.3).
                let key = UnparsedPublicKey::new(&algorithms::ED25519, point);
                let digest = digest(hash.algorithm(), text);
                key.verify(digest.as_ref(), &signature).ok()
            }
            Material::Other => None,
        }
    }
}

/// Algorithms (section 9.1).
const RSA: u8 = 1;
const RSA_SIGN_ONLY: u8 = 3;
const ECDSA: u8 = 19;
const LEGACY_EDDSA: u8 = 22;
const ED25519: u8 = 27;

/// Whether octets are the values of one signature by an algorithm that is known here, and
/// nothing else (section 5.2.3).
pub(super) fn is_value(algorithm: u8, mut values: Octets<'_>) -> bool {
    let read = match algorithm {
        RSA | RSA_SIGN_ONLY => values.number().is_some(),
        ECDSA | LEGACY_EDDSA => values.number().is_some() && values.number().is_some(),
        ED25519 => values.take(64).is_some(),
        _ => false,
    };
    read && values.is_empty()
}

fn is_rsa(algorithm: u8) -> bool {
    matches!(algorithm, RSA | RSA_SIGN_ONLY)
}

fn material(algorithm: u8, mut octets: Octets<'_>) -> Option<Material> {
    let material = match algorithm {
        RSA | RSA_SIGN_ONLY => Material::Rsa {
            modulus: octets.number()?.to_vec(),
            exponent: octets.number()?.to_vec(),
        },
        ECDSA => {
            let curve = match curve_name(&mut octets)? {
                name if name == P256 => Curve::P256,
                name if name == P384 => Curve::P384,
                name if name == P521 => Curve::P521,
                _ => return Some(Material::Other),
            };
            let point = octets.number()?.to_vec();
            Material::Ecdsa { curve, point }
        }
        LEGACY_EDDSA => {
            if curve_name(&mut octets)? != ED25519_LEGACY {
                return Some(Material::Other);
            }
            // 0x40 says that the octets of RFC 8032 follow.
            let point = octets.number()?.strip_prefix(&[0x40])?;
            Material::Ed25519(point.try_into().ok()?)
        }
        ED25519 => Material::Ed25519(octets.array()?),
        _ => return Some(Material::Other),
    };
    octets.is_empty().then_some(material)
}

fn curve_name<'o>(octets: &mut Octets<'o>) -> Option<&'o [u8]> {
    let length = usize::from(octets.u8()?);
    octets.take(length)
}

/// With zeros before it.
fn padded(number: &[u8], length: usize) -> Option<Vec<u8>> {
    let zeros = length.checked_sub(number.len())?;
    Some([&vec![0; zeros], number].concat())
}

/// Two numbers as ASN.1 has them (RFC 3279 section 2.2.3).
fn sequence(r: &[u8], s: &[u8]) -> Option<Vec<u8>> {
    let integer = |number: &[u8]| {
        // A first bit would say that it is negative; zero is one octet.
        let sign: &[u8] = match number.first() {
            Some(first) if first & 0x80 == 0 => &[],
            _ => &[0],
        };
        let value = [sign, number].concat();
        let length = u8::try_from(value.len())
            .ok()
            .filter(|length| *length < 0x80)?;
        Some([&[0x02, length], &value[..]].concat())
    };
    let both = [integer(r)?, integer(s)?].concat();
    let length = u8::try_from(both.len()).ok()?;
    Some(match length {
        0..0x80 => [&[0x30, length], &both[..]].concat(),
        _ => [&[0x30, 0x81, length], &both[..]].concat(),
    })
}

fn rsa(hash: Hash) -> &'static RsaParameters {
    match hash {
        Hash::Sha256 => &algorithms::RSA_PKCS1_2048_8192_SHA256,
        Hash::Sha384 => &algorithms::RSA_PKCS1_2048_8192_SHA384,
        Hash::Sha512 => &algorithms::RSA_PKCS1_2048_8192_SHA512,
    }
}

fn ecdsa(curve: Curve, hash: Hash) -> &'static EcdsaVerificationAlgorithm {
    match (curve, hash) {
        (Curve::P256, Hash::Sha256) => &algorithms::ECDSA_P256_SHA256_ASN1,
        (Curve::P256, Hash::Sha384) => &algorithms::ECDSA_P256_SHA384_ASN1,
        (Curve::P256, Hash::Sha512) => &algorithms::ECDSA_P256_SHA512_ASN1,
        (Curve::P384, Hash::Sha256) => &algorithms::ECDSA_P384_SHA256_ASN1,
        (Curve::P384, Hash::Sha384) => &algorithms::ECDSA_P384_SHA384_ASN1,
        (Curve::P384, Hash::Sha512) => &algorithms::ECDSA_P384_SHA512_ASN1,
        (Curve::P521, Hash::Sha256) => &algorithms::ECDSA_P521_SHA256_ASN1,
        (Curve::P521, Hash::Sha384) => &algorithms::ECDSA_P521_SHA384_ASN1,
        (Curve::P521, Hash::Sha512) => &algorithms::ECDSA_P521_SHA512_ASN1,
    }
}
