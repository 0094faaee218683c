//! Incremental compiles come to what a full compile of the same records comes to, over
//! random histories of a small registry whose names meet each other in every way.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use zone_image::{Generation, LookupName, Memory};

use super::*;
use crate::compile::compile;
use crate::wire::each_record;
use crate::{Record, RecordList, RecordType, SourceError};

const APEX: &str = "tld";

fn name(text: &str) -> Name {
    Name::parse_absolute(text).unwrap()
}

/// Records by owner: a zone at one moment, as texts of type, TTL and RDATA.
#[derive(Debug, Clone, Default)]
struct State(BTreeMap<Name, Vec<Record>>);

impl State {
    fn new(serial: u32, minimum: u32) -> Self {
        let mut state = Self::default();
        let mut soa = [name("ns.nic.tld").as_wire(), name("host.nic.tld").as_wire()].concat();
        for number in [serial, 7200, 900, 1_209_600, minimum] {
            soa.extend_from_slice(&number.to_be_bytes());
        }
        state.add(APEX, RecordType::SOA, 3600, &soa);
        state
    }

    fn add(&mut self, owner: &str, rtype: RecordType, ttl: u32, rdata: &[u8]) {
        let owner = name(owner);
        let record = Record {
            owner: owner.clone(),
            rtype,
            ttl,
            rdata: rdata.into(),
        };
        let records = self.0.entry(owner).or_default();
        if !records.contains(&record) {
            records.push(record);
        }
    }

    fn ns(&mut self, owner: &str, host: &str) {
        self.add(owner, RecordType::NS, 3600, name(host).as_wire());
    }

    fn records(&self) -> Vec<Record> {
        self.0.values().flatten().cloned().collect()
    }
}

/// A state and the names that differ from the one before.
struct Source<'s> {
    apex: Name,
    event: u64,
    state: &'s State,
    changed: BTreeSet<Name>,
}

impl<'s> Source<'s> {
    fn new(before: &State, state: &'s State, event: u64) -> Self {
        let owners = before.0.keys().chain(state.0.keys());
        let changed = owners.filter(|owner| before.0.get(*owner) != state.0.get(*owner));
        Self {
            apex: name(APEX),
            event,
            state,
            changed: changed.cloned().collect(),
        }
    }
}

impl ChangeSource for Source<'_> {
    fn apex(&self) -> &Name {
        &self.apex
    }

    fn event(&self) -> u64 {
        self.event
    }

    fn changed(&mut self) -> Result<Option<BTreeSet<Name>>, SourceError> {
        Ok(Some(self.changed.clone()))
    }

    fn records_of(
        &mut self,
        owner: &Name,
        sink: &mut dyn FnMut(Record),
    ) -> Result<(), SourceError> {
        let records = self.state.0.get(owner);
        records.into_iter().flatten().cloned().for_each(sink);
        Ok(())
    }

    fn delegations_to(&mut self, host: &Name) -> Result<Vec<Name>, SourceError> {
        let names = |records: &Vec<Record>| {
            let ns = |record: &Record| {
                record.rtype == RecordType::NS && *record.rdata == *host.as_wire()
            };
            records.iter().any(ns)
        };
        let cuts = self
            .state
            .0
            .iter()
            .filter(|(owner, _)| **owner != self.apex);
        let users = cuts.filter(|(_, records)| names(records));
        Ok(users.map(|(owner, _)| owner.clone()).collect())
    }

    fn names_below(&mut self, cut: &Name) -> Result<Vec<Name>, SourceError> {
        let below = |owner: &&Name| *owner != cut && owner.is_at_or_below(cut);
        Ok(self.state.0.keys().filter(below).cloned().collect())
    }
}

fn full(state: &State, event: u64, installer: &mut Installer) -> Result<(), CompileError> {
    let mut source = RecordList::new(name(APEX), event, state.records());
    compile(&mut source, installer, &|_| {}).map(drop)
}

