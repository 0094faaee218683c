//! Any octets as a message over every transport: no panic, and one well-formed
//! reply or none, by an engine that does all it can and by one that does little.
#![no_main]

use std::io::Cursor;
use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use meridian::dns::cookie::CookieSecrets;
use meridian::dns::engine::{Action, Engine, EngineConfig, Request, Transport};
use meridian::dns::rate::RateLimits;
use meridian::dns::secret::Secret;
use zone_compiler::zonefile::Reader;
use zone_compiler::{RecordList, compile};
use zone_image::writer::Installer;
use zone_image::{Generation, Memory, Name};

#[path = "../checks/reply.rs"]
mod reply;

const ZONES: [&str; 3] = [
    include_str!("../checks/plain.zone"),
    include_str!("../checks/nsec.zone"),
    include_str!("../checks/nsec3.zone"),
];

struct Subject {
    generation: Generation,
    engines: [Engine; 2],
}

static SUBJECT: LazyLock<Subject> = LazyLock::new(|| Subject {
    generation: generation(),
    engines: engines(),
});

fn generation() -> Generation {
    let directory = tempfile::tempdir().expect("a folder");
    let mut installer = Installer::replace(directory.path(), None).expect("an installer");
    for text in ZONES {
        let input = Box::new(Cursor::new(text.as_bytes()));
        let records = Reader::new(input, Path::new("fuzz.zone"), Some(Name::root()))
            .collect::<Result<Vec<_>, _>>()
            .expect("a zone file without faults");
        let apex = records[0].owner.clone();
        let mut source = RecordList::new(apex, 0, records);
        compile(&mut source, &mut installer, &|_| {}).expect("a zone without faults");
    }
    installer.commit().expect("an image");
    Generation::open(directory.path(), Memory::Sealed).expect("a generation")
}

fn engines() -> [Engine; 2] {
    let full = EngineConfig {
        version: "v".repeat(255),
        identity: "i".to_owned(),
        nsid: "n".repeat(255),
        report_channel: Some("report.test".parse().expect("a name")),
        cookie_secrets: CookieSecrets::one(Secret::new([1; 16])),
        rate_limits: Some(RateLimits {
            responses_per_second: 1,
            ..RateLimits::default()
        }),
        ..EngineConfig::default()
    };
    [Engine::new(full), Engine::default()]
}

fuzz_target!(|message: &[u8]| {
    let mut out = vec![0xaa; 65_535];
    for engine in &SUBJECT.engines {
        for (transport, most) in [
            (Transport::Udp, 1232),
            (Transport::Tcp, 65_535),
            (Transport::Tls, 65_535),
        ] {
            let request = Request {
                peer: ([192, 0, 2, 9], 5300).into(),
                transport,
                wire: message,
                now: 1_700_000_000,
            };
            if let Action::Reply { length, .. } =
                engine.answer(&SUBJECT.generation, &request, &mut out)
            {
                assert!(length >= 12);
                reply::check(message, &out[..length], most);
            }
        }
    }
});
