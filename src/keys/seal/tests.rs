//! What is sealed comes back, and nothing else does.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn apex(name: &str) -> AnyName {
    name.parse().unwrap()
}

fn dnskey(octet: u8) -> DnskeyData {
    let mut rdata = vec![1, 1, 3, 13];
    rdata.extend([octet; 64]);
    DnskeyData::from_rdata(&rdata).unwrap()
}

fn secret(octet: u8) -> Secret {
    Secret::new(&[octet; SECRET_BYTES]).unwrap()
}

#[test]
fn a_sealed_key_opens_for_its_zone_and_public_key_only() {
    let private = b"the private key";
    let sealed = secret(1).seal(&apex("tld"), &dnskey(1), private).unwrap();
    let opened = secret(1).open(&apex("TLD."), &dnskey(1), &sealed).unwrap();
    assert_eq!(opened.as_slice(), private);
    let check = |secret: Secret, name: &str, key: u8, sealed: &Sealed, expected: &str| {
        let error = secret.open(&apex(name), &dnskey(key), sealed).unwrap_err();
        let error = error.to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(secret(2), "tld", 1, &sealed, "another secret");
    check(secret(1), "other", 1, &sealed, "damaged");
    check(secret(1), "tld", 2, &sealed, "damaged");
    for at in [0, 12, sealed.0.len() - 1] {
        let mut broken = sealed.clone();
        broken.0[at] ^= 1;
        check(secret(1), "tld", 1, &broken, "damaged");
        broken.0.truncate(at);
        check(secret(1), "tld", 1, &broken, "damaged");
    }
}

#[test]
fn nothing_of_a_private_key_is_seen_in_what_is_stored_or_shown() {
    let private = b"0123456789abcdef";
    let sealed = secret(1).seal(&apex("tld"), &dnskey(1), private).unwrap();
    let shows = |octets: &[u8]| {
        octets
            .windows(4)
            .any(|part| private.windows(4).any(|p| p == part))
    };
    assert!(!shows(&sealed.0));
    assert_eq!(
        format!("{sealed:?} {:?}", secret(1)),
        "Sealed(..) Secret(..)"
    );
    let again = secret(1).seal(&apex("tld"), &dnskey(1), private).unwrap();
    assert_ne!(sealed, again, "a nonce of its own");
}

#[test]
fn a_secret_that_others_may_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    let made = Secret::create(&path).unwrap();
    assert_eq!(made.check, Secret::load(&path).unwrap().check);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let error = Secret::create(&path).unwrap_err().to_string();
    assert!(error.contains("is there already"), "{error}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let error = Secret::load(&path).unwrap_err().to_string();
    assert!(error.contains("640") && error.contains("chmod"), "{error}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&path, "something else").unwrap();
    let error = Secret::load(&path).unwrap_err().to_string();
    assert!(error.contains("64 hexadecimal"), "{error}");
    let left: Vec<_> = folder.path().read_dir().unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn a_sealed_file_opens_for_its_purpose_and_secret_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let private = b"0123456789abcdef0123456789abcdef";
    secret(1).seal_file(&path, "manifests", private).unwrap();
    let opened = secret(1).open_file(&path, "manifests").unwrap();
    assert_eq!(opened.as_slice(), private);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let check = |secret: Secret, purpose: &str, expected: &str| {
        let error = secret.open_file(&path, purpose).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(secret(2), "manifests", "another secret");
    check(secret(1), "cookies", "damaged");
    // One that is there is never written over.
    let error = secret(1)
        .seal_file(&path, "manifests", private)
        .unwrap_err();
    assert!(error.to_string().contains("exists"), "{error}");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen('0', "1", 1)).unwrap();
    check(secret(1), "manifests", "damaged");
}
