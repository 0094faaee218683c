//! Images whose references are tangled: a page that is reached by so many paths that a
//! walk over all of them would not end is refused after as many pages as there are.

use super::*;
use crate::SortKey;
use crate::layout::{Denial, NODE_SLOTS, Node, OrderPage};
use crate::writer::{SegmentWriter, encode};

/// An image of one zone with these names and proofs, and an apex that nobody looks for.
fn tangled(roots: impl FnOnce(&mut SegmentWriter, PageRef) -> (PageRef, Proofs)) -> TempDir {
    let directory = TempDir::new().unwrap();
    let mut installer = Installer::replace(directory.path(), Some(Seed::new(SEED))).unwrap();
    let names = apex_page(&mut installer);
    let (names, proofs) = roots(installer.segment(), names);
    installer.add_zone(&apex_zone(names, proofs)).unwrap();
    installer.commit().unwrap();
    directory
}

fn check_refused_soon(directory: &TempDir) {
    let error = open(directory.path()).unwrap_err().to_string();
    assert!(
        error.contains("pages are referred to more than once"),
        "{error}"
    );
}

#[test]
fn an_order_whose_pages_have_one_child_64_times_is_refused() {
    let directory = tangled(|segment, names| {
        let mut write = |children: Vec<u64>| {
            let keys: Vec<_> = (0..children.len().max(1))
                .map(|index| SortKey::new(format!("\u{2}{index:02}").as_bytes()))
                .collect();
            let ends = keys.iter().scan(0, |end, key| {
                *end += u32::try_from(key.as_slice().len()).unwrap();
                Some(*end)
            });
            let page = OrderPage {
                ends: ends.collect(),
                heap: keys.iter().flat_map(SortKey::as_slice).copied().collect(),
                children,
            };
            segment
                .append(PageKind::Order, &encode(&page).unwrap())
                .unwrap()
        };
        let mut root = write(Vec::new());
        for _ in 0..7 {
            root = write(vec![root.0; 64]);
        }
        let proofs = Proofs {
            denial: Denial::Nsec,
            root,
            count: 64_u64.pow(7),
            ..Proofs::default()
        };
        (names, proofs)
    });
    check_refused_soon(&directory);
}

#[test]
fn a_tree_whose_nodes_have_one_child_in_every_second_slot_is_refused() {
    let directory = tangled(|segment, _| {
        let mut root = PageRef::NONE;
        for _ in 0..6 {
            let mut slots = [PageRef::NONE.0; NODE_SLOTS];
            slots.iter_mut().step_by(2).for_each(|slot| *slot = root.0);
            let page = encode(&Node { slots }).unwrap();
            root = segment.append(PageKind::Node, &page).unwrap();
        }
        (root, Proofs::default())
    });
    check_refused_soon(&directory);
}
