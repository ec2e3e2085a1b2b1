//! What a mapping strategy makes of the states: where weights sit, how far they err, and which are favourable.

use chip::config::Chip;
use nn_compiler::favourable::Favourable;
use nn_compiler::mapping::{CellStates, Encoding, LayerStatistics, Mapping, SliceCode, largest_weight};
use serde::Serialize;

/// A mapping strategy on a chip's cells, for the weights of a nominal layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MappingReport {
    /// Name of the strategy.
    pub mapping: String,
    /// The strategy in one line.
    pub description: String,
    /// Digital offset; 0 for a pair.
    pub offset: i64,
    /// Cells of a weight.
    pub cells_per_weight: usize,
    /// Columns of a weight that are converted.
    pub converted_columns: usize,
    /// Share of the layer's weights that the encoding cannot store and clips.
    pub clipped_share: f64,
    /// Levels of weight 0 by array (the positive one of a pair first), most significant slice first.
    pub zero_levels: Vec<Vec<usize>>,
    /// Mean nominal conductance of the cells of weight 0, S.
    pub zero_conductance_s: f64,
    /// The favourable states that were found for the most significant slice, ascending.
    pub favourable_states: Vec<usize>,
    /// Bits of the cells of that slice.
    pub favourable_bits: u32,
    /// Whether any weight that can be stored is not favourable: otherwise biased training has nothing to constrain.
    pub constrains: bool,
    /// Number of favourable weights.
    pub favourable_weights: usize,
    /// Number of weights, `2^B - 1`.
    pub all_weights: usize,
    /// The favourable weight nearest to 0.
    pub zero_projected_to: i32,
    /// Error variance of weight 0, in squared weight steps.
    pub error_variance_zero: f64,
    /// Mean error variance over the layer's weights, in squared weight steps.
    pub error_variance_mean: f64,
    /// Largest error variance of any weight, in squared weight steps.
    pub error_variance_max: f64,
    /// Every weight, ascending.
    pub weights: Vec<WeightReport>,
}

/// One weight value under a mapping strategy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WeightReport {
    /// The weight.
    pub weight: i32,
    /// The nearest weight that the encoding can store; that is what the rest is about.
    pub stored_weight: i32,
    /// Variance of the stored weight, in squared weight steps.
    pub error_variance: f64,
    /// The same in columns stored complemented, where the strategy has any.
    pub complemented_error_variance: Option<f64>,
    /// Levels by array (the positive one of a pair first), most significant slice first.
    pub levels: Vec<Vec<usize>>,
}

/// What all mapping strategies are looked at with.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) chip: &'a Chip,
    pub(super) cells: &'a CellStates,
    pub(super) constrained_slices: usize,
    /// How often each weight occurs.
    pub(super) counts: &'a [u64],
}

impl View<'_> {
    /// Every mapping strategy, in the order in which tables list them.
    pub(super) fn report(&self) -> Vec<MappingReport> {
        Mapping::every().iter().filter_map(|mapping| self.mapping(mapping)).collect()
    }

    /// None for a strategy that cannot store the chip's weights in its cells.
    fn mapping(&self, mapping: &Mapping) -> Option<MappingReport> {
        let layer = LayerStatistics {
            weight_bits: self.chip.format.weight_bits,
            cell_bits: self.chip.tile.cell.bits,
            histogram: self.counts,
            offset: None,
            cells: self.cells,
        };
        let encoding = mapping.encoding(&layer).ok()?;
        let favourable = Favourable::find(&encoding, self.cells, self.constrained_slices);
        let weights = weights(&encoding, self.cells);
        let clipped = |weight: &WeightReport| f64::from(u8::from(weight.stored_weight != weight.weight));
        let variances = weights.iter().map(|weight| weight.error_variance);
        let zero_levels = levels(&encoding, 0);
        Some(MappingReport {
            mapping: mapping.name().to_owned(),
            description: mapping.doc().to_owned(),
            offset: encoding.offset(),
            cells_per_weight: encoding.slices.len() * encoding.polarities(),
            converted_columns: encoding.converted_columns(),
            clipped_share: self.mean(&weights, clipped),
            zero_conductance_s: self.mean_conductance_s(&encoding, &zero_levels),
            zero_levels,
            favourable_weights: favourable.weights.len(),
            all_weights: weights.len(),
            zero_projected_to: favourable.project(0),
            favourable_bits: encoding.slices.last().map_or(0, |code| code.bits),
            constrains: favourable.constrains(),
            favourable_states: favourable.states,
            error_variance_zero: encoding.error_variance(0, self.cells),
            error_variance_mean: self.mean(&weights, |weight| weight.error_variance),
            error_variance_max: variances.fold(0.0, f64::max),
            weights,
        })
    }

    /// The mean of a property of weights over the layer.
    fn mean(&self, weights: &[WeightReport], value: impl Fn(&WeightReport) -> f64) -> f64 {
        let (mut sum, mut all) = (0.0, 0.0);
        for (weight, &count) in weights.iter().zip(self.counts) {
            sum += count as f64 * value(weight);
            all += count as f64;
        }
        sum / all
    }

    /// Mean over cells whose levels are given by array, most significant slice first.
    fn mean_conductance_s(&self, encoding: &Encoding, levels: &[Vec<usize>]) -> f64 {
        let of_array = |levels: &Vec<usize>| -> f64 {
            let cells = levels.iter().zip(encoding.slices.iter().rev());
            let state = |(&level, code): (&usize, &SliceCode)| {
                Some(self.cells.states(code.bits).ok()?.states.get(level)?.conductance_s)
            };
            cells.filter_map(state).sum()
        };
        levels.iter().map(of_array).sum::<f64>() / levels.iter().flatten().count() as f64
    }
}

fn weights(encoding: &Encoding, cells: &CellStates) -> Vec<WeightReport> {
    let largest = largest_weight(encoding.weight_bits);
    let report = |weight: i32| WeightReport {
        weight,
        stored_weight: encoding.clip(weight),
        error_variance: encoding.error_variance(weight, cells),
        complemented_error_variance: encoding.flip.map(|_| encoding.complemented_error_variance(weight, cells)),
        levels: levels(encoding, weight),
    };
    (-largest..=largest).map(report).collect()
}

fn levels(encoding: &Encoding, weight: i32) -> Vec<Vec<usize>> {
    let stored = encoding.clip(weight);
    let array = |polarity| {
        let slices = (0..encoding.slices.len()).rev();
        slices.map(|slice| usize::from(encoding.level(stored, slice, polarity))).collect()
    };
    (0..encoding.polarities()).map(array).collect()
}
