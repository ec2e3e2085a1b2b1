//! Shares of exponentials.

use crate::Shape;

/// `exp(x) / sum(exp)` over the channels of every pixel, or its logarithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Softmax {
    /// Whether the logarithm of the shares is the result.
    pub log: bool,
}

impl Softmax {
    /// Kebab-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        if self.log { "log-softmax" } else { "softmax" }
    }
}

impl Softmax {
    /// The result for every image of a batch; shapes must have been checked.
    pub(super) fn forward(self, shape: Shape, values: &[f32]) -> Vec<f32> {
        let pixels = shape.height * shape.width;
        let mut result = vec![0.0; values.len()];
        for (map, to) in values.chunks_exact(shape.len()).zip(result.chunks_exact_mut(shape.len())) {
            for pixel in 0..pixels {
                let channels = || map[pixel..].iter().step_by(pixels).map(|&value| f64::from(value));
                let largest = channels().fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = channels().map(|value| libm::exp(value - largest)).sum();
                for (to, value) in to[pixel..].iter_mut().step_by(pixels).zip(channels()) {
                    let above = value - largest;
                    *to = if self.log { above - libm::log(sum) } else { libm::exp(above) / sum } as f32;
                }
            }
        }
        result
    }
}
