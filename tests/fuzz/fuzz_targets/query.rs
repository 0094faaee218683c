//! Any octets as a message over every transport: no panic, and one well-formed
//! reply or none, by an engine that does all it can and by one that does little.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use meridian::dns::engine::{Action, Engine, EngineConfig, Request, Transport};
use meridian::dns::rate::RateLimits;
use zone_image::{Generation, Memory};

#[path = "../checks/reply.rs"]
mod reply;
#[path = "../checks/subject.rs"]
mod subject;

struct Subject {
    generation: Generation,
    engines: [Engine; 2],
}

static SUBJECT: LazyLock<Subject> = LazyLock::new(|| {
    let directory = tempfile::tempdir().expect("a folder");
    subject::install(directory.path(), &subject::ZONES);
    let full = EngineConfig {
        rate_limits: Some(RateLimits {
            responses_per_second: 1,
            ..RateLimits::default()
        }),
        ..subject::full()
    };
    Subject {
        generation: Generation::open(directory.path(), Memory::Sealed).expect("a generation"),
        engines: [Engine::new(full), Engine::default()],
    }
});

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
