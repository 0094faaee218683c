//! Keys and signatures that GnuPG 2.2 made on 2026-01-01 (`fixtures`), and those of a maker of
//! our own where a private key is needed at the time of the test.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use proptest::prelude::*;

use super::*;

/// 2026-01-01, when the keys were made, and a day.
const MADE: i64 = 1_767_225_600;
const DAY: i64 = 86_400;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("fixtures/", $name)).as_slice()
    };
}

const TEXT: &[u8] = fixture!("text");
const ED25519: &[u8] = fixture!("ed25519.key");
const ED25519_SIGNATURE: &[u8] = fixture!("ed25519.sig");

/// Keys that are taken, each with a signature over the text.
const GOOD: [(&str, &[u8], &[u8]); 5] = [
    ("ed25519", ED25519, ED25519_SIGNATURE),
    ("p256", fixture!("p256.key"), fixture!("p256.sig")),
    ("p521", fixture!("p521.key"), fixture!("p521.sig")),
    (
        "rsa",
        fixture!("rsa-subkey.key"),
        fixture!("rsa-subkey.sig"),
    ),
    (
        "short",
        fixture!("short-lived.key"),
        fixture!("short-lived.sig"),
    ),
];

fn key(octets: &[u8]) -> OpenPgpKey {
    OpenPgpKey::from_certificate(octets).unwrap()
}

#[test]
fn keys_of_gnupg_agree_to_what_they_signed_and_to_nothing_else() {
    for (name, certificate, signature) in GOOD {
        let key = key(certificate);
        assert_eq!(key.agrees(TEXT, signature, MADE + DAY), Ok(()), "{name}");
        let changed = TEXT.to_ascii_uppercase();
        let refused = key.agrees(&changed, signature, MADE + DAY);
        assert_eq!(refused, Err(NO_SIGNATURE), "{name}");
        for (other, certificate, _) in GOOD.into_iter().filter(|good| good.0 != name) {
            let other_key = OpenPgpKey::from_certificate(certificate).unwrap();
            let refused = other_key.agrees(TEXT, signature, MADE + DAY);
            assert_eq!(refused, Err(NO_SIGNATURE), "{name} by {other}");
        }
        // What is kept does the same, and has nothing of its owner.
        let kept = key.to_octets();
        assert_eq!(
            OpenPgpKey::from_octets(&kept).as_ref(),
            Some(&key),
            "{name}"
        );
        let text = String::from_utf8_lossy(&kept);
        assert!(!text.contains("mail.example"), "{name}");
        // With and without armor.
        let bare = armor::open(certificate, "PUBLIC KEY BLOCK").unwrap();
        assert_eq!(OpenPgpKey::from_certificate(&bare).unwrap(), key);
        let bare = without_armor(signature).unwrap();
        assert_eq!(key.agrees(TEXT, &bare, MADE + DAY), Ok(()), "{name}");
    }
}

#[test]
fn a_key_is_known_by_the_fingerprint_that_gnupg_shows() {
    let fingerprint = key(ED25519)
        .fingerprint()
        .map(|octet| format!("{octet:02X}"));
    assert_eq!(
        fingerprint.concat(),
        "E9FE7AB2C32B6C07FBD7C145CE16C820470ED5EB"
    );
}

#[test]
fn weak_revoked_and_other_keys_are_refused() {
    let check = |octets: &[u8], reason: &str| {
        let refused = OpenPgpKey::from_certificate(octets).unwrap_err();
        assert!(refused.contains(reason), "{reason}: {refused}");
    };
    check(fixture!("weak-rsa.key"), "less than 2048 bits");
    check(fixture!("weak-dsa.key"), "none of RSA, ECDSA");
    check(fixture!("weak-self.key"), "none of SHA-256");
    check(fixture!("revoked.key"), "revoked");
    check(fixture!("cert-only.key"), "may not sign");
    check(ED25519_SIGNATURE, "another kind of armor");
    check(b"no key", "neither armor nor packets");
    check(&[], "neither armor nor packets");
    check(&[0xc5, 1, 4], "a private key");
    check(
        b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n",
        "a private key",
    );
    check(&vec![0x99; CERTIFICATE_BYTES_MAX + 1], "32,768 octets");
    let two = [ED25519, fixture!("p256.key")];
    let two = two
        .map(|key| armor::open(key, "PUBLIC KEY BLOCK").unwrap())
        .concat();
    check(&two, "more than one key");
    // A revocation that was added behind everything else.
    let revoked = armor::open(fixture!("revoked.key"), "PUBLIC KEY BLOCK").unwrap();
    let packets = packets(&revoked).unwrap();
    let moved = [&packets[..1], &packets[2..], &packets[1..2]].concat();
    let moved: Vec<_> = moved.iter().flat_map(|p| packet(p.tag, p.body)).collect();
    check(&moved, "revoked");
}

