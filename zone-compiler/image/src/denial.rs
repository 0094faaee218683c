//! Proofs that something is not there: NSEC3 by hash, NSEC by canonical order.
//!
//! Only finds records; which of them a reply needs is the answer path's choice.

use std::cmp::Ordering;

use sha1::{Digest, Sha1};

use crate::Generation;
use crate::body::BodyRef;
use crate::layout::{ArchivedNsec3Page, Denial, PageRef};
use crate::lookup::{Entry, LookupName, Zone};
use crate::name::NAME_BYTES_MAX;
use crate::prefetch;
use crate::segment::access;
use crate::walk::Walk;

/// Longest sort key: each octet of a name can take two, and each label ends in two.
const SORT_KEY_BYTES_MAX: usize = 3 * NAME_BYTES_MAX;

/// What SHA-1 starts with (RFC 3174 section 6.1).
const SHA1_START: [u32; 5] = [
    0x6745_2301,
    0xefcd_ab89,
    0x98ba_dcfe,
    0x1032_5476,
    0xc3d2_e1f0,
];

/// The hash of RFC 5155 section 5 with its parameters.
#[derive(Clone, Copy)]
pub struct Nsec3Hasher<'s> {
    iterations: u16,
    salt: &'s [u8],
}

impl<'s> Nsec3Hasher<'s> {
    /// SHA-1, the only algorithm there is (RFC 5155 section 11).
    pub fn new(iterations: u16, salt: &'s [u8]) -> Self {
        Self { iterations, salt }
    }

    /// Hashes a name in wire format and lower case.
    pub fn hash(&self, wire: &[u8]) -> [u8; 20] {
        let mut digest = self.once(wire);
        for _ in 0..self.iterations {
            digest = self.once(&digest);
        }
        digest
    }

    /// SHA-1 of octets and salt. Most names are so short that one block has all.
    #[inline]
    fn once(&self, octets: &[u8]) -> [u8; 20] {
        const ROOM_BYTES: usize = 64 - 8 - 1;
        let length = octets.len() + self.salt.len();
        if length > ROOM_BYTES {
            let digest = Sha1::new().chain_update(octets).chain_update(self.salt);
            return digest.finalize().into();
        }
        // RFC 3174 section 4: a one bit, zeroes, and the length in bits.
        let mut block = [0; 64];
        block[..octets.len()].copy_from_slice(octets);
        block[octets.len()..length].copy_from_slice(self.salt);
        block[length] = 0x80;
        block[ROOM_BYTES + 1..].copy_from_slice(&(8 * length as u64).to_be_bytes());
        let mut state = SHA1_START;
        sha1::block_api::compress(&mut state, &[block]);
        let mut digest = [0; 20];
        for (octets, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
            *octets = word.to_be_bytes();
        }
        digest
    }
}

/// The key of an NSEC3 in its tree: the first eight octets of its hash.
#[inline]
pub fn nsec3_key(hash: &[u8; 20]) -> u64 {
    let mut key = [0; 8];
    key.copy_from_slice(&hash[..8]);
    u64::from_be_bytes(key)
}

/// An NSEC3 and what it says of the hash that was looked for.
#[derive(Clone, Copy)]
pub struct Nsec3<'g> {
    /// The record and its RRSIGs.
    pub body: BodyRef<'g>,
    /// Whether it is the one of that hash; otherwise it covers the hash.
    pub matches: bool,
}

impl<'g> Zone<'g> {
    /// How the zone proves that something is not there.
    pub fn denial(&self) -> Denial {
        Denial::from_number(self.page.denial).expect("the verifier read the kind")
    }

    /// NSEC3 hash of the last `labels` labels of `name`.
    pub fn nsec3_hash(&self, name: &LookupName, labels: usize) -> [u8; 20] {
        if labels == self.apex_labels() {
            return self.page.nsec3_apex[0];
        }
        self.hasher().hash(name.suffix(labels))
    }

    /// NSEC3 hash of the wildcard below the last `labels` labels of `name`.
    pub fn nsec3_wildcard_hash(&self, name: &LookupName, labels: usize) -> [u8; 20] {
        if labels == self.apex_labels() {
            return self.page.nsec3_apex[1];
        }
        let suffix = name.suffix(labels);
        let mut wildcard = [0; NAME_BYTES_MAX + 2];
        wildcard[..2].copy_from_slice(b"\x01*");
        wildcard[2..2 + suffix.len()].copy_from_slice(suffix);
        self.hasher().hash(&wildcard[..2 + suffix.len()])
    }

