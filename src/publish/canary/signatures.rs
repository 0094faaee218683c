//! Canary signatures: what a zone that is signed here answers must validate, now and
//! for as long as its policy promises.
//!
//! Asks the engine with DO for DNSKEY and SOA of the zone and for the DS of changed
//! names, which are secure delegations, proofs that there is no DS, or proofs that there
//! is no such name; of a parked name that is signed its own zone is asked. Every RRset of
//! these replies that is signed is read back from the octets that would be sent and
//! checked as a validator does (RFC 4035 section 5.3), by the DNSKEY that is served: not
//! by anything that the signer knows.

use std::collections::BTreeMap;

use zone_compiler::compile::change::Became;
use zone_compiler::sign::{Algorithm, Dnskey, RrsigFields, SignableRrset, Signing, verify_rrsig};
use zone_compiler::wire::read_sections;
use zone_compiler::{Record, RecordType};
use zone_image::{Generation, Name};

use super::{Canary, REPLY_BYTES_MAX};
use crate::dns::engine::Engine;

/// Changed names that are asked for: each takes some signatures.
const NAMES_MAX: usize = 8;
const TYPE_SOA: u16 = 6;
const TYPE_DS: u16 = 43;
const TYPE_DNSKEY: u16 = 48;

/// A zone that was signed by this build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedZone {
    /// Its apex.
    pub apex: Name,
    /// What must be left at least of signatures that were looked at.
    pub seconds_left_min: u32,
    /// Algorithms and tags of keys whose signatures are made on another machine: what is
    /// left of those is whatever was brought along, and the keeper of keys says when it
    /// gets little. To stop publishing would only make it worse.
    pub made_elsewhere: Vec<(u8, u16)>,
}

impl SignedZone {
    /// Signatures have more than the refresh left when they are made or kept; half of it
    /// leaves time for a long compile.
    pub fn new(apex: &Name, signing: &Signing) -> Self {
        let elsewhere = signing.keys().iter().filter(|key| key.signer.is_none());
        let by = elsewhere.map(|key| (key.dnskey.algorithm.number(), key.key_tag()));
        Self {
            apex: apex.clone(),
            seconds_left_min: signing.policy().refresh_seconds / 2,
            made_elsewhere: by.collect(),
        }
    }
}

/// Asks these zones; the text says what does not validate.
pub fn check_signatures(
    engine: &Engine,
    generation: &Generation,
    zones: &[SignedZone],
    names: &BTreeMap<Name, Became>,
    now_seconds: u64,
) -> Result<(), String> {
    let mut canary = Canary {
        engine,
        generation,
        reply: vec![0; REPLY_BYTES_MAX],
    };
    for zone in zones {
        let mut validator = Validator {
            zone,
            keys: Vec::new(),
            now_seconds,
        };
        validator
            .zone(&mut canary, names)
            .map_err(|fault| format!("zone {}: {fault}", zone.apex))?;
    }
    Ok(())
}

struct Validator<'z> {
    zone: &'z SignedZone,
    keys: Vec<Dnskey>,
    now_seconds: u64,
}

