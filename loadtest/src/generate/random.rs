//! Seeded random numbers: SplitMix64 and a Zipf distribution over it.
//!
//! Own code, so that a seed gives the same files for as long as this repository lives.

/// A SplitMix64 generator (Steele, Lea and Flood 2014).
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// A generator from a seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A generator for one item of a seeded sequence, independent of its neighbours.
    pub fn for_item(seed: u64, index: u64) -> Self {
        let mut random = Self::new(seed ^ index.wrapping_mul(0xd605_bbb5_8c8a_bbfd));
        Self::new(random.next())
    }

    /// The next 64 bits.
    #[expect(clippy::should_implement_trait, reason = "never ends, so no iterator")]
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is not 0. The bias is below 2^-32 for the
    /// limits used here.
    pub fn below(&mut self, limit: u64) -> u64 {
        let product = u128::from(self.next()) * u128::from(limit);
        u64::try_from(product >> 64).expect("the high half of a product of 64-bit numbers")
    }

    /// A number in [0, 1).
    pub fn unit(&mut self) -> f64 {
        // 53 bits fit a double exactly.
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Ranks 0 and up with probability proportional to `1 / (rank + 1)^exponent`.
///
/// Rejection inversion (Hörmann and Derflinger 1996): constant memory, about one
/// draw a number, for any count of ranks.
#[derive(Debug, Clone)]
pub struct Zipf {
    ranks: f64,
    exponent: f64,
    integral_first: f64,
    integral_last: f64,
    shortcut: f64,
}

impl Zipf {
    /// A distribution over `ranks` ranks; `exponent` is positive.
    pub fn new(ranks: u64, exponent: f64) -> Self {
        assert!(ranks > 0 && exponent > 0.0, "an empty or flat distribution");
        let mut zipf = Self {
            ranks: ranks as f64,
            exponent,
            integral_first: 0.0,
            integral_last: 0.0,
            shortcut: 0.0,
        };
        zipf.integral_first = zipf.integral(1.5) - 1.0;
        zipf.integral_last = zipf.integral(zipf.ranks + 0.5);
        zipf.shortcut = 2.0 - zipf.integral_inverse(zipf.integral(2.5) - zipf.density(2.0));
        zipf
    }

    /// Draws a rank.
    pub fn draw(&self, random: &mut Random) -> u64 {
        loop {
            let span = self.integral_first - self.integral_last;
            let height = self.integral_last + random.unit() * span;
            let position = self.integral_inverse(height);
            let rank = position.round().clamp(1.0, self.ranks);
            if rank - position <= self.shortcut
                || height >= self.integral(rank + 0.5) - self.density(rank)
            {
                #[expect(clippy::cast_possible_truncation, reason = "clamped to the ranks")]
                #[expect(clippy::cast_sign_loss, reason = "at least 1")]
                return rank as u64 - 1;
            }
        }
    }

    fn density(&self, x: f64) -> f64 {
        (-self.exponent * x.ln()).exp()
    }

    /// An antiderivative of `density`.
    fn integral(&self, x: f64) -> f64 {
        let log = x.ln();
        expm1_ratio((1.0 - self.exponent) * log) * log
    }

    fn integral_inverse(&self, y: f64) -> f64 {
        let scaled = (y * (1.0 - self.exponent)).max(-1.0);
        (ln1p_ratio(scaled) * y).exp()
    }
}

/// `(e^x - 1) / x`, also near 0.
fn expm1_ratio(x: f64) -> f64 {
    if x.abs() > 1e-8 {
        x.exp_m1() / x
    } else {
        1.0 + x / 2.0
    }
}

/// `ln(1 + x) / x`, also near 0.
fn ln1p_ratio(x: f64) -> f64 {
    if x.abs() > 1e-8 {
        x.ln_1p() / x
    } else {
        1.0 - x / 2.0
    }
}
