//! The digest of a file's contents, by all cores.
//!
//! BLAKE3 is a tree over its input: pieces whose length is a power of two are hashed by
//! themselves and joined. The result is that of `blake3::hash`, whoever did which piece.

use std::convert::Infallible;

use blake3::hazmat::{
    ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root,
};

use crate::team::Team;

/// Octets of a piece: a power of two, and worth more than handing it over.
const PIECE_BYTES: usize = 1 << 20;

const _: () = assert!(PIECE_BYTES.is_power_of_two() && PIECE_BYTES >= blake3::CHUNK_LEN);

/// The BLAKE3 digest of `contents`.
pub(crate) fn digest(contents: &[u8], team: Team) -> [u8; 32] {
    if contents.len() <= PIECE_BYTES {
        return *blake3::hash(contents).as_bytes();
    }
    let count = contents.len().div_ceil(PIECE_BYTES);
    let work = |(): &mut (), item: usize| {
        let start = item * PIECE_BYTES;
        let end = (start + PIECE_BYTES).min(contents.len());
        let mut hasher = blake3::Hasher::new();
        hasher.set_input_offset(start as u64);
        hasher.update(&contents[start..end]);
        Ok::<_, Infallible>(hasher.finalize_non_root())
    };
    let Ok((pieces, _)) = team.share_out(count, || (), work);
    let (left, right) = halves(&pieces);
    let root = merge_subtrees_root(&joined(left), &joined(right), Mode::Hash);
    *root.as_bytes()
}

/// The chaining value of neighbouring pieces.
fn joined(pieces: &[ChainingValue]) -> ChainingValue {
    if let [piece] = pieces {
        return *piece;
    }
    let (left, right) = halves(pieces);
    merge_subtrees_non_root(&joined(left), &joined(right), Mode::Hash)
}

/// To the left of a node stand as many pieces as the largest power of two that leaves
/// some to the right.
fn halves(pieces: &[ChainingValue]) -> (&[ChainingValue], &[ChainingValue]) {
    pieces.split_at(pieces.len().next_power_of_two() / 2)
}

#[cfg(test)]
mod tests;
