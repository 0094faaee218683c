//! The first pass over a zone file: its SOA, its cuts, the hosts that they name.
//!
//! Memory: about 100 octets a domain and a host. What the second pass has to know
//! about the database (ids, hosts of other zones) is kept in the same maps.

use std::collections::HashMap;
use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;
use zone_compiler::{Record, RecordType};
use zone_image::Name;
use zone_image::name::wire_length;

use super::super::error::RegistryError;
use super::super::names::{stored, suffix};
use super::super::progress::{Meter, Phase, ProgressSink};
use super::{ImportOptions, Input, lower_key};

/// Stands for "no such RRset": no TTL is that long (RFC 2181 section 8).
const NO_TTL: u32 = u32::MAX;

/// A name with NS below the apex.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    ns_ttl: u32,
    ds_ttl: u32,
    /// Id of the domain once it is written; 0 before.
    pub(super) id: i64,
}

impl Cut {
    pub(super) fn ns_ttl(self) -> i64 {
        self.ns_ttl.into()
    }

    pub(super) fn ds_ttl(self) -> Option<i64> {
        (self.ds_ttl != NO_TTL).then_some(self.ds_ttl.into())
    }
}

/// A host that NS records name, or that has addresses below a cut.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Host {
    /// Whether an NS record of the zone names it.
    pub(super) is_target: bool,
    /// Whether another zone keeps its addresses.
    pub(super) is_elsewhere: bool,
    /// Whether the database has all there is to say about it.
    pub(super) is_written: bool,
    /// Id of the host object once there is one; 0 before.
    pub(super) id: i64,
}

/// SOA fields (RFC 1035 section 3.3.13) in the form of the registry's columns.
#[derive(Debug, Clone, Default)]
pub(super) struct Soa {
    pub(super) mname: String,
    pub(super) rname: String,
    /// Serial, refresh, retry, expire, minimum.
    pub(super) numbers: [u32; 5],
    pub(super) ttl: u32,
}

/// What the first pass found.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) apex: Name,
    pub(super) soa: Soa,
    pub(super) cuts: HashMap<Box<[u8]>, Cut>,
    pub(super) hosts: HashMap<Box<[u8]>, Host>,
    /// Entries of the file, bad ones included.
    pub(super) records: u64,
    /// Addresses, which bound the hosts that no NS record names.
    pub(super) addresses: u64,
    /// Digest of all records, to know the file again.
    pub(super) fingerprint: i64,
    pub(super) ttl_conflicts: u64,
    /// The most usual TTLs: the zone's defaults.
    pub(super) ns_ttl: Majority,
    pub(super) ds_ttl: Majority,
    pub(super) glue_ttl: Majority,
    apex_key: Box<[u8]>,
}

/// Boyer and Moore's vote: the value of more than half of all, if there is one,
/// else one of the frequent ones.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Majority {
    value: u32,
    lead: u64,
    votes: u64,
}

impl Majority {
    fn vote(&mut self, value: u32) {
        self.votes += 1;
        if self.lead == 0 {
            self.value = value;
        }
        if self.value == value {
            self.lead += 1;
        } else {
            self.lead -= 1;
        }
    }

    /// The winner, or `default` if nobody voted.
    pub(super) fn or(self, default: u32) -> i64 {
        (if self.votes == 0 { default } else { self.value }).into()
    }
}

impl Survey {
    pub(super) fn of_file(
        options: &ImportOptions,
        progress: ProgressSink<'_>,
    ) -> Result<Self, RegistryError> {
        let mut scan = Scan::default();
        let mut input = Input::open(options)?;
        let mut meter = Meter::start(progress, Phase::Scan, Some(input.bytes_total));
        while let Some(read) = input.next()? {
            scan.entry(read.as_ref().ok());
            meter.step(input.bytes());
        }
        meter.report(input.bytes());
        let hidden_targets = scan.forget_hidden_cuts();
        let mut survey = scan.finish(options)?;
        if hidden_targets {
            survey.take_targets_again(options)?;
        }
        Ok(survey)
    }

