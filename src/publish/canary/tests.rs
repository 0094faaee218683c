use tempfile::TempDir;
use zone_compiler::install::{Input, install};
use zone_image::Memory;

use super::*;

/// An image of these zones; each text starts with its apex.
fn generation(zones: &[&str]) -> (TempDir, Generation) {
    let folder = TempDir::new().unwrap();
    let mut paths = Vec::new();
    for (number, text) in (0..).zip(zones) {
        let (apex, records) = text.split_once('\n').unwrap();
        let path = folder.path().join(format!("{number}.zone"));
        let head =
            format!("$ORIGIN {apex}\n$TTL 60\n@ SOA ns.other. x.other. 4000000000 2 3 4 5\n");
        std::fs::write(&path, head + "@ NS ns.other.\n" + records).unwrap();
        paths.push(path);
    }
    let input = Input::ZoneFiles {
        paths,
        origin: None,
        replace: true,
    };
    let image = folder.path().join("image");
    install(&input, &image, &|_, _| {}).unwrap();
    let generation = Generation::open(&image, Memory::Mapped).unwrap();
    (folder, generation)
}

#[track_caller]
fn check_passes(zones: &[&str]) {
    let (_folder, generation) = generation(zones);
    assert_eq!(check(&Engine::default(), &generation), Ok(()));
}

#[test]
fn zones_of_every_kind_pass() {
    check_passes(&[]);
    check_passes(&["tld.\n"]);
    check_passes(&["tld.\na NS ns.a\nns.a A 192.0.2.1\nb NS ns.other.\n"]);
    check_passes(&["tld.\n* TXT \"wild\"\n"]);
    check_passes(&["tld.\n* CNAME elsewhere.other.\n"]);
    check_passes(&["tld.\n@ DNAME other.\n"]);
    check_passes(&[".\ntld. NS ns.other.\n"]);
    check_passes(&["tld.\nmeridian-canary--not-there-0 A 192.0.2.1\n"]);
    check_passes(&["tld.\nmeridian-canary--not-there-0 NS ns.other.\n"]);
}

#[test]
fn a_parent_beside_its_child_passes() {
    check_passes(&["tld.\na NS ns.other.\n", "a.tld.\nwww A 192.0.2.1\n"]);
    check_passes(&[".\ntld. NS ns.other.\n", "tld.\na NS ns.other.\n"]);
}

#[test]
fn an_apex_that_leaves_no_room_passes() {
    let label = "a".repeat(59);
    let apex = [label.as_str(); 4].join(".");
    check_passes(&[&format!("{apex}.\n")]);
}

/// What a canary of `zones` finds when it expects `serial` of the zone `apex`.
#[track_caller]
fn check_fault(zones: &[&str], apex: &str, serial: u32, expected: &str) {
    let (_folder, generation) = generation(zones);
    let name = Name::parse_absolute(apex).unwrap();
    let question = LookupName::parse(name.as_wire()).unwrap();
    let zone = generation.find_zone(&question, question.labels()).unwrap();
    let engine = Engine::default();
    let mut canary = Canary {
        engine: &engine,
        generation: &generation,
        reply: vec![0; REPLY_BYTES_MAX],
    };
    let fault = canary.zone(zone, &name, serial).unwrap_err();
    assert!(fault.contains(expected), "{fault}");
}

#[test]
fn another_serial_is_a_fault() {
    check_fault(
        &["tld.\n"],
        "tld.",
        4_000_000_001,
        "SOA with serial 4000000001",
    );
}

#[test]
fn a_reply_without_soa_is_a_fault() {
    // `www.tld.` is in the zone and has no SOA.
    check_fault(
        &["tld.\nwww A 192.0.2.1\n"],
        "www.tld.",
        4_000_000_000,
        "is not answered",
    );
}

#[test]
fn damaged_replies_have_no_serial() {
    let (_folder, generation) = generation(&["tld.\n"]);
    let engine = Engine::default();
    let mut canary = Canary {
        engine: &engine,
        generation: &generation,
        reply: vec![0; REPLY_BYTES_MAX],
    };
    let (_, reply) = canary.ask(b"\x03tld\x00", TYPE_SOA).unwrap();
    let reply = reply.to_vec();
    assert_eq!(answered_serial(&reply), Some(4_000_000_000));
    let answer_end = reply.len();
    for length in 0..answer_end {
        // Cut anywhere, it is read without a panic; without the SOA it has no serial.
        let cut = answered_serial(&reply[..length]);
        assert!(cut.is_none() || length > 12 + 9 + 12 + 20, "at {length}");
    }
}

#[test]
fn zones_of_the_registry_are_asked_beside_others() {
    let (_folder, generation) = generation(&["a.\n", "b.\n", "c.\n"]);
    let named = |apexes: &[&str]| -> Vec<String> {
        let apexes = apexes.iter().map(|apex| Name::parse_absolute(apex));
        let apexes: Vec<_> = apexes.map(Result::unwrap).collect();
        assert_eq!(
            check_zones(&Engine::default(), &generation, &apexes),
            Ok(())
        );
        let zones = named_zones(&generation, &apexes);
        zones
            .iter()
            .map(|zone| zone.info().apex.to_string())
            .collect()
    };
    assert_eq!(named(&["a.", "c."]), ["a.", "c."]);
    assert_eq!(named(&["a.", "d."]), ["a."], "one is not served yet");
    // All have been asked already.
    assert_eq!(named(&["a.", "b.", "c."]), [""; 0]);
}
