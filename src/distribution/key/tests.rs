use super::*;

fn key(octet: u8) -> SigningKey {
    SigningKey::from_seed(&[octet; SEED_BYTES]).unwrap()
}

#[test]
fn a_public_key_is_what_it_was_written_as() {
    let public = key(1).public();
    let text = public.to_string();
    assert_eq!(text.len(), "ed25519:".len() + 64);
    assert_eq!(text.parse::<PublicKey>().unwrap(), public);
    for wrong in [
        "",
        "ed25519:",
        &text[8..],
        &text[..70],
        &format!("{text}00"),
    ] {
        assert_eq!(wrong.parse::<PublicKey>(), Err(KeySyntax), "{wrong}");
    }
    let signed = text.replace("ed25519:", "ed25519:+");
    assert!(signed[..72].parse::<PublicKey>().is_err());
}

/// RFC 8032 section 7.1, test 2.
#[test]
fn signatures_are_those_of_the_rfc() {
    let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
    let key = SigningKey::from_seed(&zone_compiler::rdata::from_hex(seed).unwrap()).unwrap();
    assert_eq!(
        key.public().to_string(),
        "ed25519:3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    );
    let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                     085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    let signature = zone_compiler::rdata::from_hex(signature).unwrap();
    assert_eq!(key.sign(&[0x72])[..], signature);
    assert!(key.public().verifies(&[0x72], &signature));
    assert!(!key.public().verifies(&[0x73], &signature));
}

#[test]
fn a_key_shows_its_public_half_alone() {
    let seed = SigningKey::generate().unwrap();
    let key = SigningKey::from_seed(&seed).unwrap();
    let shown = format!("{key:?}");
    let private: String = seed.iter().map(|octet| format!("{octet:02x}")).collect();
    assert!(shown.contains(&key.public().to_string()));
    assert!(!shown.contains(&private));
    assert_ne!(SigningKey::generate().unwrap(), seed);
}
