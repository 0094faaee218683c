//! `meridian image`: looking into images without a server.

use std::collections::HashSet;
use std::convert::Infallible;
use std::path::PathBuf;

use anyhow::Context;
use serde_json::json;
use zone_compiler::{Record, RecordType, wire};
use zone_image::layout::Part;
use zone_image::{Generation, LookupName, Memory, Name, Zone};

use super::run::load;
use super::{Global, ImageArgs, ImageCommand, output};
use crate::dns::engine::{Action, Engine, Request, Transport};

/// The pseudo-record of EDNS.
const OPT: RecordType = RecordType(41);
/// Longest reply over TCP.
const MESSAGE_BYTES_MAX: usize = 65_535;

/// Runs one of the commands.
pub(super) fn run(command: &ImageCommand, global: &Global) -> anyhow::Result<()> {
    match command {
        ImageCommand::Info(args) => info(&open(args, global)?, global),
        ImageCommand::Verify(args) => verify(&open(args, global)?, global),
        ImageCommand::Dump { image, zone } => dump(&open(image, global)?, zone.as_deref()),
        ImageCommand::Query {
            image,
            name,
            rtype,
            dnssec,
        } => {
            let name = Name::parse_absolute(name).with_context(|| format!("bad name: {name}"))?;
            let rtype: RecordType = rtype
                .parse()
                .with_context(|| format!("bad type: {rtype}"))?;
            query(
                &open(image, global)?,
                &question(&name, rtype, *dnssec),
                global,
            )
        }
    }
}

/// Where the image is.
fn directory(args: &ImageArgs, global: &Global) -> anyhow::Result<PathBuf> {
    match &args.image {
        Some(directory) => Ok(directory.clone()),
        None => Ok(load(global)?.image.directory),
    }
}

/// Opens, and so verifies.
fn open(args: &ImageArgs, global: &Global) -> anyhow::Result<Generation> {
    let directory = directory(args, global)?;
    Generation::open(&directory, Memory::Mapped)
        .with_context(|| format!("cannot open image: {}", directory.display()))
}

fn verify(generation: &Generation, global: &Global) -> anyhow::Result<()> {
    // Opening has checked every digest, page and pointer already.
    if global.json {
        return output::json(&json!({ "number": generation.number(), "faults": [] }));
    }
    output::line(format_args!(
        "generation {}: {} segments, {} zones, {} octets, no faults",
        generation.number(),
        generation.segments_count(),
        generation.zones_count(),
        generation.bytes()
    ));
    Ok(())
}

fn info(generation: &Generation, global: &Global) -> anyhow::Result<()> {
    // Those of parked names are as many as these, and have all one content.
    let mut zones = generation.first_own_zones(usize::MAX, usize::MAX);
    zones.sort_by(|a, b| a.apex.cmp(&b.apex));
    let children = generation.zones_count() - zones.len() as u64;
    let delegations = zones.iter().map(|zone| zone.delegations).sum();
    if global.json {
        let zones: Vec<_> = zones
            .iter()
            .map(|zone| {
                json!({
                    "apex": zone.apex.to_string(),
                    "serial": zone.serial,
                    "event": zone.event,
                    "names": zone.names,
                    "delegations": zone.delegations,
                    "records": zone.records,
                    "shared-bodies": zone.shared_bodies,
                })
            })
            .collect();
        return output::json(&json!({
            "number": generation.number(),
            "event": generation.event(),
            "segments": generation.segments_count(),
            "bytes": generation.bytes(),
            "bytes-per-delegation": bytes_per_delegation(generation, delegations),
            "zones": zones,
            "child-zones": children,
        }));
    }
    output::line(format_args!("generation  {}", generation.number()));
    output::line(format_args!("event       {}", generation.event()));
    output::line(format_args!("segments    {}", generation.segments_count()));
    match bytes_per_delegation(generation, delegations) {
        Some(each) => output::line(format_args!(
            "octets      {}, {each:.1} a delegation",
            generation.bytes()
        )),
        None => output::line(format_args!("octets      {}", generation.bytes())),
    }
    if children > 0 {
        output::line(format_args!(
            "child zones {children} of parked names, not listed"
        ));
    }
    for zone in &zones {
        output::line(format_args!(
            "zone        {} serial {} at event {}: {} names, {} delegations, {} records",
            zone.apex, zone.serial, zone.event, zone.names, zone.delegations, zone.records
        ));
    }
    Ok(())
}

