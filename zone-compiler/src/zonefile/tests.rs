//! Zone files: directives, defaults, every fault with its place, and real zones.

use std::io::Cursor;

use proptest::prelude::*;

use super::*;
use crate::{RecordType, ZoneSource};

mod faults;
mod files;

fn reader(text: &[u8]) -> Reader {
    let origin = Name::parse_absolute("example.").unwrap();
    let input = Box::new(Cursor::new(text.to_vec()));
    Reader::new(input, Path::new("test.zone"), Some(origin))
}

/// Records as lines with single blanks, faults as `line:column: reason`.
fn read(text: &str) -> Vec<String> {
    reader(text.as_bytes())
        .map(|result| match result {
            Ok(record) => record.to_string().replace('\t', " "),
            Err(fault) => fault.to_string().replace("test.zone:", ""),
        })
        .collect()
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let shown = text.get(..200).unwrap_or(text);
    assert!(read(text) == expected, "{shown}: {:.300?}", read(text));
}

#[test]
fn the_example_of_rfc_1035_section_5_3() {
    let text = "\
$ORIGIN ISI.EDU.
$TTL 60
@   IN  SOA     VENERA      Action\\.domains (
                                 20     ; SERIAL
                                 7200   ; REFRESH
                                 600    ; RETRY
                                 3600000; EXPIRE
                                 60)    ; MINIMUM

        NS      A.ISI.EDU.
        NS      VAXA
        MX      10      VENERA
A       A       26.3.0.103
VENERA  A       10.1.0.52
        A       128.9.0.32
";
    check(
        text,
        &[
            "ISI.EDU. 60 IN SOA VENERA.ISI.EDU. Action\\.domains.ISI.EDU. 20 7200 600 3600000 60",
            "ISI.EDU. 60 IN NS A.ISI.EDU.",
            "ISI.EDU. 60 IN NS VAXA.ISI.EDU.",
            "ISI.EDU. 60 IN MX 10 VENERA.ISI.EDU.",
            "A.ISI.EDU. 60 IN A 26.3.0.103",
            "VENERA.ISI.EDU. 60 IN A 10.1.0.52",
            "VENERA.ISI.EDU. 60 IN A 128.9.0.32",
        ],
    );
}

#[test]
fn ttl_and_class_in_either_order_or_left_out() {
    let expected = ["a.example. 60 IN A 192.0.2.1"];
    for text in [
        "a 60 IN A 192.0.2.1",
        "a IN 60 A 192.0.2.1",
        "a in 1M a 192.0.2.1\r\n",
        "a 60 CLASS1 TYPE1 192.0.2.1",
        "a 60 A 192.0.2.1",
        "a ( 60 ) ( IN\nA ) 192.0.2.1",
        "$TTL 60\na A 192.0.2.1",
        "$ttl 1m ; a minute\na IN A 192.0.2.1",
        "$ORIGIN A.\n$ORIGIN example.\na 60 A 192.0.2.1",
        "(a 60 A\n192.0.2.1\n)",
        "a 60 A \\# 4 C0 00 ( 0201 )",
    ] {
        check(text, &expected);
    }
}

#[test]
fn a_ttl_that_is_left_out() {
    // RFC 1035 section 5.1: the last one stated.
    check(
        "a 1 A 1.1.1.1\nb A 1.1.1.1",
        &["a.example. 1 IN A 1.1.1.1", "b.example. 1 IN A 1.1.1.1"],
    );
    // RFC 2308 section 4: $TTL goes before it.
    check(
        "$TTL 2\na 1 A 1.1.1.1\nb A 1.1.1.1\n$TTL 3\nc A 1.1.1.1",
        &[
            "a.example. 1 IN A 1.1.1.1",
            "b.example. 2 IN A 1.1.1.1",
            "c.example. 3 IN A 1.1.1.1",
        ],
    );
    // Neither: the MINIMUM of the SOA.
    check(
        "@ SOA . . 1 2 3 4 5\na A 1.1.1.1",
        &[
            "example. 5 IN SOA . . 1 2 3 4 5",
            "a.example. 5 IN A 1.1.1.1",
        ],
    );
    check("a 0 A 1.1.1.1", &["a.example. 0 IN A 1.1.1.1"]);
    check(
        "a 2147483647 A 1.1.1.1",
        &["a.example. 2147483647 IN A 1.1.1.1"],
    );
    check(
        "a 1w2d3h4m5s A 1.1.1.1",
        &["a.example. 788645 IN A 1.1.1.1"],
    );
}

#[test]
fn owners_that_are_left_out_or_look_like_other_words() {
    check(
        "a 1 A 1.1.1.1\n\tA 1.1.1.2\n\n  ; comment\n$TTL 1\n AAAA ::1\nA A 1.1.1.1\nIN IN A 1.1.1.1\n60 A 1.1.1.1",
        &[
            "a.example. 1 IN A 1.1.1.1",
            "a.example. 1 IN A 1.1.1.2",
            "a.example. 1 IN AAAA ::1",
            "A.example. 1 IN A 1.1.1.1",
            "IN.example. 1 IN A 1.1.1.1",
            "60.example. 1 IN A 1.1.1.1",
        ],
    );
    check(
        "\\@ 1 A 1.1.1.1\n\\$TTL 1 A 1.1.1.1\n* 1 A 1.1.1.1",
        &[
            "\\@.example. 1 IN A 1.1.1.1",
            "\\$TTL.example. 1 IN A 1.1.1.1",
            "*.example. 1 IN A 1.1.1.1",
        ],
    );
    // The same word is another name after $ORIGIN.
    check(
        "a 1 A 1.1.1.1\n$ORIGIN b.\na 1 A 1.1.1.1",
        &["a.example. 1 IN A 1.1.1.1", "a.b. 1 IN A 1.1.1.1"],
    );
    check(
        "$ORIGIN b\na 1 CNAME @",
        &["a.b.example. 1 IN CNAME b.example."],
    );
}

