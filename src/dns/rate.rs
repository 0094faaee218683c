//! Response rate limiting: what an attacker can make us send to somebody else.
//!
//! Counts replies by client network, kind of reply and zone, second by second,
//! in a table of fixed size that all workers of the node share. Who is over the
//! limit gets every n-th reply as a truncated one without records, so that a
//! real client can go on over TCP. Never allocates, locks or reads a clock.

use std::hash::Hasher;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use siphasher::sip::SipHasher13;

use super::secret::Secret;

/// Entries that are looked at for one reply: those of one cache line.
const WAYS: usize = 8;
/// Tries to get a place in a line that others write as well.
const TRIES_MAX: usize = 4;
/// Highest rate, which leaves room in a count for the workers that pass it at once.
pub const RESPONSES_PER_SECOND_MAX: u32 = 10_000_000;
/// Fewest and most entries of a table.
pub const ENTRIES_RANGE: std::ops::RangeInclusive<usize> = 1024..=1 << 26;
/// An entry this far ahead is of a worker that read its clock a moment later.
const AHEAD_SECONDS_MAX: u64 = 2;

const COUNT_BITS: u32 = 24;
const SECOND_BITS: u32 = 20;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
const SECOND_MASK: u64 = (1 << SECOND_BITS) - 1;
/// Counts stop here, far enough from the end for every worker to add one.
const COUNT_MAX: u64 = COUNT_MASK - 0xffff;

/// How much is sent to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// Replies of one kind a second to one client network.
    pub responses_per_second: u32,
    /// Every `slip`-th reply over the limit goes out truncated; 0 is none.
    pub slip: u32,
    /// Leading bits of an IPv4 address that make a client network.
    pub prefix_length_v4: u8,
    /// Leading bits of an IPv6 address that make one, at most 64.
    pub prefix_length_v6: u8,
    /// Entries of the table, 8 octets each; rounded up to a power of two.
    pub entries: usize,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            responses_per_second: 1000,
            slip: 2,
            prefix_length_v4: 24,
            prefix_length_v6: 56,
            entries: 1 << 17,
        }
    }
}

/// Kinds of reply that are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Answer = 0,
    Referral = 1,
    Negative = 2,
    Error = 3,
}

/// What to do with a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It goes out.
    Send,
    /// It goes out truncated, without records.
    Slip,
    /// It does not go out.
    Drop,
}

/// The counts of a node.
#[derive(Debug)]
pub(super) struct RateLimit {
    limits: RateLimits,
    key: Secret,
    lines: Box<[Line]>,
}

/// One cache line. A word is a tag of 20 bits, a second and a count.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Line([AtomicU64; WAYS]);

const _: () = assert!(size_of::<Line>() == 64);

impl RateLimit {
    pub(super) fn new(limits: RateLimits, key: Secret) -> Self {
        let entries = limits
            .entries
            .clamp(*ENTRIES_RANGE.start(), *ENTRIES_RANGE.end());
        let lines = entries.next_power_of_two() / WAYS;
        Self {
            limits: RateLimits {
                responses_per_second: limits.responses_per_second.min(RESPONSES_PER_SECOND_MAX),
                ..limits
            },
            key,
            lines: std::iter::repeat_with(Line::default).take(lines).collect(),
        }
    }

    /// Counts a reply of `kind` from the zone with this apex, if one answers,
    /// and says what to do with it.
    pub(super) fn judge(&self, client: IpAddr, kind: Kind, apex: &[u8], now: u64) -> Verdict {
        let hash = self.hash(client, kind, apex);
        let count = self.count(hash, now & SECOND_MASK);
        let over = count.saturating_sub(u64::from(self.limits.responses_per_second));
        let slip = u64::from(self.limits.slip);
        if over == 0 {
            Verdict::Send
        } else if slip > 0 && count < COUNT_MAX && over.is_multiple_of(slip) {
            Verdict::Slip
        } else {
            Verdict::Drop
        }
    }

    /// Secret, so that nobody can choose clients that share an entry.
    fn hash(&self, client: IpAddr, kind: Kind, apex: &[u8]) -> u64 {
        let (network, family) = match client.to_canonical() {
            IpAddr::V4(address) => {
                let bits = u64::from(address.to_bits()) << 32;
                (leading(bits, self.limits.prefix_length_v4), 0)
            }
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                let bits = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
                (leading(bits, self.limits.prefix_length_v6), 0x80)
            }
        };
        let mut hasher = SipHasher13::new_with_key(self.key.value());
        hasher.write_u64(network);
        hasher.write_u8(family | kind as u8);
        hasher.write(apex);
        hasher.finish()
    }

    /// Adds one to the count of this hash in this second; gives the new count.
    fn count(&self, hash: u64, second: u64) -> u64 {
        let index = hash & (self.lines.len() as u64 - 1);
        let line = &self.lines[usize::try_from(index).expect("below the length of a slice")];
        let tag = hash >> (COUNT_BITS + SECOND_BITS);
        let fresh = (tag << SECOND_BITS | second) << COUNT_BITS | 1;
        for _ in 0..TRIES_MAX {
            let (word, seen) = choose(line, tag, second);
            if tag_of(seen) == tag && is_now(seen, second) {
                if seen & COUNT_MASK >= COUNT_MAX {
                    return COUNT_MAX;
                }
                return (word.fetch_add(1, Ordering::Relaxed) & COUNT_MASK) + 1;
            }
            let exchanged =
                word.compare_exchange(seen, fresh, Ordering::Relaxed, Ordering::Relaxed);
            if exchanged.is_ok() {
                return 1;
            }
        }
        // Others were faster each time; an uncounted reply does no harm.
        1
    }
}

/// The entry of this tag, or the one to give up for it: of an earlier second,
/// else the one with the lowest count, since high counts are what we are after.
fn choose(line: &Line, tag: u64, second: u64) -> (&AtomicU64, u64) {
    let mut best = (&line.0[0], 0, u64::MAX);
    for word in &line.0 {
        let seen = word.load(Ordering::Relaxed);
        if tag_of(seen) == tag {
            return (word, seen);
        }
        let cost = if is_now(seen, second) {
            seen & COUNT_MASK
        } else {
            0
        };
        if cost < best.2 {
            best = (word, seen, cost);
        }
    }
    (best.0, best.1)
}

fn tag_of(word: u64) -> u64 {
    word >> (COUNT_BITS + SECOND_BITS)
}

/// Whether an entry is of this second, or of the next as another worker has it.
fn is_now(word: u64, second: u64) -> bool {
    let own = word >> COUNT_BITS & SECOND_MASK;
    own.wrapping_sub(second) & SECOND_MASK < AHEAD_SECONDS_MAX
}

/// The first `length` bits of `bits`.
fn leading(bits: u64, length: u8) -> u64 {
    bits & (!0u64)
        .checked_shr(u32::from(length))
        .map_or(!0, |low| !low)
}

#[cfg(test)]
mod tests;
