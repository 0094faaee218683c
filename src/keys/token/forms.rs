//! What PKCS#11 calls the parts of our keys: attributes, curves, mechanisms.
//!
//! Pure translation between attributes and the field Public Key of a DNSKEY. Tokens
//! disagree on whether a point is wrapped in a DER OCTET STRING and on how Ed25519 is
//! called; both are read, and both are tried.

use aws_lc_rs::digest;
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, KeyType};
use zone_compiler::sign::{Algorithm, rsa_components, rsa_public_key};

const OCTET_STRING: u8 = 4;
/// First octet of a point that has both coordinates (SEC 1 section 2.3.3).
const UNCOMPRESSED_POINT: u8 = 4;

/// Object identifiers in DER, and the name that PKCS#11 3.0 gives Ed25519.
const P256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384: &[u8] = &[0x06, 5, 0x2b, 0x81, 4, 0, 0x22];
const ED25519: &[u8] = &[0x06, 3, 0x2b, 0x65, 0x70];
const ED25519_NAME: &[u8] = b"\x13\x0cedwards25519";

/// DigestInfo of SHA-256 without the digest (RFC 8017 section 9.2).
const SHA256_INFO: &[u8] = &[
    0x30, 0x31, 0x30, 0x0d, 0x06, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20,
];

/// Values of `CKA_EC_PARAMS` for the curve of an algorithm; RSA has none.
pub(super) fn curve_names(algorithm: Algorithm) -> &'static [&'static [u8]] {
    match algorithm {
        Algorithm::EcdsaP256Sha256 => &[P256],
        Algorithm::EcdsaP384Sha384 => &[P384],
        Algorithm::Ed25519 => &[ED25519_NAME, ED25519],
        Algorithm::RsaSha256 => &[],
    }
}

fn key_type(algorithm: Algorithm) -> KeyType {
    match algorithm {
        Algorithm::EcdsaP256Sha256 | Algorithm::EcdsaP384Sha384 => KeyType::EC,
        Algorithm::Ed25519 => KeyType::EC_EDWARDS,
        Algorithm::RsaSha256 => KeyType::RSA,
    }
}

/// The algorithm of a key by its kind and curve.
pub(super) fn algorithm(kind: &[Attribute], curve: &[Attribute]) -> Option<Algorithm> {
    let [Attribute::KeyType(kind)] = kind else {
        return None;
    };
    let curve = match curve {
        [Attribute::EcParams(curve)] => curve.as_slice(),
        _ => &[],
    };
    Algorithm::ALL.into_iter().find(|algorithm| {
        let names = curve_names(*algorithm);
        key_type(*algorithm) == *kind && (names.is_empty() || names.contains(&curve))
    })
}

/// The field Public Key of a DNSKEY from the attributes of a public object.
pub(super) fn public_key(algorithm: Algorithm, attributes: &[Attribute]) -> Option<Vec<u8>> {
    if algorithm == Algorithm::RsaSha256 {
        let modulus = attributes.iter().find_map(|attribute| match attribute {
            Attribute::Modulus(modulus) => Some(modulus),
            _ => None,
        })?;
        let exponent = attributes.iter().find_map(|attribute| match attribute {
            Attribute::PublicExponent(exponent) => Some(exponent),
            _ => None,
        })?;
        return rsa_public_key(exponent, modulus);
    }
    let point = attributes.iter().find_map(|attribute| match attribute {
        Attribute::EcPoint(point) => Some(point.as_slice()),
        _ => None,
    })?;
    let length = point_bytes(algorithm);
    let point = match point {
        [OCTET_STRING, inner, rest @ ..] if usize::from(*inner) == rest.len() => rest,
        _ => point,
    };
    let point = match point {
        [UNCOMPRESSED_POINT, rest @ ..] if rest.len() == length => rest,
        _ => point,
    };
    (point.len() == length).then(|| point.to_vec())
}

/// Octets of a public key on a curve, as DNSKEY has it.
fn point_bytes(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::EcdsaP256Sha256 => 64,
        Algorithm::EcdsaP384Sha384 => 96,
        Algorithm::Ed25519 => 32,
        Algorithm::RsaSha256 => 0,
    }
}

/// Templates by which the public object of a public key is found, one after the other.
pub(super) fn templates(algorithm: Algorithm, public_key: &[u8]) -> Vec<Vec<Attribute>> {
    let kind = || Attribute::KeyType(key_type(algorithm));
    let raw = match algorithm {
        Algorithm::RsaSha256 => {
            let modulus = rsa_components(public_key).map(|(_, modulus)| modulus.to_vec());
            let modulus = modulus.unwrap_or_default();
            return vec![vec![kind(), Attribute::Modulus(modulus)]];
        }
        Algorithm::Ed25519 => public_key.to_vec(),
        _ => [&[UNCOMPRESSED_POINT], public_key].concat(),
    };
    let length = u8::try_from(raw.len()).unwrap_or_default();
    let wrapped = [&[OCTET_STRING, length], raw.as_slice()].concat();
    [wrapped, raw]
        .into_iter()
        .map(|point| vec![kind(), Attribute::EcPoint(point)])
        .collect()
}

/// How a token signs a message: the mechanism, and what it is given.
pub(super) fn signing(algorithm: Algorithm, message: &[u8]) -> (Mechanism<'static>, Vec<u8>) {
    let hash = |algorithm| digest::digest(algorithm, message).as_ref().to_vec();
    match algorithm {
        // Hashed here: the mechanisms that hash are newer than many tokens, and a message
        // may be long.
        Algorithm::EcdsaP256Sha256 => (Mechanism::Ecdsa, hash(&digest::SHA256)),
        Algorithm::EcdsaP384Sha384 => (Mechanism::Ecdsa, hash(&digest::SHA384)),
        Algorithm::Ed25519 => {
            let scheme = EddsaParams::new(EddsaSignatureScheme::Ed25519);
            (Mechanism::Eddsa(scheme), message.to_vec())
        }
        Algorithm::RsaSha256 => {
            let info = [SHA256_INFO, &hash(&digest::SHA256)].concat();
            (Mechanism::RsaPkcs, info)
        }
    }
}

#[cfg(test)]
mod tests;
