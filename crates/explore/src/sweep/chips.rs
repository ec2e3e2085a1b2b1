//! As many chip samples as it takes.

use super::Sampling;
use crate::error::ExploreError;
use crate::statistics::mean_interval;

impl Sampling {
    /// What stands for it in the name of a row.
    pub(super) fn bytes(sampling: Option<Self>) -> Vec<u8> {
        let bytes =
            |Self { half_width, most }: Self| [&half_width.to_bits().to_le_bytes()[..], &most.to_le_bytes()].concat();
        sampling.map_or_else(Vec::new, bytes)
    }

    /// How many chip samples of each network to simulate next; none if these accuracies suffice. The width of an interval falls with the root of
    /// their number, which is taken a tenth larger, so that the second time is the last as a rule.
    ///
    /// # Errors
    /// If the accuracies have no interval.
    pub(super) fn more(self, accuracies: &[Vec<f64>], chips: u32) -> Result<Option<u32>, ExploreError> {
        let interval = mean_interval(accuracies).map_err(|error| ExploreError::Request(error.to_string()))?;
        let wide = (interval.high - interval.low) / 2.0 / self.half_width;
        if wide <= 1.0 || chips >= self.most {
            return Ok(None);
        }
        let wanted = libm::ceil(1.1 * f64::from(chips) * wide * wide);
        let at_least = f64::from(chips) + 1.0;
        Ok(Some(wanted.clamp(at_least, f64::from(self.most).max(at_least)) as u32))
    }
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
}
