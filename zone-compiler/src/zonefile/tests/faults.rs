//! Every fault, its place, and what is still read after it.

use super::*;

const GOOD: &str = "z. 1 IN A 192.0.2.1";

/// The fault of `text`, after which a good record is read.
#[track_caller]
fn fault(text: &str, expected: &str) {
    check(&format!("{text}\n{GOOD}\n"), &[expected, GOOD]);
}

#[test]
fn syntax() {
    fault("a 1 TXT \"x", "1:9: quote is not closed on its line");
    fault("a 1 TXT x=\"x", "1:9: quote is not closed on its line");
    fault("a 1 TXT x )", "1:11: `)` without `(`");
    fault("a 1 TXT x\\", "1:9: `\\` at the end of a line");
    // The lines up to the closing parenthesis belong to the bad record.
    fault(
        "a 1 TXT ( \"x\nb\n c )",
        "1:11: quote is not closed on its line",
    );
    fault(
        "a 1 TXT (\n\n \"x\nb )",
        "3:2: quote is not closed on its line",
    );
    check("a 1 TXT (\nx", &["1:1: `(` is not closed"]);
    check(" ", &[]);
}

#[test]
fn words() {
    fault(
        "a 1 IN IN A 1.1.1.1",
        "1:8: expected a TTL, a class or a record type, found `IN`",
    );
    fault(
        "a 1 2 A 1.1.1.1",
        "1:5: expected a TTL, a class or a record type, found `2`",
    );
    fault(
        "a 1 NOSUCH x",
        "1:5: expected a TTL, a class or a record type, found `NOSUCH`",
    );
    fault(
        "a",
        "1:2: expected a TTL, a class or a record type, but the record ends here",
    );
    fault(
        "a 1 \"A\" 1.1.1.1",
        "1:5: expected a TTL, a class or a record type without quotes",
    );
    fault(
        "\"a\" 1 A 1.1.1.1",
        "1:1: expected an owner name without quotes",
    );
    fault("a..b 1 A 1.1.1.1", "1:1: `a..b`: empty label");
    fault(
        "a 1 A 1.1.1",
        "1:7: expected an IPv4 address, found `1.1.1`",
    );
    fault(
        "a 1 A",
        "1:6: expected an IPv4 address, but the record ends here",
    );
    fault(
        "a 1 A 1.1.1.1 x",
        "1:15: `x` after the last field of the record",
    );
    fault("a 1 MX (\n\n  10\n  m..x )", "4:3: `m..x`: empty label");
    fault(
        "a 1 DS 1 8 2 (\n ABCD )",
        "2:2: digest has not the length of its digest type",
    );
    fault(
        "a 1 ANY x",
        "1:5: ANY is a question or message type, no zone holds records of it",
    );
    fault("a 1 CH A 1.1.1.1", "1:5: class CH, only IN is served");
    fault(
        "a 1 CLASS3 A 1.1.1.1",
        "1:5: class CLASS3, only IN is served",
    );
    fault(
        " 1 A 1.1.1.1",
        "1:2: no owner name, and no good record before it to take it from",
    );
}

#[test]
fn ttls() {
    let range = "TTL is over 2147483647 (RFC 2181 section 8)";
    fault("a 2147483648 A 1.1.1.1", &format!("1:3: {range}"));
    fault(
        "a 99999999999999999999999 A 1.1.1.1",
        &format!("1:3: {range}"),
    );
    fault("a 3551w A 1.1.1.1", &format!("1:3: {range}"));
    fault("$TTL 2147483648", &format!("1:6: {range}"));
    fault(
        "a 1x A 1.1.1.1",
        "1:3: expected a TTL in seconds or as in 1h30m, found `1x`",
    );
    fault(
        "a 1h2 A 1.1.1.1",
        "1:3: expected a TTL in seconds or as in 1h30m, found `1h2`",
    );
    let none = "no TTL, and neither $TTL nor a good record before it to take it from";
    fault("a A 1.1.1.1", &format!("1:5: {none}"));
    fault("@ SOA . . 1 2 3 4 2147483648", &format!("1:19: {range}"));
}

#[test]
fn directives() {
    fault(
        "$NOSUCH",
        "1:1: unknown directive `$NOSUCH`, known are $ORIGIN, $TTL and $INCLUDE",
    );
    fault(
        "$GENERATE 1-2 a A 1.1.1.$",
        "1:1: $GENERATE is BIND's own, expand it first (named-compilezone does)",
    );
    fault(
        "$ORIGIN",
        "1:8: expected a domain name, but the record ends here",
    );
    fault(
        "$ORIGIN a. b.",
        "1:12: `b.` after the last field of the record",
    );
    fault("$TTL", "1:5: expected a TTL, but the record ends here");
    fault(
        "$TTL x",
        "1:6: expected a TTL in seconds or as in 1h30m, found `x`",
    );
    fault("$TTL 1 1", "1:8: `1` after the last field of the record");
    fault(
        "$INCLUDE x",
        "1:10: cannot include `x`: only a zone file that is opened by its path may include others",
    );
    fault(
        "$INCLUDE",
        "1:9: expected a file name, but the record ends here",
    );
    fault(
        " $TTL 1",
        "1:2: no owner name, and no good record before it to take it from",
    );
}