fn zone(generation: &Generation) -> Zone<'_> {
    let apex = LookupName::parse(b"\x03tld\x00").unwrap();
    generation.find_zone(&apex, 1).unwrap()
}

/// What an image says of its zone: counts, flags of every name, records of every body.
fn dump(generation: &Generation) -> Vec<String> {
    let zone = zone(generation);
    let info = zone.info();
    let mut lines = Vec::new();
    zone.each_entry(&mut |entry| lines.push(format!("{} flags {}", entry.name(), entry.flags())));
    let all: Result<(), std::convert::Infallible> = each_record(zone, &mut |part, record| {
        lines.push(format!("{part:?} {record}"));
        Ok(())
    });
    let Ok(()) = all;
    let negative = zone.negative(zone_image::layout::Part::Records).unwrap();
    lines.push(format!("negative {:?}", negative.stored().0));
    lines.push(format!(
        "{} {} {} {} {} {:b}",
        info.serial,
        info.event,
        info.names,
        info.delegations,
        info.records,
        zone.depths(),
    ));
    lines.sort();
    lines
}

/// An image that follows a history of states by changes alone, where it can.
struct Image {
    directory: tempfile::TempDir,
    generation: Arc<Generation>,
    state: State,
    index: ZoneIndex,
    event: u64,
    whole: Vec<&'static str>,
}

impl Image {
    fn new(state: State) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut installer = Installer::replace(directory.path(), None).unwrap();
        full(&state, 1, &mut installer).unwrap();
        installer.commit().unwrap();
        let generation = Arc::new(Generation::open(directory.path(), Memory::Mapped).unwrap());
        let index = ZoneIndex::of(zone(&generation));
        Self {
            directory,
            generation,
            state,
            index,
            event: 1,
            whole: Vec::new(),
        }
    }

    fn installer(&self) -> Installer {
        Installer::update_after(self.directory.path(), Arc::clone(&self.generation)).unwrap()
    }

    /// Goes over to `state` and compares with a full compile; gives what was written.
    fn step(&mut self, state: &State) -> Option<Written> {
        let event = self.event + 1;
        let elsewhere = tempfile::tempdir().unwrap();
        let mut anew = Installer::replace(elsewhere.path(), None).unwrap();
        let expected = full(state, event, &mut anew);
        let mut installer = self.installer();
        let mut source = Source::new(&self.state, state, event);
        let zone_before = zone(&self.generation);
        assert!(self.index.is_of(zone_before));
        let outcome = compile_changes(&mut source, zone_before, &self.index, &mut installer);
        let written = match (expected, outcome) {
            (Err(CompileError::Refused { .. }), Err(CompileError::Refused { .. })) => return None,
            (Ok(()), Ok(Changed::Written(written))) => Some(*written),
            (Ok(()), Ok(Changed::Whole(why))) => {
                self.whole.push(why);
                drop(installer);
                installer = self.installer();
                full(state, event, &mut installer).unwrap();
                None
            }
            (Err(CompileError::Refused { .. }), Ok(Changed::Whole(_))) => return None,
            (expected, outcome) => panic!("whole {expected:?}, change {outcome:?}"),
        };
        anew.commit().unwrap();
        let staged = installer.stage().unwrap();
        let generation = Arc::new(staged.open(Memory::Mapped, Some(&self.generation)).unwrap());
        staged.install().unwrap();
        let anew = Generation::open(elsewhere.path(), Memory::Mapped).unwrap();
        assert_eq!(dump(&generation), dump(&anew));
        let mut written = written;
        match &mut written {
            Some(written) => {
                let delta = std::mem::take(&mut written.index);
                self.index.follow(delta, zone(&generation));
            }
            None => self.index = ZoneIndex::of(zone(&generation)),
        }
        Generation::open(self.directory.path(), Memory::Mapped).unwrap();
        (self.generation, self.state, self.event) = (generation, state.clone(), event);
        written
    }
}

