//! Incremental compiles come to what a full compile of the same records comes to, over
//! random histories of a small registry whose names meet each other in every way.

mod history;
mod signed;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use zone_image::layout::Part;
use zone_image::writer::Fold;
use zone_image::{Generation, LookupName, Memory};

use self::history::{mixed, moments};
use super::*;
use crate::compile::compile_with;
use crate::wire::each_record;
use crate::{
    ChangedNames, NAMES_MAX, ParkedRecord, Parking, Record, RecordList, RecordType, SourceError,
};

const APEX: &str = "tld";
/// So few that each has a page or two.
const SEGMENT_BYTES_MAX: u64 = 4096;

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
        for number in [serial, 7200, 900, 604_800, minimum] {
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
    resigns: bool,
    /// How often it was asked about names.
    asked: usize,
    signs_parked: bool,
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
            resigns: false,
            asked: 0,
            signs_parked: false,
        }
    }
}

impl Source<'_> {
    fn ask_for(&mut self, names: &[Name]) {
        assert!(names.len() <= NAMES_MAX);
        self.asked += 1;
    }
}

impl ChangeSource for Source<'_> {
    fn apex(&self) -> &Name {
        &self.apex
    }

    fn event(&self) -> u64 {
        self.event
    }

    fn changed(&mut self) -> Result<Option<ChangedNames>, SourceError> {
        Ok(Some(ChangedNames {
            names: self.changed.clone(),
            resigns: self.resigns,
        }))
    }

    fn parking(&mut self) -> Result<Option<Parking>, SourceError> {
        Ok(Some(parking(self.signs_parked)))
    }

    fn records_of(
        &mut self,
        owners: &[Name],
        sink: &mut dyn FnMut(Record),
    ) -> Result<(), SourceError> {
        self.ask_for(owners);
        let records = owners.iter().filter_map(|owner| self.state.0.get(owner));
        records.flatten().cloned().for_each(sink);
        Ok(())
    }

    fn delegations_to(&mut self, hosts: &[Name]) -> Result<Vec<Name>, SourceError> {
        self.ask_for(hosts);
        let names = |records: &Vec<Record>| {
            let ns = |record: &Record| {
                let is_one = |host: &Name| *record.rdata == *host.as_wire();
                record.rtype == RecordType::NS && hosts.iter().any(is_one)
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

    fn names_below(&mut self, cuts: &[Name]) -> Result<Vec<Name>, SourceError> {
        self.ask_for(cuts);
        let below = |owner: &&Name| {
            let is_under = |cut: &Name| *owner != cut && owner.is_at_or_below(cut);
            cuts.iter().any(is_under)
        };
        Ok(self.state.0.keys().filter(below).cloned().collect())
    }
}

/// Whoever names just the two hosts outside is parked.
fn parking(is_signed: bool) -> Parking {
    let mut soa = [
        name("ns.elsewhere.example").as_wire(),
        name("x.tld").as_wire(),
    ]
    .concat();
    soa.extend_from_slice(&[0; 20]);
    let record = |is_below, rtype, rdata: &[u8]| ParkedRecord {
        is_below,
        rtype,
        ttl: 60,
        rdata: rdata.into(),
    };
    Parking {
        servers: [name("ns.elsewhere.example"), name("ns2.elsewhere.example")].into(),
        records: vec![
            record(false, RecordType::SOA, &soa),
            record(true, RecordType::A, &[192, 0, 2, 80]),
        ],
        is_signed,
        is_withdrawn: false,
    }
}

fn full(
    state: &State,
    event: u64,
    installer: &mut Installer,
    options: &Options,
    signs_parked: bool,
) -> Result<u64, CompileError> {
    let source = RecordList::new(name(APEX), event, state.records());
    let mut source = source.with_parking(Some(parking(signs_parked)));
    let report = compile_with(&mut source, installer, options, &|_| {})?;
    Ok(report.children)
}

fn zone(generation: &Generation) -> Zone<'_> {
    let apex = LookupName::parse(b"\x03tld\x00").unwrap();
    generation.find_zone(&apex, 1).unwrap()
}

/// What an image says of its zone and of the child zones of parked names.
fn dump(generation: &Generation) -> Vec<String> {
    let mut zones: Vec<_> = generation
        .zones()
        .into_iter()
        .map(|zone| zone.apex)
        .collect();
    zones.sort();
    let zones = zones
        .iter()
        .map(|apex| generation.zone(apex.as_wire()).unwrap());
    zones.flat_map(dump_zone).collect()
}

/// Counts, flags of every name, records of every body.
fn dump_zone(zone: Zone<'_>) -> Vec<String> {
    let info = zone.info();
    let mut lines = Vec::new();
    zone.each_entry(&mut |entry| lines.push(format!("{} flags {}", entry.name(), entry.flags())));
    let all: Result<(), std::convert::Infallible> = each_record(zone, &mut |part, record| {
        lines.push(format!("{part:?} {record}"));
        Ok(())
    });
    let Ok(()) = all;
    for part in [Part::Records, Part::Signatures] {
        let negative = zone.negative(part).map(|body| body.stored().0);
        lines.push(format!("negative {negative:?}"));
    }
    for body in zone.parked_bodies() {
        let (part, rtype, stored) = (body.part(), body.rtype(), body.stored().0);
        lines.push(format!("parked {part:?} {rtype} {stored:?}"));
    }
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
    signing: Option<Signing>,
    /// The same zone, always compiled whole.
    always_whole: Arc<Generation>,
    /// Whether the next steps look at every signature.
    resigns: bool,
    /// How often the last step asked about names.
    asked: usize,
    /// Whether parked names are signed where the zone is.
    signs_parked: bool,
}

impl Image {
    fn new(state: State) -> Self {
        Self::signed(state, None)
    }

    fn signed(state: State, signing: Option<Signing>) -> Self {
        Self::begin(state, signing, false)
    }

    fn begin(state: State, signing: Option<Signing>, signs_parked: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut installer = Installer::replace(directory.path(), None).unwrap();
        installer.limit_segments(SEGMENT_BYTES_MAX);
        let options = Options {
            signing: signing.clone().map(Arc::new),
            ..Options::default()
        };
        full(&state, 1, &mut installer, &options, signs_parked).unwrap();
        installer.commit().unwrap();
        let generation = Arc::new(Generation::open(directory.path(), Memory::Mapped).unwrap());
        let index = ZoneIndex::of(zone(&generation));
        Self {
            directory,
            always_whole: Arc::clone(&generation),
            generation,
            state,
            index,
            event: 1,
            whole: Vec::new(),
            signs_parked,
            signing,
            resigns: false,
            asked: 0,
        }
    }

    /// For a whole compile that keeps the signatures of an image.
    fn options(&self, previous: &Arc<Generation>) -> Options {
        Options {
            signing: self.signing.clone().map(Arc::new),
            previous: Some(Arc::clone(previous)),
            sweeps_children: true,
            ..Options::default()
        }
    }

    /// Writes now one segment and now some.
    fn installer(&self) -> Installer {
        let kept = Arc::clone(&self.generation);
        let mut installer = Installer::update_after(self.directory.path(), kept).unwrap();
        if self.event.is_multiple_of(2) {
            installer.limit_segments(SEGMENT_BYTES_MAX);
        }
        installer
    }

    /// Begins a fold of all that is installed.
    fn begin_fold(&self) -> Fold {
        let slots = self.generation.slots();
        Fold::make(
            self.directory.path(),
            &self.generation,
            &slots,
            Memory::Mapped,
        )
        .unwrap()
    }

    /// Carries a fold over to what is installed now; what it serves is the same.
    fn end_fold(&mut self, fold: Fold) {
        let Some(staged) = fold.stage(&self.generation).unwrap() else {
            return;
        };
        let after = staged.open(Memory::Mapped, Some(&self.generation)).unwrap();
        staged.install().unwrap();
        assert_eq!(dump(&self.generation), dump(&after));
        self.index.follow(IndexDelta::default(), zone(&after));
        self.generation = Arc::new(after);
    }

    /// Goes over to `state` and compares with a full compile; gives what was written.
    fn step(&mut self, state: &State) -> Option<Written> {
        let event = self.event + 1;
        let elsewhere = tempfile::tempdir().unwrap();
        let mut anew = Installer::replace(elsewhere.path(), None).unwrap();
        let (options, signs) = (self.options(&self.always_whole), self.signs_parked);
        let expected = full(state, event, &mut anew, &options, signs);
        let mut installer = self.installer();
        let mut source = Source::new(&self.state, state, event);
        source.resigns = self.resigns;
        source.signs_parked = signs;
        let zone_before = zone(&self.generation);
        assert!(self.index.is_of(zone_before));
        let signing = self.signing.as_ref();
        let index = &self.index;
        let outcome = compile_changes(&mut source, zone_before, index, signing, &mut installer);
        self.asked = source.asked;
        let written = match (expected, outcome) {
            (Err(CompileError::Refused { .. }), Err(CompileError::Refused { .. })) => return None,
            (Ok(_), Ok(Changed::Written(written))) => Some(*written),
            (Ok(_), Ok(Changed::Whole(why))) => {
                self.whole.push(why);
                drop(installer);
                installer = self.installer();
                let options = self.options(&self.generation);
                full(state, event, &mut installer, &options, signs).unwrap();
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
        self.always_whole = Arc::new(anew);
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

    /// Folds are made of one version of the zone and installed onto a later one.
    #[test]
    fn any_history_with_folds_in_between_comes_to_the_same(
        first in moments(),
        steps in prop::collection::vec((moments(), 0u8..5, any::<bool>()), 1..7),
    ) {
        let mut image = Image::new(base(1));
        let mut moment = first;
        let mut under_way = None;
        image.step(&moment.state(2));
        for (serial, (next, keep, folds)) in (3..).zip(&steps) {
            if *folds {
                match under_way.take() {
                    None => under_way = Some(image.begin_fold()),
                    Some(fold) => image.end_fold(fold),
                }
            }
            moment = mixed(&moment, next, *keep);
            image.step(&moment.state(serial));
        }
        if let Some(fold) = under_way {
            image.end_fold(fold);
        }
        image.step(&base(100));
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
fn many_changed_names_are_asked_for_together() {
    let hosts = ["ns1.big.tld", "ns2.big.tld"];
    let mut image = Image::new(popular(1, 10, hosts));
    let mut after = popular(2, 210, hosts);
    for number in 0..200 {
        let host = format!("ns.w{number}.tld");
        after.ns(&format!("w{number}.tld"), &host);
        after.add(&host, RecordType::A, 3600, &[192, 0, 2, 7]);
    }
    let written = image.step(&after).unwrap();
    assert_eq!(written.delegations, 411);
    assert!(image.asked <= 8, "{} questions", image.asked);
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
    let outcome = compile_changes(&mut source, zone, &image.index, None, &mut installer);
    let Err(CompileError::Refused { faults, .. }) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(faults.count(), 1);
    drop(installer);
    assert!(image.step(&after).is_none());
}
