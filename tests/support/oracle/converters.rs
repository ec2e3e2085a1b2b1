//! CrossSim's converters as the product's: a range `[min, max]` becomes a unipolar converter of `max - min` that sees `sum - min`.

use super::case::{AdcKind, AdcRange, Case, Ranges, Style};
use super::npz::Arrays;
use super::units::Units;
use tile::adc::AdcTransfer;

/// The converter of one slice.
#[derive(Clone, Copy)]
pub(crate) struct Converter {
    pub(crate) transfer: AdcTransfer,
    /// Column sum that code 0 stands for.
    pub(crate) zero: f64,
}

/// The converters of one row partition, one per slice; `None` if the case converts nothing.
pub(crate) fn converters(
    case: &Case,
    arrays: &mut Arrays,
    index: usize,
    rows: usize,
) -> Result<Option<Vec<Converter>>, String> {
    if case.params.adc == AdcKind::None {
        return Ok(None);
    }
    let converter = |slice| {
        let suffix = if case.bit_sliced() { format!("_slice{slice}") } else { String::new() };
        let name = format!("adclim_out0_in{index}{suffix}");
        let saved = arrays.take(&name, &[2])?;
        let range = range(case, slice, rows)?;
        match saved.iter().zip(range).all(|(saved, ours)| (saved - ours).abs() <= 1e-12 * ours.abs()) {
            true => of_range(case, range),
            false => Err(format!("{name}: {saved:?}, expected {range:?}")),
        }
    };
    (0..case.encoding().slices.len()).map(converter).collect::<Result<_, _>>().map(Some)
}

/// The range of a slice's converter in normalised current, by CrossSim's rules.
fn range(case: &Case, slice: usize, rows: usize) -> Result<[f64; 2], String> {
    let p = &case.params;
    // 2^b / (2^b - 1)
    let stretch = |bits: u32| f64::from(1_u32 << bits) / f64::from((1_u32 << bits) - 1);
    let cell_bits = case.cell_bits();
    match (p.adc_range, p.style, &p.calibrated_range) {
        (AdcRange::Calibrated, _, Some(Ranges::One(range))) if !case.bit_sliced() => Ok(*range),
        (AdcRange::Calibrated, _, Some(Ranges::PerSlice(ranges))) if ranges.len() == p.slices => Ok(ranges[slice]),
        (AdcRange::Max, Style::Balanced | Style::BitslicedBalanced, None) => Ok([-(rows as f64), rows as f64]),
        (AdcRange::Max, Style::BitslicedOffset, None) if !p.input_signed => {
            let inputs = 2.0_f64.powi((rows as f64).log2().round_ties_even() as i32);
            Ok([0.0, inputs * stretch(cell_bits) / stretch(p.adc_bits) * stretch(p.input_bits)])
        }
        // A quirk of CrossSim: the unit of the whole input is applied although each of its bits is converted on its own.
        (AdcRange::Granular, Style::BitslicedBalanced, None) if !p.input_signed => {
            let step = stretch(p.input_bits) / f64::from((1_u32 << cell_bits) - 1);
            let top = step * f64::from((1_u32 << (p.adc_bits - 1)) - 1);
            Ok([-top, top])
        }
        _ => Err(format!("adc_range {:?} of this style is not implemented", p.adc_range)),
    }
}

fn of_range(case: &Case, [min, max]: [f64; 2]) -> Result<Converter, String> {
    let units = Units::new(case);
    let bits = case.params.adc_bits;
    match case.params.adc {
        AdcKind::SignMagnitudeADC if min == -max => {
            Ok(Converter { transfer: AdcTransfer::bipolar(bits, units.sum(max)), zero: 0.0 })
        }
        AdcKind::QuantizerADC => {
            let transfer = AdcTransfer::unipolar(bits, units.sum(max) - units.sum(min));
            Ok(Converter { transfer, zero: units.sum(min) })
        }
        _ => Err(format!("no such converter for the range {min} to {max}")),
    }
}
