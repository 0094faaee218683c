//! Latencies in buckets of 3 % width: constant memory, no sorting.

/// Buckets for each power of two.
const STEPS: u64 = 32;
/// log2 of `STEPS`.
const STEP_BITS: u32 = STEPS.trailing_zeros();
/// Enough buckets for any 64-bit value.
const BUCKETS: usize = (64 - STEP_BITS as usize + 1) << STEP_BITS;

/// A histogram of nanoseconds.
#[derive(Debug, Clone)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; BUCKETS],
            total: 0,
            max: 0,
        }
    }
}

impl Histogram {
    /// Counts one value.
    pub fn record(&mut self, nanoseconds: u64) {
        self.counts[bucket(nanoseconds)] += 1;
        self.total += 1;
        self.max = self.max.max(nanoseconds);
    }

    /// Values counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The largest value, exact.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// The value below or at which `per_mille` thousandths of all lie, at most 3.2 %
    /// too high; 0 when nothing was counted.
    pub fn quantile(&self, per_mille: u64) -> u64 {
        let wanted = (u128::from(self.total) * u128::from(per_mille)).div_ceil(1000);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += u128::from(*count);
            if seen >= wanted && seen > 0 {
                return bucket_last(index).min(self.max);
            }
        }
        self.max
    }
}

fn bucket(value: u64) -> usize {
    let index = if value < STEPS {
        value
    } else {
        let exponent = value.ilog2() - STEP_BITS;
        u64::from(exponent) * STEPS + (value >> exponent)
    };
    usize::try_from(index).expect("fewer than BUCKETS")
}

/// The largest value of a bucket.
fn bucket_last(index: usize) -> u64 {
    let index = index as u64;
    if index < 2 * STEPS {
        return index;
    }
    let exponent = index / STEPS - 1;
    let mantissa = u128::from(index - exponent * STEPS);
    u64::try_from(((mantissa + 1) << exponent) - 1).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
