//! Zones that are changed in place: what opens after the generation before is what opens
//! anew, and says what a zone written whole would say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::*;
use crate::writer::{Fold, NameChange, NewBody, ZoneChange};

/// The relative name of delegation `number`, deep ones below `sub`.
fn relative(number: u16) -> Vec<u8> {
    let label = format!("d{number}").into_bytes();
    [&[u8::try_from(label.len()).unwrap()], &label[..]].concat()
}

fn put() -> NameChange {
    NameChange::Put {
        flags: ENTRY_DELEGATION,
        bodies: vec![(NS, Part::Records, NewBody::Own(body(NS, 0)))],
    }
}

/// A history: the zone `example.` with `names`, changed step by step.
pub(super) struct History {
    pub(super) directory: TempDir,
    pub(super) generation: Arc<Generation>,
    names: BTreeSet<u16>,
    /// Octets of pages in one segment of what is written.
    bytes_max: u64,
}

impl History {
    fn new(count: u16) -> Self {
        Self::limited(count, u64::MAX)
    }

    pub(super) fn limited(count: u16, bytes_max: u64) -> Self {
        let zones = [("other.", 1, 300), ("example.", 1, usize::from(count))];
        let directory = limited_image(&zones, bytes_max);
        let generation = Arc::new(open(directory.path()).unwrap());
        Self {
            directory,
            generation,
            names: (0..count).collect(),
            bytes_max,
        }
    }

    /// Makes the named delegations, or removes those that are there.
    pub(super) fn step(&mut self, toggled: &BTreeSet<u16>, serial: u32) {
        let mut names = BTreeMap::new();
        names.insert(
            Vec::new(),
            NameChange::Put {
                flags: 0,
                bodies: vec![(SOA, Part::Records, NewBody::Own(body(SOA, serial)))],
            },
        );
        for number in toggled {
            let is_new = self.names.insert(*number);
            let change = if is_new { put() } else { NameChange::Remove };
            if !is_new {
                self.names.remove(number);
            }
            names.insert(relative(*number), change);
        }
        let count = self.names.len() as u64;
        let change = ZoneChange {
            apex: wire("example."),
            serial,
            event: u64::from(serial),
            depths: if count > 0 { 0b11 } else { 0b1 },
            apex_flags: 0,
            names_count: count + 1,
            delegations_count: count,
            records_count: count + 1,
            negative: vec![(Part::Records, body(SOA, serial))],
            parking: Vec::new(),
            names,
            shared: BTreeMap::new(),
            proofs: Default::default(),
        };
        let kept = Arc::clone(&self.generation);
        let mut installer = Installer::update_after(self.directory.path(), kept).unwrap();
        installer.limit_segments(self.bytes_max);
        installer.change_zone(&change).unwrap();
        let staged = installer.stage().unwrap();
        let after = staged.open(Memory::Mapped, Some(&self.generation)).unwrap();
        staged.install().unwrap();
        self.generation = Arc::new(after);
    }

    /// Folds these segments.
    fn fold(&mut self, slots: &BTreeSet<u16>) {
        let fold = self.begin_fold(slots);
        assert!(self.end_fold(fold));
    }

    pub(super) fn begin_fold(&self, slots: &BTreeSet<u16>) -> Fold {
        let memory = Memory::Mapped;
        Fold::make(self.directory.path(), &self.generation, slots, memory).unwrap()
    }

    /// Installs a fold; says whether it had anything to do with what is installed.
    pub(super) fn end_fold(&mut self, fold: Fold) -> bool {
        let Some(staged) = fold.stage(&self.generation).unwrap() else {
            return false;
        };
        let after = staged.open(Memory::Mapped, Some(&self.generation)).unwrap();
        staged.install().unwrap();
        self.generation = Arc::new(after);
        true
    }

    fn slots(&self) -> BTreeSet<u16> {
        self.generation.order.iter().copied().collect()
    }

