//! Compiles: what goes in comes out, and what is wrong is named.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;

use zone_image::layout::Part;
use zone_image::{Generation, LookupName, Memory};

use super::*;
use crate::wire::each_record;
use crate::zonefile::Reader;
use crate::{Record, RecordList};

const HEAD: &str = "
$ORIGIN tld.
@ 3600 SOA ns.nic host.nic 5 7200 900 1209600 300
@ 3600 NS ns.nic
ns.nic 3600 A 192.0.2.1
";

fn records(text: &str) -> Vec<Record> {
    let input = Box::new(Cursor::new(text.as_bytes().to_vec()));
    let reader = Reader::new(input, Path::new("test.zone"), Some(Name::root()));
    reader.collect::<Result<_, _>>().unwrap()
}

fn compile_records(records: Vec<Record>) -> Result<(Report, Generation), CompileError> {
    compile_records_with(records, &Options::default())
}

fn compile_records_with(
    records: Vec<Record>,
    options: &Options,
) -> Result<(Report, Generation), CompileError> {
    let directory = tempfile::tempdir().unwrap();
    let mut installer = Installer::replace(directory.path(), None).unwrap();
    let mut source = RecordList::new(Name::parse_absolute("tld.").unwrap(), 42, records);
    let report = compile_with(&mut source, &mut installer, options, &|_| {})?;
    installer.commit().unwrap();
    Ok((
        report,
        Generation::open(directory.path(), Memory::Sealed).unwrap(),
    ))
}

/// Every record of the image as one line of master format.
fn dump(generation: &Generation) -> BTreeSet<String> {
    let apex = LookupName::parse(b"\x03tld\x00").unwrap();
    let zone = generation.find_zone(&apex, 1).unwrap();
    let mut lines = BTreeSet::new();
    each_record(zone, &mut |_: Part, record: Record| {
        lines.insert(record.to_string().to_lowercase());
        Ok::<_, std::convert::Infallible>(())
    })
    .unwrap();
    lines
}

#[track_caller]
fn check_round_trip(text: &str) -> Report {
    let text = format!("{HEAD}{text}");
    let expected: BTreeSet<String> = records(&text)
        .iter()
        .map(|record| record.to_string().to_lowercase())
        .collect();
    let (report, generation) = compile_records(records(&text)).unwrap();
    assert_eq!(dump(&generation), expected);
    report
}

#[track_caller]
fn check_refused(text: &str, expected: &[&str]) {
    check_refused_whole(&format!("{HEAD}{text}"), expected);
}

#[track_caller]
fn check_refused_whole(text: &str, expected: &[&str]) {
    let Err(CompileError::Refused { faults, .. }) = compile_records(records(text)) else {
        panic!("compiled: {text}");
    };
    let found: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            found.starts_with(expected),
            "{found}\ninstead of {expected}"
        );
    }
}

#[track_caller]
fn check_warned(text: &str, expected: &[&str]) {
    let (report, _) = compile_records(records(&format!("{HEAD}{text}"))).unwrap();
    let found: Vec<String> = report.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            found.starts_with(expected),
            "{found}\ninstead of {expected}"
        );
    }
}

#[test]
fn what_goes_in_comes_out() {
    let report = check_round_trip(
        "a 60 NS ns.a\na 60 NS ns.b\nns.a 60 A 192.0.2.2\nb 60 NS ns.b\nns.b 60 AAAA 2001:db8::1\n\
         b 60 DS 1 13 200 00\n* 60 TXT \"any\"\nwww 60 CNAME a.very.long.name.elsewhere.\n\
         mx 60 MX 10 mail.mx\nmx 60 MX 20 mail.elsewhere.\nd 60 DNAME elsewhere.\n\
         r 60 RP a.b c.d\nx.y.z 60 TYPE65280 \\# 3 010203\n",
    );
    assert_eq!(
        (report.serial, report.event, report.delegations),
        (5, 42, 2)
    );
}

#[test]
fn shared_ns_sets_come_out_whole() {
    let mut text = String::from("host 60 NS ns1.host\nhost 60 NS ns2.host\n");
    text += "ns1.host 60 A 192.0.2.1\nns2.host 60 A 192.0.2.2\nns2.host 60 AAAA 2001:db8::2\n";
    for index in 0..500 {
        text += &format!("d{index} 60 NS ns1.host\nd{index} 60 NS ns2.host\n");
        text += &format!("e{index} 60 NS ns1.elsewhere{}.\n", index % 90);
    }
    let report = check_round_trip(&text);
    // One set with addresses, and 90 without: their two and ninety bodies.
    assert_eq!(report.shared_bodies, 92);
    // The same records where each set stands with its name.
    let options = Options {
        private_name_servers: true,
        ..Options::default()
    };
    let all = records(&format!("{HEAD}{text}"));
    let (_, shared) = compile_records(all.clone()).unwrap();
    let (report, private) = compile_records_with(all, &options).unwrap();
    assert_eq!(report.shared_bodies, 0);
    assert_eq!(dump(&private), dump(&shared));
    assert!(private.bytes() > shared.bytes());
}

