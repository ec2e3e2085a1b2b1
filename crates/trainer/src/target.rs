//! The hardware a training has in view: per layer the encoding, the error of every weight value, and the favourable weights.

use crate::config::{Biased, Projection};
use crate::error::TrainError;
use nn::Shape;
use nn::graph::{Graph, Operation, WeightScale};
use nn_compiler::compile::choose_encoding;
use nn_compiler::favourable::Favourable;
use nn_compiler::mapping::{CellStates, Encoding, Mapping, largest_weight};
use nn_compiler::partition::{row_order, row_partitions};
use nn_compiler::quantise::quantise_weights;
use nn_compiler::{Chip, CompileError};
use tile::address::{CellRow, Purpose};
use tile::device::RowPart;

impl LayerTarget {
    /// Standard deviation of the stored value of a weight, in weight steps.
    #[must_use]
    pub fn deviation_of(&self, weight: i32) -> f32 {
        self.deviation[(weight + (self.deviation.len() / 2) as i32) as usize]
    }

    /// By how much the constraint lowers half of the mean squared error of a weight, in squares of weight steps; negative if it raises it.
    #[must_use]
    pub fn benefit(&self, weight: i32) -> f64 {
        let projected = self.favourable.project(weight);
        let variance = |weight| f64::from(self.deviation_of(weight)).powi(2);
        (variance(weight) - variance(projected) - f64::from(weight - projected).powi(2)) / 2.0
    }
}

/// A mapping strategy on a chip.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The mapping strategy.
    pub mapping: &'a Mapping,
    /// The chip.
    pub chip: &'a Chip,
}

/// Fixed facts of one weighted layer: its matrix and how the chip cuts it.
#[derive(Clone, Debug)]
pub struct LayerMatrix {
    /// Number of outputs.
    pub outputs: usize,
    /// Number of rows.
    pub rows: usize,
    /// Value of one integer step.
    pub scale: f32,
    /// Row partition of every row.
    pub partition: Vec<usize>,
    /// Number of row partitions.
    pub partitions: usize,
    /// The network's row of every logical row of the chip.
    pub row_order: Vec<usize>,
}

impl LayerMatrix {
    /// The matrices of a network's weighted layers, whose weights must have one scale each.
    ///
    /// # Errors
    /// If the layers do not fit one another, or a layer has no scale.
    pub fn of(network: &Graph, array_rows: usize) -> Result<Vec<Self>, nn::NetworkError> {
        let shapes: Vec<Shape> = std::iter::once(network.input).chain(network.shapes()?).collect();
        let mut matrices = Vec::new();
        for node in &network.nodes {
            let input = shapes[node.inputs.first().copied().unwrap_or(0)];
            let (window, groups, outputs, scale) = match &node.op {
                Operation::Linear(linear) => (nn::Window::whole(input), 1, linear.outputs, &linear.weight_scale),
                Operation::Conv(conv) => {
                    let window = nn::Window { input, vertical: conv.vertical, horizontal: conv.horizontal };
                    (window, conv.groups, conv.out_channels, &conv.weight_scale)
                }
                _ => continue,
            };
            let WeightScale::Tensor(scale) = *scale else {
                let invalid = nn::Invalid::new("weight_scale", format!("{scale:?}"), "one for all weights of a layer");
                let (network, layer) = (network.name.clone(), node.name.clone());
                return Err(nn::NetworkError::Layer { network, layer, invalid: invalid.into() });
            };
            matrices.push(Self::new(&window, groups, outputs, scale, array_rows));
        }
        Ok(matrices)
    }

    /// The matrix of one layer. Groups have the same rows, each of its own channels: those of the first stand for all.
    fn new(window: &nn::Window, groups: usize, outputs: usize, scale: f32, array_rows: usize) -> Self {
        let rows = window.rows() / groups;
        let (mut partition, partitions) = row_partitions(window, groups, array_rows);
        let mut row_order = row_order(window, groups);
        partition.truncate(rows);
        row_order.truncate(rows);
        Self { outputs, rows, scale, partition, partitions, row_order }
    }

