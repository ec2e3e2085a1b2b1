//! As many chip samples as it takes.

use super::{RowResult, Sampling};
use crate::error::ExploreError;
use crate::results::Row;
use crate::statistics::{Estimate, mean, mean_interval, sd};

/// Of fewer chip samples an interval says too little to stop there.
const LEAST: u32 = 10;

impl Sampling {
    /// What stands for it in the name of a row.
    pub(super) fn bytes(sampling: Option<Self>) -> Vec<u8> {
        let bytes =
            |Self { half_width, most }: Self| [&half_width.to_bits().to_le_bytes()[..], &most.to_le_bytes()].concat();
        sampling.map_or_else(Vec::new, bytes)
    }

    /// How many chip samples of each network to simulate next; none if these accuracies suffice, or no number of chips would, because training seeds differ by
    /// more. The width of an interval falls with the root of their number, which is taken a tenth larger, so that the second time is the last as a rule.
    ///
    /// # Errors
    /// If the accuracies have no interval.
    pub(super) fn more(self, accuracies: &[Vec<f64>], chips: u32) -> Result<Option<u32>, ExploreError> {
        let interval = mean_interval(accuracies).map_err(|error| ExploreError::Request(error.to_string()))?;
        if chips < LEAST.min(self.most) {
            return Ok(Some(LEAST.min(self.most)));
        }
        let wide = self.wide(&interval);
        // What is left of the square of the width however many chips there are.
        let of_seeds = seeds_share(accuracies) * wide * wide;
        if wide <= 1.0 || chips >= self.most || of_seeds >= 1.0 {
            return Ok(None);
        }
        let wanted = libm::ceil(1.1 * f64::from(chips) * (wide * wide - of_seeds) / (1.0 - of_seeds));
        let at_least = f64::from(chips) + 1.0;
        Ok(Some(wanted.clamp(at_least, f64::from(self.most).max(at_least)) as u32))
    }

    /// Half the width of an interval in units of the one that is wanted.
    fn wide(self, interval: &Estimate) -> f64 {
        (interval.high - interval.low) / 2.0 / self.half_width
    }

    /// Whether a row has a wider interval than is wanted.
    pub(super) fn is_missed(self, result: &RowResult) -> bool {
        let Row { accuracy_mean: value, accuracy_ci95_low: low, accuracy_ci95_high: high, .. } = result.row;
        self.wide(&Estimate { value, low, high }) > 1.0
    }
}

/// The share of the variance of the mean that comes from training seeds, and that more chips do not lessen.
fn seeds_share(accuracies: &[Vec<f64>]) -> f64 {
    let means: Vec<f64> = accuracies.iter().map(|chips| mean(chips)).collect();
    let of_means = sd(&means) * sd(&means);
    let of_chips: Vec<f64> = accuracies.iter().map(|chips| sd(chips) * sd(chips) / chips.len() as f64).collect();
    if of_means > 0.0 { (1.0 - mean(&of_chips) / of_means).max(0.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_intervals_need_no_more() {
        let sampling = Sampling { half_width: 0.01, most: 500 };
        let spread =
            |by: f64| vec![(0..20).map(|chip| 0.9 + by * if chip % 2 == 0 { 1.0 } else { -1.0 }).collect::<Vec<f64>>()];
        assert_eq!(sampling.more(&spread(0.01), 20).unwrap(), None);
        // A half-width of 1.96 * 0.05 / sqrt(20) = 0.022, or 0.020 as means of 20 such values lie 0.005 apart: 4 to 4.8 times the chip samples and
        // a tenth more.
        let more = sampling.more(&spread(0.05), 20).unwrap().unwrap();
        assert!((88..=106).contains(&more), "{more}");
        assert_eq!(sampling.more(&spread(0.5), 20).unwrap(), Some(500));
        assert_eq!(sampling.more(&spread(0.5), 500).unwrap(), None);
    }

    #[test]
    fn few_chips_say_nothing_and_many_do_not_help_seeds() {
        let sampling = Sampling { half_width: 0.01, most: 500 };
        assert_eq!(sampling.more(&[vec![0.5]], 1).unwrap(), Some(10), "one value has no width");
        assert_eq!(sampling.more(&[vec![0.5; 10]], 10).unwrap(), None);
        assert_eq!(Sampling { most: 3, ..sampling }.more(&[vec![0.5]], 1).unwrap(), Some(3));
        let seeds = |apart: f64, scatter: f64| {
            let chip = |seed: usize, chip: usize| apart * seed as f64 + scatter * (chip % 2) as f64;
            (0..3).map(|seed| (0..10).map(|number| chip(seed, number)).collect::<Vec<f64>>()).collect::<Vec<_>>()
        };
        assert_eq!(sampling.more(&seeds(0.2, 0.05), 10).unwrap(), None, "seeds lie 20 points apart");
        assert!(sampling.more(&seeds(0.0, 0.2), 10).unwrap().is_some_and(|more| more > 50));
    }
}
