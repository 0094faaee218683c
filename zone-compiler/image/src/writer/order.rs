//! Writing the names of a zone in canonical order: leaves of sort keys, and
//! nodes over them until one page is left.

use super::page::encode;
use super::segment::SegmentWriter;
use crate::error::WriteError;
use crate::layout::{ORDER_PAGE_KEYS_MAX, OrderPage, PageKind, PageRef};

/// Writes `keys`, which are sorted sort keys; returns the root.
pub fn write_order(keys: &[Vec<u8>], segment: &mut SegmentWriter) -> Result<PageRef, WriteError> {
    let mut level: Vec<(&[u8], PageRef)> = Vec::new();
    for keys in keys.chunks(ORDER_PAGE_KEYS_MAX) {
        let slices: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        level.push((slices[0], page(&slices, Vec::new(), segment)?));
    }
    while level.len() > 1 {
        let mut above = Vec::new();
        for children in level.chunks(ORDER_PAGE_KEYS_MAX) {
            let (keys, references): (Vec<&[u8]>, Vec<PageRef>) = children.iter().copied().unzip();
            let references = references.iter().map(|reference| reference.0).collect();
            above.push((keys[0], page(&keys, references, segment)?));
        }
        level = above;
    }
    Ok(level.first().map_or(PageRef::NONE, |(_, root)| *root))
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
