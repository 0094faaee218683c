//! Any octets as a zone file: no panic, and every record that is read is valid and
//! is read back as the same from how it is written.
#![no_main]

use std::io::Cursor;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use zone_compiler::rdata;
use zone_compiler::zonefile::Reader;
use zone_image::Name;

fn reader(text: &[u8]) -> Reader {
    let input = Box::new(Cursor::new(text.to_vec()));
    Reader::new(input, Path::new("fuzz"), Some(Name::root()))
}

fuzz_target!(|text: &[u8]| {
    for record in reader(text).flatten() {
        rdata::validate(record.rtype, &record.rdata).expect("what is read is valid");
        for name in rdata::names_in(record.rtype, &record.rdata) {
            let wire = &record.rdata[name.at..name.at + name.length];
            Name::from_wire(wire).expect("a name where one is said to be");
        }
        let written = record.to_string();
        let again: Vec<_> = reader(written.as_bytes()).collect();
        assert!(
            matches!(&again[..], [Ok(again)] if *again == record),
            "{written}"
        );
    }
});
