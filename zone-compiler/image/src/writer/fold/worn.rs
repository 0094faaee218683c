//! Which segments should become one.
//!
//! Those that have the most garbage where there is much of it, else the smallest ones
//! where there are many. A fold copies no more than its caller allows, so that an image
//! is not twice in memory; a single segment that is larger goes alone. Looks at counts
//! and at no page.

use std::collections::BTreeSet;

use crate::generation::Generation;

/// Fewest segments that are folded for their number.
const FOLD_MIN: usize = 8;
/// Times all smaller ones together that a segment may have and still be folded with
/// them. So each that is left is some times as large as the next one: there are few, and
/// a page is copied a few times in all.
const FOLD_RATIO: u64 = 2;
/// Segments are folded for garbage where it is more than this, and more than this share
/// of what is reached.
const GARBAGE_BYTES_MIN: u64 = 1 << 20;
const GARBAGE_PARTS: u64 = 2;
/// A segment is worth it where its garbage is at least this share of what is reached.
const SEGMENT_GARBAGE_PARTS: u64 = 4;

struct Candidate {
    slot: u16,
    live_bytes: u64,
    garbage_bytes: u64,
}

impl Generation {
    /// The segments that should become one now, of which at most `bytes_max` octets are
    /// reached, or a single one; none where all is well.
    pub fn worn_segments(&self, bytes_max: u64) -> BTreeSet<u16> {
        let candidates = self.order.iter().map(|slot| Candidate {
            slot: *slot,
            live_bytes: self.live.bytes(*slot),
            garbage_bytes: self.garbage_of(*slot),
        });
        let mut candidates: Vec<_> = candidates.collect();
        let live: u64 = candidates.iter().map(|one| one.live_bytes).sum();
        let garbage: u64 = candidates.iter().map(|one| one.garbage_bytes).sum();
        candidates.sort_by_key(|one| (one.live_bytes, one.slot));
        let of_garbage = if garbage > GARBAGE_BYTES_MIN && garbage > live / GARBAGE_PARTS {
            with_garbage(&candidates, bytes_max)
        } else {
            BTreeSet::new()
        };
        if of_garbage.is_empty() {
            return alike(&candidates, bytes_max);
        }
        of_garbage
    }
}

/// Those with the most garbage; what has little of it for what has to be copied is not
/// worth it. Not all segments can have little where the image has much.
fn with_garbage(candidates: &[Candidate], bytes_max: u64) -> BTreeSet<u16> {
    let is_worth = |one: &&Candidate| {
        one.garbage_bytes > 0 && one.garbage_bytes >= one.live_bytes / SEGMENT_GARBAGE_PARTS
    };
    let mut worth: Vec<_> = candidates.iter().filter(is_worth).collect();
    worth.sort_by_key(|one| std::cmp::Reverse((one.garbage_bytes, one.slot)));
    let (mut slots, mut bytes) = (BTreeSet::new(), 0);
    for one in worth {
        if slots.is_empty() || bytes + one.live_bytes <= bytes_max {
            slots.insert(one.slot);
            bytes += one.live_bytes;
        }
    }
    slots
}

/// As many of the smallest as are alike; `candidates` ascend.
fn alike(candidates: &[Candidate], bytes_max: u64) -> BTreeSet<u16> {
    let (mut count, mut smaller) = (0, 0);
    for (at, one) in candidates.iter().enumerate() {
        let bytes = one.live_bytes;
        if at + 1 >= FOLD_MIN && bytes <= FOLD_RATIO * smaller && bytes + smaller <= bytes_max {
            count = at + 1;
        }
        smaller += bytes;
    }
    candidates[..count].iter().map(|one| one.slot).collect()
}
