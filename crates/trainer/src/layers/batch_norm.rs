//! Batch normalisation (Ioffe and Szegedy, ICML 2015): `gamma * (x - mean) / sqrt(variance + EPSILON) + beta` per channel.
//!
//! While training, mean and variance are those of a chunk of the batch ("ghost" batches: Hoffer, Hubara and Soudry, NeurIPS 2017), so that
//! chunks do not wait for each other and the result does not depend on threads. Elsewhere they are running means, and the node is a factor
//! and a shift per channel, which the compiler folds into the layer before: the integers of its weights stay, their scale is multiplied.

use super::affine::scale_channels;
use super::sums::{sum, sum_pairs};
use super::{Backward, Forward, LayerWeights, Memory, Pass, Reads};
use crate::checkpoint::{Reader, Stored, Writer};
use crate::error::TrainError;

/// Added to variances, as PyTorch does.
const EPSILON: f32 = 1e-5;
/// Share of the past in a running mean, per step.
const DECAY: f32 = 0.9;

/// Batch normalisation of channels of `pixels` values.
pub(super) struct BatchNormPass {
    pub(super) pixels: usize,
}

/// Mean of a channel over a chunk, its variance, and one over its deviation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moments {
    pub(super) mean: f32,
    pub(super) variance: f32,
    inverse: f32,
}

/// Running means of the statistics of a batch normalisation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Running {
    /// Means of the channels.
    pub(crate) mean: Vec<f32>,
    /// Variances of the channels.
    pub(crate) variance: Vec<f32>,
}

impl Running {
    /// Before the first step.
    pub(crate) fn new(channels: usize) -> Self {
        Self { mean: vec![0.0; channels], variance: vec![1.0; channels] }
    }

    /// Follows the statistics of a chunk that saw `count` values of each channel; the variance becomes the unbiased one.
    pub(super) fn follow(&mut self, moments: &[Moments], count: usize) {
        let unbiased = count as f32 / count.saturating_sub(1).max(1) as f32;
        let running = self.mean.iter_mut().zip(&mut self.variance);
        for ((mean, variance), now) in running.zip(moments) {
            *mean = DECAY * *mean + (1.0 - DECAY) * now.mean;
            *variance = DECAY * *variance + (1.0 - DECAY) * (now.variance * unbiased);
        }
    }
}

impl Stored for Running {
    fn store(&self, writer: &mut Writer) {
        writer.list(&self.mean);
        writer.list(&self.variance);
    }

    fn restore(&mut self, reader: &mut Reader<'_>) -> Result<(), TrainError> {
        reader.list(&mut self.mean)?;
        reader.list(&mut self.variance)
    }
}

/// Factor and shift of every channel with running statistics.
pub(crate) fn folded(own: &LayerWeights, running: &Running) -> LayerWeights {
    let deviation = |variance: f32| (variance + EPSILON).sqrt();
    let weight: Vec<f32> = own.weight.iter().zip(&running.variance).map(|(gamma, &v)| gamma / deviation(v)).collect();
    let shift = |((beta, mean), factor): ((&f32, &f32), &f32)| beta - mean * factor;
    let bias = own.bias.iter().zip(&running.mean).zip(&weight).map(shift).collect();
    LayerWeights { weight, bias }
}

impl BatchNormPass {
    /// The parts of `values` that belong to a channel, image by image.
    fn channel<'a>(&self, values: &'a [f32], channel: usize, channels: usize) -> impl Iterator<Item = &'a [f32]> {
        values.chunks_exact(self.pixels).skip(channel).step_by(channels)
    }

    fn moments(&self, values: &[f32], channel: usize, channels: usize) -> Moments {
        let count = (values.len() / channels).max(1) as f32;
        let mean = self.channel(values, channel, channels).map(|part| sum(part, |x| x)).sum::<f32>() / count;
        let square = |x: f32| (x - mean) * (x - mean);
        let variance = self.channel(values, channel, channels).map(|part| sum(part, square)).sum::<f32>() / count;
        Moments { mean, variance, inverse: 1.0 / (variance + EPSILON).sqrt() }
    }
}

impl Pass for BatchNormPass {
    fn reads(&self) -> Reads {
        Reads::INPUTS
    }

