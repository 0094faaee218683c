//! The sizes of zones that benches measure: `MERIDIAN_BENCH_DELEGATIONS`, numbers with
//! commas between them; without it one size that takes little time.

/// Delegations of a zone where nobody says otherwise.
const DEFAULT: u64 = 10_000;
/// Most delegations of a zone: what an image was made of for the first figures.
const DELEGATIONS_MAX: u64 = 100_000_000;

pub(crate) fn sizes() -> Vec<u64> {
    let Ok(text) = std::env::var("MERIDIAN_BENCH_DELEGATIONS") else {
        return vec![DEFAULT];
    };
    let size = |word: &str| {
        let size = word.trim().replace('_', "").parse().ok();
        let size = size.filter(|size| (1..=DELEGATIONS_MAX).contains(size));
        size.unwrap_or_else(|| {
            panic!("MERIDIAN_BENCH_DELEGATIONS: {word:?} is no number of delegations")
        })
    };
    text.split(',').map(size).collect()
}
