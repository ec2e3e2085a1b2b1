//! Adam (Kingma and Ba, ICLR 2015) with a cosine schedule.

/// Moments of one parameter vector.
#[derive(Clone, Debug)]
pub(crate) struct Adam {
    mean: Vec<f32>,
    square: Vec<f32>,
}

const BETA1: f32 = 0.9;
const BETA2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

impl Adam {
    /// Zero moments.
    #[must_use]
    pub(crate) fn new(len: usize) -> Self {
        Self { mean: vec![0.0; len], square: vec![0.0; len] }
    }

    /// Step number `step` (from 1) against the gradient.
    pub(crate) fn update(&mut self, parameters: &mut [f32], gradient: &[f32], rate: f32, step: u32) {
        let power = |beta: f32| 1.0 - libm::pow(f64::from(beta), f64::from(step)) as f32;
        // The bias corrections of both moments, folded into factors outside the loop.
        let (rate, root_factor) = (rate / power(BETA1), 1.0 / power(BETA2).sqrt());
        let moments = self.mean.iter_mut().zip(&mut self.square);
        for ((parameter, &g), (mean, square)) in parameters.iter_mut().zip(gradient).zip(moments) {
            *mean = BETA1 * *mean + (1.0 - BETA1) * g;
            *square = BETA2 * *square + (1.0 - BETA2) * g * g;
            *parameter -= rate * *mean / (square.sqrt() * root_factor + EPSILON);
        }
    }
}

/// Step size after `done` of all steps: a half cosine from `rate` to a twentieth of it.
#[must_use]
pub(crate) fn cosine_rate(rate: f64, done: f64) -> f32 {
    (rate * (0.525 + 0.475 * libm::cos(std::f64::consts::PI * done))) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first step of Adam has the size of the rate, whatever the gradient's size.
    #[test]
    fn the_first_step_has_the_size_of_the_rate() {
        let mut parameters = [1.0_f32, 1.0];
        Adam::new(2).update(&mut parameters, &[1e-3, -50.0], 0.01, 1);
        assert!((parameters[0] - 0.99).abs() < 1e-5 && (parameters[1] - 1.01).abs() < 1e-5);
    }

    #[test]
    fn the_rate_falls_to_a_twentieth() {
        assert!((cosine_rate(1.0, 0.0) - 1.0).abs() < 1e-6);
        assert!((cosine_rate(1.0, 1.0) - 0.05).abs() < 1e-6);
    }
}