#[test]
fn quotes_comments_and_parentheses() {
    check(
        "a 1 TXT \"x;y\" z;w",
        &["a.example. 1 IN TXT \"x;y\" \"z\""],
    );
    check(
        "a 1 TXT \"(\" \\) \"a\"\"b\"",
        &["a.example. 1 IN TXT \"(\" \")\" \"a\" \"b\""],
    );
    check(
        "a 1 TXT ( a ; c )\n ; (\n\n b ( c\n)) d",
        &["a.example. 1 IN TXT \"a\" \"b\" \"c\" \"d\""],
    );
    check(
        "a 1 TXT \\\"x\\; \"\\;\"",
        &["a.example. 1 IN TXT \"\\\"x;\" \";\""],
    );
    check("", &[]);
    check("\n \n;\n( )\n", &[]);
}

#[test]
fn positions_and_octets_are_known() {
    let text = "\n$TTL 1\na A 1.1.1.1\n(\n b\n A 1.1.1.2 )\nc A 1.1.1.3";
    let mut reader = reader(text.as_bytes());
    let mut lines = Vec::new();
    while let Some(record) = reader.next() {
        record.unwrap();
        assert_eq!(&*reader.position().path, Path::new("test.zone"));
        lines.push(reader.position().line);
    }
    assert_eq!(lines, [3, 5, 7]);
    assert_eq!(reader.bytes_read(), text.len() as u64);
}

fn any_name() -> impl Strategy<Value = Name> {
    let label = prop::collection::vec(any::<u8>(), 1..12);
    prop::collection::vec(label, 0..5).prop_map(|labels| {
        let child = |name: Name, label: &Vec<u8>| name.child(label).unwrap();
        labels.iter().fold(Name::root(), child)
    })
}

fn any_record() -> impl Strategy<Value = Record> {
    let rdata = prop_oneof![
        any::<[u8; 4]>().prop_map(|octets| (RecordType::A, octets.to_vec())),
        any_name().prop_map(|name| (RecordType::NS, name.as_wire().to_vec())),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(|mut text| {
            text.insert(0, u8::try_from(text.len()).unwrap());
            (RecordType::TXT, text)
        }),
        prop::collection::vec(any::<u8>(), 0..60).prop_map(|octets| (RecordType(65_280), octets)),
    ];
    (any_name(), 0..=TTL_MAX, rdata).prop_map(|(owner, ttl, (rtype, rdata))| Record {
        owner,
        rtype,
        ttl,
        rdata: rdata.into(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn records_are_written_and_read_back(records in prop::collection::vec(any_record(), 1..8)) {
        let text: String = records.iter().map(|record| format!("{record}\n")).collect();
        let again: Vec<_> = reader(text.as_bytes()).collect::<Result<_, _>>().unwrap();
        for (again, record) in again.iter().zip(&records) {
            // `Name` compares without case; here it has to be kept.
            prop_assert_eq!(again.owner.as_wire(), record.owner.as_wire());
        }
        prop_assert_eq!(again, records, "{}", text);
    }

    #[test]
    fn any_octets_end_without_a_panic(text in prop::collection::vec(any::<u8>(), 0..400)) {
        for record in reader(&text).flatten() {
                prop_assert_eq!(rdata::validate(record.rtype, &record.rdata), Ok(()));
        }
    }

    #[test]
    fn any_likely_text_ends_without_a_panic(words in prop::collection::vec(prop::sample::select(WORDS), 0..60)) {
        let text = words.concat();
        for record in reader(text.as_bytes()).flatten() {
                prop_assert_eq!(rdata::validate(record.rtype, &record.rdata), Ok(()));
                let again: Vec<_> = read(&record.to_string());
                prop_assert_eq!(again, [record.to_string().replace('\t', " ")]);
        }
    }
}

const WORDS: &[&str] = &[
    "\n",
    "\n",
    "\n",
    "\n ",
    " ",
    " ",
    " ",
    "(",
    ")",
    ";",
    "\"",
    "\\",
    "\\032",
    "@",
    "a",
    "b.",
    "A",
    " IN ",
    " 60 ",
    " 1h ",
    " A ",
    " 192.0.2.1\n",
    "AAAA ::1",
    " NS ",
    " TXT ",
    " SOA . . 1 2 3 4 5\n",
    "\n$ORIGIN ",
    "\n$TTL ",
    "\n$INCLUDE ",
    "\n$GENERATE ",
    " CH ",
    " \\# 4 C0000201\n",
    " TYPE1 ",
    " SVCB 1 . alpn=\"h2\" ",
    " RRSIG ",
    " LOC 1 N 1 E 0 ",
    "\r\n",
    "\t",
    "99999999999",
];
