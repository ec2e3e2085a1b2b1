//! From values to pixels, and the values to write at an axis.

/// An axis.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
    from: f64,
    to: f64,
}

impl Scale {
    /// Equal steps for equal differences.
    pub(super) fn linear(low: f64, high: f64) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        Self { low, high, logarithmic: false, from: 0.0, to: 1.0 }
    }

    /// Equal steps for equal factors; `low` must be positive.
    pub(super) fn logarithmic(low: f64, high: f64) -> Self {
        let high = if high > low { high } else { low * 2.0 };
        Self { low, high, logarithmic: true, from: 0.0, to: 1.0 }
    }

    /// Puts the ends at two pixels.
    pub(super) fn between(&self, from: f64, to: f64) -> Self {
        Self { from, to, ..self.clone() }
    }

    /// The pixel of a value.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            libm::log(value / self.low) / libm::log(self.high / self.low)
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + share * (self.to - self.from)
    }

    /// The values at its ends.
    pub(super) fn ends(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// Round values within the axis.
    pub(super) fn ticks(&self) -> Vec<f64> {
        if self.logarithmic { log_ticks(self.low, self.high) } else { linear_ticks(self.low, self.high) }
    }
}

/// An axis for values from `low` to `high` that starts and ends at round values within `bounds`.
pub(super) fn round_linear(low: f64, high: f64, bounds: (f64, f64)) -> Scale {
    let step = step_for(if high > low { high - low } else { 1.0 });
    let low = ((low / step - 0.1).floor() * step).max(bounds.0);
    let high = ((high / step + 0.1).ceil() * step).min(bounds.1);
    Scale::linear(low, high)
}

/// A logarithmic axis for values from `low` to `high` that leaves some room, and holds two ticks at least.
pub(super) fn round_logarithmic(low: f64, high: f64) -> Scale {
    let room = libm::pow(high / low, 0.08).max(1.05);
    let scale = Scale::logarithmic(low / room, high * room);
    if scale.ticks().len() >= 2 {
        return scale;
    }
    let around = decades(low, high, &COARSE);
    let below = around.iter().rev().find(|value| **value < low * 0.97).copied().unwrap_or(low / 2.0);
    let above = around.iter().find(|value| **value > high * 1.03).copied().unwrap_or(high * 2.0);
    Scale::logarithmic(below, above)
}

/// 1, 2 or 5 times a power of ten, so that about five steps fill `range`.
fn step_for(range: f64) -> f64 {
    let power = libm::pow(10.0, libm::floor(libm::log10(range / 5.0)));
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| range / (factor * power) <= 6.0).unwrap_or(10.0);
    factor * power
}

fn linear_ticks(low: f64, high: f64) -> Vec<f64> {
    let step = step_for(high - low);
    let first = (low / step - 1e-9).ceil();
    // Multiples of the step, not sums of it, which would drift.
    (0..12).map(|number| (first + f64::from(number)) * step).take_while(|tick| *tick <= high + 1e-9 * step).collect()
}

fn log_ticks(low: f64, high: f64) -> Vec<f64> {
    let inside = |value: &f64| (low * 0.999..=high * 1.001).contains(value);
    let mut all: Vec<f64> = decades(low, high, &COARSE).into_iter().filter(inside).collect();
    if all.len() < 3 {
        all = decades(low, high, &FINE).into_iter().filter(inside).collect();
    }
    if all.len() <= 5 {
        return all;
    }
    let whole: Vec<f64> = all.iter().copied().filter(|value| is_power_of_ten(*value)).collect();
    let skip = whole.len().div_ceil(6).max(1);
    if whole.len() >= 2 { whole.into_iter().step_by(skip).collect() } else { all.into_iter().step_by(2).collect() }
}

/// Round values of a decade.
const COARSE: [f64; 3] = [1.0, 2.0, 5.0];
/// Where those are too few.
const FINE: [f64; 7] = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0];

/// Round values times the powers of ten from below `low` to above `high`.
fn decades(low: f64, high: f64, factors: &[f64]) -> Vec<f64> {
    let power = |value: f64| libm::floor(libm::log10(value)) as i32;
    (power(low) - 1..=power(high) + 1)
        .flat_map(|power| factors.iter().map(move |factor| factor * libm::pow(10.0, f64::from(power))))
        .collect()
}

fn is_power_of_ten(value: f64) -> bool {
    let power = libm::log10(value);
    (power - libm::round(power)).abs() < 1e-6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_places() {
        let scale = Scale::linear(0.0, 100.0).between(400.0, 100.0);
        assert_eq!((scale.at(0.0), scale.at(50.0), scale.at(100.0)), (400.0, 250.0, 100.0));
        let scale = Scale::logarithmic(1.0, 100.0).between(0.0, 200.0);
        assert!((scale.at(10.0) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(Scale::linear(0.0, 100.0).ticks(), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(round_linear(83.0, 97.0, (0.0, 100.0)).ticks(), [80.0, 85.0, 90.0, 95.0, 100.0]);
        assert_eq!(round_logarithmic(3.0, 40.0).ticks(), [5.0, 10.0, 20.0]);
        assert_eq!(Scale::logarithmic(1.0, 1e4).ticks(), [1.0, 10.0, 100.0, 1000.0, 10_000.0]);
    }

    #[test]
    fn a_single_value_has_an_axis() {
        assert!(round_linear(50.0, 50.0, (0.0, 100.0)).at(50.0).is_finite());
        assert!(round_logarithmic(1.0, 1.0).ticks().len() >= 2);
    }
}
