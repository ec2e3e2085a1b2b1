//! Ramp: one comparator and a counter; the ramp is bent because its current source is not ideal.

use crate::address::Stream;
use rand_distr::{Distribution, StandardNormal};

/// Thresholds of codes `1..codes`, codes counted from 0, in steps: the integral non-linearity is the parabola `4 p x (1 - x)`, x from 0 at
/// the first to 1 at the last threshold, with a normal draw p of the given sigma as its peak. A ramp never turns back, which limits p.
pub(super) fn thresholds(codes: usize, curvature_sigma: f64, stream: &mut Stream) -> Vec<f64> {
    let draw: f64 = StandardNormal.sample(stream);
    let last = codes.saturating_sub(2) as f64;
    // The slope at the ends, 1 -+ 4 p / last, must not be negative.
    let peak = (curvature_sigma * draw).clamp(-last / 4.0, last / 4.0);
    let bow = |index: usize| {
        let x = if last > 0.0 { index as f64 / last } else { 0.0 };
        4.0 * peak * x * (1.0 - x)
    };
    (0..codes.saturating_sub(1)).map(|index| index as f64 + 0.5 + bow(index)).collect()
}