    /// With the chunk's statistics while training; else `own` holds factors and shifts.
    fn forward(&self, own: &LayerWeights, pass: Forward<'_>, memory: &mut Memory, output: &mut [f32]) {
        let (input, channels) = (pass.inputs[0], own.weight.len());
        if !pass.training {
            scale_channels(own, self.pixels, input, output);
            return;
        }
        memory.statistics.clear();
        memory.statistics.extend((0..channels).map(|channel| self.moments(input, channel, channels)));
        let maps = output.chunks_exact_mut(self.pixels).zip(input.chunks_exact(self.pixels));
        for (index, (output, input)) in maps.enumerate() {
            let channel = index % channels;
            let (Moments { mean, inverse, .. }, beta) = (memory.statistics[channel], own.bias[channel]);
            let factor = own.weight[channel] * inverse;
            output.iter_mut().zip(input).for_each(|(y, &x)| *y = factor * (x - mean) + beta);
        }
    }

    /// `d gamma = sum of dY * normalised x`, `d beta = sum of dY`, kept for the inputs' gradient.
    fn parameters(&self, _: &LayerWeights, pass: Backward<'_>, memory: &mut Memory, gradient: &mut LayerWeights) {
        let channels = gradient.weight.len();
        for (channel, moments) in memory.statistics.iter().enumerate() {
            let Moments { mean, inverse, .. } = *moments;
            let slopes = self.channel(pass.slope, channel, channels);
            for (slope, input) in slopes.zip(self.channel(pass.inputs[0], channel, channels)) {
                gradient.weight[channel] += sum_pairs(slope, input, |slope, x| slope * ((x - mean) * inverse));
                gradient.bias[channel] += sum(slope, |slope| slope);
            }
        }
        memory.sums.clear();
        memory.sums.extend(gradient.weight.iter().chain(&gradient.bias));
    }

    /// `dX = gamma / deviation * (dY - mean(dY) - normalised x * mean(dY * normalised x))`.
    fn input(&self, own: &LayerWeights, pass: Backward<'_>, memory: &mut Memory, _: usize, slope: &mut [f32]) {
        let channels = own.weight.len();
        let count = (slope.len() / channels) as f32;
        let (gamma_slopes, beta_slopes) = memory.sums.split_at(channels);
        let maps = slope.chunks_exact_mut(self.pixels).zip(pass.slope.chunks_exact(self.pixels));
        for (index, ((to, above), input)) in maps.zip(pass.inputs[0].chunks_exact(self.pixels)).enumerate() {
            let channel = index % channels;
            let Moments { mean, inverse, .. } = memory.statistics[channel];
            let factor = own.weight[channel] * inverse;
            let (along, level) = (gamma_slopes[channel] / count * inverse, beta_slopes[channel] / count);
            let values = to.iter_mut().zip(above.iter().zip(input));
            values.for_each(|(to, (&above, &x))| *to = factor * (above - level - (x - mean) * along));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::{Case, values};
    use super::*;
    use nn::Shape;

    const SHAPE: Shape = Shape { channels: 3, height: 2, width: 9 };

    #[test]
    fn gradients_are_the_slopes() {
        let own = LayerWeights { weight: vec![0.5, -1.5, 2.0], bias: values(3, 2) };
        Case { own, step: 0.02, ..Case::new(&BatchNormPass { pixels: 18 }, &[SHAPE], SHAPE) }.check();
    }

    /// Results have mean beta and deviation gamma; with running statistics that have settled they are nearly the same.
    #[test]
    fn channels_are_normalised() {
        let (pass, own) = (BatchNormPass { pixels: 18 }, LayerWeights { weight: vec![2.0; 3], bias: vec![0.5; 3] });
        let input: Vec<f32> = values(4 * 54, 3).iter().map(|x| 3.0 * x + 7.0).collect();
        let (mut memory, mut output, mut fixed) = (Memory::default(), vec![0.0; 4 * 54], vec![0.0; 4 * 54]);
        pass.forward(&own, Forward { inputs: &[&input], training: true }, &mut memory, &mut output);
        let moments = pass.moments(&output, 1, 3);
        assert!((moments.mean - 0.5).abs() < 1e-5 && (moments.variance - 4.0).abs() < 1e-3, "{moments:?}");
        let mut running = Running::new(3);
        (0..200).for_each(|_| running.follow(&memory.statistics, 72));
        pass.forward(&folded(&own, &running), Forward { inputs: &[&input], training: false }, &mut memory, &mut fixed);
        let distance = output.iter().zip(&fixed).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        // The running variance is the unbiased one, 72 / 71 of the chunk's.
        assert!(distance > 0.0 && distance < 0.03, "{distance}");
    }
}
