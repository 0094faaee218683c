//! Parked names: what a delegation to the parking servers is answered with.

use zone_compiler::{ParkedRecord, Parking, RecordType};
use zone_image::Name;

use super::asked::{Zones, query};
use crate::dns::engine::Transport;

/// Five parked names, one with servers of its own, one whose set is not the whole.
pub(super) const ZONE: &str = "
park. 60 SOA ns.park. host.park. 7 7200 900 1209600 300
park. 60 NS ns.park.
ns.park. 60 A 192.0.2.1
p1.nic.park. 60 A 192.0.2.11
a.park. 60 NS p1.nic.park.
a.park. 60 NS p2.else.
b.park. 60 NS p1.nic.park.
b.park. 60 NS P2.Else.
c.park. 60 NS p1.nic.park.
c.park. 60 NS p2.else.
d.park. 60 NS p1.nic.park.
d.park. 60 NS p2.else.
e.park. 60 NS p1.nic.park.
e.park. 60 NS p2.else.
own.park. 60 NS ns1.else.
own.park. 60 NS p2.else.
half.park. 60 NS p2.else.
to.park. 60 CNAME www.a.park.
";

pub(super) fn parking(has_wildcard: bool) -> Parking {
    let name = |text: &str| Name::parse_absolute(text).unwrap();
    let mut soa = [name("p1.nic.park.").as_wire(), name("host.park.").as_wire()].concat();
    for number in [9u32, 7200, 900, 604_800, 300] {
        soa.extend_from_slice(&number.to_be_bytes());
    }
    let record = |is_below, rtype: u16, rdata: &[u8]| ParkedRecord {
        is_below,
        rtype: RecordType(rtype),
        ttl: 300,
        rdata: rdata.into(),
    };
    let mut records = vec![
        record(false, 6, &soa),
        record(false, 1, &[192, 0, 2, 80]),
        record(false, 15, &[0, 0, 0]),
        record(false, 16, b"\x06parked"),
    ];
    if has_wildcard {
        records.push(record(true, 1, &[192, 0, 2, 81]));
    }
    Parking {
        servers: [name("p1.nic.park."), name("p2.else.")].into(),
        records,
        is_signed: false,
        is_withdrawn: false,
    }
}

fn zones(has_wildcard: bool) -> Zones {
    Zones::compile_parking(&[(ZONE, Some(parking(has_wildcard)))])
}

const SOA: &str = "SOA 9 ttl 300";

#[test]
fn a_parked_name_is_answered_with_authority() {
    let zones = zones(false);
    let servers = "answer: a.park. NS p1.nic.park., a.park. NS p2.else.";
    for (edns, head) in [("", ""), (" +do", " edns")] {
        let check = |question: &str, code: &str, rest: &str| {
            zones.check(
                &format!("{question}{edns}"),
                &format!("{code} aa{head} {rest}"),
            );
        };
        check("a.park. A", "NoError", "answer: a.park. A 192.0.2.80");
        check("A.Park. MX", "NoError", "answer: a.park. MX .");
        check("b.park. TXT", "NoError", "answer: b.park. TXT");
        check("a.park. SOA", "NoError", &format!("answer: a.park. {SOA}"));
        check("a.park. ANY", "NoError", &format!("answer: a.park. {SOA}"));
        let glue = "additional: p1.nic.park. A 192.0.2.11";
        check("a.park. NS", "NoError", &format!("{servers} {glue}"));
        // RFC 2308 section 2.2: no such type. There is nothing that signs, either.
        for rtype in ["AAAA", "RRSIG", "DNSKEY", "NSEC"] {
            let soa = format!("authority: a.park. {SOA}");
            check(&format!("a.park. {rtype}"), "NoError", &soa);
        }
        // RFC 8020: nothing is there, however deep.
        for name in ["x.a.park.", "z.y.x.a.park.", "*.a.park."] {
            let soa = format!("authority: a.park. {SOA}");
            check(&format!("{name} A"), "NXDomain", &soa);
        }
    }
}

#[test]
fn a_wildcard_answers_below_a_parked_name() {
    let zones = zones(true);
    zones.check("x.a.park. A", "NoError aa answer: x.a.park. A 192.0.2.81");
    zones.check(
        "z.y.x.a.park. A",
        "NoError aa answer: z.y.x.a.park. A 192.0.2.81",
    );
    zones.check("x.a.park. ANY", "NoError aa answer: x.a.park. A 192.0.2.81");
    let soa = format!("NoError aa authority: a.park. {SOA}");
    for question in [
        "x.a.park. NS",
        "x.a.park. SOA",
        "x.a.park. DS",
        "x.a.park. TXT",
    ] {
        zones.check(question, &soa);
    }
    zones.check(
        "to.park. A",
        "NoError aa answer: to.park. CNAME www.a.park., www.a.park. A 192.0.2.81",
    );
}

#[test]
fn ds_is_the_parents_and_other_delegations_are_referrals() {
    let zones = zones(true);
    zones.check("a.park. DS", "NoError aa authority: park. SOA 7 ttl 60");
    let own = zones.ask("own.park. A");
    assert!(own.starts_with("NoError authority: own.park. NS"), "{own}");
    zones.check(
        "x.half.park. A",
        "NoError authority: half.park. NS p2.else.",
    );
    zones.check("none.park. A", "NXDomain aa authority: park. SOA 7 ttl 60");
    // Where nothing is parked, the same set is one like others.
    let plain = Zones::compile(&[ZONE]);
    assert!(!plain.ask("a.park. A").contains(" aa"));
}

#[test]
fn the_version_of_the_parent_is_not_that_of_a_parked_name() {
    let zones = zones(false);
    let asked = |name: &str| {
        let (wire, _) = query(&format!("{name} A +option=19:"));
        let (_, reply) = zones.send(&wire, Transport::Udp);
        let option = [0, 19, 0, 6];
        reply.windows(4).any(|octets| octets == option)
    };
    assert!(asked("own.park.") && !asked("a.park."));
}