    pub(super) fn check(&self) {
        let anew = open(self.directory.path()).unwrap();
        let slots = 0..400;
        let live = |generation: &Generation| {
            slots
                .clone()
                .map(|slot| generation.live.bytes(slot))
                .collect::<Vec<_>>()
        };
        assert_eq!(live(&anew), live(&self.generation), "reached octets");
        for number in 0..400 {
            let name = format!("www.d{number}.example.");
            let found = look(&self.generation, &name);
            assert_eq!(look(&anew, &name), found);
            let is_there = !found.starts_with("missing");
            assert_eq!(is_there, self.names.contains(&number), "{name}: {found}");
        }
        assert!(!look(&self.generation, "d299.other.").starts_with("missing"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn changes_open_alike_after_and_anew(
        count in prop::sample::select(vec![0u16, 1, 40, 63, 300]),
        steps in prop::collection::vec(prop::collection::btree_set(0u16..400, 0..120), 1..5),
        bytes_max in prop::sample::select(vec![u64::MAX, 1, 6000]),
    ) {
        let mut history = History::limited(count, bytes_max);
        for (serial, step) in (2..).zip(&steps) {
            history.step(step, serial);
            history.check();
        }
    }
}

#[test]
fn a_change_writes_the_pages_it_changes_and_the_way_to_them() {
    let mut history = History::new(30_000);
    let before = history.generation.bytes();
    history.step(&BTreeSet::from([7]), 2);
    let written = history.generation.bytes() - before;
    // Two leaves and the nodes above them, of an image of megabytes.
    assert!(
        before > 1_500_000 && written < 32_000,
        "{written} of {before}"
    );
    let garbage = history.generation.garbage_bytes();
    assert!(garbage > 0 && garbage < 32_000, "{garbage}");
    history.check();
}

#[test]
fn another_image_is_not_changed() {
    let history = History::new(3);
    let other = Arc::new(open(image(&[("example.", 1, 3)]).path()).unwrap());
    let refused = Installer::update_after(history.directory.path(), other);
    assert!(matches!(
        refused.err(),
        Some(crate::WriteError::Replaced(_))
    ));
}

/// A wrong count is found by what changed alone.
#[test]
fn a_change_that_counts_wrong_is_refused() {
    let history = History::new(300);
    let change = ZoneChange {
        apex: wire("example."),
        serial: 2,
        event: 2,
        depths: 0b11,
        apex_flags: 0,
        names_count: 301,
        delegations_count: 300,
        records_count: 301,
        negative: vec![(Part::Records, body(SOA, 2))],
        parking: Vec::new(),
        names: BTreeMap::from([(relative(5), NameChange::Remove)]),
        shared: BTreeMap::new(),
        proofs: Default::default(),
    };
    let kept = Arc::clone(&history.generation);
    let mut installer = Installer::update_after(history.directory.path(), kept).unwrap();
    installer.change_zone(&change).unwrap();
    let staged = installer.stage().unwrap();
    let refused = staged
        .open(Memory::Mapped, Some(&history.generation))
        .unwrap_err();
    assert!(
        refused.to_string().contains("counts its names wrong"),
        "{refused}"
    );
}

#[test]
fn folding_leaves_all_names_and_no_garbage() {
    let mut history = History::new(3000);
    for step in 2u16..20 {
        history.step(&BTreeSet::from([step, step + 100]), u32::from(step));
    }
    assert!(history.generation.segments_count() > 10);
    let newest: BTreeSet<u16> = history.generation.order[3..].iter().copied().collect();
    history.fold(&newest);
    history.check();
    assert_eq!(history.generation.segments_count(), 4);
    let all = history.generation.order.iter().copied().collect();
    history.fold(&all);
    history.check();
    assert_eq!(history.generation.segments_count(), 1);
    assert_eq!(history.generation.garbage_bytes(), 0);
}

#[test]
fn segments_stay_few_whatever_is_written() {
    let mut history = History::new(2000);
    let (mut folds, mut most) = (0, 0);
    for step in 2u16..400 {
        history.step(&BTreeSet::from([step % 399]), u32::from(step));
        let worn = history.generation.worn_segments(u64::MAX);
        if !worn.is_empty() {
            history.fold(&worn);
            folds += 1;
        }
        most = most.max(history.generation.segments_count());
    }
    history.check();
    assert!(folds > 10 && most <= 24, "{folds} folds, {most} segments");
    let bytes = history.generation.bytes();
    assert!(history.generation.garbage_bytes() <= bytes / 2 + (2 << 20));
}

#[test]
fn a_fold_takes_no_more_than_it_is_allowed() {
    const BYTES_MAX: u64 = 100_000;
    let mut history = History::new(8000);
    let (mut folds, mut most) = (0, 0);
    for step in 2u16..300 {
        history.step(&BTreeSet::from([step % 399]), u32::from(step));
        let generation = Arc::clone(&history.generation);
        let worn = generation.worn_segments(BYTES_MAX);
        most = most.max(generation.segments_count());
        if worn.is_empty() {
            continue;
        }
        let live: u64 = worn.iter().map(|slot| generation.live.bytes(*slot)).sum();
        assert!(
            live <= BYTES_MAX || worn.len() == 1,
            "{live} octets at once"
        );
        let fold = history.begin_fold(&worn);
        // What it copies, the nodes that lead there, and its table of contents.
        assert!(
            fold.bytes() <= 2 * live + 16_384,
            "{} of {live}",
            fold.bytes()
        );
        assert!(history.end_fold(fold));
        folds += 1;
    }
    history.check();
    assert!(folds > 10 && most <= 30, "{folds} folds, {most} segments");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A fold of any segments, with changes before, between its making and its install,
    /// and after.
    #[test]
    fn a_fold_is_carried_over_to_what_changed_meanwhile(
        count in prop::sample::select(vec![40u16, 300, 2000]),
        before in prop::collection::vec(prop::collection::btree_set(0u16..400, 0..40), 0..4),
        folded in any::<u64>(),
        between in prop::collection::vec(prop::collection::btree_set(0u16..400, 0..120), 0..4),
        after in prop::collection::btree_set(0u16..400, 0..40),
    ) {
        let mut history = History::new(count);
        let mut serials = 2..;
        for step in &before {
            history.step(step, serials.next().unwrap());
        }
        let some = history.slots().into_iter();
        let some: BTreeSet<u16> = some.filter(|slot| folded >> slot & 1 == 1).collect();
        let fold = history.begin_fold(&some);
        for step in &between {
            history.step(step, serials.next().unwrap());
        }
        let had = history.generation.number();
        let is_related = history.end_fold(fold);
        if is_related {
            prop_assert_eq!(history.generation.number(), had + 1);
        }
        history.check();
        history.step(&after, serials.next().unwrap());
        history.check();
        history.fold(&history.slots());
        history.check();
        prop_assert_eq!(history.generation.garbage_bytes(), 0);
    }
}

#[test]
fn a_fold_of_what_was_replaced_is_left() {
    let mut history = History::new(300);
    let fold = history.begin_fold(&history.slots());
    let mut installer = Installer::replace(history.directory.path(), None).unwrap();
    add_zone(&mut installer, "example.", 9, 3);
    installer.commit().unwrap();
    history.generation = Arc::new(open(history.directory.path()).unwrap());
    assert!(!history.end_fold(fold));
    let files = std::fs::read_dir(history.directory.path()).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let left: Vec<_> = names.filter(|name| name.contains("folding")).collect();
    assert_eq!(left, [""; 0]);
}

#[test]
fn one_fold_at_a_time_and_what_a_killed_one_left_goes() {
    let history = History::new(300);
    let fold = history.begin_fold(&history.slots());
    let directory = history.directory.path();
    let path = directory.join("segment.folding");
    let other = Fold::make(
        directory,
        &history.generation,
        &history.slots(),
        Memory::Mapped,
    );
    assert!(other.is_err());
    Fold::clean(directory);
    assert!(path.exists(), "a fold that goes on keeps its file");
    drop(fold);
    assert!(!path.exists());
    std::fs::write(&path, "left").unwrap();
    Fold::clean(directory);
    assert!(!path.exists());
}
