//! Which range of values a set of codes covers.

use serde::{Deserialize, Serialize};

/// How the range of weights or activations is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Range {
    /// The largest magnitude.
    #[default]
    Max,
    /// The magnitude that so many per cent of the values do not exceed.
    Percentile(f64),
    /// The clipped range with the least mean squared error of rounding and clipping.
    MeanSquaredError,
}

/// Names of the choices, for messages.
pub const RANGES: [&str; 3] = ["max", "percentile:P (50 < P <= 100)", "mean-squared-error"];

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Max => f.write_str("max"),
            Self::Percentile(percent) => write!(f, "percentile:{percent}"),
            Self::MeanSquaredError => f.write_str("mean-squared-error"),
        }
    }
}

/// Fractions of the largest magnitude that are tried, in 1/64.
const TRIED: std::ops::RangeInclusive<u32> = 16..=64;

/// Most magnitudes whose error is summed up for one range; of more every n-th is taken.
const MOST_SUMMED: usize = 1 << 16;

impl Range {
    /// Reads a choice as a user writes it.
    ///
    /// # Errors
    /// What is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let allowed = || format!("`{text}` is no range; allowed are {}", RANGES.join(", "));
        match text.split_once(':') {
            None if text == "max" => Ok(Self::Max),
            None if text == "mean-squared-error" => Ok(Self::MeanSquaredError),
            Some(("percentile", percent)) => match percent.parse::<f64>() {
                Ok(percent) if percent > 50.0 && percent <= 100.0 => Ok(Self::Percentile(percent)),
                _ => Err(allowed()),
            },
            _ => Err(allowed()),
        }
    }

    /// The magnitude of the highest of `codes` codes for values of these magnitudes; 0 without values.
    #[must_use]
    pub fn of(self, magnitudes: &mut [f64], codes: f64) -> f64 {
        let largest = magnitudes.iter().copied().fold(0.0, f64::max);
        match self {
            Self::Max => largest,
            Self::Percentile(percent) => percentile(magnitudes, percent),
            Self::MeanSquaredError => least_error(magnitudes, largest, codes),
        }
    }
}

fn percentile(magnitudes: &mut [f64], percent: f64) -> f64 {
    let Some(last) = magnitudes.len().checked_sub(1) else { return 0.0 };
    let at = (percent / 100.0 * last as f64).round() as usize;
    *magnitudes.select_nth_unstable_by(at.min(last), f64::total_cmp).1
}

fn least_error(magnitudes: &[f64], largest: f64, codes: f64) -> f64 {
    let every = magnitudes.len().div_ceil(MOST_SUMMED).max(1);
    let error = |range: f64| {
        let step = range / codes;
        let error = |&value: &f64| ((value / step).round_ties_even().min(codes) * step - value).powi(2);
        magnitudes.iter().step_by(every).map(error).sum::<f64>()
    };
    let tried = TRIED.map(|part| largest * f64::from(part) / 64.0);
    // The largest of equal ranges; without values every error is 0.
    tried
        .map(|range| (error(range), range))
        .fold((f64::INFINITY, largest), |best, next| if next.0 <= best.0 { next } else { best })
        .1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_a_uniform_set_and_of_one_with_an_outlier() {
        let mut uniform: Vec<f64> = (0..=1000).map(f64::from).collect();
        assert_eq!(Range::Max.of(&mut uniform, 255.0), 1000.0);
        assert_eq!(Range::Percentile(99.0).of(&mut uniform, 255.0), 990.0);
        assert_eq!(Range::MeanSquaredError.of(&mut uniform, 255.0), 1000.0);
        // A single value ten times as large as all others: 3 codes cover the others rather than it.
        let mut outlier: Vec<f64> = (0..1000).map(|i| f64::from(i) / 1000.0).chain([4.0]).collect();
        let range = Range::MeanSquaredError.of(&mut outlier, 3.0);
        assert!(range < 1.5, "{range}");
        assert_eq!(Range::Max.of(&mut outlier, 3.0), 4.0);
        assert_eq!(Range::MeanSquaredError.of(&mut [], 3.0), 0.0);
    }

    #[test]
    fn ranges_are_read_as_they_are_written() {
        assert_eq!(Range::parse("max"), Ok(Range::Max));
        assert_eq!(Range::parse("percentile:99.9"), Ok(Range::Percentile(99.9)));
        assert_eq!(Range::parse("mean-squared-error"), Ok(Range::MeanSquaredError));
        for wrong in ["percentile:20", "percentile:x", "percentile", "min", "percentile:NaN"] {
            assert!(Range::parse(wrong).unwrap_err().contains("max, percentile:P"), "{wrong}");
        }
    }
}
