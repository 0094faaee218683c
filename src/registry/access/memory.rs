//! Memory to hash passwords in: 19 MiB each time.
//!
//! It is taken once and kept for the next, as much as is used at once by those who look at
//! passwords all day. Memory that each thread takes and gives back anew stays with the
//! allocator of that thread, twice or three times over. What was hashed in it is wiped.

use std::sync::{Mutex, PoisonError};

use argon2::Block;

/// How much is kept: a server looks at two passwords at once.
const KEPT_MAX: usize = 2;

static KEPT: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

/// Does `work` in so many blocks, which hold nothing of anybody before and after.
pub(super) fn within<T>(count: usize, work: impl FnOnce(&mut [Block]) -> T) -> T {
    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut blocks = kept.unwrap_or_default();
    blocks.resize(count, Block::default());
    let done = work(&mut blocks);
    blocks.fill(Block::default());
    // Bound: others are given back.
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() < KEPT_MAX {
        kept.push(blocks);
    }
    done
}

/// Blocks that wait for the next.
#[cfg(test)]
pub(super) fn kept() -> Vec<Vec<Block>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