/// The zone that a history starts with: its own servers, and nothing else.
fn base(serial: u32) -> State {
    let mut state = State::new(serial, 300);
    state.ns(APEX, "ns.nic.tld");
    state.add("ns.nic.tld", RecordType::A, 3600, &[192, 0, 2, 1]);
    state
}

/// One delegation or host of a random registry.
#[derive(Debug, Clone)]
struct Domain {
    label: usize,
    hosts: Vec<usize>,
    has_ds: bool,
}

/// The hosts that domains name: inside domains, outside, and deep below others.
const HOSTS: [&str; 9] = [
    "ns1.d0.tld",
    "ns2.d0.tld",
    "ns1.d1.tld",
    "a.b.d2.tld",
    "ns.elsewhere.example",
    "ns2.elsewhere.example",
    "ns.nic.tld",
    "d3.tld",
    "ns.deep.own.tld",
];
/// Own data of the zone: at every depth, wildcards and empty names among them.
const OWN: [&str; 7] = [
    "www.tld",
    "x.y.z.tld",
    "y.z.tld",
    "*.tld",
    "*.w.tld",
    "a.*.v.tld",
    "ns1.d5.tld",
];

#[derive(Debug, Clone)]
struct Moment {
    domains: Vec<Domain>,
    /// For each host, how many addresses it has.
    addresses: Vec<u8>,
    own: Vec<bool>,
    minimum: u32,
}

fn moments() -> impl Strategy<Value = Moment> {
    let hosts = prop_oneof![
        3 => Just(vec![4, 5]),
        3 => Just(vec![0, 1]),
        2 => Just(vec![2, 4]),
        3 => prop::collection::vec(0..HOSTS.len(), 1..4),
    ];
    let domain = (0..14usize, hosts, any::<bool>());
    let domain = domain.prop_map(|(label, hosts, has_ds)| Domain {
        label,
        hosts,
        has_ds,
    });
    (
        prop::collection::vec(domain, 0..24),
        prop::collection::vec(0u8..3, HOSTS.len()),
        prop::collection::vec(any::<bool>(), OWN.len()),
        prop::sample::select(vec![300u32, 300, 300, 60]),
    )
        .prop_map(|(domains, addresses, own, minimum)| Moment {
            domains,
            addresses,
            own,
            minimum,
        })
}

impl Moment {
    /// As a registry would publish it: a host with addresses where somebody names it.
    fn state(&self, serial: u32) -> State {
        let mut state = base(serial);
        state.0.remove(&name(APEX));
        let apex = State::new(serial, self.minimum);
        state.0.extend(apex.0);
        state.ns(APEX, "ns.nic.tld");
        let mut named = BTreeSet::new();
        let mut cuts = BTreeSet::new();
        for domain in &self.domains {
            let owner = format!("d{}.tld", domain.label);
            if !cuts.insert(owner.clone()) {
                continue;
            }
            for host in &domain.hosts {
                state.ns(&owner, HOSTS[*host]);
                named.insert(*host);
            }
            if domain.has_ds {
                state.add(&owner, RecordType(43), 60, &[0, 1, 13, 2, 7, 7]);
            }
        }
        for host in named {
            let is_inside = HOSTS[host].ends_with(".tld");
            // A host that lies in a delegation to itself needs an address.
            let count = self.addresses[host].max(1);
            for number in (0..count).filter(|_| is_inside) {
                state.add(HOSTS[host], RecordType::A, 3600, &[192, 0, 2, number + 10]);
            }
        }
        for (owner, is_there) in OWN.iter().zip(&self.own) {
            let rtype = if owner.ends_with("d5.tld") {
                RecordType::A
            } else {
                RecordType(16)
            };
            if *is_there {
                state.add(owner, rtype, 60, &[3, 1, 2, 3]);
            }
        }
        state
    }
}

