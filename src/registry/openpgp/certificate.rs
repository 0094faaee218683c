//! A whole key: which of its public keys may sign, and until when (RFC 9580 section 10.1).
//!
//! A primary key speaks for itself and for its subkeys, by signatures over them. The newest
//! that holds says how long each lives and what it may do; where a newer one may be its own and
//! cannot be judged, none does. A subkey that signs says by a
//! signature of its own that it belongs there (section 5.2.1.8). A revocation of the key ends
//! it, whoever it is by: better a key too few than one that somebody gave up. Signatures of
//! others over names mean nothing here.

use super::key::PublicKey;
use super::packet::{
    MARKER, PADDING, PUBLIC_KEY, PUBLIC_SUBKEY, Packet, SECRET_KEY, SECRET_SUBKEY, SIGNATURE,
    TRUST, USER_ATTRIBUTE, USER_ID, length_32, packets,
};
use super::signature::{
    BY_SUBKEY, DIRECT, KEY_REVOKED, NAME, NAME_REVOKED, SUBKEY, SUBKEY_REVOKED, Signature, doubt,
    kind,
};
use super::{KEYS_MAX, OpenPgpKey, Refusal, SigningKey};

/// Says that a key may sign data (section 5.2.3.29).
const MAY_SIGN: u8 = 0x02;

/// A packet and the signatures that follow it.
struct Part<'o> {
    packet: Packet<'o>,
    signatures: Vec<&'o [u8]>,
}

/// Takes a key apart.
pub(super) fn read(octets: &[u8]) -> Result<OpenPgpKey, Refusal> {
    let parts = parts(octets)?;
    let Some((first, others)) = parts.split_first() else {
        return Err("no key");
    };
    let primary = PublicKey::parse(first.packet.body)?;
    primary.check_strength()?;
    // A revocation that was made apart may have been added behind everything else.
    if parts.iter().any(|part| part.has(KEY_REVOKED)) {
        return Err("a key that was revoked");
    }
    let own = own_word(&primary, &parts)?;
    let life = end(&primary, &own);
    let mut keys = Vec::new();
    if may_sign(&own) {
        keys.push(SigningKey {
            expires_at: life,
            key: primary.clone(),
        });
    }
    let mut refusal = "a key that may not sign";
    for part in others
        .iter()
        .filter(|part| part.packet.tag == PUBLIC_SUBKEY)
    {
        match subkey(&primary, part) {
            Ok(Some(mut key)) => {
                key.expires_at = earlier(key.expires_at, life);
                keys.push(key);
            }
            Ok(None) => {}
            Err(reason) => refusal = reason,
        }
    }
    if keys.len() > KEYS_MAX {
        return Err("a key with more than eight keys that sign");
    }
    match keys.is_empty() {
        true => Err(refusal),
        false => Ok(OpenPgpKey {
            fingerprint: primary.fingerprint(),
            keys,
        }),
    }
}

/// The packets, each with what was signed about it.
fn parts(octets: &[u8]) -> Result<Vec<Part<'_>>, Refusal> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    for packet in packets(octets)? {
        match (packet.tag, parts.last_mut()) {
            (MARKER | TRUST | PADDING, _) => {}
            (SECRET_KEY | SECRET_SUBKEY, _) => {
                return Err("a private key: it belongs to nobody but its owner");
            }
            (SIGNATURE, Some(last)) => last.signatures.push(packet.body),
            (PUBLIC_KEY, Some(_)) => return Err("more than one key; one at a time"),
            (PUBLIC_KEY, None) | (USER_ID | USER_ATTRIBUTE | PUBLIC_SUBKEY, Some(_)) => {
                parts.push(Part {
                    packet,
                    signatures: Vec::new(),
                });
            }
            _ => return Err("not a public key of OpenPGP"),
        }
    }
    Ok(parts)
}

impl Part<'_> {
    fn has(&self, wanted: u8) -> bool {
        let mut kinds = self.signatures.iter().map(|body| kind(body));
        kinds.any(|kind| kind == Some(wanted))
    }
}