#[test]
fn signatures_that_do_not_count_are_refused() {
    let key = key(ED25519);
    let check = |signature: &[u8], at: i64, reason: &str| {
        let refused = key.agrees(TEXT, signature, at).unwrap_err();
        assert!(refused.contains(reason), "{reason}: {refused}");
    };
    check(fixture!("sha1.sig"), MADE + DAY, "none of SHA-256");
    check(fixture!("text-mode.sig"), MADE + DAY, "binary document");
    check(fixture!("inline.sig"), MADE + DAY, "another kind of armor");
    assert_eq!(
        key.agrees(TEXT, fixture!("short.sig"), MADE + 9 * DAY),
        Ok(())
    );
    check(
        fixture!("short.sig"),
        MADE + 10 * DAY,
        "a signature that has expired",
    );
    // Made in the future, as far as this clock knows.
    check(ED25519_SIGNATURE, MADE - 301, "of another time");
    assert_eq!(key.agrees(TEXT, ED25519_SIGNATURE, MADE - 300), Ok(()));
    check(&vec![0x88; SIGNATURE_BYTES_MAX + 1], MADE, "8,192 octets");
    let one = without_armor(ED25519_SIGNATURE).unwrap();
    check(&one.repeat(5), MADE + DAY, "one to four");
    check(&[0x88, 0], MADE + DAY, "cannot be read");
    // Of several one may be by the key on file.
    let others = without_armor(fixture!("p256.sig")).unwrap();
    let both = [&others[..], &one].concat();
    assert_eq!(key.agrees(TEXT, &both, MADE + DAY), Ok(()));
}

#[test]
fn a_key_agrees_to_nothing_after_its_life() {
    let short = key(fixture!("short-lived.key"));
    let signature = fixture!("short-lived.sig");
    for (days, lives) in [(9, true), (10, false), (11, false)] {
        let at = MADE + days * DAY;
        assert_eq!(short.is_alive(at), lives, "{days}");
        let agreed = short.agrees(TEXT, signature, at);
        assert_eq!(agreed.is_ok(), lives, "{days}: {agreed:?}");
    }
    assert!(!key(ED25519).is_alive(MADE - DAY), "not yet made");
}

#[test]
fn only_a_signature_that_names_nobody_is_shown() {
    let bare = |signature| without_armor(signature).unwrap();
    assert!(is_personal(&bare(ED25519_SIGNATURE)));
    assert!(
        is_personal(fixture!("nameless.sig")),
        "an armor may say anything"
    );
    assert!(!is_personal(&bare(fixture!("nameless.sig"))));
    assert!(!is_personal(&[7; 64]));
}

#[test]
fn a_signature_with_room_for_anything_else_is_not_shown() {
    let owner = Owner::new(1, 1_000);
    let key = key(&owner.certificate(&[]));
    let with = |subpackets: &[u8]| owner.sign(0, &made(2_000, subpackets), TEXT);
    let issuer = [&[9, 16][..], &[7; 8]].concat();
    for (subpackets, is_shown) in [
        (&[][..], true),
        (&issuer, true),
        (&[&[22, 33, 4][..], &[7; 20]].concat(), true),
        (&[5, 3, 0, 1, 0, 0], true),
        // Each once, and of its length.
        (&issuer.repeat(2), false),
        (&[&[11, 16][..], &[7; 10]].concat(), false),
        // A place for keys, a name, a trust, a rule by a name, and what nobody knows.
        (b"\x05\x18http", false),
        (b"\x03\x1cJo", false),
        (b"\x03\x05Jo", false),
        (b"\x03\x06Jo", false),
        (b"\x03\x1aJo", false),
        (b"\x03\x63Jo", false),
    ] {
        let signature = with(subpackets);
        assert_eq!(
            key.agrees(TEXT, &signature, 2_000),
            Ok(()),
            "{subpackets:?}"
        );
        assert_eq!(is_personal(&signature), !is_shown, "{subpackets:?}");
    }
    let good = with(&[]);
    let body = packets(&good).unwrap()[0].body;
    let longer = packet(2, &[body, b"Jo"].concat());
    assert_eq!(key.agrees(TEXT, &longer, 2_000), Err(NO_SIGNATURE));
    assert!(is_personal(&longer));
    // Nobody has verified the second.
    assert!(is_personal(&good.repeat(2)));
}

