//! Where name servers are asked, and where not.

use super::*;

#[test]
fn what_others_name_is_asked_on_the_internet_alone() {
    const CASES: [(&str, bool, bool); 10] = [
        ("9.9.9.9:53", true, true),
        ("[2620:fe::fe]:53", true, true),
        ("127.0.0.1:53", false, false),
        ("10.1.2.3:53", false, false),
        ("192.168.0.1:53", false, false),
        ("169.254.169.254:53", false, false),
        ("[::1]:53", false, false),
        ("[fe80::1]:53", false, false),
        ("192.0.2.1:53", false, true),
        ("[2001:db8::1]:53", false, true),
    ];
    for (place, fair, in_lab) in CASES {
        let place = place.parse().unwrap();
        assert_eq!(is_fair(place, false), fair, "{place}");
        assert_eq!(is_fair(place, true), in_lab, "{place} in a lab");
    }
}

#[tokio::test]
async fn a_host_of_the_registry_is_asked_where_it_is() {
    let host: HostName = "ns1.a.tld".parse().unwrap();
    let known = ["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
    let found = places(&host, &known, false).await;
    let expected: [SocketAddr; 2] = [
        "192.0.2.1:53".parse().unwrap(),
        "[2001:db8::1]:53".parse().unwrap(),
    ];
    assert_eq!(found, expected);
    // A name of this machine is nobody's name server.
    let found = places(&"localhost.localdomain".parse().unwrap(), &[], true).await;
    assert!(found.is_empty(), "{found:?}");
}