/// A history in small steps: each moment takes over most of the one before.
fn mixed(before: &Moment, next: &Moment, keep: u8) -> Moment {
    let kept = before.domains.len() * usize::from(keep) / 4;
    let fresh = next.domains.len().min(3);
    let domains = next.domains[..fresh].iter().chain(&before.domains[..kept]);
    Moment {
        domains: domains.cloned().collect(),
        ..if keep > 2 {
            before.clone()
        } else {
            next.clone()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_history_comes_to_what_a_full_compile_comes_to(
        first in moments(),
        steps in prop::collection::vec((moments(), 0u8..5), 1..6),
    ) {
        let mut image = Image::new(base(1));
        let mut moment = first;
        image.step(&moment.state(2));
        for (serial, (next, keep)) in (3..).zip(&steps) {
            moment = if *keep == 4 { next.clone() } else { mixed(&moment, next, *keep) };
            image.step(&moment.state(serial));
        }
    }
}

/// Delegations `u0` to `u(count - 1)` that all name the same two hosts.
fn popular(serial: u32, count: usize, hosts: [&str; 2]) -> State {
    let mut state = base(serial);
    state.ns("big.tld", "ns1.big.tld");
    for host in hosts {
        for number in 0..count {
            state.ns(&format!("u{number}.tld"), host);
        }
        state.add(host, RecordType::A, 3600, &[192, 0, 2, 7]);
    }
    state.add("ns1.big.tld", RecordType::A, 3600, &[192, 0, 2, 7]);
    state
}

#[test]
fn a_renamed_host_costs_one_shared_set() {
    let mut image = Image::new(popular(1, 300, ["ns1.big.tld", "ns2.big.tld"]));
    let written = image
        .step(&popular(2, 300, ["ns1.big.tld", "dns2.big.tld"]))
        .unwrap();
    let names: Vec<_> = written.names.keys().collect();
    assert_eq!(names, [&name(APEX)], "no entry of a user changes");
    assert_eq!(written.shared_changed, 1, "its glue stands where it stood");
    assert_eq!(written.delegations, 301);
}

#[test]
fn a_host_that_moves_costs_one_shared_set() {
    let before = popular(1, 300, ["ns1.big.tld", "ns2.big.tld"]);
    let mut image = Image::new(before);
    let mut after = popular(2, 300, ["ns1.big.tld", "ns2.big.tld"]);
    after.add("ns2.big.tld", RecordType::AAAA, 3600, &[1; 16]);
    let written = image.step(&after).unwrap();
    assert_eq!((written.names_read, written.shared_changed), (2, 1));
}

#[test]
fn a_new_user_joins_a_shared_set_and_a_pair_stays_private() {
    let hosts = ["ns1.big.tld", "ns2.big.tld"];
    let mut image = Image::new(popular(1, 10, hosts));
    let written = image.step(&popular(2, 11, hosts)).unwrap();
    assert_eq!((written.names.len(), written.shared_changed), (2, 0));
    let mut after = popular(3, 11, hosts);
    for number in 0..6 {
        after.ns(&format!("v{number}.tld"), "ns.elsewhere.example");
    }
    let written = image.step(&after).unwrap();
    assert_eq!(
        written.shared_changed, 1,
        "six of them share it from the start"
    );
}

#[test]
fn what_cannot_be_told_from_the_change_is_compiled_whole() {
    let mut image = Image::new(base(1));
    let mut after = base(2);
    after.add(
        "d.tld",
        RecordType::DNAME,
        60,
        name("elsewhere.example").as_wire(),
    );
    assert!(image.step(&after).is_none());
    assert_eq!(image.whole, ["a DNAME decides what is below it"]);
}

#[test]
fn a_change_that_a_full_compile_refuses_is_refused() {
    let mut image = Image::new(base(1));
    let mut after = base(2);
    after.ns("d.tld", "ns.d.tld");
    let mut source = Source::new(&image.state, &after, 2);
    let mut installer = image.installer();
    let zone = zone(&image.generation);
    let outcome = compile_changes(&mut source, zone, &image.index, &mut installer);
    let Err(CompileError::Refused { faults, .. }) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(faults.count(), 1);
    drop(installer);
    assert!(image.step(&after).is_none());
}
