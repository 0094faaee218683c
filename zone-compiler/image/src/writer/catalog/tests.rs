//! What a change of the catalog costs, and that it is right after any of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use tempfile::TempDir;

use crate::generation::Generation;
use crate::layout::{PageKind, PageRef};
use crate::tests::{add_zone, wire};
use crate::writer::{Fold, Installer};
use crate::{LookupName, Memory};

/// Zones of the small form; the large one is `soak::many_zones`.
const ZONES: usize = 2000;

fn apex(number: usize) -> String {
    format!("z{number}.test.")
}

fn install(directory: &Path, work: impl FnOnce(&mut Installer)) -> Generation {
    let mut installer = Installer::update(directory).unwrap();
    work(&mut installer);
    installer.commit().unwrap();
    Generation::open(directory, Memory::Mapped).unwrap()
}

/// One large zone and many small ones.
fn many() -> (TempDir, Generation) {
    let directory = TempDir::new().unwrap();
    let generation = install(directory.path(), |installer| {
        add_zone(installer, "large.", 1, 3000);
        (0..ZONES).for_each(|number| add_zone(installer, &apex(number), 1, 1));
    });
    (directory, generation)
}

/// Kinds and octets of the pages in the newest segment.
fn written(generation: &Generation) -> (BTreeMap<u8, usize>, u64) {
    let segment = generation.segment(generation.catalog).unwrap();
    let mut kinds = BTreeMap::new();
    for page in segment.toc().pages.iter() {
        *kinds.entry(page.kind).or_insert(0) += 1;
    }
    (kinds, segment.bytes())
}

/// Every zone and its page.
fn pages(generation: &Generation) -> BTreeMap<Vec<u8>, PageRef> {
    let mut pages = BTreeMap::new();
    generation.each_catalog_entry(&mut |entry| {
        pages.insert(entry.apex.to_vec(), PageRef(entry.zone.to_native()));
    });
    pages
}

fn serial(generation: &Generation, apex: &str) -> Option<u32> {
    let name = LookupName::parse(&wire(apex)).unwrap();
    let zone = generation.find_zone(&name, name.labels())?;
    (*zone.apex() == *name.suffix(name.labels())).then(|| zone.serial())
}

/// Makes one change and checks that it wrote one path of the catalog.
#[track_caller]
fn check_one_change(apex: &str, zones: u64, work: impl FnOnce(&mut Installer)) {
    let (directory, before) = many();
    let after = install(directory.path(), work);
    let (kinds, bytes) = written(&after);
    let count = |kind: PageKind| kinds.get(&(kind as u8)).copied().unwrap_or(0);
    // 2,000 zones take one level of nodes; a leaf that was full is halved.
    assert_eq!(count(PageKind::Node), 1, "{kinds:?}");
    assert!((1..=2).contains(&count(PageKind::Catalog)), "{kinds:?}");
    assert!(
        count(PageKind::Zone) <= 1 && count(PageKind::Names) <= 1,
        "{kinds:?}"
    );
    // A node of 2 KiB, a leaf, the zone and the table of contents; the catalog has 70 KiB.
    assert!(bytes < 8 * 1024, "{bytes} octets written");
    assert_eq!(after.zones_count(), zones);
    // No other zone has moved.
    let (mut old, mut new) = (pages(&before), pages(&after));
    old.remove(&wire(apex));
    new.remove(&wire(apex));
    assert_eq!(old, new);
    assert_eq!(after.segments_count(), 2);
}

#[test]
fn adding_one_zone_to_many_writes_that_zone_and_a_path() {
    check_one_change("new.test.", ZONES as u64 + 2, |installer| {
        add_zone(installer, "new.test.", 5, 1);
    });
}

#[test]
fn replacing_one_zone_of_many_writes_that_zone_and_a_path() {
    check_one_change("z77.test.", ZONES as u64 + 1, |installer| {
        add_zone(installer, "z77.test.", 5, 1);
    });
}

#[test]
fn removing_one_zone_of_many_writes_a_path() {
    check_one_change("z77.test.", ZONES as u64, |installer| {
        assert!(installer.remove_zone(&wire("z77.test.")));
        assert!(!installer.remove_zone(&wire("z77.test.")));
        assert!(!installer.remove_zone(&wire("z9999.test.")));
    });
}

#[test]
fn one_of_many_is_reloaded_on_its_own_again_and_again() {
    let (directory, _) = many();
    for round in 2..20 {
        let after = install(directory.path(), |installer| {
            add_zone(installer, "z5.test.", round, 1);
        });
        assert_eq!(serial(&after, "z5.test."), Some(round));
        assert_eq!(serial(&after, "z6.test."), Some(1));
        // What the last round wrote is not needed any more.
        assert_eq!(after.segments_count(), 2);
    }
}

