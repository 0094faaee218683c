//! `meridian image`: looking into images without a server.

use std::collections::HashSet;
use std::path::PathBuf;

use anyhow::Context;
use serde_json::json;
use zone_compiler::RecordType;
use zone_image::layout::Part;
use zone_image::{Bases, BodyRef, Entry, Generation, LookupName, Memory, Name, Zone};

use super::message::{self, HEADER_BYTES};
use super::run::load;
use super::{Global, ImageArgs, ImageCommand, output};
use crate::dns::engine::{Action, Engine, Request, Transport};

/// Longest message: where bodies are laid out for reading.
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
                &message::query(&name, rtype, *dnssec),
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
    let mut zones = generation.zones();
    zones.sort_by(|a, b| a.apex.cmp(&b.apex));
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
            "zones": zones,
        }));
    }
    output::line(format_args!("generation  {}", generation.number()));
    output::line(format_args!("event       {}", generation.event()));
    output::line(format_args!("segments    {}", generation.segments_count()));
    output::line(format_args!("octets      {}", generation.bytes()));
    for zone in &zones {
        output::line(format_args!(
            "zone        {} serial {} at event {}: {} names, {} delegations, {} records",
            zone.apex, zone.serial, zone.event, zone.names, zone.delegations, zone.records
        ));
    }
    Ok(())
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
        let name = lookup_name(&apex)?;
        let zone = generation
            .find_zone(&name, name.labels())
            .with_context(|| format!("zone {apex} is not found in its own image"))?;
        dump_zone(zone)?;
    }
    Ok(())
}

fn lookup_name(name: &Name) -> anyhow::Result<LookupName> {
    LookupName::parse(&message::query(name, RecordType::SOA, false))
        .with_context(|| format!("bad name: {name}"))
}

/// Prints one zone, its SOA first.
fn dump_zone(zone: Zone<'_>) -> anyhow::Result<()> {
    let mut dumper = Dumper {
        out: vec![0; MESSAGE_BYTES_MAX],
        glue: HashSet::new(),
    };
    let apex = zone.apex_entry();
    let is_soa = |body: &BodyRef<'_>| body.rtype() == RecordType::SOA.0;
    dumper.entry(&apex, zone, &is_soa)?;
    dumper.entry(&apex, zone, &|body| !is_soa(body))?;
    let mut result = Ok(());
    zone.each_entry(&mut |entry| {
        if result.is_ok() && !entry.relative_name().is_empty() {
            result = dumper.entry(&entry, zone, &|_| true);
        }
    });
    result
}

/// Lays bodies out as messages and prints their records.
struct Dumper {
    out: Vec<u8>,
    /// Glue that was printed: hosts that several delegations share have it in each.
    glue: HashSet<String>,
}

impl Dumper {
    fn entry(
        &mut self,
        entry: &Entry<'_>,
        zone: Zone<'_>,
        wanted: &dyn Fn(&BodyRef<'_>) -> bool,
    ) -> anyhow::Result<()> {
        let name = entry.name();
        let wire = name.as_wire();
        let start = HEADER_BYTES + wire.len();
        self.out[HEADER_BYTES..start].copy_from_slice(wire);
        let offset = |at: usize| u16::try_from(at).expect("a name is at most 255 octets");
        let mut bases = Bases {
            owner: offset(HEADER_BYTES),
            apex: offset(start - zone.apex().len()),
            lead: offset(start),
        };
        // Glue points into its NS body, so that body stays before it.
        let lead = entry.body(RecordType::NS.0, Part::Records);
        for body in entry.bodies().filter(|body| wanted(body)) {
            let is_glue = matches!(body.part(), Part::RequiredGlue | Part::SiblingGlue);
            let mut at = start;
            if let Some(lead) = lead.filter(|_| is_glue) {
                at = lead
                    .write(&mut self.out, start, bases)
                    .context("a body does not fit")?;
            }
            bases.lead = offset(start);
            let end = body
                .write(&mut self.out, at, bases)
                .context("a body does not fit")?;
            self.print(at, end, is_glue)
                .with_context(|| format!("cannot read records of {name}"))?;
        }
        Ok(())
    }

    fn print(&mut self, mut at: usize, end: usize, is_glue: bool) -> anyhow::Result<()> {
        while at < end {
            let (record, next) =
                message::record(&self.out[..end], at).context("a record that ends early")?;
            let line = record.to_string();
            if !is_glue || self.glue.insert(line.clone()) {
                output::line(line);
            }
            at = next;
        }
        Ok(())
    }
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

/// The records of a reply by section, without the OPT.
fn sections(reply: &[u8]) -> Option<[Vec<String>; 3]> {
    let mut at = HEADER_BYTES;
    for _ in 0..message::count(reply, 0) {
        at = message::name(reply, at)?.1 + 4;
    }
    let mut sections = [const { Vec::new() }; 3];
    for (number, records) in (1..).zip(&mut sections) {
        for _ in 0..message::count(reply, number) {
            let (record, next) = message::record(reply, at)?;
            if record.rtype.0 != message::OPT {
                records.push(record.to_string());
            }
            at = next;
        }
    }
    Some(sections)
}