#[test]
fn what_a_bad_entry_left_unknown_stays_unknown() {
    let no_owner = "no owner name, and no good record before it to take it from";
    check(
        "a 1 A 1.1.1.1\nb..c 1 A 1.1.1.1\n A 1.1.1.2",
        &[
            "a.example. 1 IN A 1.1.1.1",
            "2:1: `b..c`: empty label",
            &format!("3:2: {no_owner}"),
        ],
    );
    check(
        "a 1 A 1.1.1.1\nb 1 TXT \"\n A 1.1.1.2",
        &[
            "a.example. 1 IN A 1.1.1.1",
            "2:9: quote is not closed on its line",
            &format!("3:2: {no_owner}"),
        ],
    );
    // A bad record with a blank owner leaves the owner known.
    check(
        "a 1 A 1.1.1.1\n 1 TXT \"\n A 1.1.1.2",
        &[
            "a.example. 1 IN A 1.1.1.1",
            "2:8: quote is not closed on its line",
            "a.example. 1 IN A 1.1.1.2",
        ],
    );
    check(
        "$ORIGIN a..b\na 1 A 1.1.1.1\n$ORIGIN c.\na 1 A 1.1.1.1",
        &[
            "1:9: `a..b`: empty label",
            "2:1: `a`: relative name without an origin to complete it",
            "a.c. 1 IN A 1.1.1.1",
        ],
    );
    let no_ttl = "no TTL, and neither $TTL nor a good record before it to take it from";
    check(
        "$TTL 1\n$TTL x\na A 1.1.1.1\na 2 A 1.1.1.1\n A 1.1.1.2",
        &[
            "2:6: expected a TTL in seconds or as in 1h30m, found `x`",
            &format!("3:5: {no_ttl}"),
            "a.example. 2 IN A 1.1.1.1",
            "a.example. 2 IN A 1.1.1.2",
        ],
    );
    check(
        "a 1 A 1.1.1.1\na 1x A 1.1.1.1\na A 1.1.1.1",
        &[
            "a.example. 1 IN A 1.1.1.1",
            "2:3: expected a TTL in seconds or as in 1h30m, found `1x`",
            &format!("3:5: {no_ttl}"),
        ],
    );
}

#[test]
fn lines_and_records_have_a_bound() {
    let long = "x".repeat(ENTRY_BYTES_MAX);
    let message = format!("line or record is longer than {ENTRY_BYTES_MAX} octets");
    fault(&format!("a 1 TXT {long}"), &format!("1:1: {message}"));
    fault(&format!(";\n; {long}"), &format!("2:1: {message}"));
    fault(&format!("a 1 TXT (\n{long}\n)"), &format!("1:1: {message}"));
    let line = format!("{}\n", "x ".repeat(200));
    let many = line.repeat(ENTRY_BYTES_MAX / line.len() + 2);
    fault(&format!("a 1 TXT (\n{many})"), &format!("1:1: {message}"));
    // Comments do not count.
    let comments = format!("; {}\n", "x".repeat(1_000)).repeat(2_000);
    check(
        &format!("a 1 TXT (\n{comments}x )"),
        &["a.example. 1 IN TXT \"x\""],
    );
}

#[test]
fn a_parenthesis_that_nothing_closes_does_not_hide_the_rest() {
    let line = "a 1 A 192.0.2.1\n";
    let many = line.repeat(5 * ENTRY_BYTES_MAX / line.len());
    let results = read(&format!("a 1 TXT ( \"x\n{many}"));
    assert_eq!(results[0], "1:11: quote is not closed on its line");
    assert!(results.len() > 3 * ENTRY_BYTES_MAX / line.len());
    assert!(
        results[1..]
            .iter()
            .all(|result| result == "a.example. 1 IN A 192.0.2.1")
    );
}

#[test]
fn the_text_of_a_bad_entry_is_there_for_a_file_of_rejects() {
    for bad in [
        "a 1 A 1\n",
        "a 1 MX (\n 1\n m..x )\n",
        "a 1 TXT ( \"\nb\n c )\n",
        " A x",
    ] {
        let text = format!("z 1 A 1.1.1.1\n{bad}");
        let mut reader = reader(text.as_bytes());
        assert!(reader.next().unwrap().is_ok());
        assert!(reader.next().unwrap().is_err(), "{bad}");
        assert_eq!(reader.rejected_text(), bad.as_bytes());
        assert!(reader.next().is_none(), "{bad}");
    }
    let mut reader = reader(b"a 1 TXT ( x;y\nz ; y\n\"\n)\n");
    assert!(reader.next().unwrap().is_err());
    assert_eq!(reader.rejected_text(), b"a 1 TXT ( x\nz \n\"\n)\n");
}

/// Input that breaks after its text.
struct Broken(Cursor<Vec<u8>>);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("disk on fire")),
            octets => Ok(octets),
        }
    }
}

#[test]
fn an_input_that_breaks_ends_the_zone() {
    for (text, expected) in [
        ("a 1 A 1.1.1.1\n", &["1", "2:1: disk on fire"][..]),
        ("a 1 TXT (\n", &["1:1: disk on fire"]),
        (
            "a 1 TXT ( \"\n",
            &["1:11: quote is not closed on its line", "2:1: disk on fire"],
        ),
    ] {
        let input = BufReader::new(Broken(Cursor::new(text.as_bytes().to_vec())));
        let found: Vec<_> = Reader::new(Box::new(input), Path::new("x"), Some(Name::root()))
            .map(|result| match result {
                Ok(record) => record.ttl.to_string(),
                Err(fault) => fault.to_string().replace("x:", ""),
            })
            .collect();
        assert_eq!(found, expected, "{text}");
    }
}
