//! Keys and signatures of OpenPGP (RFC 9580), as far as somebody agrees to a change by one.
//!
//! A key is taken apart when it is put on file ([`OpenPgpKey::from_certificate`]): what is kept
//! are its public keys that may sign, each with the end of its life. Names and addresses in it
//! stay nowhere, so nothing personal comes into the event log by a key. What is kept agrees to
//! a text by a detached signature ([`OpenPgpKey::agrees`]).
//!
//! A reader of packets and rules of its own, over the one cryptographic library: it has to read
//! public keys and signatures of version 4, and nothing else of OpenPGP. It takes no signature
//! by SHA-1, MD5, DSA or RSA below 2048 bits, not even within a key, no revoked or expired key,
//! and no unknown critical part (section 5.2.3.7). It never decrypts, and reads no clock.

mod armor;
mod certificate;
mod key;
mod packet;
mod signature;

use key::PublicKey;
use packet::{Octets, packets};
use signature::Signature;

/// Why a key or a signature is not taken.
pub type Refusal = &'static str;

/// Octets of a key as somebody hands it in; one with photographs is longer.
pub const CERTIFICATE_BYTES_MAX: usize = 32_768;
/// Octets of a signature: four times what RSA of 8192 bits needs.
pub const SIGNATURE_BYTES_MAX: usize = 8_192;
/// Octets of what is kept of a key: a row of an index has to hold it.
pub const KEPT_BYTES_MAX: usize = 2_400;
/// Keys that are kept of one.
const KEYS_MAX: usize = 8;
/// Signatures that are handed in as one: of several keys, one of which is on file.
const SIGNATURES_MAX: usize = 4;
/// Seconds that a signer's clock may be ahead.
const AHEAD_SECONDS: i64 = 300;
/// What what is kept begins with; no packet does.
const FORM: u8 = 1;

/// What a signature that fits nothing is told.
pub const NO_SIGNATURE: Refusal = "not a signature over the text of this change by a key on file";

/// What is kept of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPgpKey {
    /// Fingerprint of the primary key.
    fingerprint: [u8; 20],
    /// Those that may sign.
    keys: Vec<SigningKey>,
}

/// A key that may sign.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SigningKey {
    /// Seconds since 1970 when its life ends.
    expires_at: Option<u64>,
    key: PublicKey,
}

impl OpenPgpKey {
    /// Takes a key apart, as `gpg --export` writes it, armored or not.
    pub fn from_certificate(octets: &[u8]) -> Result<Self, Refusal> {
        if octets.len() > CERTIFICATE_BYTES_MAX {
            return Err("more than 32,768 octets of key; export a minimal one");
        }
        let octets = armor::open(octets, "PUBLIC KEY BLOCK")?;
        let key = certificate::read(&octets)?;
        match key.to_octets().len() > KEPT_BYTES_MAX {
            true => Err("a key with too many or too long keys that sign"),
            false => Ok(key),
        }
    }

    /// Reads what [`OpenPgpKey::to_octets`] wrote.
    pub fn from_octets(octets: &[u8]) -> Option<Self> {
        if octets.len() > KEPT_BYTES_MAX {
            return None;
        }
        let mut octets = Octets::new(octets);
        if octets.u8()? != FORM {
            return None;
        }
        let fingerprint = octets.array()?;
        let mut keys = Vec::new();
        while !octets.is_empty() {
            let expires_at = u64::from_be_bytes(octets.array()?);
            let length = usize::from(octets.u16()?);
            let key = PublicKey::parse(octets.take(length)?).ok()?;
            key.check_strength().ok()?;
            keys.push(SigningKey {
                expires_at: (expires_at > 0).then_some(expires_at),
                key,
            });
        }
        let counts = 1..=KEYS_MAX;
        counts
            .contains(&keys.len())
            .then_some(Self { fingerprint, keys })
    }

