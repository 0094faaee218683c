//! Canary queries: what a new generation must answer before it is served.
//!
//! Goes through the same engine as any query. Asks each zone for its SOA, for a
//! delegation and for a name that is not there; a wrong answer refuses the image, so
//! that a defect of the compiler or of the engine stops here and not at a resolver.

mod signatures;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use zone_compiler::compile::change::Became;
use zone_image::{Generation, Lookup, LookupName, Name, Zone, ZoneInfo};

use crate::dns::engine::{Action, Engine, Outcome, Request, Transport};

pub use signatures::{SignedZone, check_signatures};

/// Zones that are asked; a catalog is in the order of keyed hashes, so that of more
/// zones these are as good as drawn.
const ZONES_MAX: usize = 1000;
/// Zones that are looked at for those: most may be child zones of parked names.
const LOOKED_MAX: usize = 20_000;
/// Changed names that are asked for.
const NAMES_MAX: usize = 64;
/// Longest reply over TCP.
const REPLY_BYTES_MAX: usize = 65_535;
/// A label that nobody registers; an image that has it anyway is asked for nothing.
const MISSING_LABEL: &[u8] = b"\x1cmeridian-canary--not-there-0";
const TYPE_A: u16 = 1;
const TYPE_SOA: u16 = 6;
const CLASS_IN: u16 = 1;
/// An OPT record with DO and the largest payload (RFC 6891 section 6.1.2).
const OPT_WITH_DO: [u8; 11] = [0, 0, 41, 0xff, 0xff, 0, 0, 0x80, 0, 0, 0];
/// AA in the third octet of a header (RFC 1035 section 4.1.1).
const AUTHORITATIVE: u8 = 0x04;

/// Asks; the text says which zone failed what.
pub fn check(engine: &Engine, generation: &Generation) -> Result<(), String> {
    let mut canary = Canary {
        engine,
        generation,
        reply: vec![0; REPLY_BYTES_MAX],
    };
    // Child zones of parked names would leave no room for others.
    for info in generation.first_own_zones(ZONES_MAX, LOOKED_MAX) {
        canary.ask_zone(&info)?;
    }
    Ok(())
}

/// Asks for zones that the registry names: [`check`] may have seen none of them.
pub fn check_zones(
    engine: &Engine,
    generation: &Generation,
    apexes: &[Name],
) -> Result<(), String> {
    let mut canary = Canary {
        engine,
        generation,
        reply: vec![0; REPLY_BYTES_MAX],
    };
    for zone in named_zones(generation, apexes) {
        canary.ask_zone(&zone.info())?;
    }
    Ok(())
}

/// An even choice of the zones that have these names, where an image has others as well.
fn named_zones<'g>(generation: &'g Generation, apexes: &[Name]) -> Vec<Zone<'g>> {
    if generation.zones_count() <= apexes.len() as u64 {
        return Vec::new();
    }
    let step = apexes.len().div_ceil(ZONES_MAX).max(1);
    let chosen = apexes.iter().step_by(step);
    chosen
        .filter_map(|apex| generation.zone(apex.as_wire()))
        .collect()
}

/// Asks for names that changed: what the compiler says they became must be answered.
pub fn check_names(
    engine: &Engine,
    generation: &Generation,
    names: &BTreeMap<Name, Became>,
) -> Result<(), String> {
    let mut canary = Canary {
        engine,
        generation,
        reply: vec![0; REPLY_BYTES_MAX],
    };
    // An even choice over all of them.
    let step = names.len().div_ceil(NAMES_MAX).max(1);
    for (name, became) in names.iter().step_by(step) {
        canary
            .changed(name, *became)
            .map_err(|fault| format!("{name}: {fault}"))?;
    }
    Ok(())
}

struct Canary<'g> {
    engine: &'g Engine,
    generation: &'g Generation,
    reply: Vec<u8>,
}

