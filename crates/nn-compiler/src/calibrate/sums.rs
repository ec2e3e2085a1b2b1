//! A histogram of the magnitudes of column sums.

use tile::adc::AdcTransfer;

/// Magnitudes of column sums, in bins of a quarter of a level spacing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    bins: Vec<u64>,
}

const BINS_PER_LEVEL: f64 = 4.0;

impl Sums {
    pub(crate) fn add(&mut self, sum: f32) {
        let bin = (f64::from(sum.abs()) * BINS_PER_LEVEL).round_ties_even() as usize;
        if bin >= self.bins.len() {
            self.bins.resize(bin + 1, 0);
        }
        self.bins[bin] += 1;
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
