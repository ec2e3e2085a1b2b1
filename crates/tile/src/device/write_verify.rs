//! Programming in several attempts.

use super::law::CellLaw;
use crate::check::Problems;
use serde::{Deserialize, Serialize};

/// A programmed cell is read; while it is more than `tolerance_levels` away from its level, it is programmed anew, up to `attempts` times
/// in all. A cell that fails every time keeps its last value. Reading is exact, and drift comes afterwards.
///
/// With p = P(|error| <= tolerance) at the first attempt, a cell takes `(1 - (1 - p)^n) / p` pulses on average.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteVerify {
    /// Largest accepted error, in level spacings.
    pub tolerance_levels: f64,
    /// Highest number of programming attempts.
    pub attempts: u32,
}

impl WriteVerify {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.number("tolerance_levels", self.tolerance_levels, 1e-6..=100.0, "level spacings");
        problems.integer("attempts", self.attempts.into(), 1..=10_000);
    }

    /// Mean and standard deviation of the error after all attempts: accepted errors follow the law truncated to the tolerance, errors that
    /// stay after n attempts its complement, with the probability `(1 - p)^n`.
    pub(super) fn moments(&self, law: CellLaw) -> (f64, f64) {
        let (mean, sigma) = law.moments();
        let inside = law.within(self.tolerance_levels);
        let miss = 1.0 - inside.probability;
        let all_but_one_missed = libm::pow(miss, f64::from(self.attempts) - 1.0);
        // sum_{i < n} (1 - p)^i, also where p = 0.
        let pulses = if inside.probability > 0.0 {
            (1.0 - all_but_one_missed * miss) / inside.probability
        } else {
            f64::from(self.attempts)
        };
        let after = |inside: f64, all: f64| pulses * inside + all_but_one_missed * (all - inside);
        let mean_after = after(inside.mean, mean);
        let square_after = after(inside.square, mean * mean + sigma * sigma);
        (mean_after, (square_after - mean_after * mean_after).max(0.0).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean square of a normal law truncated at +-a: `1 - 2 a phi(a) / (2 Phi(a) - 1)` (standard tables: 0.291125 at a = 1).
    #[test]
    fn many_attempts_leave_the_truncated_law() {
        let many = WriteVerify { tolerance_levels: 0.1, attempts: 200 };
        let (mean, sigma) = many.moments(CellLaw::Normal { mean_shift: 0.0, sigma: 0.1 });
        assert!(mean.abs() < 1e-12 && (sigma * sigma / 0.01 - 0.291_125_1).abs() < 1e-6, "{mean} {sigma}");
    }

    #[test]
    fn one_attempt_changes_nothing_and_an_unreachable_level_stays_missed() {
        let law = CellLaw::Normal { mean_shift: 0.3, sigma: 0.1 };
        let (mean, sigma) = WriteVerify { tolerance_levels: 0.05, attempts: 1 }.moments(law);
        assert!((mean - 0.3).abs() < 1e-15 && (sigma - 0.1).abs() < 1e-15);
        let far = CellLaw::Normal { mean_shift: 5.0, sigma: 0.01 };
        let (mean, sigma) = WriteVerify { tolerance_levels: 0.1, attempts: 9 }.moments(far);
        assert!((mean - 5.0).abs() < 1e-12 && (sigma - 0.01).abs() < 1e-6);
    }
}