impl Canary<'_> {
    fn ask_zone(&mut self, info: &ZoneInfo) -> Result<(), String> {
        let question = lookup_name(info.apex.as_wire())?;
        let zone = self.generation.find_zone(&question, question.labels());
        let zone = zone
            .filter(|zone| *zone.apex() == *question.suffix(question.labels()))
            .ok_or_else(|| format!("zone {}: not found by its own apex", info.apex))?;
        self.zone(zone, &info.apex, info.serial)
            .map_err(|fault| format!("zone {}: {fault}", info.apex))
    }

    fn zone(&mut self, zone: Zone<'_>, apex: &Name, serial: u32) -> Result<(), String> {
        let (outcome, reply) = self.ask(apex.as_wire(), TYPE_SOA)?;
        let is_right = outcome == Outcome::Answer && is_authoritative(reply);
        if !is_right || answered_serial(reply) != Some(serial) {
            return Err(format!("SOA with serial {serial} is not answered"));
        }
        if let Some(delegation) = zone.any_delegation() {
            let owner = delegation.name();
            // Below a zone of its own the parent's cut is never met.
            if self.is_answered_by(zone, owner.as_wire())? {
                let (outcome, reply) = self.ask(owner.as_wire(), TYPE_A)?;
                let is_right = match delegation.is_parked() {
                    true => is_parked(outcome) && is_authoritative(reply),
                    false => outcome == Outcome::Referral && !is_authoritative(reply),
                };
                if !is_right {
                    return Err(format!("{owner} A: {outcome:?}, not as of its cut"));
                }
            }
        }
        self.missing_name(zone)
    }

    fn missing_name(&mut self, zone: Zone<'_>) -> Result<(), String> {
        let wire = [MISSING_LABEL, zone.apex()].concat();
        // An apex of nearly 255 octets leaves no room for it.
        let Ok(name) = LookupName::parse(&wire) else {
            return Ok(());
        };
        if !self.is_answered_by(zone, &wire)? {
            return Ok(());
        }
        let expected = match zone.lookup(&name) {
            Lookup::Missing { .. } => [Outcome::NxDomain, Outcome::NxDomain],
            Lookup::Wildcard { .. } => [Outcome::Answer, Outcome::NoData],
            _ => return Ok(()),
        };
        let (outcome, reply) = self.ask(&wire, TYPE_A)?;
        if !expected.contains(&outcome) || !is_authoritative(reply) {
            return Err(format!("a name that is not there: {outcome:?}"));
        }
        Ok(())
    }

    fn changed(&mut self, name: &Name, became: Became) -> Result<(), String> {
        let question = lookup_name(name.as_wire())?;
        let zone = self.generation.find_zone(&question, question.labels());
        let zone = zone.ok_or("in no zone")?;
        let entry = zone.find(question.suffix(question.labels()));
        let (outcome, reply) = self.ask(name.as_wire(), TYPE_A)?;
        let is_authoritative = is_authoritative(reply);
        let is_right = match became {
            Became::Delegation => outcome == Outcome::Referral && !is_authoritative,
            Became::Parked => is_parked(outcome) && is_authoritative,
            Became::Other => outcome != Outcome::NxDomain && outcome != Outcome::Referral,
            // A cut above it, a wildcard, or nothing may answer for it now.
            Became::Gone => entry.is_none() && outcome != Outcome::ServFail,
        };
        // Where a zone of its own begins, it answers.
        if is_right || zone.apex() == question.suffix(question.labels()) {
            return Ok(());
        }
        Err(format!(
            "became {became:?} and is answered with {outcome:?}"
        ))
    }

    fn is_answered_by(&self, zone: Zone<'_>, wire: &[u8]) -> Result<bool, String> {
        let name = lookup_name(wire)?;
        let found = self.generation.find_zone(&name, name.labels());
        Ok(found.is_some_and(|found| found.apex() == zone.apex()))
    }

    fn ask(&mut self, name: &[u8], qtype: u16) -> Result<(Outcome, &[u8]), String> {
        self.ask_with(name, qtype, false)
    }

    /// `dnssec_ok` asks for signatures (RFC 3225).
    fn ask_with(
        &mut self,
        name: &[u8],
        qtype: u16,
        dnssec_ok: bool,
    ) -> Result<(Outcome, &[u8]), String> {
        // One question, all flags off.
        let mut wire = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(dnssec_ok)];
        wire.extend_from_slice(name);
        wire.extend_from_slice(&qtype.to_be_bytes());
        wire.extend_from_slice(&CLASS_IN.to_be_bytes());
        if dnssec_ok {
            wire.extend_from_slice(&OPT_WITH_DO);
        }
        let request = Request {
            peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 53)),
            transport: Transport::Tcp,
            wire: &wire,
            now: 0,
        };
        let action = self
            .engine
            .answer(self.generation, &request, &mut self.reply);
        match action {
            Action::Reply { length, outcome } => Ok((outcome, &self.reply[..length])),
            Action::Drop(reason) => Err(format!("a query is dropped: {reason:?}")),
        }
    }
}

fn lookup_name(wire: &[u8]) -> Result<LookupName, String> {
    LookupName::parse(wire).map_err(|error| error.to_string())
}

fn is_authoritative(reply: &[u8]) -> bool {
    reply.get(2).is_some_and(|flags| flags & AUTHORITATIVE != 0)
}

/// Whether a parked name is answered so: it exists, whatever it has.
fn is_parked(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Answer | Outcome::NoData)
}

/// The serial of the SOA that is the first record of the answer section.
fn answered_serial(reply: &[u8]) -> Option<u32> {
    let answers = u16::from_be_bytes([*reply.get(6)?, *reply.get(7)?]);
    let question = after_name(reply, 12)? + 4;
    let fixed = after_name(reply, question)?;
    let head = reply.get(fixed..fixed + 10)?;
    let length = usize::from(u16::from_be_bytes([head[8], head[9]]));
    let rdata = reply.get(fixed + 10..fixed + 10 + length)?;
    let is_soa = answers > 0 && head[..2] == TYPE_SOA.to_be_bytes();
    // Five numbers end the RDATA (RFC 1035 section 3.3.13); the serial is the first.
    let numbers = rdata.last_chunk::<20>().filter(|_| is_soa)?;
    numbers
        .first_chunk()
        .map(|serial| u32::from_be_bytes(*serial))
}

/// Where a name that may end in a pointer ends.
fn after_name(message: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            0xc0.. => return Some(at + 2),
            length => at += 1 + usize::from(length),
        }
    }
}

#[cfg(test)]
mod tests;
