//! NSEC and NSEC3 records of one name: which types they list, and their RDATA.
//!
//! NSEC3 is made with SHA-1, no salt and no additional iterations (RFC 9276 section
//! 3.1). The chain, which is what makes a proof of them, is the caller's.

use zone_image::{Name, Nsec3Hasher};

use super::Denial;
use crate::RecordType;
use crate::rdata::append_bitmap;

/// Opt-Out bit of the NSEC3 flags (RFC 5155 section 3.1.2.1).
const FLAG_OPT_OUT: u8 = 1;
/// Octets of a SHA-1 hash.
const HASH_BYTES: u8 = 20;

/// What a name is to its zone, as far as proofs care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// Has records that are the zone's own; the apex too.
    Authoritative,
    /// A zone cut: only NS, DS and NSEC of it count (RFC 4035 section 2.3).
    Delegation,
    /// Has no records and names below it (RFC 4592 section 2.2.2).
    Empty,
}

/// The types that the NSEC or NSEC3 of a name lists, sorted. `types` has what the name
/// has, in any order; signatures and proofs among them are left out of account.
pub fn proven_types(
    denial: Denial,
    kind: NameKind,
    types: impl IntoIterator<Item = RecordType>,
) -> Vec<RecordType> {
    let is_nsec = denial == Denial::Nsec;
    let counts = |rtype: &RecordType| match *rtype {
        RecordType::RRSIG | RecordType::NSEC | RecordType::NSEC3 => false,
        RecordType::NS | RecordType::DS => true,
        _ => kind == NameKind::Authoritative,
    };
    let mut listed: Vec<RecordType> = types.into_iter().filter(counts).collect();
    // RFC 5155 section 7.1: a cut without DS and an empty non-terminal have nothing
    // that is signed. With NSEC, the NSEC itself is.
    let signed = match kind {
        NameKind::Authoritative => !listed.is_empty(),
        NameKind::Delegation => is_nsec || listed.contains(&RecordType::DS),
        NameKind::Empty => false,
    };
    if signed {
        listed.push(RecordType::RRSIG);
        if is_nsec {
            listed.push(RecordType::NSEC);
        }
    }
    listed.sort_unstable();
    listed.dedup();
    listed
}

/// Whether a name has an NSEC3. For an empty non-terminal `secure` says whether any
/// name below it has one (RFC 5155 section 7.1), for a delegation whether it has DS.
pub fn needs_nsec3(opt_out: bool, kind: NameKind, secure: bool) -> bool {
    !opt_out || secure || kind == NameKind::Authoritative
}

/// The hash of a name in wire format and lower case.
pub fn nsec3_hash(name: &[u8]) -> [u8; 20] {
    Nsec3Hasher::new(0, &[]).hash(name)
}

/// The owner of the NSEC3 with this hash: base32hex in lower case below the apex (RFC
/// 5155 section 1.3).
pub fn nsec3_owner(hash: &[u8; 20], apex: &Name) -> Vec<u8> {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
    let mut owner = Vec::with_capacity(33 + apex.as_wire().len());
    owner.push(32);
    for bytes in hash.chunks_exact(5) {
        let value = bytes
            .iter()
            .fold(0u64, |value, byte| value << 8 | u64::from(*byte));
        for digit in (0..8).rev() {
            let value = (value >> (5 * digit)) & 31;
            owner.push(DIGITS[usize::try_from(value).expect("masked to five bits")]);
        }
    }
    owner.extend(apex.as_wire().iter().map(u8::to_ascii_lowercase));
    owner
}

/// The hash that the first label of a lower-case owner spells in base32hex (RFC 5155
/// section 3.3).
pub fn nsec3_hash_of_owner(owner: &[u8]) -> Option<[u8; 20]> {
    let label = owner.get(1..33).filter(|_| owner[0] == 32)?;
    let mut hash = [0; 20];
    for (digits, bytes) in label.chunks_exact(8).zip(hash.chunks_exact_mut(5)) {
        let value = digits.iter().try_fold(0u64, |value, digit| {
            let digit = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'v' => digit - b'a' + 10,
                _ => return None,
            };
            Some(value << 5 | u64::from(digit))
        })?;
        bytes.copy_from_slice(&value.to_be_bytes()[3..]);
    }
    Some(hash)
}

/// RDATA of an NSEC3 whose chain goes on at `next` (RFC 5155 section 3.2). `types` are
/// sorted, as [`proven_types`] gives them.
pub fn nsec3_rdata(opt_out: bool, next: &[u8; 20], types: &[RecordType]) -> Vec<u8> {
    let flags = if opt_out { FLAG_OPT_OUT } else { 0 };
    let mut rdata = Vec::with_capacity(40);
    // SHA-1, no iterations, no salt.
    rdata.extend([1, flags, 0, 0, 0, HASH_BYTES]);
    rdata.extend_from_slice(next);
    append_bitmap(types, &mut rdata);
    rdata
}

/// RDATA of an NSEC whose chain goes on at `next`, in wire format (RFC 4034 section
/// 4.1). `types` are sorted, as [`proven_types`] gives them.
pub fn nsec_rdata(next: &[u8], types: &[RecordType]) -> Vec<u8> {
    let mut rdata = next.to_vec();
    append_bitmap(types, &mut rdata);
    rdata
}
