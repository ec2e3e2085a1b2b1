//! One weighted layer in training: its float weights, what the hardware makes of them, and which columns are constrained.

use crate::adam::Adam;
use crate::constraint::ColumnImportance;
use crate::layers::LayerWeights;
use crate::target::{LayerMatrix, LayerTarget};
use rand_distr::{Distribution, StandardNormal};
use tile::address::Stream;

/// The state of one layer.
pub(crate) struct LayerState {
    pub(crate) matrix: LayerMatrix,
    pub(crate) parameters: LayerWeights,
    /// Moments of weights and biases.
    pub(crate) adam: (Adam, Adam),
    pub(crate) target: LayerTarget,
    pub(crate) importance: ColumnImportance,
    /// Constrained columns, one per output and row partition.
    pub(crate) constrained: Vec<bool>,
}

impl LayerState {
    pub(crate) fn new(matrix: LayerMatrix, parameters: LayerWeights, target: LayerTarget) -> Self {
        Self {
            adam: (Adam::new(parameters.weight.len()), Adam::new(parameters.bias.len())),
            importance: ColumnImportance::new(&matrix),
            constrained: vec![false; matrix.outputs * matrix.partitions],
            target,
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