    /// The integers of float weights.
    #[must_use]
    pub fn quantise(&self, weights: &[f32], weight_bits: u32) -> Vec<i32> {
        let mut integers = Vec::with_capacity(weights.len());
        self.quantise_into(weights, weight_bits, &mut integers);
        integers
    }

    /// The integers of float weights, in memory that there is.
    pub(crate) fn quantise_into(&self, weights: &[f32], weight_bits: u32, integers: &mut Vec<i32>) {
        integers.clear();
        quantise_weights(weights, self.scale, weight_bits, integers);
    }
}

/// What the hardware does to the weights of one layer.
#[derive(Clone, Debug)]
pub struct LayerTarget {
    /// The encoding.
    pub encoding: Encoding,
    /// Standard deviation of the stored value of weight `i - largest`, in weight steps.
    pub deviation: Vec<f32>,
    /// The favourable weights.
    pub favourable: Favourable,
}

impl Target<'_> {
    /// States of the chip's cells.
    #[must_use]
    pub fn cells(&self) -> CellStates {
        CellStates::of(&self.chip.tile.cell)
    }

    /// What the hardware does to a layer with integer weights `weights`.
    ///
    /// # Errors
    /// If the chip's device cannot have such cells, or no weight is favourable.
    pub fn layer(&self, weights: &[i32], biased: &Biased) -> Result<LayerTarget, TrainError> {
        let cells = self.cells();
        let encoding = choose_encoding(weights, (self.chip.format.weight_bits, None), self.mapping, self.chip, &cells)?;
        let largest = largest_weight(encoding.weight_bits);
        let deviation = |weight| encoding.error_variance(weight, &cells).sqrt() as f32;
        let slices = biased.constrained_slices as usize;
        let favourable = if biased.projection == Projection::Soft {
            Favourable::soft(&encoding, |weight| biased.softness * encoding.error_variance(weight, &cells))
        } else if biased.states.is_empty() {
            Favourable::find(&encoding, &cells, slices)
        } else {
            let given: Vec<usize> = biased.states.iter().map(|&state| state as usize).collect();
            Favourable::of_states(&encoding, &given, slices)
        };
        if favourable.weights.is_empty() {
            return Err(TrainError::NoFavourableWeight {
                states: biased.states.clone(),
                mapping: self.mapping.name().to_owned(),
            });
        }
        let deviation = (-largest..=largest).map(deviation).collect();
        Ok(LayerTarget { encoding, deviation, favourable })
    }
}

/// The weights, in weight steps, that one validation chip sample holds for a layer: its cells drawn from their addresses and decoded.
/// Exact for an ideal converter, since the array is linear.
///
/// # Errors
/// If the chip's device cannot have cells of a slice's number of bits.
pub fn sample_weights(
    matrix: &LayerMatrix,
    weights: &[i32],
    encoding: &Encoding,
    cells: &CellStates,
    seed: u64,
    chip_sample: u64,
    layer: u64,
) -> Result<Vec<f32>, CompileError> {
    let purpose = Purpose::Validation;
    let fail = |what| CompileError::Layer { layer: format!("{layer}"), what };
    let mut sampled = vec![-(encoding.offset() as f32); weights.len()];
    let (mut levels, mut programmed) = (vec![0; matrix.outputs], vec![0.0; matrix.outputs]);
    for (slice, code) in encoding.slices.iter().enumerate() {
        let states = cells.states(code.bits).map_err(fail)?;
        for polarity in 0..encoding.polarities() {
            let sign = if polarity == 0 { 1.0 } else { -1.0 };
            let factor = sign * code.significance as f32;
            for (row, &from) in matrix.row_order.iter().enumerate() {
                let address = CellRow {
                    seed,
                    purpose,
                    chip_sample,
                    layer,
                    slice: slice as u64,
                    polarity: polarity as u64,
                    row: row as u64,
                };
                for (output, level) in levels.iter_mut().enumerate() {
                    *level = encoding.level(encoding.clip(weights[output * matrix.rows + from]), slice, polarity);
                }
                states.program_row(address, [RowPart::new(&levels, &mut programmed, 1)]);
                for (output, &value) in programmed.iter().enumerate() {
                    sampled[output * matrix.rows + from] += factor * value;
                }
            }
        }
    }
    Ok(sampled)
}