#[test]
fn folding_takes_the_catalog_along() {
    let (directory, _) = many();
    for number in 0..12 {
        install(directory.path(), |installer| {
            add_zone(installer, &apex(number * 100), 2, 1);
        });
    }
    let worn = install(directory.path(), |installer| {
        assert!(installer.remove_zone(&wire(&apex(1999))));
    });
    assert!(worn.segments_count() > 8, "{}", worn.segments_count());
    let slots = worn.worn_segments(u64::MAX);
    assert!(!slots.is_empty());
    let worn = Arc::new(worn);
    let fold = Fold::make(directory.path(), &worn, &slots, Memory::Mapped).unwrap();
    let staged = fold.stage(&worn).unwrap().unwrap();
    let folded = staged.open(Memory::Mapped, Some(&worn)).unwrap();
    staged.install().unwrap();
    // One segment in the place of all that were folded.
    let left = worn.segments_count() - slots.len() + 1;
    assert_eq!(folded.segments_count(), left);
    assert_eq!(folded.zones_count(), ZONES as u64);
    for number in 0..1999 {
        let expected = if number % 100 == 0 && number < 1200 {
            2
        } else {
            1
        };
        assert_eq!(
            serial(&folded, &apex(number)),
            Some(expected),
            "zone {number}"
        );
    }
    assert_eq!(serial(&folded, &apex(1999)), None);
}

#[test]
fn the_event_is_that_of_the_newest_zone_that_is_left() {
    let directory = TempDir::new().unwrap();
    let event = |work: &dyn Fn(&mut Installer)| install(directory.path(), work).event();
    let put = |apex, serial| move |installer: &mut Installer| add_zone(installer, apex, serial, 0);
    // `add_zone` makes the serial the event too.
    assert_eq!(event(&put("a.", 7)), 7);
    assert_eq!(event(&put("b.", 5)), 7);
    assert_eq!(event(&put("a.", 4)), 5);
    assert_eq!(
        event(&|installer| assert!(installer.remove_zone(&wire("b.")))),
        4
    );
    assert_eq!(
        event(&|installer| assert!(installer.remove_zone(&wire("a.")))),
        0
    );
}

#[test]
fn a_depth_without_zones_is_asked_for_no_more() {
    let directory = TempDir::new().unwrap();
    let depths = |work: &dyn Fn(&mut Installer)| install(directory.path(), work).catalog_depths;
    let add = |installer: &mut Installer| {
        add_zone(installer, "a.", 1, 0);
        add_zone(installer, "b.a.", 1, 0);
        add_zone(installer, "c.b.a.", 1, 0);
    };
    assert_eq!(depths(&add), 0b1110);
    let remove = |installer: &mut Installer| assert!(installer.remove_zone(&wire("b.a.")));
    assert_eq!(depths(&remove), 0b1010);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// After any installs the catalog has what was put and not what was removed.
    #[test]
    fn installs_come_out_as_in_a_map(
        rounds in prop::collection::vec(
            prop::collection::vec((0..400usize, prop::bool::weighted(0.7)), 1..250),
            1..7,
        ),
    ) {
        let directory = TempDir::new().unwrap();
        let mut model = BTreeMap::new();
        for (round, changes) in (1u32..).zip(&rounds) {
            let generation = install(directory.path(), |installer| {
                for (number, is_put) in changes {
                    if *is_put {
                        add_zone(installer, &apex(*number), round, 0);
                        model.insert(*number, round);
                    } else {
                        let was_there = model.remove(number).is_some();
                        assert_eq!(installer.remove_zone(&wire(&apex(*number))), was_there);
                    }
                }
            });
            prop_assert_eq!(generation.zones_count(), model.len() as u64);
            prop_assert_eq!(generation.zones().len(), model.len());
            for number in 0..400 {
                prop_assert_eq!(
                    serial(&generation, &apex(number)),
                    model.get(&number).copied(),
                    "zone {}", number
                );
            }
        }
    }
}

#[test]
fn zones_are_listed_as_far_as_somebody_wants() {
    let (_directory, generation) = many();
    let all = generation.zones();
    assert_eq!(all.len(), ZONES + 1);
    for count in [0, 1, 10, ZONES, ZONES + 1, usize::MAX] {
        let first = generation.first_zones(count);
        assert_eq!(first, all[..count.min(all.len())]);
    }

    for (count, looked) in [(10, 3), (3, 10), (0, 10), (10, 0)] {
        let first = generation.first_own_zones(count, looked);
        assert_eq!(
            first,
            all[..count.min(looked)],
            "all have an event, or none"
        );
    }

    let mut seen = 0;
    let found = generation.find_zone_where(&mut |zone| {
        seen += 1;
        zone.names_count() > 3000
    });
    let place = all
        .iter()
        .position(|zone| zone.apex.as_wire() == wire("large."));
    let found = found.map(|zone| zone.info());
    assert_eq!(found.as_ref(), Some(&all[seen - 1]));
    assert_eq!(Some(seen - 1), place, "nothing is looked at behind it");
    assert!(generation.find_zone_where(&mut |_| false).is_none());
}
