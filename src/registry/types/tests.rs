//! What is a value of each type, and what is said of what is none.

use super::*;

#[test]
fn names_are_host_names() {
    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        match (DomainName::parse(text), expected) {
            (Ok(name), Ok(expected)) => assert_eq!(name.as_str(), expected),
            (Err(error), Err(part)) => {
                assert!(error.reason.contains(part), "{error}");
                assert_eq!(error.code, ResultCode::ParameterSyntax);
            }
            (found, expected) => panic!("{text}: {found:?}, not {expected:?}"),
        }
    }
    check("Example.TLD.", Ok("example.tld"));
    check("1a.tld", Ok("1a.tld"));
    check("xn--bcher-kva.tld", Ok("xn--bcher-kva.tld"));
    check("a-b.tld", Ok("a-b.tld"));
    check("-a.tld", Err("begins and ends"));
    check("a-.tld", Err("begins and ends"));
    check("a_b.tld", Err("letters, digits and hyphens"));
    check("a b.tld", Err("letters, digits and hyphens"));
    check("*.tld", Err("letters, digits and hyphens"));
    check("ab--c.tld", Err("after xn"));
    check(".", Err("root"));
    check("a..tld", Err("empty label"));
    check(&format!("{}.tld", "a".repeat(64)), Err("63"));
    check(
        &format!("{}.tld", "a".repeat(63)),
        Ok(&format!("{}.tld", "a".repeat(63))),
    );
}

#[test]
fn numbers_out_of_range_are_2004() {
    for years in [0, 11, 99] {
        assert_eq!(
            Years::new(years).unwrap_err().code,
            ResultCode::ParameterRange
        );
    }
    assert_eq!(Years::new(10).unwrap().count(), 10);
    assert_eq!(
        Ttl::new(1 << 31).unwrap_err().code,
        ResultCode::ParameterRange
    );
    assert_eq!(Ttl::new((1 << 31) - 1).unwrap().seconds(), (1 << 31) - 1);
}

#[test]
fn handles_have_3_to_16_plain_characters() {
    for good in ["abc", "REG-1_a.b", "0123456789abcdef"] {
        assert_eq!(Handle::parse(good).unwrap().as_str(), good);
    }
    for bad in ["", "ab", "0123456789abcdefg", "a b c", "regé"] {
        assert!(Handle::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn addresses_that_nobody_can_reach_are_known() {
    use AddressFault::{Documentation, NotGlobal};
    #[track_caller]
    fn check(text: &str, expected: Option<AddressFault>) {
        assert_eq!(Address::parse(text).unwrap().fault(), expected, "{text}");
    }
    check("8.8.8.8", None);
    check("2001:4860:4860::8888", None);
    check("2a00::1", None);
    check("192.0.2.1", Some(Documentation));
    check("2001:db8::1", Some(Documentation));
    check("3fff:1::1", None.or(Some(Documentation)));
    for bad in [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.1.1",
        "172.16.0.1",
        "192.168.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:8.8.8.8",
        "2002::1",
        "2001::1",
        "64:ff9b::1",
    ] {
        check(bad, Some(NotGlobal));
    }
    for text in ["8.8.8", "8.8.8.8.8", "::g", "", "8.8.8.8/32", "08.8.8.8"] {
        let error = Address::parse(text).unwrap_err();
        assert_eq!(error.code, ResultCode::ParameterSyntax, "{text}");
    }
}

#[test]
fn ds_of_unknown_kinds_are_faulty_but_well_formed() {
    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let fault = DsData::parse(text).unwrap().fault();
        match (fault, expected) {
            (None, None) => {}
            (Some(fault), Some(part)) if fault.contains(part) => {}
            other => panic!("{text}: {other:?}"),
        }
    }
    let sha256 = "ab".repeat(32);
    check(&format!("12345 13 2 {sha256}"), None);
    check(&format!("12345 13 1 {}", "00".repeat(20)), None);
    check(&format!("12345 13 4 {}", "00".repeat(48)), None);
    check(&format!("12345 1 2 {sha256}"), Some("algorithm"));
    check(&format!("12345 13 3 {sha256}"), Some("digest type"));
    check(&format!("12345 13 4 {sha256}"), Some("length"));
    for bad in ["", "12345 13 2", "70000 13 2 ab", "1 2 3 xyz"] {
        let error = DsData::parse(bad).unwrap_err();
        assert_eq!(error.code, ResultCode::ParameterSyntax, "{bad}");
    }
}

#[test]
fn zone_records_are_read_back_as_they_are_shown() {
    for text in [
        "tld. 3600 NS ns1.tld.",
        "*.tld. 60 TXT \"a b\" \"c\"",
        "www.tld. 1 AAAA ::1",
    ] {
        assert_eq!(ZoneRecord::parse(text).unwrap().to_string(), text);
    }
    for bad in [
        "tld.",
        "tld. x NS a.",
        "tld. 60 SOA a. b. 1 2 3 4 5",
        "tld. 60 RRSIG x",
        "tld. 60 ANY x",
        "tld. 60 A 1.2.3",
        "a.tld. 60 DS 1 13 2 ab",
        "tld. 4294967295 TXT a",
    ] {
        assert!(ZoneRecord::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn every_status_has_its_word() {
    for text in ["clientHold", "serverUpdateProhibited", "pendingTransfer"] {
        assert_eq!(Status::parse(text).unwrap().word(), text);
    }
    for bad in ["ok", "linked", "inactive", "ClientHold", ""] {
        assert!(Status::parse(bad).is_err(), "{bad}");
    }
    let column = "clientHold serverHold";
    let statuses = Statuses::from_column(column).unwrap();
    assert_eq!(statuses.column(), column);
    assert!(!statuses.allow_publication());
}
