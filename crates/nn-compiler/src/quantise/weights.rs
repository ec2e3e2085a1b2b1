//! Weights as integers.

use super::QuantiseSettings;
use crate::mapping::largest_weight;
use nn::graph::WeightScale;
use tile::adc::round_half_even;

/// Integer weights and the value of a step of each output's.
pub(super) struct IntegerWeights {
    pub(super) weights: Vec<i32>,
    pub(super) scales: Vec<f32>,
}

/// Rounds weights of `outputs` outputs, in the steps that the network prescribes or in steps of their range. Those of `scores` have one scale if it is
/// free, so that sums can be compared.
pub(super) fn integer_weights(
    weight: &[f32],
    outputs: usize,
    scale: &WeightScale,
    scores: bool,
    settings: &QuantiseSettings,
) -> IntegerWeights {
    let rows = (weight.len() / outputs.max(1)).max(1);
    let scales: Vec<f32> = match scale {
        WeightScale::Tensor(scale) => vec![*scale; outputs],
        WeightScale::Channel(scales) => scales.clone(),
        WeightScale::Free if settings.per_channel && !scores => {
            let of_rows: Vec<Option<f32>> = weight.chunks_exact(rows).map(|row| free_scale(row, settings)).collect();
            // Weights that are all 0 have any scale: not one that is larger than those beside it.
            let largest = of_rows.iter().flatten().copied().reduce(f32::max).unwrap_or(1.0);
            of_rows.into_iter().map(|scale| scale.unwrap_or(largest)).collect()
        }
        WeightScale::Free => vec![free_scale(weight, settings).unwrap_or(1.0); outputs],
    };
    let mut weights = Vec::with_capacity(weight.len());
    for (row, &scale) in weight.chunks_exact(rows).zip(&scales) {
        quantise_weights(row, scale, settings.weight_bits, &mut weights);
    }
    IntegerWeights { weights, scales }
}

/// The scale with which a range of weights takes all integers; none for weights that are all 0. Weights of 1 bit have that of the least squared error,
/// their mean magnitude (Rastegari et al., *XNOR-Net*, ECCV 2016, equation 6).
fn free_scale(weights: &[f32], settings: &QuantiseSettings) -> Option<f32> {
    let largest = f64::from(largest_weight(settings.weight_bits));
    let mut magnitudes: Vec<f64> = weights.iter().map(|&weight| f64::from(weight).abs()).collect();
    let range = match settings.weight_bits {
        1 => magnitudes.iter().sum::<f64>() / magnitudes.len().max(1) as f64,
        _ => settings.weight_range.of(&mut magnitudes, largest),
    };
    let scale = (range / largest) as f32;
    scale.is_normal().then_some(scale)
}

/// Appends the integers of weights: rounded half to even in steps of `scale`, clipped to the symmetric range; of 1 bit their signs, where 0 counts as
/// positive.
pub fn quantise_weights(weights: &[f32], scale: f32, weight_bits: u32, integers: &mut Vec<i32>) {
    let largest = largest_weight(weight_bits) as f32;
    match weight_bits {
        1 => integers.extend(weights.iter().map(|&weight| if weight < 0.0 { -1 } else { 1 })),
        _ => {
            let integer = |&weight| round_half_even(f32::min(f32::max(weight / scale, -largest), largest)) as i32;
            integers.extend(weights.iter().map(integer));
        }
    }
}
