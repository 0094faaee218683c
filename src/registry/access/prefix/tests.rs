use super::*;

#[track_caller]
fn check(prefix: &str, inside: &[&str], outside: &[&str]) {
    let prefix = Prefix::parse(prefix).unwrap();
    assert_eq!(Prefix::parse(&prefix.to_string()), Ok(prefix));
    for (addresses, expected) in [(inside, true), (outside, false)] {
        for address in addresses {
            assert_eq!(prefix.has(address.parse().unwrap()), expected, "{address}");
        }
    }
}

#[test]
fn a_prefix_has_the_addresses_that_begin_alike() {
    check(
        "192.0.2.0/24",
        &["192.0.2.0", "192.0.2.255", "::ffff:192.0.2.7"],
        &["192.0.3.0", "::", "2001:db8::1"],
    );
    check("192.0.2.128/25", &["192.0.2.128"], &["192.0.2.127"]);
    check("192.0.2.1", &["192.0.2.1"], &["192.0.2.2", "192.0.2.0"]);
    check("0.0.0.0/0", &["203.0.113.9"], &["::1"]);
    check("::/0", &["2001:db8::1"], &["192.0.2.1"]);
    check("2001:db8::/48", &["2001:db8:0:ffff::1"], &["2001:db8:1::"]);
}

#[test]
fn what_is_no_prefix_is_refused() {
    for text in [
        "",
        "/",
        "192.0.2.0/",
        "192.0.2.0/33",
        "192.0.2.0/-1",
        "192.0.2.0/+8",
        "192.0.2.1/24",
        "2001:db8::1/64",
        "2001:db8::/129",
        "example/8",
        "192.0.2.0/24/8",
        "192.0.2/24",
        "192.0.2.0/256",
    ] {
        assert!(Prefix::parse(text).is_err(), "{text}");
    }
}
