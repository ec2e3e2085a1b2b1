//! Adam (Kingma and Ba, ICLR 2015) and gradient descent with momentum (Sutskever et al., ICML 2013), with a cosine schedule.

use crate::checkpoint::{Reader, Stored, Writer};
use crate::config::Optimiser;
use crate::error::TrainError;
use crate::layers::BLOCK;
use rayon::prelude::*;

/// What an optimiser remembers of one parameter vector.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    /// Running mean of the gradient, or the velocity.
    pub(crate) first: Vec<f32>,
    /// Running mean of its square; empty for momentum.
    pub(crate) second: Vec<f32>,
}

/// One step of all parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Update {
    /// The method.
    pub(crate) optimiser: Optimiser,
    /// Step size.
    pub(crate) rate: f32,
    /// Number of the step, from 1.
    pub(crate) step: u32,
    /// Share of a weight that is taken off, per unit of the step size.
    pub(crate) decay: f32,
}

const BETA1: f32 = 0.9;
const BETA2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

impl Moments {
    /// Zero moments.
    #[must_use]
    pub(crate) fn new(len: usize, optimiser: Optimiser) -> Self {
        let second = if optimiser == Optimiser::Adam { len } else { 0 };
        Self { first: vec![0.0; len], second: vec![0.0; second] }
    }

    /// A step against the gradient. Decay is decoupled from it (Loshchilov and Hutter, ICLR 2019).
    pub(crate) fn update(&mut self, parameters: &mut [f32], gradient: &[f32], update: Update) {
        let blocks = parameters.par_chunks_mut(BLOCK).zip(gradient.par_chunks(BLOCK));
        let blocks = blocks.zip(self.first.par_chunks_mut(BLOCK));
        match update.optimiser {
            Optimiser::Adam => {
                let blocks = blocks.zip(self.second.par_chunks_mut(BLOCK));
                blocks.for_each(|(((parameters, gradient), means), squares)| {
                    update.decay(parameters);
                    update.adam(parameters, gradient, (means, squares));
                });
            }
            Optimiser::Sgd { momentum } => blocks.for_each(|((parameters, gradient), velocities)| {
                update.decay(parameters);
                update.sgd(parameters, gradient, (velocities, momentum as f32));
            }),
        }
    }
}

impl Update {
    fn decay(self, parameters: &mut [f32]) {
        if self.decay > 0.0 {
            let kept = 1.0 - self.rate * self.decay;
            parameters.iter_mut().for_each(|parameter| *parameter *= kept);
        }
    }

    fn sgd(self, parameters: &mut [f32], gradient: &[f32], (velocities, momentum): (&mut [f32], f32)) {
        for ((parameter, &g), velocity) in parameters.iter_mut().zip(gradient).zip(velocities) {
            *velocity = momentum * *velocity + g;
            *parameter -= self.rate * *velocity;
        }
    }

    fn adam(self, parameters: &mut [f32], gradient: &[f32], (means, squares): (&mut [f32], &mut [f32])) {
        let power = |beta: f32| 1.0 - libm::pow(f64::from(beta), f64::from(self.step)) as f32;
        // The bias corrections of both moments, folded into factors outside the loop.
        let (rate, root_factor) = (self.rate / power(BETA1), 1.0 / power(BETA2).sqrt());
        let moments = means.iter_mut().zip(squares);
        for ((parameter, &g), (mean, square)) in parameters.iter_mut().zip(gradient).zip(moments) {
            *mean = BETA1 * *mean + (1.0 - BETA1) * g;
            *square = BETA2 * *square + (1.0 - BETA2) * g * g;
            *parameter -= rate * *mean / (square.sqrt() * root_factor + EPSILON);
        }
    }
}

impl Stored for Moments {
    fn store(&self, writer: &mut Writer) {
        writer.list(&self.first);
        writer.list(&self.second);
    }

    fn restore(&mut self, reader: &mut Reader<'_>) -> Result<(), TrainError> {
        reader.list(&mut self.first)?;
        reader.list(&mut self.second)
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

    fn update(optimiser: Optimiser, step: u32) -> Update {
        Update { optimiser, rate: 0.01, step, decay: 0.0 }
    }

    /// The first step of Adam has the size of the rate, whatever the gradient's size.
    #[test]
    fn the_first_step_has_the_size_of_the_rate() {
        let mut parameters = [1.0_f32, 1.0];
        Moments::new(2, Optimiser::Adam).update(&mut parameters, &[1e-3, -50.0], update(Optimiser::Adam, 1));
        assert!((parameters[0] - 0.99).abs() < 1e-5 && (parameters[1] - 1.01).abs() < 1e-5);
    }

    /// By hand: velocities 2, then 0.5 * 2 + 2 = 3.
    #[test]
    fn momentum_adds_up() {
        let (mut parameters, sgd) = ([1.0_f32], Optimiser::Sgd { momentum: 0.5 });
        let mut moments = Moments::new(1, sgd);
        moments.update(&mut parameters, &[2.0], update(sgd, 1));
        assert!((parameters[0] - 0.98).abs() < 1e-6);
        moments.update(&mut parameters, &[2.0], update(sgd, 2));
        assert!((parameters[0] - 0.95).abs() < 1e-6);
    }

    #[test]
    fn decay_takes_a_share_off() {
        let (mut parameters, sgd) = ([4.0_f32], Optimiser::Sgd { momentum: 0.9 });
        Moments::new(1, sgd).update(&mut parameters, &[0.0], Update { decay: 0.5, ..update(sgd, 1) });
        assert!((parameters[0] - 3.98).abs() < 1e-6);
    }

    #[test]
    fn the_rate_falls_to_a_twentieth() {
        assert!((cosine_rate(1.0, 0.0) - 1.0).abs() < 1e-6);
        assert!((cosine_rate(1.0, 1.0) - 0.05).abs() < 1e-6);
    }
}
