use super::*;

#[test]
fn names_are_read_in_any_case_and_form() {
    for (text, ascii) in [
        ("Example.TLD", "example.tld"),
        ("example.tld.", "example.tld"),
        ("b\u{fc}cher.tld", "xn--bcher-kva.tld"),
        ("B\u{dc}CHER.tld", "xn--bcher-kva.tld"),
        ("bu\u{308}cher.tld", "xn--bcher-kva.tld"),
        ("XN--BCHER-KVA.tld", "xn--bcher-kva.tld"),
        ("\u{4f8b}\u{3048}\u{3002}tld", "xn--r8jz45g.tld"),
        ("tld", "tld"),
    ] {
        assert_eq!(QueryName::parse(text).unwrap().ascii(), ascii, "{text}");
    }
}

#[test]
fn what_is_no_name_is_refused() {
    let long = format!("{}.tld", "a".repeat(64));
    let longer = vec!["a".repeat(60); 5].join(".");
    for text in [
        "",
        ".",
        "a..b",
        "-a.tld",
        "a-.tld",
        "a b.tld",
        "_a.tld",
        "a/b",
        "xn--a.tld",
        "xn--.tld",
        "a\u{0}.tld",
        "a\r\nb.tld",
        "*.tld",
        &long,
        &longer,
        "a\u{202e}b.tld",
    ] {
        assert_eq!(QueryName::parse(text), Err(NameFault::Syntax), "{text:?}");
    }
    for text in ["xn--bcher-kva.b\u{fc}cher", "b\u{fc}cher.XN--bcher-kva"] {
        assert_eq!(QueryName::parse(text), Err(NameFault::Mixed), "{text}");
    }
}

#[test]
fn only_names_with_a_labels_have_another_form() {
    assert_eq!(
        unicode("xn--bcher-kva.tld").as_deref(),
        Some("b\u{fc}cher.tld")
    );
    assert_eq!(unicode("example.tld"), None);
    // Registered before anybody looked: it has no other form.
    assert_eq!(unicode("xn--a.tld"), None);
}
