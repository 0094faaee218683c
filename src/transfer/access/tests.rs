use super::{Access, Client, Network, Pin, Rule};
use crate::transfer::key::parse_name;

fn networks(list: &[&str]) -> Vec<Network> {
    list.iter()
        .map(|text| Network::parse(text).unwrap())
        .collect()
}

#[test]
fn a_network_has_its_addresses() {
    for (network, inside, outside) in [
        ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
        ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
        ("192.0.2.0/24", "::ffff:192.0.2.9", "2001:db8::1"),
        ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
        ("0.0.0.0/0", "255.255.255.255", "::1"),
        ("::/0", "::1", "127.0.0.1"),
    ] {
        let network = Network::parse(network).unwrap();
        assert!(network.has(inside.parse().unwrap()), "{network:?} {inside}");
        assert!(
            !network.has(outside.parse().unwrap()),
            "{network:?} {outside}"
        );
    }
    for bad in [
        "",
        "192.0.2.0/33",
        "192.0.2.1/24",
        "::1/129",
        "example",
        "1.2.3.4/",
        "1.2.3.4/x",
    ] {
        assert!(Network::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_rule_wants_all_that_it_names() {
    let name = |text| parse_name(text).unwrap();
    let (key, other) = (name("key"), name("other"));
    let pin = Pin::of(b"certificate");
    let access = Access(vec![
        Rule {
            zones: vec![name("one")],
            networks: networks(&["192.0.2.0/24"]),
            key: Some(key.clone()),
            certificate: None,
        },
        Rule {
            networks: networks(&["198.51.100.1"]),
            certificate: Some(pin),
            ..Rule::default()
        },
    ]);
    let client = |address: &str, key, certificate| Client {
        address: address.parse().unwrap(),
        key,
        certificate,
    };
    for (allowed, zone, client) in [
        (true, "one", client("192.0.2.1", Some(&key), None)),
        (false, "two", client("192.0.2.1", Some(&key), None)),
        (false, "one", client("192.0.3.1", Some(&key), None)),
        (false, "one", client("192.0.2.1", Some(&other), None)),
        (false, "one", client("192.0.2.1", None, Some(pin))),
        (true, "two", client("198.51.100.1", None, Some(pin))),
        (
            false,
            "two",
            client("198.51.100.1", None, Some(Pin::of(b""))),
        ),
        (false, "two", client("198.51.100.1", Some(&key), None)),
    ] {
        assert_eq!(
            access.allows(&name(zone), &client),
            allowed,
            "{zone} {client:?}"
        );
    }
    assert!(!Access::default().allows(&name("one"), &client("192.0.2.1", Some(&key), None)));
}

#[test]
fn a_pin_is_a_sha256() {
    // Of no octets: FIPS 180-4.
    let text = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(Pin::parse(text), Some(Pin::of(b"")));
    assert_eq!(format!("{:?}", Pin::of(b"")), text);
    let colons = text
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap());
    assert_eq!(
        Pin::parse(&colons.collect::<Vec<_>>().join(":")),
        Some(Pin::of(b""))
    );
    for bad in [
        "",
        &text[1..],
        &text.replace('e', "g"),
        &format!("{text}00"),
    ] {
        assert_eq!(Pin::parse(bad), None, "{bad}");
    }
}