    pub(super) fn apex_key(&self) -> &[u8] {
        &self.apex_key
    }

    /// Whether a name is at or below the apex.
    pub(super) fn is_in_zone(&self, owner: &[u8]) -> bool {
        is_at_or_below(owner, &self.apex_key)
    }

    /// The cut nearest the apex at or above a name of the zone: how many labels
    /// it is above the name.
    pub(super) fn cut_above(&self, owner: &[u8]) -> Option<usize> {
        let depth = labels(owner) - labels(&self.apex_key);
        (0..depth)
            .rev()
            .find(|above| self.cuts.contains_key(suffix(owner, *above)))
    }

    pub(super) fn host(&self, name: &[u8]) -> Option<&Host> {
        self.hosts.get(name)
    }

    /// NS records that will be rejected must not make hosts published: where the
    /// file has some, only the targets of good ones are taken, by another pass.
    fn take_targets_again(&mut self, options: &ImportOptions) -> Result<(), RegistryError> {
        self.hosts.clear();
        let mut input = Input::open(options)?;
        let mut key = Vec::new();
        while let Some(read) = input.next()? {
            let Ok(record) = read else { continue };
            lower_key(&record.owner, &mut key);
            let is_good = self.is_in_zone(&key)
                && (key == self.apex_key() || matches!(self.cut_above(&key), None | Some(0)));
            if record.rtype == RecordType::NS && is_good {
                take_target(&mut self.hosts, &record);
            }
        }
        Ok(())
    }
}

/// The first pass under way.
struct Scan {
    soa: Option<(Name, Soa)>,
    cuts: HashMap<Box<[u8]>, Cut>,
    hosts: HashMap<Box<[u8]>, Host>,
    records: u64,
    addresses: u64,
    digest: SipHasher13,
    ttl_conflicts: u64,
    ns_ttl: Majority,
    ds_ttl: Majority,
    glue_ttl: Majority,
    key: Vec<u8>,
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            soa: None,
            cuts: HashMap::new(),
            hosts: HashMap::new(),
            records: 0,
            addresses: 0,
            // Fixed keys: the digest is stored, and it guards against mistakes only.
            digest: SipHasher13::new_with_keys(0, 0),
            ttl_conflicts: 0,
            ns_ttl: Majority::default(),
            ds_ttl: Majority::default(),
            glue_ttl: Majority::default(),
            key: Vec::new(),
        }
    }
}

impl Scan {
    fn entry(&mut self, record: Option<&Record>) {
        self.records += 1;
        let Some(record) = record else {
            self.digest.write_u8(0xff);
            return;
        };
        lower_key(&record.owner, &mut self.key);
        self.digest.write(&self.key);
        self.digest.write_u16(record.rtype.0);
        self.digest.write_u32(record.ttl);
        self.digest.write(&record.rdata);
        match record.rtype {
            RecordType::SOA if self.soa.is_none() => {
                self.soa = soa(record).map(|soa| (record.owner.clone(), soa));
            }
            RecordType::NS => {
                take_target(&mut self.hosts, record);
                // RFC 4592 section 4.2: NS at a wildcard delegate nothing; they are
                // kept as data and left to the compiler's judgement.
                if !record.owner.is_wildcard() {
                    self.ns_ttl.vote(record.ttl);
                    self.cut(|cut| &mut cut.ns_ttl, record.ttl);
                }
            }
            RecordType::DS => {
                self.ds_ttl.vote(record.ttl);
                self.cut(|cut| &mut cut.ds_ttl, record.ttl);
            }
            RecordType::A | RecordType::AAAA => {
                self.addresses += 1;
                self.glue_ttl.vote(record.ttl);
            }
            _ => {}
        }
    }

    /// RFC 2181 section 5.2: TTLs within an RRset must not differ; the lowest wins.
    fn cut(&mut self, field: impl Fn(&mut Cut) -> &mut u32, ttl: u32) {
        if !self.cuts.contains_key(self.key.as_slice()) {
            let none = Cut {
                ns_ttl: NO_TTL,
                ds_ttl: NO_TTL,
                id: 0,
            };
            self.cuts.insert(self.key.as_slice().into(), none);
        }
        let cut = self.cuts.get_mut(self.key.as_slice());
        let known = field(cut.expect("just made sure"));
        if *known != NO_TTL && *known != ttl {
            self.ttl_conflicts += 1;
        }
        *known = ttl.min(*known);
    }

