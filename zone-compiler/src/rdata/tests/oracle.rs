//! hickory-proto as oracle: it decodes what we read from text, and what it encodes
//! from that is the same again, for the types that it knows.

use hickory_proto::rr::{RData, RecordType as OracleType};
use hickory_proto::serialize::binary::{BinDecoder, BinEncodable, BinEncoder, Restrict};

use super::hex;
use crate::RecordType;

const CASES: &str = include_str!("every_type.tsv");
/// Types that hickory-proto decodes into fields without its DNSSEC features.
const KNOWN: &[&str] = &[
    "A",
    "AAAA",
    "CAA",
    "CERT",
    "CNAME",
    "CSYNC",
    "HINFO",
    "HTTPS",
    "MX",
    "NAPTR",
    "NS",
    "OPENPGPKEY",
    "PTR",
    "SMIMEA",
    "SOA",
    "SRV",
    "SSHFP",
    "SVCB",
    "TLSA",
    "TXT",
];

#[test]
fn decodes_what_we_encode() {
    let mut compared = 0;
    for case in CASES.lines() {
        let columns: Vec<_> = case.split('\t').collect();
        if !KNOWN.contains(&columns[0]) {
            continue;
        }
        let rtype: RecordType = columns[0].parse().unwrap();
        let wire = hex(columns[2]);
        let mut decoder = BinDecoder::new(&wire);
        let length = Restrict::new(u16::try_from(wire.len()).unwrap());
        let decoded = RData::read(&mut decoder, OracleType::from(rtype.0), length)
            .unwrap_or_else(|error| panic!("{case}: {error}"));
        assert!(!matches!(decoded, RData::Unknown { .. }), "{case}");
        assert!(decoder.is_empty(), "{case}");
        let mut again = Vec::new();
        let mut encoder = BinEncoder::new(&mut again);
        decoded.emit(&mut encoder).unwrap();
        assert_eq!(again, wire, "{case}");
        compared += 1;
    }
    assert!(compared >= KNOWN.len(), "{compared}");
}
