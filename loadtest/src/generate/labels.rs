//! Distinct domain labels of realistic lengths, from a seed.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use super::random::Random;

/// Share of labels with each length from 3 octets up, in thousandths; the rest are
/// longer. The mean is about 12, the mode 10, as in large open TLDs.
const LENGTHS_PER_MILLE: [u64; 28] = [
    6, 22, 38, 56, 69, 79, 87, 90, 87, 80, 71, 62, 52, 43, 35, 28, 22, 18, 14, 10, 8, 6, 5, 4, 3,
    2, 2, 1,
];
/// Shortest label of the table above.
const LENGTH_MIN: usize = 3;
/// Of 100 labels, how many are two words with a hyphen.
const HYPHEN_PERCENT: u64 = 9;
/// Of 100 labels, how many end in digits.
const DIGITS_PERCENT: u64 = 7;

const CONSONANTS: &[u8] = b"bcdfghklmnprstvwzjtrnsl";
const VOWELS: &[u8] = b"aeiouaeoi";

/// Labels in one block of text.
#[derive(Debug)]
pub(super) struct Labels {
    text: String,
    ends: Vec<u32>,
}

impl Labels {
    /// Draws `count` distinct labels.
    pub(super) fn draw(count: u64, seed: u64) -> Self {
        let capacity = usize::try_from(count).expect("bounded by DOMAINS_MAX");
        let mut labels = Self {
            text: String::with_capacity(capacity * 13),
            ends: Vec::with_capacity(capacity),
        };
        // Hashes stand for the labels: a false match only costs one more draw.
        let mut seen: HashSet<u64, BuildHasherDefault<Identity>> = HashSet::default();
        seen.reserve(capacity);
        let mut random = Random::new(seed);
        let mut label = Vec::new();
        while labels.ends.len() < capacity {
            draw_label(&mut random, &mut label);
            // `nic` is the registry's own label, `nx-` starts names that do not exist.
            if label.starts_with(b"nic") || label.starts_with(b"nx-") || !seen.insert(hash(&label))
            {
                continue;
            }
            labels
                .text
                .push_str(std::str::from_utf8(&label).expect("drawn from ASCII"));
            let end = u32::try_from(labels.text.len()).expect("DOMAINS_MAX labels below 4 GiB");
            labels.ends.push(end);
        }
        labels
    }

    /// The label at `index`.
    pub(super) fn text(&self, index: u64) -> &str {
        let index = usize::try_from(index).expect("an index of this registry");
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..self.ends[index] as usize]
    }
}

fn draw_label(random: &mut Random, label: &mut Vec<u8>) {
    label.clear();
    let length = draw_length(random);
    let mut bits = random.next();
    let mut vowel = bits & 1 == 0;
    while label.len() < length {
        if bits < 64 {
            bits = random.next();
        }
        let letters = if vowel { VOWELS } else { CONSONANTS };
        let count = letters.len() as u64;
        label.push(letters[usize::try_from(bits % count).expect("below the count")]);
        bits /= count;
        vowel = !vowel;
    }
    if length >= 7 && random.below(100) < HYPHEN_PERCENT {
        let place = 2 + usize::try_from(random.below(length as u64 - 4)).expect("a length");
        label[place] = b'-';
    }
    if length >= 5 && random.below(100) < DIGITS_PERCENT {
        let digits = b'0' + u8::try_from(random.below(10)).expect("a digit");
        label[length - 1] = digits;
    }
    // Two hyphens in the third and fourth place would claim an A-label (RFC 5891
    // section 4.2.3.1); one hyphen a label makes that impossible.
}

fn draw_length(random: &mut Random) -> usize {
    let mut draw = random.below(1000);
    for (step, share) in LENGTHS_PER_MILLE.iter().enumerate() {
        match draw.checked_sub(*share) {
            Some(rest) => draw = rest,
            None => return LENGTH_MIN + step,
        }
    }
    LENGTH_MIN + LENGTHS_PER_MILLE.len() + usize::try_from(random.below(32)).expect("small")
}

/// FNV-1a.
fn hash(label: &[u8]) -> u64 {
    label.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Takes numbers that are hashes already.
#[derive(Default)]
struct Identity(u64);

impl Hasher for Identity {
    fn write(&mut self, _: &[u8]) {
        unreachable!("only u64 keys are used")
    }

    fn write_u64(&mut self, value: u64) {
        // FNV is weak in its high bits, which the table takes its tags from.
        self.0 = value.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