    /// Keeps the cuts that delegate: those with NS, in the zone, below the apex, and
    /// not below another cut. Says whether there were NS elsewhere.
    fn forget_hidden_cuts(&mut self) -> bool {
        let Some((apex, _)) = &self.soa else {
            return false;
        };
        let apex = apex.to_lowercase();
        let apex = apex.as_wire();
        let depth_of_apex = labels(apex);
        self.cuts
            .retain(|name, cut| cut.ns_ttl != NO_TTL && name.as_ref() != apex);
        let is_hidden = |name: &[u8]| {
            !is_at_or_below(name, apex)
                || (1..labels(name) - depth_of_apex)
                    .any(|above| self.cuts.contains_key(suffix(name, above)))
        };
        let hidden: Vec<_> = self
            .cuts
            .keys()
            .filter(|name| is_hidden(name))
            .cloned()
            .collect();
        for name in &hidden {
            self.cuts.remove(name);
        }
        !hidden.is_empty()
    }

    fn finish(self, options: &ImportOptions) -> Result<Survey, RegistryError> {
        let refuse = |reason: String| RegistryError::ImportFile {
            file: options.file.display().to_string(),
            reason,
        };
        let Some((apex, soa)) = self.soa else {
            return Err(refuse(
                "no SOA record, so this is no whole zone; nothing was changed".to_owned(),
            ));
        };
        match &options.zone {
            Some(zone) if *zone != apex => {
                return Err(refuse(format!(
                    "its SOA is of {apex}, not of {zone}; name the right zone or leave it out"
                )));
            }
            _ => {}
        }
        Ok(Survey {
            apex_key: apex.to_lowercase().as_wire().into(),
            apex,
            soa,
            cuts: self.cuts,
            hosts: self.hosts,
            records: self.records,
            addresses: self.addresses,
            fingerprint: self.digest.finish().cast_signed(),
            ttl_conflicts: self.ttl_conflicts,
            ns_ttl: self.ns_ttl,
            ds_ttl: self.ds_ttl,
            glue_ttl: self.glue_ttl,
        })
    }
}

fn take_target(hosts: &mut HashMap<Box<[u8]>, Host>, ns: &Record) {
    let key = ns.rdata.to_ascii_lowercase();
    match hosts.get_mut(key.as_slice()) {
        Some(host) => host.is_target = true,
        None => {
            let host = Host {
                is_target: true,
                ..Host::default()
            };
            hosts.insert(key.into(), host);
        }
    }
}

/// `None` for RDATA that no parser lets through.
fn soa(record: &Record) -> Option<Soa> {
    let mname_length = wire_length(&record.rdata).ok()?;
    let (mname, rest) = record.rdata.split_at_checked(mname_length)?;
    let rname_length = wire_length(rest).ok()?;
    let (rname, rest) = rest.split_at_checked(rname_length)?;
    let mut numbers = [0; 5];
    for (number, octets) in numbers.iter_mut().zip(rest.as_chunks::<4>().0) {
        *number = u32::from_be_bytes(*octets);
    }
    Some(Soa {
        mname: stored(&Name::from_wire(mname).ok()?),
        rname: stored(&Name::from_wire(rname).ok()?),
        numbers,
        ttl: record.ttl,
    })
}

fn labels(wire: &[u8]) -> usize {
    let mut count = 0;
    let mut rest = wire;
    while let Some((length, tail)) = rest.split_first().filter(|(length, _)| **length > 0) {
        rest = &tail[usize::from(*length)..];
        count += 1;
    }
    count
}

fn is_at_or_below(name: &[u8], ancestor: &[u8]) -> bool {
    let (own, theirs) = (labels(name), labels(ancestor));
    own >= theirs && suffix(name, own - theirs) == ancestor
}
