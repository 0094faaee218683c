//! Keys go out and come in again.

use zone_compiler::sign::{Algorithm, SigningKey as _};

use super::*;

#[test]
fn every_algorithm_goes_through_pem() {
    let folder = tempfile::tempdir().unwrap();
    for algorithm in Algorithm::ALL {
        let (key, private) = SoftwareKey::generate(algorithm).unwrap();
        let path = folder.path().join(algorithm.mnemonic());
        std::fs::write(&path, pem(&private).as_bytes()).unwrap();
        let (again, again_private) = read(&path).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        assert_eq!(again_private.as_der(), private.as_der());
    }
}

#[test]
fn base64_is_that_of_rfc_4648() {
    for (octets, text) in [
        (&b"f"[..], "Zg=="),
        (b"fo", "Zm8="),
        (b"foo", "Zm9v"),
        (b"foobar", "Zm9vYmFy"),
    ] {
        assert_eq!(base64_encode(octets).as_str(), text);
        assert_eq!(base64_decode(text).unwrap().as_slice(), octets);
    }
    assert!(base64_decode("Z!==").is_none());
    assert!(base64_decode("").is_none());
}

#[test]
fn errors_show_nothing_of_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("K.private");
    let text = "Private-key-format: v1.3\nAlgorithm: 8 (RSASHA256)\nModulus: c2VjcmV0\n";
    std::fs::write(&path, text).unwrap();
    let error = read(&path).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("PublicExponent"), "{shown}");
    assert!(
        !shown.contains("c2VjcmV0") && !shown.contains("secret"),
        "{shown}"
    );
}