impl Validator<'_> {
    fn zone(
        &mut self,
        canary: &mut Canary<'_>,
        names: &BTreeMap<Name, Became>,
    ) -> Result<(), String> {
        let apex = &self.zone.apex;
        self.read_keys(canary)?;
        self.validate(canary, apex, TYPE_SOA)?;
        let zone = canary.generation.zone(apex.as_wire());
        let zone = zone.ok_or("not found by its apex")?;
        let (mut own, mut children) = (Vec::new(), Vec::new());
        for name in names.keys().filter(|name| name.is_below(apex)) {
            // Below a zone of its own another one answers.
            let child = canary.generation.zone(name.as_wire());
            if canary.is_answered_by(zone, name.as_wire())? {
                own.push(name);
            } else if child.is_some_and(|child| canary.generation.is_child(child)) {
                children.push(name);
            }
        }
        let step = children.len().div_ceil(NAMES_MAX).max(1);
        for name in children.into_iter().step_by(step) {
            self.child(canary, name)?;
        }
        let step = own.len().div_ceil(NAMES_MAX).max(1);
        for name in own.into_iter().step_by(step) {
            self.validate(canary, name, TYPE_DS)?;
        }
        Ok(())
    }

    /// The child zone of a parked name, which was signed with its parent.
    fn child(&self, canary: &mut Canary<'_>, name: &Name) -> Result<(), String> {
        let zone = SignedZone {
            apex: name.clone(),
            seconds_left_min: self.zone.seconds_left_min,
            made_elsewhere: Vec::new(),
        };
        let mut child = Validator {
            zone: &zone,
            keys: Vec::new(),
            now_seconds: self.now_seconds,
        };
        child.read_keys(canary)?;
        child.validate(canary, name, TYPE_SOA)
    }

    fn read_keys(&mut self, canary: &mut Canary<'_>) -> Result<(), String> {
        let apex = &self.zone.apex;
        let [answers, ..] = sections(canary, apex, TYPE_DNSKEY)?;
        let of_type = answers
            .iter()
            .filter(|record| record.rtype.0 == TYPE_DNSKEY);
        self.keys = of_type
            .filter_map(|record| read_key(&record.rdata))
            .collect();
        if self.keys.is_empty() {
            return Err("DNSKEY is not answered".to_owned());
        }
        let checked = self.section(&answers)?;
        if checked == 0 {
            return Err("no signature over DNSKEY by a key that is served".to_owned());
        }
        Ok(())
    }

    /// Every signed RRset of a reply, of which there must be one.
    fn validate(&self, canary: &mut Canary<'_>, name: &Name, qtype: u16) -> Result<(), String> {
        let [answers, authority, _] = sections(canary, name, qtype)?;
        let checked = self.section(&answers)? + self.section(&authority)?;
        if checked == 0 {
            let rtype = RecordType(qtype);
            return Err(format!(
                "{name} {rtype}: nothing that is answered validates"
            ));
        }
        Ok(())
    }

    /// Checks the signatures of a section; says how many.
    fn section(&self, records: &[Record]) -> Result<usize, String> {
        let mut checked = 0;
        for record in records
            .iter()
            .filter(|record| record.rtype == RecordType::RRSIG)
        {
            let Some(fields) = RrsigFields::parse(&record.rdata) else {
                return Err(format!("{}: an RRSIG is cut off", record.owner));
            };
            let by = (fields.algorithm, fields.key_tag);
            let key = self
                .keys
                .iter()
                .find(|key| (key.algorithm.number(), key.key_tag()) == by);
            // A key that is not published yet may sign already (RFC 6781 section 4.1.4).
            let Some(key) = key else { continue };
            let covered =
                |other: &&Record| other.rtype == fields.rtype && other.owner == record.owner;
            let rdata: Vec<&[u8]> = records
                .iter()
                .filter(covered)
                .map(|record| &*record.rdata)
                .collect();
            let owner = record.owner.to_lowercase();
            let rrset = SignableRrset {
                owner: owner.as_wire(),
                rtype: fields.rtype,
                ttl: fields.original_ttl,
                rdata: &rdata,
            };
            let said = |fault: String| format!("{owner} {}: {fault}", fields.rtype);
            let apex = self.zone.apex.as_wire();
            verify_rrsig(apex, key, &rrset, &record.rdata, self.now_seconds)
                .map_err(|error| said(error.to_string()))?;
            let left = fields.seconds_left(self.now_seconds);
            // Proofs may be of names that this build did not look at.
            let is_looked_at = !matches!(fields.rtype, RecordType::NSEC | RecordType::NSEC3)
                && !self.zone.made_elsewhere.contains(&by);
            if is_looked_at && left < i64::from(self.zone.seconds_left_min) {
                let least = self.zone.seconds_left_min;
                return Err(said(format!("{left} s are left of its RRSIG, not {least}")));
            }
            checked += 1;
        }
        Ok(checked)
    }
}

fn sections(canary: &mut Canary<'_>, name: &Name, qtype: u16) -> Result<[Vec<Record>; 3], String> {
    let (_, reply) = canary.ask_with(name.as_wire(), qtype, true)?;
    let sections = read_sections(reply).map_err(|error| error.to_string())?;
    Ok(sections.records)
}

/// A DNSKEY from its RDATA (RFC 4034 section 2.1); none of an algorithm that is not ours.
fn read_key(rdata: &[u8]) -> Option<Dnskey> {
    let (&[high, low, 3, algorithm], public_key) = rdata.split_first_chunk::<4>()? else {
        return None;
    };
    Some(Dnskey {
        flags: u16::from_be_bytes([high, low]),
        algorithm: Algorithm::from_number(algorithm).ok()?,
        public_key: public_key.into(),
    })
}

#[cfg(test)]
mod tests;