#[test]
fn an_older_word_does_not_count_where_a_newer_cannot_be_judged() {
    let (owner, sub) = (Owner::new(1, 1_000), Owner::new(2, 1_000));
    let (wide, critical) = (owner.certificate(&[]), &[2, 0x80 | 99, 0][..]);
    let narrow = owner.word(1_010, critical);
    let refused = OpenPgpKey::from_certificate(&[&wide[..], &narrow].concat());
    assert!(refused.unwrap_err().contains("not known here"));
    // By a digest that is weak, and of the third version, by the same key.
    let mut weak = packets(&narrow).unwrap()[0].body.to_vec();
    weak[3] = 2;
    let id = &key(&wide).fingerprint()[12..];
    let third = [&[3, 5, 0x13, 0, 0, 3, 250], id, &[27, 8, 0, 0]].concat();
    for body in [&weak, &third] {
        let both = [&wide[..], &packet(2, body)].concat();
        assert!(OpenPgpKey::from_certificate(&both).is_err(), "{body:?}");
    }
    // Unless it is superseded, older, or somebody else's by its own words.
    let superseding = owner.word(1_020, &[2, 27, 3]);
    let older = owner.word(999, critical);
    let other = [&[9, 16][..], &[7; 8], critical].concat();
    let other = owner.word(1_010, &other);
    for more in [[narrow, superseding].concat(), older, other] {
        let both = [&wide[..], &more].concat();
        assert_eq!(key(&both), key(&wide), "{more:?}");
    }
    // The same of a subkey.
    let with = |more: &[u8]| {
        let bound = owner.binding(&sub, 1_000, &[]);
        key(&[&wide[..], &packet(14, &sub.body), &bound, more].concat())
    };
    let critical = owner.binding(&sub, 1_010, critical);
    assert_eq!(with(&[]).keys.len(), 2);
    assert_eq!(with(&critical).keys.len(), 1);
}

#[test]
fn no_octet_of_a_key_can_be_changed_into_another_key() {
    for (name, certificate, _) in GOOD {
        let whole = armor::open(certificate, "PUBLIC KEY BLOCK")
            .unwrap()
            .into_owned();
        let expected = OpenPgpKey::from_certificate(&whole).unwrap();
        for place in 0..whole.len() {
            // What a cut leaves out is a word about the key, or none.
            if let Ok(cut) = OpenPgpKey::from_certificate(&whole[..place]) {
                assert_eq!(cut.keys, expected.keys, "{name} cut at {place}");
            }
            for bit in [0x01, 0x80] {
                let mut changed = whole.clone();
                changed[place] ^= bit;
                if let Ok(changed) = OpenPgpKey::from_certificate(&changed) {
                    assert_eq!(changed, expected, "{name}, octet {place}");
                }
            }
        }
    }
}

#[test]
fn no_octet_that_is_signed_can_be_changed() {
    for (name, certificate, signature) in GOOD {
        let key = key(certificate);
        let whole = without_armor(signature).unwrap();
        let agrees = |signature: &[u8]| key.agrees(TEXT, signature, MADE + DAY).is_ok();
        let packets = packets(&whole).unwrap();
        let body = packets[0].body;
        let start = whole.len() - body.len();
        let hashed = 6 + usize::from(u16::from_be_bytes([body[4], body[5]]));
        let length = usize::from(u16::from_be_bytes([body[hashed], body[hashed + 1]]));
        // What is not hashed, and the first octets of the digest, are anybody's.
        let free = hashed..hashed + 2 + length + 2;
        for place in (0..body.len()).filter(|place| !free.contains(place)) {
            let mut changed = whole.clone();
            changed[start + place] ^= 0x01;
            assert!(!agrees(&changed), "{name}, octet {place}");
        }
        for length in 0..whole.len() {
            assert!(!agrees(&whole[..length]), "{name} cut at {length}");
        }
    }
}

proptest! {
    #[test]
    fn any_octets_are_a_key_or_a_refusal(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let first = [&[0x99, 0, 51, 4][..], &octets].concat();
        for octets in [&octets, &first] {
            if let Ok(key) = OpenPgpKey::from_certificate(octets) {
                prop_assert_eq!(OpenPgpKey::from_octets(&key.to_octets()), Some(key));
            }
            prop_assert!(key(ED25519).agrees(TEXT, octets, MADE).is_err());
            OpenPgpKey::from_octets(octets);
        }
    }
}

