//! What the tests of transfers share: zones, keys and requests that are signed.

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use zone_compiler::zonefile::Reader;
use zone_compiler::{Parking, Record, RecordList, compile};
use zone_image::writer::Installer;
use zone_image::{Memory, Name};

use super::key::{Algorithm, Key, parse_name};
use crate::dns::generations::{Generations, Source};

/// The time of the tests.
pub(super) const NOW: u64 = 1_700_000_000;

/// Glue of every kind: of the delegation itself, of a sibling that names it too, of one
/// that does not, of the zone's own data; and a wildcard, an alias, a DNAME.
pub(super) const ZONE: &str = "$ORIGIN tld.\n$TTL 3600\n\
    @ SOA ns1.nic.tld. hostmaster.nic.tld. 7 7200 900 1209600 300\n\
    @ NS ns1.nic\n@ NS ns.loose\n@ NS ns2.elsewhere.net.\n@ TXT \"apex\"\n\
    ns1.nic A 192.0.2.1\nns1.nic AAAA 2001:db8::1\n\
    alpha NS ns.alpha\nalpha NS ns.beta\nns.alpha A 192.0.2.10\n\
    beta NS ns.beta\nbeta NS ns.alpha\nns.beta A 192.0.2.11\nns.beta A 192.0.2.12\n\
    loose NS ns1.nic\nns.loose A 192.0.2.13\n\
    gamma NS ns.loose\ngamma NS ns.alpha\ngamma NS ns2.elsewhere.net.\n\
    gamma DS 1 13 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE49FD46E6C4B45C55D4AC69CB\n\
    delta NS ns.loose\ndelta NS ns1.nic\n\
    www CNAME host\nhost A 192.0.2.20\nold DNAME host\n*.wild MX 10 host\n\
    deep.below.nothing TXT \"x\"\n";

/// The records of a zone file.
pub(super) fn records(text: &str) -> Vec<Record> {
    let input = Box::new(Cursor::new(text.as_bytes().to_vec()));
    let reader = Reader::new(input, Path::new("test.zone"), Some(Name::root()));
    reader.collect::<Result<_, _>>().unwrap()
}

/// Installs zones, each with its SOA first, in a directory.
pub(super) fn install(directory: &Path, zones: &[(&str, Option<Parking>)]) {
    let zones = zones
        .iter()
        .map(|(text, parking)| (*text, parking.clone(), 0));
    install_at(directory, &zones.collect::<Vec<_>>());
}

/// The same, each at an event; those of parked names have none.
pub(super) fn install_at(directory: &Path, zones: &[(&str, Option<Parking>, u64)]) {
    let mut installer = Installer::replace(directory, None).unwrap();
    for (text, parking, event) in zones {
        let records = records(text);
        let list = RecordList::new(records[0].owner.clone(), *event, records);
        let mut source = list.with_parking(parking.clone());
        compile(&mut source, &mut installer, &|_| {}).unwrap_or_else(|error| panic!("{error}"));
    }
    installer.commit().unwrap();
}

/// What is installed in a directory.
pub(super) fn generations(directory: &Path) -> Generations {
    let source = Source {
        directory: directory.to_owned(),
        memory: Memory::Mapped,
        check: Box::new(|_| Ok(())),
        clock: || NOW,
    };
    Generations::open(source).unwrap()
}

/// A directory with zones and its generations.
pub(super) fn serve(zones: &[&str]) -> (Arc<Generations>, TempDir) {
    let directory = TempDir::new().unwrap();
    let zones: Vec<_> = zones.iter().map(|text| (*text, None)).collect();
    install(directory.path(), &zones);
    (Arc::new(generations(directory.path())), directory)
}

/// A key.
pub(super) fn key(name: &str, algorithm: Algorithm) -> Arc<Key> {
    let secret = format!("the secret of the key {name}");
    let name = parse_name(name).unwrap();
    Arc::new(Key::new(&name, algorithm, secret.as_bytes()))
}

/// A question of one type, with the SOA of a serial in its authority section.
pub(super) fn question(name: &str, qtype: u16, serial: Option<u32>) -> Vec<u8> {
    let name = parse_name(name).unwrap();
    let mut wire = vec![0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    wire.extend(name.as_wire());
    wire.extend(qtype.to_be_bytes());
    wire.extend([0, 1]);
    if let Some(serial) = serial {
        wire[9] = 1;
        wire.extend([0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0, 22, 0, 0]);
        wire.extend(serial.to_be_bytes());
        wire.extend([0; 16]);
    }
    wire
}
