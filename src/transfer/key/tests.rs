use super::{Algorithm, Key, Keys, parse_base64, parse_name};

const SECRET: &str = "c2VjcmV0IG9mIHNpeHRlZW4gb2N0ZXRz";

#[test]
fn a_file_has_names_algorithms_and_secrets() {
    let text = format!(
        "# comment\n\nOne.Example hmac-sha256 {SECRET}\ntwo.example. HMAC-SHA512. {SECRET} # late\n"
    );
    let keys = Keys::parse(&text).unwrap();
    let one = keys.find(&parse_name("one.example").unwrap()).unwrap();
    assert_eq!(one.algorithm(), Algorithm::Sha256);
    let two = keys.find(&parse_name("two.example").unwrap()).unwrap();
    assert_eq!(two.algorithm(), Algorithm::Sha512);
    assert!(keys.find(&parse_name("three.example").unwrap()).is_none());
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_without_its_text() {
    let long = "A".repeat(4 * 256);
    for (text, line, part) in [
        ("one hmac-sha256".to_owned(), 1, "NAME ALGORITHM SECRET"),
        (format!("\none..two hmac-sha256 {SECRET}"), 2, "not a name"),
        (format!("one hmac-md5 {SECRET}"), 1, "hmac-sha256"),
        (format!("one hmac-sha1 {SECRET}"), 1, "hmac-sha256"),
        (format!("one hmac-sha256 {SECRET}="), 1, "base64"),
        ("one hmac-sha256 c2VjcmV0".to_owned(), 1, "16 to 512"),
        (format!("one hmac-sha256 {long}"), 1, "16 to 512"),
        (
            format!("one hmac-sha256 {SECRET}\nONE. hmac-sha384 {SECRET}"),
            2,
            "already",
        ),
    ] {
        let error = Keys::parse(&text).unwrap_err();
        assert_eq!(error.line, line, "{text}");
        let said = error.to_string();
        assert!(said.contains(part), "{said}");
        assert!(!said.contains("c2VjcmV0"), "{said}");
    }
}

#[test]
fn a_secret_is_in_no_debug() {
    let key = Key::new(
        &parse_name("k").unwrap(),
        Algorithm::Sha256,
        b"0123456789abcdef",
    );
    let key = std::sync::Arc::new(key);
    let shown = format!(
        "{key:?} {:?}",
        Keys::from_iter([std::sync::Arc::clone(&key)])
    );
    assert!(shown.contains("k.") && shown.contains("Sha256"), "{shown}");
    assert!(
        !shown.contains("0123456789") && !shown.contains("48, 49"),
        "{shown}"
    );
}

#[test]
fn base64_is_that_of_rfc_4648_section_10() {
    for (text, octets) in [
        ("Zg==", "f"),
        ("Zm8=", "fo"),
        ("Zm9v", "foo"),
        ("Zm9vYg==", "foob"),
        ("Zm9vYmE=", "fooba"),
        ("Zm9vYmFy", "foobar"),
    ] {
        assert_eq!(parse_base64(text).unwrap(), octets.as_bytes());
    }
    for bad in [
        "", "Zg", "Zg=", "Zh==", "Z===", "====", "Zm9v!A==", "Zg==Zg==",
    ] {
        assert_eq!(parse_base64(bad), None, "{bad}");
    }
}
