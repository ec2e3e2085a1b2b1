//! One weighted layer in training: its float weights, what the hardware makes of them, and which columns are constrained.

use crate::checkpoint::{Reader, Stored, Writer};
use crate::config::{Importance, Optimiser};
use crate::constraint::ColumnImportance;
use crate::error::TrainError;
use crate::layers::LayerWeights;
use crate::optimiser::{Moments, Update};
use crate::target::{LayerMatrix, LayerTarget};
use nn_compiler::quantise::Range;
use rand_distr::{Distribution, StandardNormal};
use tile::address::Stream;

/// The state of one layer.
pub(crate) struct LayerState {
    pub(crate) matrix: LayerMatrix,
    pub(crate) parameters: LayerWeights,
    /// Moments of weights and biases.
    pub(crate) moments: (Moments, Moments),
    /// Moments of the logarithm of the scale, where it is learned.
    scale_moments: Moments,
    pub(crate) target: LayerTarget,
    /// The integers that the target was chosen for: rounded, neither clipped nor projected.
    pub(crate) targeted: Vec<i32>,
    pub(crate) importance: ColumnImportance,
    /// Constrained columns, one per output and row partition.
    pub(crate) constrained: Vec<bool>,
}

/// Zero moments of weights and biases.
pub(crate) fn moments(parameters: &LayerWeights, optimiser: Optimiser) -> (Moments, Moments) {
    (Moments::new(parameters.weight.len(), optimiser), Moments::new(parameters.bias.len(), optimiser))
}

impl LayerState {
    pub(crate) fn new(
        matrix: LayerMatrix,
        parameters: LayerWeights,
        (target, targeted): (LayerTarget, Vec<i32>),
        optimiser: Optimiser,
        importance: ColumnImportance,
    ) -> Self {
        Self {
            moments: moments(&parameters, optimiser),
            scale_moments: Moments::new(1, optimiser),
            importance,
            constrained: vec![false; matrix.outputs * matrix.partitions],
            target,
            targeted,
            matrix,
            parameters,
        }
    }

    /// Closes an epoch of the importance of columns.
    pub(crate) fn end_epoch(&mut self, measure: Importance, weight_bits: u32, decay: f64) {
        let Self { importance, matrix, parameters, target, .. } = self;
        let integers = match measure {
            Importance::Benefit => matrix.quantise(&parameters.weight, weight_bits),
            _ => Vec::new(),
        };
        importance.end_epoch(matrix, decay, |index, sum| match measure {
            Importance::Magnitude => f64::from(parameters.weight[index].abs()),
            Importance::Benefit => f64::from(sum) * target.benefit(integers[index]),
            Importance::Gradient | Importance::Fisher | Importance::Random => sum.into(),
        });
    }

    /// The integers that the float weights stand for.
    pub(crate) fn rounded(&self, weight_bits: u32) -> Vec<i32> {
        self.matrix.quantise(&self.parameters.weight, weight_bits)
    }

    /// Makes of integers what the hardware can store, projected in constrained columns if asked.
    pub(crate) fn confine(&self, integers: &mut [i32], projected: bool) {
        let LayerMatrix { rows, partitions, partition, .. } = &self.matrix;
        for (outputs, constrained) in integers.chunks_exact_mut(*rows).zip(self.constrained.chunks_exact(*partitions)) {
            for (weight, &partition) in outputs.iter_mut().zip(partition) {
                *weight = match projected && constrained[partition] {
                    true => self.target.favourable.project(*weight),
                    false => self.target.encoding.clip(*weight),
                };
            }
        }
    }

    /// Weights that are beyond what the hardware can store.
    pub(crate) fn clipped_weights(&self, weight_bits: u32) -> usize {
        self.rounded(weight_bits).into_iter().filter(|&weight| self.target.encoding.clip(weight) != weight).count()
    }

    /// Replaces the float weights of the constrained columns by the projections of their integers.
    pub(crate) fn impose(&mut self, weight_bits: u32) {
        let mut projected = self.rounded(weight_bits);
        self.confine(&mut projected, true);
        for (index, integer) in projected.into_iter().enumerate() {
            if self.is_constrained(index) {
                self.parameters.weight[index] = integer as f32 * self.matrix.scale;
            }
        }
    }

