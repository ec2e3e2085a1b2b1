//! One weighted layer in training: its float weights, what the hardware makes of them, and which columns are constrained.

use crate::checkpoint::{Reader, Stored, Writer};
use crate::config::Optimiser;
use crate::constraint::ColumnImportance;
use crate::error::TrainError;
use crate::layers::LayerWeights;
use crate::optimiser::Moments;
use crate::target::{LayerMatrix, LayerTarget};
use rand_distr::{Distribution, StandardNormal};
use tile::address::Stream;

/// The state of one layer.
pub(crate) struct LayerState {
    pub(crate) matrix: LayerMatrix,
    pub(crate) parameters: LayerWeights,
    /// Moments of weights and biases.
    pub(crate) moments: (Moments, Moments),
    pub(crate) target: LayerTarget,
    /// The integers that the target was chosen for.
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
    ) -> Self {
        Self {
            moments: moments(&parameters, optimiser),
            importance: ColumnImportance::new(&matrix),
            constrained: vec![false; matrix.outputs * matrix.partitions],
            target,
            targeted,
            matrix,
            parameters,
        }
    }

    /// The integers that the float weights stand for, projected in constrained columns if asked.
    pub(crate) fn integers(&self, weight_bits: u32, projected: bool) -> Vec<i32> {
        let mut integers = self.matrix.quantise(&self.parameters.weight, weight_bits);
        if projected {
            for (index, weight) in integers.iter_mut().enumerate() {
                if self.is_constrained(index) {
                    *weight = self.target.favourable.project(*weight);
                }
            }
        }
        integers
    }

    /// Replaces the float weights of the constrained columns by the projections of their integers.
    pub(crate) fn impose(&mut self, weight_bits: u32) {
        let projected = self.integers(weight_bits, true);
        for (index, integer) in projected.into_iter().enumerate() {
            if self.is_constrained(index) {
                self.parameters.weight[index] = integer as f32 * self.matrix.scale;
            }
        }
    }

    /// Weights of given integers, with the device's noise times `noise` drawn from `stream`.
    pub(crate) fn weights(&self, integers: &[i32], noise: f32, stream: &mut Stream) -> LayerWeights {
        let largest = (self.target.deviation.len() / 2) as i32;
        let scale = self.matrix.scale;
        let mut weight: Vec<f32> = integers.iter().map(|&q| q as f32 * scale).collect();
        if noise > 0.0 {
            for (weight, &q) in weight.iter_mut().zip(integers) {
                let draw: f32 = StandardNormal.sample(stream);
                *weight += noise * self.target.deviation[(q + largest) as usize] * draw * scale;
            }
        }
        LayerWeights { weight, bias: self.parameters.bias.clone() }
    }

    /// Columns all of whose weights are favourable.
    pub(crate) fn favourable_columns(&self, integers: &[i32]) -> usize {
        let mut favourable = vec![true; self.constrained.len()];
        for (index, &integer) in integers.iter().enumerate() {
            if self.target.favourable.project(integer) != integer {
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
        writer.list(&self.targeted);
        self.importance.store(writer);
        writer.list(&self.constrained.iter().map(|&constrained| u8::from(constrained)).collect::<Vec<u8>>());
    }

    /// All but the target, which follows from the integers it was chosen for.
    fn restore(&mut self, reader: &mut Reader<'_>) -> Result<(), TrainError> {
        self.parameters.restore(reader)?;
        self.moments.0.restore(reader)?;
        self.moments.1.restore(reader)?;
        reader.list(&mut self.targeted)?;
        self.importance.restore(reader)?;
        let mut constrained = vec![0_u8; self.constrained.len()];
        reader.list(&mut constrained)?;
        self.constrained = constrained.into_iter().map(|constrained| constrained == 1).collect();
        Ok(())
    }
}
