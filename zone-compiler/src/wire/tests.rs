//! Reading records out of messages: good ones and pointers that lead nowhere.

use super::*;

#[track_caller]
fn check(message: &[u8], at: usize, expected: Result<&str, usize>) {
    let read = read_name(message, at)
        .map(|(name, _)| name.to_string())
        .map_err(|fault| fault.0);
    assert_eq!(read, expected.map(str::to_owned));
}

#[test]
fn names_with_pointers() {
    let message = b"\x01a\x00\x01b\xc0\x00\xc0\x03";
    check(message, 0, Ok("a."));
    check(message, 3, Ok("b.a."));
    check(message, 7, Ok("b.a."));
}

#[test]
fn pointers_that_lead_nowhere() {
    check(b"\xc0\x00", 0, Err(0));
    check(b"\xc0\x05\x00", 0, Err(0));
    // The pointer leads back to a name that ends in the same pointer.
    check(b"\x01a\xc0\x00", 2, Err(2));
    check(b"\xc0", 0, Err(0));
    check(b"\x05ab", 0, Err(0));
    check(b"\x40a", 0, Err(0));
}

#[test]
fn records_that_are_cut_off() {
    let whole = b"\x00\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01";
    assert_eq!(
        read_record(whole, 0).unwrap().0.to_string(),
        ".\t60\tIN\tA\t192.0.2.1"
    );
    for length in 0..whole.len() {
        assert!(read_record(&whole[..length], 0).is_err(), "{length} octets");
    }
}

/// A signed zone as the compiler takes it, and the same out of its image.
#[track_caller]
fn check_dump(text: &str) {
    let directory = tempfile::tempdir().unwrap();
    let mut installer = zone_image::writer::Installer::replace(directory.path(), None).unwrap();
    let input = Box::new(std::io::Cursor::new(text.as_bytes().to_vec()));
    let origin = Some(Name::root());
    let records: Vec<Record> =
        crate::zonefile::Reader::new(input, std::path::Path::new("test.zone"), origin)
            .collect::<Result<_, _>>()
            .unwrap();
    let lines = |records: &[Record]| -> std::collections::BTreeSet<String> {
        records
            .iter()
            .map(|record| record.to_string().to_lowercase())
            .collect()
    };
    let expected = lines(&records);
    let apex = records[0].owner.clone();
    let mut source = crate::RecordList::new(apex.clone(), 0, records);
    crate::compile(&mut source, &mut installer, &|_| {}).unwrap();
    installer.commit().unwrap();
    let generation =
        zone_image::Generation::open(directory.path(), zone_image::Memory::Sealed).unwrap();
    let name = zone_image::LookupName::parse(apex.as_wire()).unwrap();
    let mut found = Vec::new();
    let zone = generation.find_zone(&name, name.labels()).unwrap();
    let all: Result<(), ()> = each_record(zone, &mut |_, record| {
        found.push(record);
        Ok(())
    });
    all.unwrap();
    let found = lines(&found);
    let lost: Vec<_> = expected.difference(&found).collect();
    let added: Vec<_> = found.difference(&expected).collect();
    assert!(
        lost.is_empty() && added.is_empty(),
        "lost {lost:#?}, added {added:#?}"
    );
}

#[test]
fn what_an_image_holds_is_the_zone_whole() {
    check_dump(include_str!(
        "../../../src/dns/engine/tests/signed/nsec.zone"
    ));
    check_dump(include_str!(
        "../../../src/dns/engine/tests/signed/opt-out.zone"
    ));
    check_dump(include_str!(
        "../../../src/dns/engine/tests/signed/wild-nsec.zone"
    ));
}