    /// Writes the weights of given integers, with the device's noise times `noise` drawn from `stream`, and the biases.
    pub(crate) fn weights(&self, integers: &[i32], noise: f32, stream: &mut Stream, to: &mut LayerWeights) {
        let scale = self.matrix.scale;
        to.weight.clear();
        to.weight.extend(integers.iter().map(|&q| q as f32 * scale));
        if noise > 0.0 {
            for (weight, &q) in to.weight.iter_mut().zip(integers) {
                let draw: f32 = StandardNormal.sample(stream);
                *weight += noise * self.target.deviation_of(q) * draw * scale;
            }
        }
        to.bias.clone_from(&self.parameters.bias);
    }

    /// Follows the gradient of the scale: the weights behind the integers stay, what they stand for moves (Esser et al., ICLR 2020). A weight at the end
    /// of the range moves with the scale. `effective` is what the step computed with.
    pub(crate) fn learn_scale(&mut self, effective: &[f32], gradient: &[f32], largest: f32, update: Update) {
        let limit = largest * self.matrix.scale;
        let moved = self
            .parameters
            .weight
            .iter()
            .zip(effective)
            .map(|(&weight, &effective)| if weight.abs() < limit { effective - weight } else { effective });
        let slope: f64 = moved.zip(gradient).map(|(moved, &gradient)| f64::from(moved) * f64::from(gradient)).sum();
        // So that the scale moves as fast as its weights, whatever their number.
        let slope = slope / (gradient.len() as f64 * f64::from(largest)).sqrt();
        let mut step = [0.0];
        self.scale_moments.update(&mut step, &[slope as f32], update);
        // At most a factor of e in a step.
        self.matrix.scale *= libm::expf(step[0].clamp(-1.0, 1.0));
    }

    /// Takes the scale of least squared rounding error, if there is one.
    pub(crate) fn calibrate_scale(&mut self, largest: f32) {
        let mut magnitudes: Vec<f64> = self.parameters.weight.iter().map(|weight| f64::from(weight.abs())).collect();
        let scale = Range::MeanSquaredError.of(&mut magnitudes, f64::from(largest)) as f32 / largest;
        if scale.is_normal() {
            self.matrix.scale = scale;
        }
    }

    /// Columns all of whose weights are favourable; none where every weight is, because then nothing is constrained.
    pub(crate) fn favourable_columns(&self, integers: &[i32]) -> usize {
        if !self.target.favourable.constrains() {
            return 0;
        }
        let mut favourable = vec![true; self.constrained.len()];
        for (index, &integer) in integers.iter().enumerate() {
            if !self.target.favourable.contains(integer) {
                favourable[self.column(index)] = false;
            }
        }
        favourable.into_iter().filter(|&f| f).count()
    }

    fn is_constrained(&self, index: usize) -> bool {
        self.constrained[self.column(index)]
    }

    /// The crossbar column of a weight.
    fn column(&self, index: usize) -> usize {
        let (output, row) = (index / self.matrix.rows, index % self.matrix.rows);
        output * self.matrix.partitions + self.matrix.partition[row]
    }
}

impl Stored for LayerState {
    fn store(&self, writer: &mut Writer) {
        self.parameters.store(writer);
        self.moments.0.store(writer);
        self.moments.1.store(writer);
        self.scale_moments.store(writer);
        writer.number(self.matrix.scale);
        writer.list(&self.targeted);
        self.importance.store(writer);
        self.constrained.store(writer);
    }

    /// All but the target, which follows from the integers it was chosen for.
    fn restore(&mut self, reader: &mut Reader<'_>) -> Result<(), TrainError> {
        self.parameters.restore(reader)?;
        self.moments.0.restore(reader)?;
        self.moments.1.restore(reader)?;
        self.scale_moments.restore(reader)?;
        self.matrix.scale = reader.number()?;
        reader.list(&mut self.targeted)?;
        self.importance.restore(reader)?;
        self.constrained.restore(reader)
    }
}

#[cfg(test)]
#[path = "layer_tests.rs"]
mod tests;
