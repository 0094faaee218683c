//! What the web pages are given of other parts: DNS's answers, and the forms of WHOIS and
//! RDAP.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use zone_compiler::wire::read_sections;
use zone_compiler::{Record, RecordType};
use zone_image::{Generation, LookupName, Name};

use crate::clock::unix_seconds;
use crate::dns::engine::{Action, Engine, Outcome, Request, Transport};
use crate::dns::generations::Generations;
use crate::lookup::{Lookups, QueryName, counters};
use crate::publish::Publisher;
use crate::web::{Answered, DnsSource, Form, FormSource, Served, ServedRecord, ServedZone};
use crate::{rdap, whois};

/// What is asked of each name, and shown in this order.
const TYPES: [RecordType; 4] = [
    RecordType::NS,
    RecordType::DS,
    RecordType::A,
    RecordType::AAAA,
];
/// Longest reply over TCP.
const REPLY_BYTES_MAX: usize = 65_535;
const CLASS_IN: u16 = 1;

/// Asks the engine in this process what it asks of a query over TCP, which is under no limit
/// of rates. No worker waits for it.
pub(in crate::app) fn dns(
    engine: Engine,
    generations: &Arc<Generations>,
    publisher: Option<&Publisher>,
) -> DnsSource {
    let (generations, published) = (Arc::clone(generations), publisher.map(Publisher::state));
    Box::new(move |name: &QueryName| {
        // Before the generation: no more is said to be served than is.
        let event = published.as_ref().map_or(0, |state| state.served_event());
        let generation = generations.current();
        let event = event.max(generation.event());
        let mut served = Served {
            generation: generation.number(),
            event,
            zone: None,
            answered: Answered::Failed,
            records: Vec::new(),
        };
        if let Ok(name) = Name::parse_absolute(&format!("{}.", name.ascii())) {
            ask(&engine, &generation, &name, &mut served);
        }
        served
    })
}

fn ask(engine: &Engine, generation: &Generation, name: &Name, served: &mut Served) {
    if let Ok(looked_up) = LookupName::parse(name.as_wire()) {
        let zone = generation.find_zone(&looked_up, looked_up.labels());
        served.zone = zone.map(|zone| ServedZone {
            apex: text(&zone.info().apex),
            serial: zone.serial(),
        });
    }
    let mut reply = vec![0; REPLY_BYTES_MAX];
    let (mut outcomes, mut records) = (Vec::new(), Vec::new());
    for rtype in TYPES {
        let request = Request {
            peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 53)),
            transport: Transport::Tcp,
            wire: &question(name, rtype),
            now: unix_seconds(),
        };
        let action = engine.answer(generation, &request, &mut reply);
        let Action::Reply { length, outcome } = action else {
            continue;
        };
        outcomes.push(outcome);
        if let Ok(sections) = read_sections(&reply[..length]) {
            records.extend(sections.records.into_iter().flatten());
        }
    }
    served.answered = answered(&outcomes);
    served.records = shown(records);
}

/// One question, all flags off.
fn question(name: &Name, rtype: RecordType) -> Vec<u8> {
    let mut wire = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    wire.extend_from_slice(name.as_wire());
    wire.extend_from_slice(&rtype.0.to_be_bytes());
    wire.extend_from_slice(&CLASS_IN.to_be_bytes());
    wire
}

/// What most is to be learned from: at a cut the parent itself answers for DS.
fn answered(outcomes: &[Outcome]) -> Answered {
    let known = [
        (Outcome::Referral, Answered::Referral),
        (Outcome::Answer, Answered::Answer),
        (Outcome::NoData, Answered::NoData),
        (Outcome::NxDomain, Answered::Missing),
        (Outcome::Refused, Answered::NotHere),
    ];
    let found = known.iter().find(|(outcome, _)| outcomes.contains(outcome));
    found.map_or(Answered::Failed, |(_, answered)| *answered)
}

/// Each once, in the order of their types.
fn shown(records: Vec<Record>) -> Vec<ServedRecord> {
    let place = |record: &Record| TYPES.iter().position(|rtype| *rtype == record.rtype);
    let placed = records.iter().filter_map(|record| {
        let data = zone_compiler::rdata::display(record.rtype, &record.rdata).to_string();
        Some((place(record)?, text(&record.owner), data, record.ttl))
    });
    let mut placed: Vec<_> = placed.collect();
    placed.sort();
    placed.dedup();
    let record = |(place, owner, data, ttl): (usize, String, String, u32)| ServedRecord {
        owner,
        ttl,
        rtype: TYPES[place].to_string(),
        data,
    };
    placed.into_iter().map(record).collect()
}

/// A name without its final dot.
fn text(name: &Name) -> String {
    let text = name.to_string();
    match text.strip_suffix('.') {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => text,
    }
}

/// What WHOIS says.
pub(super) fn whois_form(lookups: Arc<Lookups>, terms_url: String) -> FormSource {
    Box::new(move |line: String| {
        let (lookups, terms_url) = (Arc::clone(&lookups), terms_url.clone());
        Box::pin(async move {
            let (text, outcome) = whois::tell(&lookups, &line, &terms_url).await;
            Form { outcome, text }
        })
    })
}

/// What RDAP says, with its members one to a line.
pub(super) fn rdap_form(responder: rdap::Responder) -> FormSource {
    let responder = Arc::new(responder);
    Box::new(move |path: String| {
        let responder = Arc::clone(&responder);
        Box::pin(async move {
            let reply = responder.tell(&path).await;
            let value = serde_json::from_str::<serde_json::Value>(&reply.body);
            match value.and_then(|value| serde_json::to_string_pretty(&value)) {
                Ok(text) => Form {
                    outcome: reply.outcome,
                    text,
                },
                Err(_) => Form {
                    outcome: counters::Outcome::Failed,
                    text: String::new(),
                },
            }
        })
    })
}
