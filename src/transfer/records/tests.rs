use std::collections::BTreeSet;
use std::convert::Infallible;

use zone_compiler::{ParkedRecord, Parking, Record, RecordType};

use super::{Home, each_record, home_of, soa};
use crate::transfer::key::parse_name;
use crate::transfer::testing::{ZONE, generations, install, records, serve};

fn sent(zone: zone_image::Zone<'_>) -> Vec<String> {
    let mut sent = vec![soa(zone).to_string()];
    let all = each_record(zone, &mut |record| {
        sent.push(record.to_string());
        Ok::<_, Infallible>(())
    });
    let Ok(()) = all;
    sent
}

fn set(records: impl IntoIterator<Item = Record>) -> BTreeSet<String> {
    records
        .into_iter()
        .map(|record| record.to_string())
        .collect()
}

#[test]
fn each_record_of_the_zone_comes_once() {
    let (generations, _directory) = serve(&[ZONE]);
    let image = generations.current();
    let zone = image.zone(b"\x03tld\0").unwrap();
    let sent = sent(zone);
    let unique: BTreeSet<_> = sent.iter().cloned().collect();
    assert_eq!(unique, set(records(ZONE)));
    assert_eq!(sent.len(), unique.len(), "{sent:#?}");
}

#[test]
fn a_walk_ends_with_the_first_error() {
    let (generations, _directory) = serve(&[ZONE]);
    let image = generations.current();
    let zone = image.zone(b"\x03tld\0").unwrap();
    let mut seen = 0;
    let end = each_record(zone, &mut |_| {
        seen += 1;
        if seen == 3 { Err("enough") } else { Ok(()) }
    });
    assert_eq!((end, seen), (Err("enough"), 3));
}

#[test]
fn hosts_have_their_places() {
    let (generations, _directory) = serve(&[ZONE]);
    let image = generations.current();
    let zone = image.zone(b"\x03tld\0").unwrap();
    for (host, home) in [
        ("ns1.nic.tld", Home::Own),
        ("ns.alpha.tld", Home::Carried),
        ("ns.loose.tld", Home::Loose),
        ("ns.nobody.tld", Home::Nowhere),
        ("ns2.elsewhere.net", Home::Nowhere),
    ] {
        assert_eq!(
            home_of(zone, parse_name(host).unwrap().as_wire()),
            home,
            "{host}"
        );
    }
}

/// What parked names answer is a zone of its own below the cut (RFC 5936 section 3 has the
/// zone's own records only).
#[test]
fn records_of_parked_names_are_not_the_zones() {
    let text = "$ORIGIN tld.\n$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS ns.park.example.\n\
        one NS ns.park.example.\ntwo NS ns.park.example.\n";
    let parked = |rtype, rdata: &[u8]| ParkedRecord {
        is_below: false,
        rtype,
        ttl: 60,
        rdata: rdata.into(),
    };
    let soa = records("x. 60 SOA a. b. 1 2 3 4 5").remove(0);
    let parking = Parking {
        servers: [parse_name("ns.park.example").unwrap()].into(),
        records: vec![
            parked(RecordType::SOA, &soa.rdata),
            parked(RecordType(1), &[192, 0, 2, 99]),
        ],
        is_signed: false,
        is_withdrawn: false,
    };
    let directory = tempfile::TempDir::new().unwrap();
    install(directory.path(), &[(text, Some(parking))]);
    let image = generations(directory.path()).current();
    let zone = image.zone(b"\x03tld\0").unwrap();
    assert!(zone.parked_bodies().next().is_some(), "nothing is parked");
    let sent = sent(zone);
    assert_eq!(
        sent.into_iter().collect::<BTreeSet<_>>(),
        set(records(text))
    );
}
