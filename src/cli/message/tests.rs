use super::*;

/// `example.` at 12, then whatever the case adds at 21.
fn message(tail: &[u8]) -> Vec<u8> {
    [&[0; 12][..], b"\x07example\x00", tail].concat()
}

#[track_caller]
fn check_name(tail: &[u8], expected: Option<&str>) {
    let read = name(&message(tail), 21).map(|(name, end)| (name.to_string(), end));
    assert_eq!(
        read,
        expected.map(|name| (name.to_owned(), 21 + tail.len()))
    );
}

#[test]
fn names_are_read_through_pointers() {
    check_name(b"\x00", Some("."));
    check_name(b"\x01a\x00", Some("a."));
    check_name(b"\xc0\x0c", Some("example."));
    check_name(b"\x01a\xc0\x0c", Some("a.example."));
}

#[test]
fn pointers_forward_and_labels_past_the_end_are_refused() {
    check_name(b"\xc0\x15", None);
    check_name(b"\xc0\x40", None);
    check_name(b"\x80\x0c", None);
    check_name(b"\x05ab", None);
    check_name(b"\xc0", None);
}

#[track_caller]
fn check_record(tail: &[u8], expected: &str) {
    let message = message(tail);
    let (record, end) = record(&message, 21).unwrap();
    assert_eq!(record.to_string(), expected);
    assert_eq!(end, message.len());
}

#[test]
fn names_in_rdata_are_written_out() {
    check_record(
        b"\xc0\x0c\x00\x02\x00\x01\x00\x00\x0e\x10\x00\x05\x02ns\xc0\x0c",
        "example.\t3600\tIN\tNS\tns.example.",
    );
    check_record(
        b"\xc0\x0c\x00\x0f\x00\x01\x00\x00\x0e\x10\x00\x04\x00\x0a\xc0\x0c",
        "example.\t3600\tIN\tMX\t10 example.",
    );
    check_record(
        b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x0e\x10\x00\x04\xc0\x00\x02\x01",
        "example.\t3600\tIN\tA\t192.0.2.1",
    );
}

#[test]
fn a_record_cut_short_is_refused() {
    let whole = message(b"\xc0\x0c\x00\x02\x00\x01\x00\x00\x0e\x10\x00\x05\x02ns\xc0\x0c");
    for length in 21..whole.len() {
        assert!(record(&whole[..length], 21).is_none(), "{length}");
    }
}

#[test]
fn hickory_reads_our_query() {
    let name = Name::parse_absolute("a.example").unwrap();
    let message = query(&name, RecordType::DS, true);
    let read = hickory_proto::op::Message::from_vec(&message).unwrap();
    assert_eq!(read.queries[0].to_string(), "a.example. IN DS");
    assert!(read.edns.is_some_and(|edns| edns.flags().dnssec_ok));
}
