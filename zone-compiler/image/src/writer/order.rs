//! Writing the names of a zone in canonical order: leaves of sort keys, and
//! nodes over them until one page is left; and changing some of them.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::page::encode;
use super::segment::SegmentWriter;
use crate::denial::order_keys;
use crate::error::WriteError;
use crate::generation::Generation;
use crate::layout::{ORDER_PAGE_KEYS_MAX, OrderPage, PageKind, PageRef};
use crate::segment::access;

/// Writes `keys`, which are sorted sort keys; returns the root.
pub fn write_order(keys: &[Vec<u8>], segment: &mut SegmentWriter) -> Result<PageRef, WriteError> {
    let mut level: Vec<(&[u8], PageRef)> = Vec::new();
    for keys in keys.chunks(ORDER_PAGE_KEYS_MAX) {
        let slices: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        level.push((slices[0], page(&slices, Vec::new(), segment)?));
    }
    above(level, segment)
}

/// Pages over those of a level, each of which has a first key, until one is left.
fn above(
    mut level: Vec<(&[u8], PageRef)>,
    segment: &mut SegmentWriter,
) -> Result<PageRef, WriteError> {
    while level.len() > 1 {
        level = nodes(&level, segment)?;
    }
    Ok(level.first().map_or(PageRef::NONE, |(_, root)| *root))
}

fn nodes<'k>(
    level: &[(&'k [u8], PageRef)],
    segment: &mut SegmentWriter,
) -> Result<Vec<(&'k [u8], PageRef)>, WriteError> {
    let mut above = Vec::new();
    for children in level.chunks(even_chunk(level.len())) {
        let (keys, references): (Vec<&[u8]>, Vec<PageRef>) = children.iter().copied().unzip();
        let references = references.iter().map(|reference| reference.0).collect();
        above.push((keys[0], page(&keys, references, segment)?));
    }
    Ok(above)
}

/// A size of chunks that are full, or as few and alike as can be.
fn even_chunk(count: usize) -> usize {
    match count {
        0..=ORDER_PAGE_KEYS_MAX => count.max(1),
        // Two of this size have room again.
        _ if count < 2 * ORDER_PAGE_KEYS_MAX => count.div_ceil(2),
        _ => ORDER_PAGE_KEYS_MAX,
    }
}

/// Adds the owners that `owners` says yes of to an order and takes out the others;
/// gives the new root, and by how much there are more.
pub(super) fn change_order(
    kept: &Generation,
    root: PageRef,
    owners: &BTreeMap<Vec<u8>, bool>,
    segment: &mut SegmentWriter,
    retired: &mut Vec<PageRef>,
) -> Result<(PageRef, i64), WriteError> {
    let mut change = OrderChange {
        kept,
        owners,
        retired: std::mem::take(retired),
        count: 0,
    };
    let (from, to) = (Bound::Unbounded, Bound::Unbounded);
    let level = change.subtree(root, (from, to), segment)?;
    *retired = change.retired;
    Ok((above(level, segment)?, change.count))
}

struct OrderChange<'w> {
    kept: &'w Generation,
    owners: &'w BTreeMap<Vec<u8>, bool>,
    retired: Vec<PageRef>,
    count: i64,
}

/// The keys that a page is responsible for.
type KeyBounds<'w> = (Bound<&'w [u8]>, Bound<&'w [u8]>);

impl<'w> OrderChange<'w> {
    /// The pages that take the place of one, with the first key of each.
    fn subtree(
        &mut self,
        root: PageRef,
        bounds: KeyBounds<'w>,
        segment: &mut SegmentWriter,
    ) -> Result<Vec<(&'w [u8], PageRef)>, WriteError> {
        let own = access::order(self.kept.page(root));
        let keys: Vec<&[u8]> = order_keys(own).collect();
        let mut changes = self.owners.range::<[u8], _>(bounds).peekable();
        if changes.peek().is_none() {
            return Ok(vec![(keys[0], root)]);
        }
        self.retired.push(root);
        if own.children.is_empty() {
            let mut merged: BTreeMap<&[u8], ()> = keys.into_iter().map(|key| (key, ())).collect();
            for (key, comes) in changes {
                let was = match comes {
                    true => merged.insert(key, ()),
                    false => merged.remove(&key[..]),
                };
                self.count += i64::from(*comes) - i64::from(was.is_some());
            }
            let merged: Vec<&[u8]> = merged.into_keys().collect();
            let mut level = Vec::new();
            for keys in merged.chunks(even_chunk(merged.len())) {
                level.push((keys[0], page(keys, Vec::new(), segment)?));
            }
            return Ok(level);
        }
        let mut children = Vec::new();
        for (at, child) in own.children.iter().enumerate() {
            let start = match at {
                0 => bounds.0,
                _ => Bound::Included(keys[at]),
            };
            let end = keys
                .get(at + 1)
                .map_or(bounds.1, |key| Bound::Excluded(*key));
            children.extend(self.subtree(PageRef(child.to_native()), (start, end), segment)?);
        }
        nodes(&children, segment)
    }
}

fn page(
    keys: &[&[u8]],
    children: Vec<u64>,
    segment: &mut SegmentWriter,
) -> Result<PageRef, WriteError> {
    let mut ends = Vec::with_capacity(keys.len());
    let mut heap = Vec::new();
    for key in keys {
        heap.extend_from_slice(key);
        ends.push(u32::try_from(heap.len()).expect("64 keys of two names' length"));
    }
    segment.append(
        PageKind::Order,
        &encode(&OrderPage {
            ends,
            heap,
            children,
        })?,
    )
}