/// The newest word of the primary key about itself: over it alone or over a name.
fn own_word<'o>(primary: &PublicKey, parts: &[Part<'o>]) -> Result<Signature<'o>, Refusal> {
    let mut words = Words::of(primary);
    for part in parts {
        let tag = part.packet.tag;
        let about = match tag {
            PUBLIC_KEY => Vec::new(),
            USER_ID => [&[0xb4][..], &length_32(part.packet.body), part.packet.body].concat(),
            _ => continue,
        };
        if tag == USER_ID && part.has(NAME_REVOKED) {
            continue;
        }
        for body in &part.signatures {
            let is_meant = kind(body).is_some_and(|kind| match tag {
                PUBLIC_KEY => kind == DIRECT,
                _ => NAME.contains(&kind),
            });
            if is_meant {
                words.take(body, &[&primary.hashed(), &about]);
            }
        }
    }
    let missing = "a key without a signature of its own over it";
    words.newest()?.ok_or(missing)
}

/// Signatures by a primary key about one thing, of which the newest counts.
struct Words<'k, 'o> {
    primary: &'k PublicKey,
    fingerprint: [u8; 20],
    newest: Option<Signature<'o>>,
    /// When the newest that may be its own and cannot be judged was made, and what is wrong
    /// with it: it may say less than an older one.
    doubt: Option<(u32, Refusal)>,
}

impl<'k, 'o> Words<'k, 'o> {
    fn of(primary: &'k PublicKey) -> Self {
        Self {
            primary,
            fingerprint: primary.fingerprint(),
            newest: None,
            doubt: None,
        }
    }

    fn take(&mut self, body: &'o [u8], about: &[&[u8]]) {
        let word = match Signature::parse(body) {
            Ok(word) => word,
            Err(reason) => {
                let doubt = doubt(body, &self.fingerprint).map(|made_at| (made_at, reason));
                self.doubt = self.doubt.max(doubt);
                return;
            }
        };
        let newest = self.newest.as_ref();
        let is_newer = newest.is_none_or(|old| word.made_at > old.made_at);
        if is_newer && word.is_by(self.primary, about) {
            self.newest = Some(word);
        }
    }

    fn newest(self) -> Result<Option<Signature<'o>>, Refusal> {
        let newest = self.newest.as_ref().map(|word| word.made_at);
        match self.doubt {
            Some((made_at, reason)) if newest.is_none_or(|newest| made_at >= newest) => Err(reason),
            _ => Ok(self.newest),
        }
    }
}

fn may_sign(word: &Signature<'_>) -> bool {
    word.flags.is_some_and(|flags| flags & MAY_SIGN != 0)
}

/// When the life of a key ends by what was said about it.
fn end(key: &PublicKey, word: &Signature<'_>) -> Option<u64> {
    let life = word.key_expires_after;
    let end = life.map(|life| u64::from(key.made_at()) + u64::from(life));
    earlier(end, word.expires_at())
}

fn earlier(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// A subkey that may sign; nothing where it is not there for that, or was revoked.
fn subkey(primary: &PublicKey, part: &Part<'_>) -> Result<Option<SigningKey>, Refusal> {
    if part.has(SUBKEY_REVOKED) {
        return Ok(None);
    }
    let key = PublicKey::parse(part.packet.body)?;
    let about = [primary.hashed(), key.hashed()];
    let about = [&about[0][..], &about[1][..]];
    let mut words = Words::of(primary);
    for body in &part.signatures {
        if kind(body) == Some(SUBKEY) {
            words.take(body, &about);
        }
    }
    let Some(word) = words.newest()? else {
        return Ok(None);
    };
    if !may_sign(&word) {
        return Ok(None);
    }
    key.check_strength()?;
    let back = word.embedded.map(Signature::parse).transpose()?;
    let belongs = back.is_some_and(|back| back.kind == BY_SUBKEY && back.is_by(&key, &about));
    if !belongs {
        return Err("a key that signs and does not say itself that it belongs there");
    }
    let expires_at = end(&key, &word);
    Ok(Some(SigningKey { expires_at, key }))
}
