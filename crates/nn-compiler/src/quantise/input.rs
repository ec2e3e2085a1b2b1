//! How the values of an image become codes.

use super::QuantiseSettings;
use super::value::holding;
use crate::fuse::Layers;
use nn::coding::{CodeFormat, InputCoding};
use nn::datasets::Split;
use nn::graph::Coefficients;

/// How the values of an image become codes, and what a code is worth: the prescribed format; or one over all that pixels 0..=1 can become, if the
/// network is one of a data set (`known`), whose pixels are that; or else one whose range is found on the calibration images, as of any activation.
pub(super) fn coding(
    layers: &Layers,
    settings: &QuantiseSettings,
    feeds_arrays: bool,
    (known, calibration): (bool, &Split),
) -> (InputCoding, f64) {
    let (factors, shifts) = affine(layers);
    let (format, scale) = match layers.input_format {
        Some(format) => (holding(format.lowest, format.highest), format.step),
        None => {
            let pixels = known && calibration.images.iter().all(|value| (0.0..=1.0).contains(value));
            let values: Vec<f64> = if pixels {
                factors.iter().zip(&shifts).flat_map(|(factor, shift)| [*shift, factor + shift]).collect()
            } else {
                inputs(&factors, &shifts, calibration)
            };
            let signed = values.iter().any(|&value| value < 0.0);
            let bits = if signed && feeds_arrays { settings.signed_bits } else { settings.bits };
            let format = CodeFormat { bits, signed };
            let codes = format.codes().1 as f64;
            let mut magnitudes: Vec<f64> = values.into_iter().map(f64::abs).collect();
            let largest = if pixels {
                magnitudes.iter().copied().fold(0.0, f64::max)
            } else {
                settings.activation_range.of(&mut magnitudes, codes)
            };
            (format, if largest > 0.0 { largest / codes } else { 1.0 })
        }
    };
    let in_codes = |numbers: &[f64]| numbers.iter().map(|number| number / scale).collect();
    (InputCoding { format, multipliers: in_codes(&factors), offsets: in_codes(&shifts) }, scale)
}

/// Factors and shifts of the normalisation, as many of each: one, one per channel or one per value.
fn affine(layers: &Layers) -> (Vec<f64>, Vec<f64>) {
    let of = |coefficients: &Coefficients| coefficients.values().iter().map(|&value| f64::from(value)).collect();
    let (mut factors, mut shifts): (Vec<f64>, Vec<f64>) =
        layers.normalisation.as_ref().map_or((vec![1.0], vec![0.0]), |affine| (of(&affine.factor), of(&affine.shift)));
    // One number for all pixels goes with many of the other kind.
    let count = factors.len().max(shifts.len());
    for numbers in [&mut factors, &mut shifts] {
        *numbers = (0..count).map(|index| numbers[index * numbers.len() / count]).collect();
    }
    (factors, shifts)
}

/// The values that calibration images have behind the normalisation.
fn inputs(factors: &[f64], shifts: &[f64], calibration: &Split) -> Vec<f64> {
    // As many neighbouring values share a factor.
    let stretch = (calibration.features / factors.len().max(1)).max(1);
    let affine = factors.iter().zip(shifts);
    let parts = calibration.images.chunks_exact(calibration.features).flat_map(|image| image.chunks(stretch));
    let values = parts.zip(affine.cycle());
    values.flat_map(|(part, (f, s))| part.iter().map(move |&value| f64::from(value) * f + s)).collect()
}
