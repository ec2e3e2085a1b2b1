//! Means, spreads and intervals of accuracies.
//!
//! Accuracies of one experiment are a table `[training seed][chip sample]`.

mod bootstrap;
mod hash;
mod paired;
mod student;

pub use self::bootstrap::{Estimate, StatisticsError, difference_interval, mean_interval, ratio_interval};
pub(crate) use self::hash::{index, unit};
pub use self::paired::{Difference, Interval, difference_among, ratio_over_seeds};

/// The 0.975 quantile of the normal distribution: half the width of a 95 % interval in standard errors.
const Z_95: f64 = 1.959_963_984_540_054;

/// The arithmetic mean; NaN of nothing.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The standard deviation of a sample, with n - 1. A single value shows no spread: 0.
pub fn sd(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    libm::sqrt(squares / (values.len() - 1) as f64)
}

/// The percentile by linear interpolation between order statistics (type 7 of Hyndman and Fan, the default of R and
/// NumPy): `percent` from 0, the smallest value, to 100, the largest. NaN of nothing.
pub fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    percentile_of_sorted(&sorted, percent)
}

fn percentile_of_sorted(sorted: &[f64], percent: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let position = (percent / 100.0).clamp(0.0, 1.0) * last as f64;
    let below = (position as usize).min(last);
    let above = (below + 1).min(last);
    let share = position - below as f64;
    // Without this, equal neighbours could give a neighbour's value with a rounding error.
    if share == 0.0 || sorted[below] == sorted[above] {
        return sorted[below];
    }
    sorted[below] + share * (sorted[above] - sorted[below])
}

/// The share of `correct` among `total` independent trials with Wilson's 95 % interval: the test-set uncertainty of a
/// software accuracy. Without trials nothing is known: the interval is 0 to 1.
pub fn wilson_interval(correct: u64, total: u64) -> Estimate {
    if total == 0 {
        return Estimate { value: f64::NAN, low: 0.0, high: 1.0 };
    }
    let n = total as f64;
    let share = correct.min(total) as f64 / n;
    let z2 = Z_95 * Z_95;
    let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z_95 * libm::sqrt(share * (1.0 - share) / n + z2 / (4.0 * n * n)) / (1.0 + z2 / n);
    Estimate { value: share, low: (centre - half).clamp(0.0, share), high: (centre + half).clamp(share, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_forms() {
        assert_eq!(mean(&[1.0, 2.0, 6.0]), 3.0);
        assert_eq!(sd(&[1.0, 2.0, 3.0, 4.0, 5.0]), 2.5_f64.sqrt());
        assert!(mean(&[]).is_nan() && percentile(&[], 50.0).is_nan());
        assert_eq!((sd(&[]), sd(&[7.0])), (0.0, 0.0));
    }

    #[test]
    fn percentiles_are_of_type_7() {
        // numpy.percentile([15, 20, 35, 40, 50], [0, 5, 40, 50, 100]) = [15, 16, 29, 35, 50]
        let values = [50.0, 15.0, 35.0, 20.0, 40.0];
        for (percent, expected) in [(0.0, 15.0), (5.0, 16.0), (40.0, 29.0), (50.0, 35.0), (100.0, 50.0)] {
            assert!((percentile(&values, percent) - expected).abs() < 1e-12, "{percent}");
        }
        assert_eq!(percentile(&[0.1; 3], 37.0), 0.1);
        assert_eq!((percentile(&[3.0], 5.0), percentile(&[1.0, 2.0], 900.0)), (3.0, 2.0));
    }

    #[test]
    fn wilson_gives_the_published_values() {
        // 8 of 10: 0.4902 to 0.9433; 0 of 10: 0 to 0.2775.
        let interval = wilson_interval(8, 10);
        assert!((interval.low - 0.490_162_5).abs() < 1e-6 && (interval.high - 0.943_317_8).abs() < 1e-6);
        let none = wilson_interval(0, 10);
        assert!(none.low == 0.0 && (none.high - 0.277_532_8).abs() < 1e-6);
        assert_eq!(wilson_interval(10, 10).high, 1.0);
        assert_eq!((wilson_interval(0, 0).low, wilson_interval(0, 0).high), (0.0, 1.0));
    }
}
