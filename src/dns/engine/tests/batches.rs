//! A batch gets the replies that its requests get one by one.

use std::fs;
use std::path::Path;

use loadtest::generate::{self, Parameters, Registry};
use proptest::prelude::*;
use zone_image::Name;

use super::asked::Zones;
use super::corpus::{ZONES, engines};
use super::parked;
use crate::dns::engine::{
    Action, DropReason, Engine, Job, Names, Request, Transport, UDP_BUFFER_BYTES,
};

/// Delegations of the large zone: name and NSEC3 trees get nodes, NS sets are shared.
const DOMAINS: u64 = 20_000;
/// Requests of the longest batch.
const REQUESTS_MAX: usize = 100;

/// Messages to choose from.
struct Pool {
    zones: Zones,
    messages: Vec<Vec<u8>>,
}

impl Pool {
    fn new() -> Self {
        let registry = Registry::new(Parameters {
            apex: Name::parse_absolute("registry.").unwrap(),
            domains: DOMAINS,
            seed: 3,
            queries: 1,
            exponent: 1.0,
            signed: true,
        })
        .unwrap();
        let directory = tempfile::tempdir().unwrap();
        let files = generate::write(&registry, directory.path()).unwrap();
        let text = fs::read_to_string(files.zone).unwrap();
        let plain = [ZONES[0], ZONES[1], ZONES[2], &text].map(|text| (text, None));
        let parking = (parked::ZONE, Some(parked::parking(true)));
        let zones = Zones::compile_parking(&[&plain[..], &[parking]].concat());
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/query");
        let mut messages: Vec<_> = fs::read_dir(corpus)
            .unwrap()
            .map(|file| fs::read(file.unwrap().path()).unwrap())
            .collect();
        let cut: Vec<_> = messages
            .iter()
            .map(|message| message[..message.len() / 2].to_vec())
            .collect();
        messages.extend(cut);
        let names = names(&registry).into_iter();
        let names = names.map(|name| format!("{name}registry."));
        let parked = [
            "a.park.",
            "x.a.park.",
            "y.x.D.PARK.",
            "to.park.",
            "own.park.",
        ];
        for name in names.chain(parked.map(str::to_owned)) {
            let name = Name::parse_absolute(&name).unwrap();
            for rtype in [1, 2, 6, 43, 50, 255] {
                for flags in [None, Some(0), Some(0x80)] {
                    messages.push(query(&name, rtype, flags));
                }
            }
        }
        Self { zones, messages }
    }
}

/// Labels before the apex: names that are there, below cuts, and not there.
fn names(registry: &Registry) -> Vec<String> {
    let mut names: Vec<_> = ["", "nic.", "a.nic.", "x.a.nic.", "x.nic.", "*."]
        .map(str::to_owned)
        .into();
    for index in 0..400 {
        let label = registry.domain(index * 37 % DOMAINS).label.to_owned();
        names.push(format!("{label}."));
        names.push(format!("www.{}.", label.to_uppercase()));
        names.push(format!("{label}-{index}."));
    }
    names
}

fn query(name: &Name, rtype: u16, edns_flags: Option<u8>) -> Vec<u8> {
    let additionals = u8::from(edns_flags.is_some());
    let mut message = vec![7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, additionals];
    message.extend_from_slice(name.as_wire());
    message.extend(rtype.to_be_bytes());
    message.extend([0, 1]);
    if let Some(flags) = edns_flags {
        message.extend([0, 0, 41, 0x04, 0xd0, 0, 0, flags, 0, 0, 0]);
    }
    message
}

/// What a batch makes of these messages; where `holes` has a bit, there is no job.
fn in_a_batch(
    engine: &Engine,
    pool: &Pool,
    requests: &[Request<'_>],
    holes: u128,
) -> Vec<Option<Vec<u8>>> {
    let mut outs = vec![0xee; requests.len() * UDP_BUFFER_BYTES];
    let buffers = outs.chunks_exact_mut(UDP_BUFFER_BYTES);
    let mut jobs: Vec<_> = requests
        .iter()
        .zip(buffers)
        .enumerate()
        .map(|(at, (request, out))| {
            (holes >> at & 1 == 0).then_some(Job {
                request: *request,
                out,
                action: Action::Drop(DropReason::Short),
            })
        })
        .collect();
    engine.answer_batch(pool.zones.generation(), &mut Names::default(), &mut jobs);
    jobs.iter()
        .map(|job| {
            let job = job.as_ref()?;
            Some(reply(job.action, job.out))
        })
        .collect()
}

/// An action and its reply as one value.
fn reply(action: Action, out: &[u8]) -> Vec<u8> {
    let octets = match action {
        Action::Reply { length, .. } => &out[..length],
        Action::Drop(_) => &[],
    };
    [format!("{action:?} ").as_bytes(), octets].concat()
}

proptest! {
    #[test]
    fn a_batch_gets_the_replies_that_its_requests_get_alone(
        picks in prop::collection::vec(any::<prop::sample::Index>(), 1..REQUESTS_MAX),
        holes in any::<u128>(),
        few_holes in any::<u128>(),
        which in 0usize..2,
        port in prop::sample::select(vec![0u16, 53, 5300]),
    ) {
        thread_local!(static POOL: Pool = Pool::new());
        // Rate limits count, so that each form needs an engine of its own.
        let (one, other) = (&engines()[which], &engines()[which]);
        POOL.with(|pool| {
            let requests: Vec<_> = picks
                .iter()
                .map(|pick| Request {
                    peer: ([192, 0, 2, 9], port).into(),
                    transport: Transport::Udp,
                    wire: pick.get(&pool.messages).as_slice(),
                    now: 1_700_000_000,
                })
                .collect();
            let holes = holes & few_holes;
            let together = in_a_batch(one, pool, &requests, holes);
            for (at, (request, together)) in requests.iter().zip(together).enumerate() {
                let alone = (holes >> at & 1 == 0).then(|| {
                    let mut out = vec![0xee; UDP_BUFFER_BYTES];
                    let action = other.answer(pool.zones.generation(), request, &mut out);
                    reply(action, &out)
                });
                assert_eq!(together, alone, "request {at}: {:02x?}", request.wire);
            }
        });
    }
}

#[test]
fn the_pool_has_every_kind_of_reply() {
    let pool = Pool::new();
    let mut seen = std::collections::BTreeSet::new();
    for wire in &pool.messages {
        let (action, _) = pool.zones.send(wire, Transport::Udp);
        if let Action::Reply { outcome, .. } = action {
            seen.insert(format!("{outcome:?}"));
        }
    }
    for kind in [
        "Answer", "NoData", "NxDomain", "Referral", "Refused", "FormErr",
    ] {
        assert!(seen.contains(kind), "no {kind} among {seen:?}");
    }
}