#[test]
fn names_that_end_alike_are_not_confused() {
    check_round_trip(
        "a.b 60 NS ns.b\na.b 60 NS ns.a.b\na.b 60 NS xa.b\nns.b 60 A 192.0.2.1\n\
         ns.a.b 60 A 192.0.2.2\nxa.b 60 A 192.0.2.3\nxtld 60 NS ns.xtld.\nc 60 NS a.xtld.\n",
    );
}

#[test]
fn refuses_a_zone_without_soa_or_ns() {
    let no_soa = "tld. 60 NS ns.elsewhere.\n";
    check_refused_whole(no_soa, &["tld.: no SOA at the apex"]);
    check_refused_whole(
        "a.tld. 60 A 192.0.2.1\n",
        &["tld.: no SOA and no other data"],
    );
    let no_ns = "tld. 60 SOA a. b. 1 2 3 4 5\n";
    check_refused_whole(no_ns, &["tld.: no NS at the apex"]);
    check_refused("@ 3600 SOA x. y. 1 2 3 4 5\n", &["tld.: more than one SOA"]);
}

#[test]
fn refuses_every_fault_at_once() {
    check_refused(
        "a 60 NS ns.a\n\
         b 60 CNAME c\nb 60 TXT \"x\"\n\
         c 60 NS ns.elsewhere.\nx.c 60 TXT \"occluded\"\nc 60 TXT \"occluded\"\n\
         d 60 DNAME e\nx.d 60 A 192.0.2.1\n\
         e 60 CNAME f\ne 60 CNAME g\n\
         f 60 DS 1 13 200 00\n\
         *.w 60 NS ns.elsewhere.\n\
         out.side. 60 A 192.0.2.1\n",
        &[
            "*.w.tld.: NS at a wildcard",
            "a.tld.: NS ns.a.tld. lies in the delegation and has no address",
            "b.tld.: CNAME and other data",
            "c.tld.: TXT is occluded by the delegation at this name",
            "e.tld.: more than one CNAME",
            "f.tld.: DS without NS",
            "out.side.: is not in the zone",
            "x.c.tld.: TXT is occluded by a delegation above it",
            "x.d.tld.: hidden by a DNAME above it",
        ],
    );
}

#[test]
fn warns_of_what_is_odd() {
    check_warned(
        "a 60 NS ns.elsewhere.\nns.a 60 A 192.0.2.1\nb 60 A 192.0.2.1\nb 90 A 192.0.2.2\n",
        &[
            "b.tld.: A records with different TTLs",
            "ns.a.tld.: address below a delegation that no NS needs",
        ],
    );
}

#[test]
fn a_refused_zone_leaves_the_image_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let apex = Name::parse_absolute("tld.").unwrap();
    let install = |text: &str| {
        let mut installer = Installer::update(directory.path()).unwrap();
        let mut source = RecordList::new(apex.clone(), 0, records(text));
        let compiled = compile(&mut source, &mut installer, &|_| {});
        compiled.map(|_| installer.commit().unwrap().number)
    };
    assert_eq!(install(HEAD).unwrap(), 1);
    assert!(install("tld. 60 NS ns.elsewhere.\n").is_err());
    assert_eq!(install(HEAD).unwrap(), 2);
}

#[test]
fn signatures_stay_with_their_rrsets() {
    let (report, generation) = compile_records(records(&format!(
        "{HEAD}w 60 TXT \"x\"\nw 60 RRSIG TXT 13 2 60 20300101000000 20200101000000 1 tld. AA==\n\
         w 60 RRSIG A 13 2 60 20300101000000 20200101000000 1 tld. AA==\n"
    )))
    .unwrap();
    let lines = dump(&generation);
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("w.tld.\t60\tin\trrsig\ttxt")),
        "{lines:#?}"
    );
    assert_eq!(report.warnings.count(), 1);
}

#[test]
fn labels_that_repeat_within_a_name() {
    check_round_trip(
        "x 3600 MX 10 a.a.elsewhere.\nx 3600 MX 20 b.c.b.c.elsewhere.\n\
         x 3600 MX 30 c.elsewhere.\nd 3600 NS ns.ns.d\nns.ns.d 3600 A 192.0.2.1\n\
         e 3600 DNAME e.e\nf 3600 CNAME y.y.y.y.tld.\n",
    );
}

#[test]
fn row_71_nsec3_iterations_are_refused() {
    let zone = include_str!("../../../src/dns/engine/tests/signed/opt-out.zone");
    // Salt and hashes no longer match, but the iterations are found first.
    let zone = zone.replace("NSEC3PARAM 1 0 0 -", "NSEC3PARAM 1 0 5 -");
    assert!(
        zone.contains("1 0 5 -"),
        "the zone has NSEC3PARAM in one line"
    );
    let Err(error) = compile_records(records(&zone)) else {
        panic!("compiled");
    };
    let text = format!("{error:?}");
    assert!(
        text.contains("5 NSEC3 iterations, at most 0 are allowed"),
        "{text}"
    );
}