    /// What is stored.
    pub fn to_octets(&self) -> Vec<u8> {
        let mut octets = vec![FORM];
        octets.extend_from_slice(&self.fingerprint);
        for key in &self.keys {
            octets.extend_from_slice(&key.expires_at.unwrap_or_default().to_be_bytes());
            let body = key.key.body();
            octets.extend_from_slice(&packet::length_16(body));
            octets.extend_from_slice(body);
        }
        octets
    }

    /// Fingerprint of the primary key: what people know it by.
    pub fn fingerprint(&self) -> [u8; 20] {
        self.fingerprint
    }

    /// Whether some key of it may still sign at a moment, in seconds since 1970.
    pub fn is_alive(&self, at: i64) -> bool {
        self.keys.iter().any(|key| key.is_alive(at))
    }

    /// Whether a detached signature over `text` is by this key, made and handed in while it
    /// lived; `at` is now, in seconds since 1970.
    pub fn agrees(&self, text: &[u8], signature: &[u8], at: i64) -> Result<(), Refusal> {
        if signature.len() > SIGNATURE_BYTES_MAX {
            return Err("more than 8,192 octets of signature");
        }
        let octets = armor::open(signature, "SIGNATURE")?;
        let packets = packets(&octets)?;
        if packets.is_empty() || packets.len() > SIGNATURES_MAX {
            return Err("not one to four detached signatures");
        }
        let mut refusal = NO_SIGNATURE;
        for packet in packets {
            if packet.tag != packet::SIGNATURE {
                return Err("not a detached signature: sign with --detach-sign");
            }
            match self.agrees_by(text, packet.body, at) {
                Ok(()) => return Ok(()),
                // Of several the one that says most about the key on file.
                Err(reason) if refusal == NO_SIGNATURE => refusal = reason,
                Err(_) => {}
            }
        }
        Err(refusal)
    }

    fn agrees_by(&self, text: &[u8], body: &[u8], at: i64) -> Result<(), Refusal> {
        let signature = Signature::parse(body)?;
        if signature.kind != signature::BINARY {
            return Err("not a signature over a binary document");
        }
        let signer = self
            .keys
            .iter()
            .find(|key| signature.is_by(&key.key, &[text]));
        let signer = signer.ok_or(NO_SIGNATURE)?;
        let made_at = i64::from(signature.made_at);
        if made_at > at.saturating_add(AHEAD_SECONDS) || signature.made_at < signer.key.made_at() {
            return Err("a signature of another time than the key's");
        }
        let ends_at = signature.expires_at().map(i64::try_from);
        if ends_at.is_some_and(|ends_at| ends_at.is_ok_and(|ends_at| ends_at <= at)) {
            return Err("a signature that has expired");
        }
        match signer.is_alive(at) {
            true => Ok(()),
            false => Err("a signature by a key that has expired"),
        }
    }
}

/// The octets of a signature without its armor, whose headers may say anything.
pub fn without_armor(signature: &[u8]) -> Result<Vec<u8>, Refusal> {
    Ok(armor::open(signature, "SIGNATURE")?.into_owned())
}

/// Whether a signature that was taken may say who somebody is: by a name in it, a remark, or
/// around it.
pub(crate) fn is_personal(signature: &[u8]) -> bool {
    let Ok(packets) = packets(signature) else {
        // One of Ed25519 is 64 octets, and no packets but by chance.
        return signature.len() != 64;
    };
    // Beside the one that agrees nobody has looked at others.
    let is_bare = match packets[..] {
        [packet] if packet.tag == packet::SIGNATURE => {
            Signature::parse(packet.body).is_ok_and(|signature| signature.is_bare)
        }
        _ => false,
    };
    signature.len() != 64 && !is_bare
}

impl SigningKey {
    fn is_alive(&self, at: i64) -> bool {
        let ends_at = self.expires_at.map(i64::try_from);
        i64::from(self.key.made_at()) <= at.saturating_add(AHEAD_SECONDS)
            && ends_at.is_none_or(|ends_at| ends_at.is_ok_and(|ends_at| at < ends_at))
    }
}

#[cfg(test)]
pub(in crate::registry) mod tests;
