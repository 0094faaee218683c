//! What must hold of any octets that come as a key or a signature of OpenPGP. Shared by the
//! fuzz target `openpgp` and the plain test of its corpus.

use meridian::registry::openpgp::{KEPT_BYTES_MAX, OpenPgpKey, without_armor};

const TEXT: &[u8] = include_bytes!("../../../src/registry/openpgp/fixtures/text");
const KEY: &[u8] = include_bytes!("../../../src/registry/openpgp/fixtures/ed25519.key");
/// When that key lives.
const AT: i64 = 1_767_312_000;

/// Reads a key; whether it is taken.
pub(crate) fn key(input: &[u8]) -> bool {
    // What is stored comes in as well, from files of CSV.
    if let Some(kept) = OpenPgpKey::from_octets(input) {
        assert_eq!(kept.to_octets(), input);
    }
    match OpenPgpKey::from_certificate(input) {
        Ok(key) => {
            let kept = key.to_octets();
            assert!(kept.len() <= KEPT_BYTES_MAX);
            assert_eq!(OpenPgpKey::from_octets(&kept), Some(key));
            true
        }
        Err(reason) => {
            assert!(!reason.is_empty());
            false
        }
    }
}

/// Reads a signature; whether it is one over the text by the key of these checks.
pub(crate) fn signature(input: &[u8]) -> bool {
    let key = OpenPgpKey::from_certificate(KEY).expect("it is taken");
    let agreed = key.agrees(TEXT, input, AT).is_ok();
    // Without its armor it says the same.
    if let Ok(bare) = without_armor(input) {
        assert_eq!(key.agrees(TEXT, &bare, AT).is_ok(), agreed);
    }
    agreed
}
