//! Which entries of a page have a tag: all 64 are compared at once.

use crate::layout::PAGE_NAMES_MAX;

/// The places of `tag` among the tags of a page, a bit each.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the instructions are those of SSE2")]
#[inline]
pub(crate) fn places(tags: &[u8; PAGE_NAMES_MAX], tag: u8) -> u64 {
    // SAFETY: SSE2 is part of x86-64.
    unsafe { by_sixteen(tags, tag) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
#[inline]
fn by_sixteen(tags: &[u8; PAGE_NAMES_MAX], tag: u8) -> u64 {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8};
    let wanted = _mm_set1_epi8(tag.cast_signed());
    let mut found = 0;
    for (part, tags) in tags.as_chunks::<16>().0.iter().enumerate() {
        let tags = u128::from_le_bytes(*tags).cast_signed();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "takes the half it is about"
        )]
        let own = _mm_set_epi64x((tags >> 64) as i64, tags as i64);
        let equal = _mm_movemask_epi8(_mm_cmpeq_epi8(own, wanted));
        // Sixteen bits, one for each octet.
        found |= u64::from(equal.cast_unsigned()) << (16 * part);
    }
    found
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use plain as places;

/// The same without instructions of a certain processor: eight tags at once.
#[cfg(any(test, not(target_arch = "x86_64")))]
pub(crate) fn plain(tags: &[u8; PAGE_NAMES_MAX], tag: u8) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    // Gathers the lowest bit of each octet in the highest octet.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let wanted = u64::from(tag) * ONES;
    let mut found = 0;
    for (word, tags) in tags.as_chunks::<8>().0.iter().enumerate() {
        let differs = u64::from_le_bytes(*tags) ^ wanted;
        // The high bit of each octet that differs nowhere, without carries between octets.
        let equal = !(((differs & LOW) + LOW) | differs | LOW);
        found |= ((equal >> 7).wrapping_mul(GATHER) >> 56) << (8 * word);
    }
    found
}

#[cfg(test)]
mod tests;
