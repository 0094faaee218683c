//! Keys go out and come in again.

use zone_compiler::sign::{Algorithm, DigestType, SigningKey as _, dnskey_rdata, ds_rdata};
use zone_compiler::{RecordType, rdata};
use zone_image::Name;

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
    }
}

#[test]
fn errors_show_nothing_of_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("K.private");
    let text = "Private-key-format: v1.3\nAlgorithm: 8 (RSASHA256)\nModulus: c2VjcmV0\n";
    std::fs::write(&path, text).unwrap();
    let public = "a. IN DNSKEY 256 3 8 AwEAAcNEU67LJI5GEgF9QLNqLO1SMq1EdoQ6E9f85ha0k0ewQGCblyW2\n";
    std::fs::write(folder.path().join("K.key"), public).unwrap();
    let error = read(&path).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("PublicExponent"), "{shown}");
    assert!(
        !shown.contains("c2VjcmV0") && !shown.contains("secret"),
        "{shown}"
    );
}

/// Keys that RFC 8080 section 6.1 (the first two) and RFC 6605 section 6.1 print: number,
/// private key, zone, DNSKEY and DS data.
const PRINTED: [(u8, &str, &str, &str, &str); 3] = [
    (
        15,
        "ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI=",
        "example.com.",
        "257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=",
        "3613 15 2 3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b",
    ),
    (
        15,
        "DSSF3o0s0f+ElWzj9E/Osxw8hLpk55chkmx0LYN5WiY=",
        "example.com.",
        "257 3 15 zPnZ/QwEe7S8C5SPz2OfS5RR40ATk2/rYnE9xHIEijs=",
        "35217 15 2 401781b934e392de492ec77ae2e15d70f6575a1c0bc59c5275c04ebe80c6614c",
    ),
    (
        13,
        "GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ=",
        "example.net.",
        "257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==",
        "55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17",
    ),
];

#[test]
fn printed_keys_of_bind_are_read_with_the_tags_and_ds_records_of_the_rfcs() {
    let folder = tempfile::tempdir().unwrap();
    for (number, private, zone, dnskey, ds) in PRINTED {
        let path = folder.path().join("K.private");
        let text = format!(
            "Private-key-format: v1.2\nAlgorithm: {number} (NAME)\nPrivateKey: {private}\n"
        );
        std::fs::write(&path, text).unwrap();
        let public = format!("; a key of DNSKEY records\n{zone} 3600 IN DNSKEY {dnskey}\n");
        std::fs::write(folder.path().join("K.key"), public).unwrap();
        let (key, _) = read(&path).unwrap();
        let made = dnskey_rdata(257, key.algorithm(), key.public_key());
        let expected = rdata::parse(RecordType::DNSKEY, dnskey, None).unwrap();
        assert_eq!(made[..], expected[..], "{dnskey}");
        let zone = Name::parse_absolute(zone).unwrap();
        let made = ds_rdata(&zone, &made, DigestType::Sha256);
        let shown = rdata::display(RecordType::DS, &made).to_string();
        assert_eq!(shown.to_lowercase(), ds);
    }
}

#[test]
fn a_key_without_its_public_half_or_with_another_s_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("K.private");
    let [(_, private, ..), (_, _, _, other, _), (.., of_ecdsa, _)] = PRINTED;
    let text =
        format!("Private-key-format: v1.2\nAlgorithm: 15 (ED25519)\nPrivateKey: {private}\n");
    std::fs::write(&path, text).unwrap();
    let fault = || read(&path).unwrap_err().to_string();
    assert!(fault().contains("K.key"), "{}", fault());
    for (public, expected) in [
        (String::new(), "no DNSKEY record"),
        (format!("a. IN DNSKEY {other}\n"), "not a private key"),
        (format!("a. IN DNSKEY {of_ecdsa}\n"), "not the one"),
    ] {
        std::fs::write(folder.path().join("K.key"), public).unwrap();
        assert!(fault().contains(expected), "{}", fault());
    }
    let unknown = "Private-key-format: v1.2\nAlgorithm: 16 (ED448)\nPrivateKey: AAAA\n";
    std::fs::write(&path, unknown).unwrap();
    assert!(fault().contains("not the one"), "{}", fault());
}
