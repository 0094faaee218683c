//! An install that is larger than a segment may be: it goes on in others, says the same,
//! and is folded a segment at a time.

use super::changes::History;
use super::*;
use crate::layout::{NODE_SLOTS, PageRef};
use crate::reach::each_page_of_zone;
use crate::segment::access;

const BYTES_MAX: u64 = 100_000;
const ZONES: [(&str, u32, usize); 2] = [("other.", 1, 300), ("example.", 1, 30_000)];

/// Where each segment comes in the order of their writing.
fn position(generation: &Generation, page: PageRef) -> usize {
    let mut order = generation.order.iter();
    order.position(|slot| *slot == page.slot()).unwrap()
}

/// No page refers to one of a later segment; gives how many refer to an earlier one.
fn earlier_references(generation: &Generation, apex: &str) -> usize {
    let mut found = 0;
    let mut look = |from: PageRef, to: PageRef| {
        if !to.is_none() {
            let (from, to) = (position(generation, from), position(generation, to));
            assert!(
                to <= from,
                "a page of segment {from} refers to segment {to}"
            );
            found += usize::from(to < from);
        }
    };
    let mut zones = access::catalog(generation.page(generation.catalog))
        .zones
        .iter();
    let zone = zones.find(|zone| zone.apex.as_slice() == wire(apex));
    let zone = PageRef(zone.unwrap().zone.to_native());
    let mut pages = Vec::new();
    each_page_of_zone(generation, zone, &mut |page| pages.push(page));
    for page in pages {
        if page.is_node() {
            let node = access::node(generation.page(page));
            let slots: &[_; NODE_SLOTS] = &node.slots;
            slots
                .iter()
                .for_each(|to| look(page, PageRef(to.to_native())));
        } else {
            look(zone, page);
        }
        look(generation.catalog, zone);
    }
    found
}

#[test]
fn a_large_install_is_many_segments_and_says_the_same() {
    let (whole, parts) = (image(&ZONES), limited_image(&ZONES, BYTES_MAX));
    let whole = open(whole.path()).unwrap();
    let generation = open(parts.path()).unwrap();
    assert_eq!(whole.segments_count(), 1);
    assert!(
        generation.segments_count() >= 15,
        "{}",
        generation.segments_count()
    );
    for slot in &generation.order {
        assert_eq!(slot % 2, 0, "those of folds are odd");
        assert!(generation.live.bytes(*slot) <= BYTES_MAX);
    }
    for number in (0..30_500).step_by(7) {
        let name = format!("www.d{number}.example.");
        assert_eq!(look(&generation, &name), look(&whole, &name));
    }
    assert!(earlier_references(&generation, "example.") > 100);
    let files = std::fs::read_dir(parts.path()).unwrap();
    let files: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    let is_segment = |name: &&std::ffi::OsString| name.to_str().unwrap().ends_with(".segment");
    let segments = files.iter().filter(is_segment).count();
    assert_eq!(segments, generation.segments_count());
    assert_eq!(files.len(), segments + 2, "generation and lock: {files:?}");
}

#[test]
fn a_large_install_that_is_given_up_leaves_nothing() {
    let directory = image(&[("example.", 1, 10)]);
    let files = || {
        let files = std::fs::read_dir(directory.path()).unwrap();
        let mut files: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        files.sort();
        files
    };
    let before = files();
    let mut installer = Installer::update(directory.path()).unwrap();
    installer.limit_segments(BYTES_MAX);
    add_zone(&mut installer, "example.", 2, 8000);
    assert!(files().len() > before.len() + 3, "{:?}", files());
    drop(installer);
    assert_eq!(files(), before);
    let mut installer = Installer::update(directory.path()).unwrap();
    installer.limit_segments(BYTES_MAX);
    add_zone(&mut installer, "example.", 2, 8000);
    drop(installer.stage().unwrap());
    assert_eq!(files(), before, "staged, and not installed");
}

#[test]
fn no_fold_of_a_large_zone_takes_more_than_it_is_allowed() {
    let mut history = History::limited(30_000, BYTES_MAX);
    let first = history.generation.order.clone();
    let mut folds = 0;
    for step in 2u16..120 {
        let toggled = (0..10).map(|number: u16| number * 40 + step % 37).collect();
        history.step(&toggled, u32::from(step));
        let generation = std::sync::Arc::clone(&history.generation);
        let worn = generation.worn_segments(BYTES_MAX);
        if worn.is_empty() {
            continue;
        }
        let live: u64 = worn.iter().map(|slot| generation.live.bytes(*slot)).sum();
        assert!(live <= BYTES_MAX, "{live} octets of {worn:?}");
        let fold = history.begin_fold(&worn);
        // What it copies, the nodes that lead there, and its table of contents.
        assert!(
            fold.bytes() <= 2 * live + 65_536,
            "{} of {live}",
            fold.bytes()
        );
        assert!(history.end_fold(fold));
        folds += 1;
    }
    history.check();
    assert!(folds > 5, "{folds}");
    earlier_references(&history.generation, "example.");
    // Each of the first ones alone, in whatever order.
    for slot in first.into_iter().rev() {
        if history.generation.slots().contains(&slot) {
            let fold = history.begin_fold(&std::collections::BTreeSet::from([slot]));
            assert!(history.end_fold(fold));
            earlier_references(&history.generation, "example.");
        }
    }
    history.check();
}