    fn hasher(&self) -> Nsec3Hasher<'g> {
        Nsec3Hasher::new(
            self.page.nsec3_iterations.to_native(),
            &self.page.nsec3_salt,
        )
    }

    /// The NSEC3 that matches a hash or covers it.
    pub fn nsec3(&self, hash: &[u8; 20]) -> Option<Nsec3<'g>> {
        self.seek_nsec3(hash)?.finish()
    }

    pub(crate) fn entry_of_key(&self, key: &[u8]) -> Option<Entry<'g>> {
        let mut wire = [0; NAME_BYTES_MAX];
        let length = relative_name(key, &mut wire)?;
        let apex = self.apex();
        wire.get_mut(length..length + apex.len())?
            .copy_from_slice(apex);
        self.find(&wire[..length + apex.len()])
    }

    /// Starts to look for the NSEC3 that matches a hash or covers it.
    #[inline(always)]
    pub fn seek_nsec3(&self, hash: &[u8; 20]) -> Option<Nsec3Seek<'g>> {
        if self.denial() != Denial::Nsec3 {
            return None;
        }
        let root = PageRef(self.page.proofs.to_native());
        let root_bytes = size_of::<ArchivedNsec3Page>();
        Some(Nsec3Seek {
            generation: self.generation,
            hash: *hash,
            walk: Walk::new(self.generation, root, nsec3_key(hash), root_bytes),
            page: None,
            at: 0,
        })
    }

    /// The last owner of an NSEC at or before the last `labels` labels of `name`,
    /// or at or before the wildcard below them.
    pub fn nsec_at_or_before(
        &self,
        name: &LookupName,
        labels: usize,
        wildcard: bool,
    ) -> Option<Entry<'g>> {
        if self.denial() != Denial::Nsec {
            return None;
        }
        let relative = name.relative(labels, self.apex_labels());
        let mut key = SortKey::new(relative);
        if wildcard {
            key.push(b"*");
        }
        let mut page = access::order(self.generation.page(PageRef(self.page.proofs.to_native())));
        loop {
            // The apex has the empty key, so there is always one at or before.
            let at = page_position(page, key.as_slice())?;
            match page.children.get(at) {
                Some(child) => {
                    page = access::order(self.generation.page(PageRef(child.to_native())));
                }
                None => return self.entry_of_key(key_at(page, at)),
            }
        }
    }
}

/// The search for an NSEC3, in steps as those of [`crate::Seek`]: `descend` until it
/// says no, `read_root`, `read_ends`, `read_hashes`, `read_head`.
#[derive(Clone, Copy)]
pub struct Nsec3Seek<'g> {
    generation: &'g Generation,
    hash: [u8; 20],
    walk: Walk<'g>,
    page: Option<&'g ArchivedNsec3Page>,
    /// Near the place that the hash should have among those of the page, then at it.
    at: usize,
}

/// Hashes on either side of the place where one should be that are asked for: it is
/// rarely further away.
const NSEC3_HASHES_ASKED: usize = 5;

impl<'g> Nsec3Seek<'g> {
    /// Goes one node down the tree; says whether there was one.
    #[inline]
    pub fn descend(&mut self) -> bool {
        self.walk.advance(self.generation)
    }

    /// Reads where the hashes of the page are.
    #[inline]
    pub fn read_root(&mut self) {
        let Some(octets) = self.walk.leaf() else {
            return;
        };
        let page = access::nsec3(octets);
        self.page = Some(page);
        if let [first, .., last] = &*page.hashes {
            prefetch::line(first);
            prefetch::line(last);
        }
    }

    /// Reads the first and the last of them, which say where the hash should be:
    /// hashes are as good as random, and so spread evenly.
    #[inline]
    pub fn read_ends(&mut self) {
        // Enough bits are left to tell the hashes of a page apart in the largest zone,
        // and enough room to multiply with their number.
        const DROPPED_BITS: u32 = 24;
        let Some(page) = self.page else {
            return;
        };
        let last = page.hashes.len() - 1;
        let start = nsec3_key(&page.hashes[0]);
        // The first leaf of all starts with the last record of all, so this wraps.
        let spread = |key: u64| key.wrapping_sub(start) >> DROPPED_BITS;
        let whole = spread(nsec3_key(&page.hashes[last])).max(1);
        let own = spread(nsec3_key(&self.hash)).min(whole);
        let place = own.wrapping_mul(last as u64) / whole;
        self.at = usize::try_from(place).map_or(last, |place| place.min(last));
        let first = self.at.saturating_sub(NSEC3_HASHES_ASKED);
        let end = (self.at + NSEC3_HASHES_ASKED).min(page.hashes.len());
        prefetch::span(page.hashes[first..end].as_flattened());
    }

    /// Finds the hash among them.
    #[inline]
    pub fn read_hashes(&mut self) {
        if let Some(page) = self.page {
            self.at = last_at_or_before(&page.hashes, &self.hash, self.at);
            prefetch::value(&page.bodies[self.at]);
        }
    }

