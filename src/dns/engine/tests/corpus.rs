//! The corpus of the fuzz target `query`, with what the target checks.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::asked::Zones;
use crate::dns::cookie::CookieSecrets;
use crate::dns::engine::{Engine, EngineConfig, Request, Transport};
use crate::dns::rate::RateLimits;
use crate::dns::secret::Secret;

#[path = "../../../../tests/fuzz/checks/reply.rs"]
mod reply;

pub(super) const ZONES: [&str; 3] = [
    include_str!("../../../../tests/fuzz/checks/plain.zone"),
    include_str!("../../../../tests/fuzz/checks/nsec.zone"),
    include_str!("../../../../tests/fuzz/checks/nsec3.zone"),
];

/// An engine that does all it can, and one that does as little.
pub(super) fn engines() -> [Engine; 2] {
    let full = EngineConfig {
        version: "v".repeat(255),
        identity: "i".to_owned(),
        nsid: "n".repeat(255),
        report_channel: Some("report.test".parse().unwrap()),
        cookie_secrets: CookieSecrets::one(Secret::new([1; 16])),
        rate_limits: Some(RateLimits {
            responses_per_second: 1,
            ..RateLimits::default()
        }),
        ..EngineConfig::default()
    };
    [Engine::new(full), Engine::default()]
}

/// Whether hickory-proto is to read the replies: it refuses a few names that we echo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Oracle {
    Hickory,
    None,
}

/// Sends a message in every way; gives the number of replies.
fn check(zones: &Zones, engines: &[Engine], message: &[u8], oracle: Oracle) -> usize {
    let mut replies = 0;
    for engine in engines {
        for (transport, most) in [
            (Transport::Udp, 1232),
            (Transport::Tcp, 65_535),
            (Transport::Tls, 65_535),
        ] {
            let request = Request {
                peer: "192.0.2.9:5300".parse().unwrap(),
                transport,
                wire: message,
                now: 1_700_000_000,
            };
            let (_, found) = zones.send_to(engine, &request);
            reply::check(message, &found, most);
            if oracle == Oracle::Hickory && !found.is_empty() {
                let read = hickory_proto::op::Message::from_vec(&found);
                assert!(read.is_ok(), "{read:?} in {found:02x?}");
            }
            replies += usize::from(!found.is_empty());
        }
    }
    replies
}

#[test]
fn the_fuzz_corpus_as_a_plain_test() {
    let zones = Zones::compile(&ZONES);
    let engines = engines();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/query");
    let mut replies = 0;
    for file in fs::read_dir(corpus).unwrap() {
        let message = fs::read(file.unwrap().path()).unwrap();
        replies += check(&zones, &engines, &message, Oracle::None);
        // Each way to cut it short as well.
        for length in 0..message.len() {
            check(&zones, &engines, &message[..length], Oracle::None);
        }
    }
    assert!(replies > 200, "{replies}");
}

proptest! {
    /// Any message with a bit of sense gets one well-formed reply or none.
    #[test]
    fn any_message_gets_a_well_formed_reply_or_none(
        head in prop::array::uniform4(any::<u8>()),
        name in prop::sample::select(vec![
            &b"\x07example\x00"[..], b"\x03ns1\x07example\x00", b"\x01x\x03cut\x07example\x00",
            b"\x05alias\x07example\x00", b"\x04loop\x07example\x00", b"\x01x\x05moved\x07example\x00",
            b"\x01q\x04wild\x07example\x00", b"\x00", b"\x07version\x04bind\x00", b"\xc0\x0c",
            b"\x01x\x02no\x04nsec\x00", b"\x01x\x02no\x05nsec3\x00", b"\x01x\x07sibling\x05nsec3\x00",
            b"\x01q\x04wild\x05nsec3\x00", b"\x01c\x05nsec3\x00",
        ]),
        rtype in prop::sample::select(vec![1u16, 2, 5, 6, 15, 16, 39, 43, 46, 47, 128, 251, 255]),
        class in prop::sample::select(vec![1u16, 1, 1, 3, 255, 4]),
        size in any::<u16>(),
        flags in any::<u32>(),
        options in prop::collection::vec(
            (0u16..20, prop::collection::vec(any::<u8>(), 0..41)), 0..6
        ),
        counts in prop::sample::select(vec![[1u8, 0, 0, 1], [1, 0, 0, 0], [0, 0, 0, 1], [1, 0, 1, 1], [2, 0, 0, 1]]),
    ) {
        thread_local!(static ASKED: (Zones, [Engine; 2]) = (Zones::compile(&ZONES), engines()));
        let mut message = vec![head[0], head[1], head[2] & 0x7f, head[3]];
        if head[0] > 16 {
            message[2] &= 0x07;
        }
        message.extend(counts.iter().flat_map(|count| [0, *count]));
        message.extend_from_slice(name);
        message.extend(rtype.to_be_bytes());
        message.extend(class.to_be_bytes());
        message.extend([0, 0, 41]);
        message.extend(size.to_be_bytes());
        message.extend((flags & if head[1] > 16 { 0xff00_ffff } else { u32::MAX }).to_be_bytes());
        let mut rdata = Vec::new();
        for (code, data) in &options {
            rdata.extend(code.to_be_bytes());
            rdata.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
            rdata.extend_from_slice(data);
        }
        message.extend(u16::try_from(rdata.len()).unwrap().to_be_bytes());
        message.extend(rdata);
        ASKED.with(|(zones, engines)| check(zones, engines, &message, Oracle::Hickory));
    }

    /// Any octets at all, and a whole query with some octets changed and its end cut off.
    #[test]
    fn any_octets_get_a_well_formed_reply_or_none(
        random in prop::collection::vec(any::<u8>(), 0..600),
        at in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        length in any::<prop::sample::Index>(),
    ) {
        thread_local!(static ASKED: (Zones, [Engine; 2]) = (Zones::compile(&ZONES), engines()));
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/query");
        thread_local!(static CORPUS: std::cell::OnceCell<Vec<Vec<u8>>> = const { std::cell::OnceCell::new() });
        let mut message = CORPUS.with(|files| {
            let files = files.get_or_init(|| {
                let mut files: Vec<_> = fs::read_dir(&corpus)
                    .unwrap()
                    .map(|file| file.unwrap().path())
                    .collect();
                files.sort();
                files.iter().map(|file| fs::read(file).unwrap()).collect()
            });
            at.get(files).clone()
        });
        for (index, value) in edits {
            if !message.is_empty() {
                let at = index.index(message.len());
                message[at] = value;
            }
        }
        message.truncate(length.index(message.len() + 1).max(message.len() / 2));
        ASKED.with(|(zones, engines)| {
            check(zones, engines, &message, Oracle::None);
            check(zones, engines, &random, Oracle::None);
        });
    }
}
