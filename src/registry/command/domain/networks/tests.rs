//! Servers in one network and in several.

use super::*;
use crate::registry::command::tests::{parse, play, run, stage};
use crate::registry::testing::engines;

fn check(servers: &[&str], expected: Option<&str>) {
    let read = |text: &&str| {
        text.split(' ')
            .map(|address| address.parse().unwrap())
            .collect()
    };
    let servers: Vec<Vec<IpAddr>> = servers.iter().map(read).collect();
    let said = one_network(servers.iter());
    let network = said.as_deref().map(|said| {
        let (network, _) = said.split_once(';').unwrap();
        network
            .strip_prefix("all its name servers are in ")
            .unwrap()
    });
    assert_eq!(network, expected, "{servers:?}");
}

#[test]
fn one_network_is_all_addresses_of_each_family() {
    check(&["192.0.2.1", "192.0.2.2"], Some("192.0.2.0/24"));
    check(&["192.0.2.1", "198.51.100.1"], None);
    check(&["192.0.2.1 198.51.100.1", "192.0.2.2"], None);
    check(
        &["2001:db8:1::1", "2001:db8:1:2::1"],
        Some("2001:db8:1::/48"),
    );
    check(&["2001:db8:1::1", "2001:db8:2::1"], None);
    check(
        &["192.0.2.1 2001:db8:1::1", "192.0.2.2 2001:db8:1::2"],
        Some("192.0.2.0/24 and 2001:db8:1::/48"),
    );
    check(
        &["192.0.2.1 2001:db8:1::1", "192.0.2.2 2001:db8:2::2"],
        None,
    );
    check(
        &["192.0.2.1", "2001:db8::1"],
        Some("192.0.2.0/24 and 2001:db8::/48"),
    );
    check(&["192.0.2.1"], None);
}

#[tokio::test]
async fn servers_in_one_network_are_noted_and_not_refused() {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(
            &mut test,
            "reg-a domain create a.tld = 1000
             reg-a host create ns1.a.tld ip=192.0.2.1 = 1000
             reg-a host create ns2.a.tld ip=192.0.2.2 = 1000
             reg-a host create ns3.a.tld ip=198.51.100.3 = 1000",
        )
        .await;
        for (line, is_noted) in [
            ("reg-a domain create b.tld ns=ns1.a.tld ns=ns2.a.tld", true),
            ("reg-a domain create c.tld ns=ns1.a.tld ns=ns3.a.tld", false),
            (
                "reg-a domain create d.tld ns=ns1.a.tld ns=ns1.ext.example",
                false,
            ),
            ("reg-a domain update a.tld ns=ns1.a.tld ns=ns2.a.tld", true),
            ("reg-a domain update a.tld ns=ns3.a.tld", false),
            ("reg-a domain update b.tld status=clientHold", false),
        ] {
            let done = run(&mut test, &parse(line)).await.unwrap();
            assert_eq!(!done.notes().is_empty(), is_noted, "{line}: {done:?}");
        }
    }
}
