//! Checks one RRSIG: for signatures that come from elsewhere, and as a canary.
//!
//! Does what RFC 4035 section 5.3 asks of a validator for one RRset, key and moment.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};

use super::key::UNCOMPRESSED_POINT;
use super::rrsig::{append_records, labels};
use super::{Algorithm, Dnskey, FLAG_ZONE, RrsigFields, SignableRrset};

/// Why an RRSIG proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The RDATA is cut off.
    #[error("the RRSIG is cut off")]
    Malformed,
    /// It belongs to another RRset, zone or key.
    #[error("the RRSIG belongs to another RRset, zone or key")]
    Other,
    /// Not valid at this time.
    #[error("the RRSIG is not valid at this time")]
    Time,
    /// The signature is wrong.
    #[error("the signature does not fit the records")]
    Signature,
}

/// Checks that `rdata` is an RRSIG over `rrset` of the zone `apex` by this key and is
/// valid at `now_seconds`. `apex` is in wire format and lower case. The owner may be one
/// that a wildcard made.
pub fn verify_rrsig(
    apex: &[u8],
    dnskey: &Dnskey,
    rrset: &SignableRrset<'_>,
    rdata: &[u8],
    now_seconds: u64,
) -> Result<(), VerifyError> {
    let fields = RrsigFields::parse(rdata).ok_or(VerifyError::Malformed)?;
    let own_labels = labels(rrset.owner);
    if fields.rtype != rrset.rtype
        || fields.algorithm != dnskey.algorithm.number()
        || fields.key_tag != dnskey.key_tag()
        || !fields.signer.eq_ignore_ascii_case(apex)
        || fields.labels > own_labels
        || dnskey.flags & FLAG_ZONE == 0
    {
        return Err(VerifyError::Other);
    }
    if !fields.is_valid_at(now_seconds) {
        return Err(VerifyError::Time);
    }
    let mut message = rdata[..rdata.len() - fields.signature.len()].to_vec();
    let signer_at = message.len() - apex.len();
    message[signer_at..].make_ascii_lowercase();
    let owner = signed_owner(rrset.owner, usize::from(own_labels - fields.labels));
    let original = SignableRrset {
        ttl: fields.original_ttl,
        ..*rrset
    };
    append_records(&original, &owner, &mut message);
    if verify_message(
        dnskey.algorithm,
        &dnskey.public_key,
        &message,
        fields.signature,
    ) {
        Ok(())
    } else {
        Err(VerifyError::Signature)
    }
}

/// The owner as it was signed: below a wildcard `above` labels become one `*` (RFC
/// 4035 section 5.3.2).
fn signed_owner(owner: &[u8], above: usize) -> Vec<u8> {
    if above == 0 {
        return owner.to_vec();
    }
    let rest = (0..above).fold(owner, |rest, _| &rest[1 + usize::from(rest[0])..]);
    [b"\x01*", rest].concat()
}

/// Whether `signature` is one over `message` by the key whose DNSKEY has this public key.
pub fn verify_message(
    algorithm: Algorithm,
    public_key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    let result = match algorithm {
        Algorithm::EcdsaP256Sha256 | Algorithm::EcdsaP384Sha384 => {
            let curve = match algorithm {
                Algorithm::EcdsaP256Sha256 => &ECDSA_P256_SHA256_FIXED,
                _ => &ECDSA_P384_SHA384_FIXED,
            };
            let point = [&[UNCOMPRESSED_POINT], public_key].concat();
            UnparsedPublicKey::new(curve, point).verify(message, signature)
        }
        Algorithm::Ed25519 => {
            UnparsedPublicKey::new(&ED25519, public_key).verify(message, signature)
        }
        Algorithm::RsaSha256 => {
            let Some((e, n)) = rsa_components(public_key) else {
                return false;
            };
            RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
        }
    };
    result.is_ok()
}

/// Exponent and modulus of RFC 3110 section 2.
pub fn rsa_components(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match key {
        [0, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [length, rest @ ..] => (usize::from(*length), rest),
        [] => return None,
    };
    rest.split_at_checked(length)
}
