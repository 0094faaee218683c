//! RDATA of every type: text to octets to text, names inside, and what is refused.

use proptest::prelude::*;

use super::*;

mod every_type;
mod oracle;
mod refused;

fn rtype(text: &str) -> RecordType {
    text.parse().unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| *byte != b' ')
        .map(|byte| encoding::hex_digit(byte).unwrap())
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

fn to_hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn origin() -> Name {
    Name::parse_absolute("example.").unwrap()
}

fn scan_text(rtype: RecordType, text: &str) -> Result<Vec<u8>, RdataError> {
    parse(rtype, text, Some(&origin())).map(Vec::from)
}

/// `text` is read as `wire`, which is valid and written as `printed`, which is read
/// as the same again; so is the generic form.
#[track_caller]
fn check(mnemonic: &str, text: &str, wire: &str, printed: &str) {
    let rtype = rtype(mnemonic);
    let rdata = scan_text(rtype, text).unwrap_or_else(|error| panic!("{mnemonic} {text}: {error}"));
    assert_eq!(to_hex(&rdata), wire.replace(' ', ""), "{mnemonic} {text}");
    assert_eq!(validate(rtype, &rdata), Ok(()), "{mnemonic} {text}");
    assert_eq!(
        display(rtype, &rdata).to_string(),
        printed,
        "{mnemonic} {text}"
    );
    assert_eq!(
        scan_text(rtype, printed),
        Ok(rdata.clone()),
        "{mnemonic} {printed}"
    );
    let generic = format!("\\# {} {}", rdata.len(), to_hex(&rdata));
    assert_eq!(
        scan_text(rtype, &generic),
        Ok(rdata),
        "{mnemonic} {generic}"
    );
}

#[track_caller]
fn check_names(mnemonic: &str, text: &str, expected: &[(&str, NameUse)]) {
    let rtype = rtype(mnemonic);
    let rdata = scan_text(rtype, text).unwrap();
    let found: Vec<_> = names_in(rtype, &rdata)
        .map(|name| {
            let wire = &rdata[name.at..name.at + name.length];
            (Name::from_wire(wire).unwrap().to_string(), name.usage)
        })
        .collect();
    let expected: Vec<_> = expected
        .iter()
        .map(|(name, usage)| ((*name).to_owned(), *usage))
        .collect();
    assert_eq!(found, expected, "{mnemonic} {text}");
}

#[test]
fn names_inside_and_what_may_be_done_to_them() {
    use NameUse::{Compressible, Folded, Kept};
    check_names("NS", "A.B.", &[("A.B.", Compressible)]);
    check_names("A", "192.0.2.1", &[]);
    check_names(
        "SOA",
        "Ns Host 1 2 3 4 5",
        &[
            ("Ns.example.", Compressible),
            ("Host.example.", Compressible),
        ],
    );
    check_names("MX", "10 m", &[("m.example.", Compressible)]);
    check_names("SRV", "1 2 3 s.", &[("s.", Folded)]);
    check_names("NAPTR", "1 2 \"S\" \"x\" \"\" r.", &[("r.", Folded)]);
    check_names("PX", "1 a. b.", &[("a.", Folded), ("b.", Folded)]);
    check_names("DNAME", "d.", &[("d.", Folded)]);
    check_names("NSEC", "n. A", &[("n.", Kept)]);
    check_names("SVCB", "1 t. port=53", &[("t.", Kept)]);
    check_names("TALINK", "a. b.", &[("a.", Kept), ("b.", Kept)]);
    check_names("HIP", "2 AB YQ== r1. r2.", &[("r1.", Kept), ("r2.", Kept)]);
    check_names("IPSECKEY", "1 3 2 g. YQ==", &[("g.", Kept)]);
    check_names("IPSECKEY", "1 1 2 192.0.2.1 YQ==", &[]);
    check_names("AMTRELAY", "1 1 3 g.", &[("g.", Kept)]);
    check_names("A6", "0 ::1", &[]);
    check_names("A6", "64 ::1 p.", &[("p.", Folded)]);
    check_names(
        "RRSIG",
        "A 8 1 60 20300101000000 20290101000000 1 Z. YQ==",
        &[("Z.", Folded)],
    );
}

