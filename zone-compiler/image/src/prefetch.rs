//! Asking the processor for memory before it is read.
//!
//! A prefetch changes nothing that a program can see and never faults, whatever
//! the address. On processors that we have no instruction for it does nothing.
#![expect(unsafe_code, reason = "the instruction takes a bare address")]

use crate::layout::UNIT;

/// Most cache lines of one span that are asked for; what follows, the processor
/// fetches by itself as it sees them read in order.
const LINES_MAX: usize = 6;

/// Asks for the cache line in which `place` starts.
#[inline(always)]
pub(crate) fn line<T: ?Sized>(place: &T) {
    address(std::ptr::from_ref(place).cast());
}

/// Asks for a small value, which may lie on two cache lines.
#[inline(always)]
pub(crate) fn value<T>(place: &T) {
    let start: *const u8 = std::ptr::from_ref(place).cast();
    address(start);
    address(start.wrapping_add(size_of::<T>().saturating_sub(1)));
}

/// Asks for the cache lines in which `octets`, of at most a few lines, start and end.
#[inline(always)]
pub(crate) fn ends(octets: &[u8]) {
    let start = octets.as_ptr();
    address(start);
    address(start.wrapping_add(octets.len().saturating_sub(1)));
}

/// Asks for the cache lines of `octets`, the first few of them.
#[inline(always)]
pub(crate) fn span(octets: &[u8]) {
    let start = octets.as_ptr();
    let skew = start.addr() % UNIT;
    let lines = (skew + octets.len()).div_ceil(UNIT).min(LINES_MAX);
    for line in 0..lines {
        address(start.wrapping_add(line * UNIT));
    }
}

#[inline(always)]
fn address(place: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: prefetching is allowed for every address; SSE is part of x86-64.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(place.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}