/// A packet of less than 192 octets, or of less than 8384.
pub(in crate::registry) fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap();
    let length = match length {
        0..192 => vec![u8::try_from(length).unwrap()],
        _ => (length - 192 + (192 << 8)).to_be_bytes().to_vec(),
    };
    [&[0xc0 | tag], &length[..], body].concat()
}

/// A key of Ed25519 in its new form, whose owner is at hand.
pub(in crate::registry) struct Owner {
    pair: Ed25519KeyPair,
    body: Vec<u8>,
    made_at: u32,
}

impl Owner {
    pub(in crate::registry) fn new(seed: u8, made_at: u32) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let public = pair.public_key().as_ref();
        let body = [&[4], &made_at.to_be_bytes()[..], &[27], public].concat();
        Self {
            pair,
            body,
            made_at,
        }
    }

    fn sign(&self, kind: u8, subpackets: &[u8], text: &[u8]) -> Vec<u8> {
        let head = [4, kind, 27, 8];
        let length = u16::try_from(subpackets.len()).unwrap().to_be_bytes();
        let hashed = [&head[..], &length, subpackets].concat();
        let end = u32::try_from(hashed.len()).unwrap().to_be_bytes();
        let text = [text, &hashed, &[4, 0xff], &end].concat();
        let digest = digest(&SHA256, &text);
        let signature = self.pair.sign(digest.as_ref());
        let digest = &digest.as_ref()[..2];
        packet(
            2,
            &[&hashed[..], &[0, 0], digest, signature.as_ref()].concat(),
        )
    }

    /// Its key, with whatever else is to be in the signature over it.
    pub(in crate::registry) fn certificate(&self, subpackets: &[u8]) -> Vec<u8> {
        let own = self.word(self.made_at, &[&[2, 27, 3], subpackets].concat());
        [packet(6, &self.body), packet(13, NAME), own].concat()
    }

    /// What its key says about itself with its name, at a later time.
    fn word(&self, made_at: u32, subpackets: &[u8]) -> Vec<u8> {
        let length = u32::try_from(NAME.len()).unwrap().to_be_bytes();
        let text = [&self.hashed()[..], &[0xb4], &length, NAME].concat();
        self.sign(0x13, &made(made_at, subpackets), &text)
    }

    /// What its key says about another, which signs.
    fn binding(&self, sub: &Self, made_at: u32, subpackets: &[u8]) -> Vec<u8> {
        let both = [self.hashed(), sub.hashed()].concat();
        let back = sub.sign(0x19, &made(made_at, &[]), &both);
        let back = packets(&back).unwrap()[0].body;
        let length = u8::try_from(back.len() + 1).unwrap();
        let embedded = [&[2, 27, 2, length, 32], back, subpackets].concat();
        self.sign(0x18, &made(made_at, &embedded), &both)
    }

    fn hashed(&self) -> Vec<u8> {
        [&[0x99, 0, 38][..], &self.body].concat()
    }

    /// A detached signature.
    pub(in crate::registry) fn signature(&self, text: &[u8], made_at: u32) -> Vec<u8> {
        self.sign(0, &made(made_at, &[]), text)
    }
}

const NAME: &[u8] = b"Jo <jo@mail.example>";

/// Subpackets behind the one with the time.
fn made(made_at: u32, subpackets: &[u8]) -> Vec<u8> {
    [&[5, 2], &made_at.to_be_bytes()[..], subpackets].concat()
}

#[test]
fn keys_of_the_new_form_agree_and_critical_parts_must_be_known() {
    let owner = Owner::new(1, 1_000);
    let key = key(&owner.certificate(&[]));
    let signature = owner.signature(TEXT, 2_000);
    assert_eq!(key.agrees(TEXT, &signature, 2_000), Ok(()));
    let early = owner.signature(TEXT, 999);
    assert!(key.agrees(TEXT, &early, 2_000).is_err(), "before its key");
    // Part 99 is unknown: nothing, unless it says that it must be understood.
    assert!(OpenPgpKey::from_certificate(&owner.certificate(&[2, 99, 0])).is_ok());
    assert!(OpenPgpKey::from_certificate(&owner.certificate(&[2, 0x80 | 99, 0])).is_err());
    // A life of 1,000 seconds, and one of a key that may not sign by its last word.
    let short = OpenPgpKey::from_certificate(&owner.certificate(&[5, 9, 0, 0, 3, 232])).unwrap();
    assert!(short.is_alive(1_999) && !short.is_alive(2_000));
    assert!(OpenPgpKey::from_certificate(&owner.certificate(&[2, 27, 1])).is_err());
}