    /// Reads where its record is.
    #[inline]
    pub fn read_head(&self) {
        if let Some(found) = self.found() {
            found.body.ask();
        }
    }

    /// What was found, after the last step.
    #[inline]
    pub fn found(&self) -> Option<Nsec3<'g>> {
        let page = self.page?;
        Some(Nsec3 {
            body: BodyRef::local(&page.bodies[self.at], &page.heap),
            matches: page.hashes[self.at] == self.hash,
        })
    }

    /// Takes all steps.
    fn finish(mut self) -> Option<Nsec3<'g>> {
        while self.descend() {}
        self.read_root();
        self.read_ends();
        self.read_hashes();
        self.found()
    }
}

/// The last of the sorted `hashes[1..]` at or before `hash`, else 0: the first
/// record ends the leaf before this one; where this is the first leaf of all, it
/// is the last record of the chain and covers what wraps. Looks around `near`
/// first.
pub(crate) fn last_at_or_before(hashes: &[[u8; 20]], hash: &[u8; 20], near: usize) -> usize {
    let key = nsec3_key(hash);
    let is_at_or_before = |own: &[u8; 20]| match nsec3_key(own).cmp(&key) {
        Ordering::Equal => own <= hash,
        order => order.is_lt(),
    };
    let (mut low, mut high) = (0, hashes.len());
    let mut at = near.clamp(1, hashes.len().max(2) - 1);
    for _ in 0..NSEC3_HASHES_ASKED {
        if high - low <= 1 {
            return low;
        }
        if is_at_or_before(&hashes[at]) {
            low = at;
            at += 1;
        } else {
            high = at;
            at -= 1;
        }
        if at <= low || at >= high {
            return low;
        }
    }
    low + hashes[low + 1..high].partition_point(is_at_or_before)
}

type OrderPage = crate::layout::ArchivedOrderPage;

/// The keys of a page, ascending.
pub(crate) fn order_keys(page: &OrderPage) -> impl Iterator<Item = &[u8]> {
    (0..page.ends.len()).map(|at| key_at(page, at))
}

pub(crate) fn key_at(page: &OrderPage, at: usize) -> &[u8] {
    let start = at
        .checked_sub(1)
        .map_or(0, |before| page.ends[before].to_native() as usize);
    &page.heap[start..page.ends[at].to_native() as usize]
}

/// The last key of a page that is at or before `key`.
fn page_position(page: &OrderPage, key: &[u8]) -> Option<usize> {
    let (mut low, mut high) = (0, page.ends.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if key_at(page, middle) <= key {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low.checked_sub(1)
}

/// A name as octets that sort like RFC 4034 section 6.1: labels from the right,
/// a zero octet as 0 1, each label ended by 0 0.
pub struct SortKey {
    bytes: [u8; SORT_KEY_BYTES_MAX],
    length: usize,
}

impl SortKey {
    /// The key of a name given as its lower-case labels before the apex.
    pub fn new(relative: &[u8]) -> Self {
        let mut key = Self {
            bytes: [0; SORT_KEY_BYTES_MAX],
            length: 0,
        };
        let mut starts = [0u8; 128];
        let (mut count, mut at) = (0, 0);
        while at < relative.len() {
            starts[count] = u8::try_from(at).expect("a name has 255 octets");
            count += 1;
            at += 1 + usize::from(relative[at]);
        }
        for &start in starts[..count].iter().rev() {
            let start = usize::from(start);
            key.push(&relative[start + 1..=start + usize::from(relative[start])]);
        }
        key
    }

    fn push(&mut self, label: &[u8]) {
        for &byte in label {
            self.put(byte);
            if byte == 0 {
                self.put(1);
            }
        }
        self.put(0);
        self.put(0);
    }

    fn put(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    /// The octets.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Writes the labels that a sort key was made of; returns their octets, or
/// `None` where it was made of none.
pub(crate) fn relative_name(key: &[u8], out: &mut [u8; NAME_BYTES_MAX]) -> Option<usize> {
    // The key has the last label first, so the name is filled from its end.
    let mut start = out.len();
    let mut rest = key;
    while !rest.is_empty() {
        let mut label = [0; 63];
        let mut length = 0;
        loop {
            let (byte, after) = rest.split_first()?;
            rest = after;
            if *byte == 0 {
                let (mark, after) = rest.split_first()?;
                rest = after;
                match mark {
                    0 => break,
                    1 => {}
                    _ => return None,
                }
            }
            *label.get_mut(length)? = *byte;
            length += 1;
        }
        start = start.checked_sub(length + 1)?;
        out[start] = u8::try_from(length).ok().filter(|length| *length > 0)?;
        out[start + 1..=start + length].copy_from_slice(&label[..length]);
    }
    let length = out.len() - start;
    out.copy_within(start.., 0);
    Some(length)
}

#[cfg(test)]
mod tests;