/// What a delegation takes of an image, everything of its zone included.
fn bytes_per_delegation(generation: &Generation, delegations: u64) -> Option<f64> {
    (delegations > 0).then(|| generation.bytes() as f64 / delegations as f64)
}

/// Prints every zone, or one, as a zone file.
fn dump(generation: &Generation, only: Option<&str>) -> anyhow::Result<()> {
    let only = only
        .map(Name::parse_absolute)
        .transpose()
        .context("bad --zone")?;
    let mut zones: Vec<_> = generation
        .zones()
        .into_iter()
        .map(|zone| zone.apex)
        .collect();
    zones.sort();
    if let Some(only) = only {
        zones.retain(|apex| *apex == only);
        anyhow::ensure!(
            !zones.is_empty(),
            "no zone {only} in the image; see `image info`"
        );
    }
    for apex in zones {
        let name = LookupName::parse(apex.as_wire())?;
        let zone = generation
            .find_zone(&name, name.labels())
            .with_context(|| format!("zone {apex} is not found in its own image"))?;
        dump_zone(zone);
    }
    Ok(())
}

/// Prints one zone, its SOA first, each address once.
fn dump_zone(zone: Zone<'_>) {
    let is_soa = |record: &Record| record.rtype == RecordType::SOA;
    let soa = wire::each_record(zone, &mut |_, record| {
        if is_soa(&record) { Err(record) } else { Ok(()) }
    });
    if let Err(soa) = soa {
        output::line(soa);
    }
    // An address can be a record of the zone, and glue of several delegations.
    let mut addresses = HashSet::new();
    let all: Result<(), Infallible> = wire::each_record(zone, &mut |part, record| {
        if part == Part::AddressSignatures {
            // They stand with the addresses too.
            return Ok(());
        }
        let line = record.to_string();
        let is_address = [RecordType::A, RecordType::AAAA].contains(&record.rtype);
        if !is_soa(&record) && (!is_address || addresses.insert(line.clone())) {
            output::line(line);
        }
        Ok(())
    });
    let Ok(()) = all;
}

/// A query for one name and type, with EDNS.
fn question(name: &Name, rtype: RecordType, dnssec: bool) -> Vec<u8> {
    let mut message = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    message.extend_from_slice(name.as_wire());
    message.extend_from_slice(&rtype.0.to_be_bytes());
    message.extend_from_slice(&[0, 1]);
    let flags = if dnssec { 0x80 } else { 0 };
    message.extend_from_slice(&[0, 0, 41, 0x10, 0, 0, 0, flags, 0, 0, 0]);
    message
}

/// Answers one question as the server would over TCP, and prints the reply.
fn query(generation: &Generation, wire: &[u8], global: &Global) -> anyhow::Result<()> {
    let request = Request {
        peer: ([127, 0, 0, 1], 53).into(),
        transport: Transport::Tcp,
        wire,
        now: crate::clock::unix_seconds(),
    };
    let mut out = vec![0; MESSAGE_BYTES_MAX];
    let Action::Reply { length, outcome } =
        Engine::default().answer(generation, &request, &mut out)
    else {
        anyhow::bail!("the engine leaves this question without a reply");
    };
    let reply = &out[..length];
    let sections = sections(reply).context("cannot read the engine's own reply")?;
    let authoritative = reply[2] & 4 != 0;
    if global.json {
        return output::json(&json!({
            "rcode": reply[3] & 15,
            "outcome": format!("{outcome:?}").to_lowercase(),
            "authoritative": authoritative,
            "octets": length,
            "answer": sections[0],
            "authority": sections[1],
            "additional": sections[2],
        }));
    }
    let aa = if authoritative { ", authoritative" } else { "" };
    output::line(format_args!(
        "; {outcome:?}, rcode {}{aa}, {length} octets",
        reply[3] & 15
    ));
    for (title, records) in ["answer", "authority", "additional"].iter().zip(&sections) {
        if !records.is_empty() {
            output::line(format_args!("; {title}"));
            records.iter().for_each(output::line);
        }
    }
    Ok(())
}

/// The records of a reply by section, as text, without the OPT.
fn sections(reply: &[u8]) -> Result<[Vec<String>; 3], wire::Malformed> {
    let sections = wire::read_sections(reply)?;
    let shown = |records: Vec<Record>| {
        records
            .iter()
            .filter(|record| record.rtype != OPT)
            .map(ToString::to_string)
            .collect()
    };
    Ok(sections.records.map(shown))
}