#[test]
fn canonical_form_keeps_the_case_of_nsec_and_newer_types() {
    let canonical = |mnemonic: &str, text: &str| {
        let rdata = scan_text(rtype(mnemonic), text).unwrap();
        display(rtype(mnemonic), &to_canonical(rtype(mnemonic), &rdata)).to_string()
    };
    assert_eq!(canonical("MX", "10 Mail.EXAMPLE."), "10 mail.example.");
    assert_eq!(canonical("NSEC", "Next.EXAMPLE. A"), "Next.EXAMPLE. A");
    assert_eq!(canonical("HTTPS", "1 Svc.EXAMPLE."), "1 Svc.EXAMPLE.");
    assert_eq!(canonical("TXT", "\"Text\""), "\"Text\"");
}

#[test]
fn types_by_mnemonic_and_number() {
    for number in 0..=u16::MAX {
        let rtype = RecordType(number);
        let text = rtype.to_string();
        assert_eq!(text.parse(), Ok(rtype), "{text}");
        assert_eq!(text.to_lowercase().parse(), Ok(rtype), "{text}");
        assert_eq!(format!("TYPE{number}").parse(), Ok(rtype));
    }
    for text in [
        "",
        "TYPE",
        "TYPE65536",
        "TYPE-1",
        "TYPE+1",
        "TYPE1x",
        "NOSUCH",
        "1",
    ] {
        assert!(text.parse::<RecordType>().is_err(), "{text}");
    }
}

#[test]
fn meta_types_are_the_block_of_rfc_6895() {
    for number in 0..=u16::MAX {
        let expected = matches!(number, 0 | 41 | 128..=255 | 65_535);
        assert_eq!(RecordType(number).is_meta(), expected, "TYPE{number}");
    }
}

fn known_type() -> impl Strategy<Value = RecordType> {
    let known: Vec<_> = (0..=u16::MAX)
        .map(RecordType)
        .filter(|rtype| rtype.mnemonic().is_some())
        .collect();
    prop::sample::select(known)
}

/// Octets that are often valid: small numbers, labels, lengths that fit.
fn likely_rdata() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..24),
        prop::collection::vec(0..4_u8, 0..8),
        Just(b"\x03www\x07example\x00".to_vec()),
        Just(b"\x04abcd".to_vec()),
        Just(vec![0, 2, 0x40, 1]),
        Just(vec![0, 1, 0, 3, 2, b'h', b'2']),
        Just(vec![0]),
    ];
    prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn valid_octets_are_written_and_read_back(rtype in known_type(), rdata in likely_rdata()) {
        if validate(rtype, &rdata).is_ok() {
            let text = display(rtype, &rdata).to_string();
            prop_assert_eq!(parse(rtype, &text, None).map(Vec::from), Ok(rdata.clone()), "{}", text);
            for name in names_in(rtype, &rdata) {
                prop_assert!(Name::from_wire(&rdata[name.at..name.at + name.length]).is_ok());
            }
        }
    }

    #[test]
    fn any_text_is_valid_octets_or_an_error(rtype in known_type(), text in "[ -~\\n]{0,60}") {
        if let Ok(rdata) = parse(rtype, &text, Some(&Name::root())) {
            prop_assert_eq!(validate(rtype, &rdata), Ok(()));
            let printed = display(rtype, &rdata).to_string();
            prop_assert_eq!(parse(rtype, &printed, None), Ok(rdata), "{}", printed);
        }
    }

    #[test]
    fn any_octets_have_names_or_none(rtype in known_type(), rdata in prop::collection::vec(any::<u8>(), 0..80)) {
        for name in names_in(rtype, &rdata) {
            prop_assert!(name.at + name.length <= rdata.len());
        }
        let _ = display(rtype, &rdata).to_string();
    }

    #[test]
    fn unknown_types_are_written_as_rfc_3597_says(number in 300..32_000_u16, rdata in prop::collection::vec(any::<u8>(), 0..40)) {
        let rtype = RecordType(number);
        let text = display(rtype, &rdata).to_string();
        prop_assert!(text.starts_with("\\# "));
        prop_assert_eq!(parse(rtype, &text, None).map(Vec::from), Ok(rdata));
    }
}
