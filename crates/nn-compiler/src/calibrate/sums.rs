//! A histogram of the magnitudes of column sums.

use tile::adc::AdcTransfer;

/// Magnitudes of column sums, in bins of a quarter of a level spacing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    bins: Vec<u64>,
}

const BINS_PER_LEVEL: f64 = 4.0;

/// Numbers as large as this are spaced by 1: adding it to a smaller one rounds that, ties to even, and leaves it in the lowest bits.
const WHOLE: f64 = (1_u64 << 52) as f64;

impl Sums {
    pub(crate) fn add(&mut self, sum: f32) {
        // Rounding without a call: this is the inner loop of calibration.
        let bin = ((f64::from(sum.abs()) * BINS_PER_LEVEL + WHOLE).to_bits() - WHOLE.to_bits()) as usize;
        if bin >= self.bins.len() {
            self.bins.resize(bin + 1, 0);
        }
        self.bins[bin] += 1;
    }

    /// Adds what another has seen.
    pub(super) fn append(&mut self, other: &Self) {
        self.bins.resize(self.bins.len().max(other.bins.len()), 0);
        self.bins.iter_mut().zip(&other.bins).for_each(|(bin, count)| *bin += count);
    }

    fn value(bin: usize) -> f64 {
        bin as f64 / BINS_PER_LEVEL
    }

    /// The largest magnitude seen.
    pub(super) fn largest(&self) -> f64 {
        Self::value(self.bins.len().saturating_sub(1))
    }

    /// Smallest magnitude that at least `percent` of all sums do not exceed.
    pub(super) fn percentile(&self, percent: f64) -> f64 {
        let total: u64 = self.bins.iter().sum();
        let enough = (total as f64 * percent / 100.0).ceil() as u64;
        let mut seen = 0;
        let reaches = |&count: &u64| {
            seen += count;
            seen >= enough
        };
        self.bins.iter().position(reaches).map_or(0.0, Self::value)
    }

    /// Squared error of converting these sums, summed. Signs do not matter: transfers are symmetric or the sums are positive.
    pub(super) fn squared_error(&self, adc: AdcTransfer) -> f64 {
        let error = |bin: usize| {
            let value = Self::value(bin);
            (f64::from(adc.convert(value as f32)) * adc.step - value).powi(2)
        };
        let used = self.bins.iter().enumerate().filter(|&(_, &count)| count > 0);
        used.map(|(bin, &count)| count as f64 * error(bin)).sum()
    }
}
