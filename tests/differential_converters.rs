//! The converters of the reference.

use crate::differential_arrays::converted_together;
use chip::config::Adc;
use chip::functional::SampleAddress;
use chip::program::{ColumnAdc, MvmStage, Program};
use rand_distr::{Distribution, StandardNormal};
use std::rc::Rc;
use tile::adc::{AdcKind, Converter};
use tile::address::{Purpose, stream};

/// The converter of one column, and the digital factor behind it.
pub(crate) struct Column {
    /// Column sum of one code.
    pub(crate) step: f64,
    lowest: i32,
    highest: i32,
    /// Digital factor on the code.
    pub(crate) gain: f64,
    law: Law,
}

enum Law {
    /// The nearest code, of two equally near ones the even one.
    Quantiser,
    /// The sum itself.
    Transparent,
    /// The quantiser of `(1 + gain) sum + offset`, in steps.
    Line { gain: f64, offset: f64 },
    /// Codes change at these sums, in steps.
    Curve(Rc<Vec<f64>>),
}

/// One conversion.
pub(crate) struct Converted {
    /// The sum in steps.
    pub(crate) scaled: f32,
    pub(crate) code: f32,
    pub(crate) clipped: bool,
}

impl Column {
    pub(crate) fn convert(&self, sum: f32) -> Converted {
        let scaled = sum * (1.0 / self.step) as f32;
        let code = match &self.law {
            Law::Quantiser => self.limited(f64::from(scaled).round_ties_even()) as f32,
            Law::Transparent => scaled,
            Law::Line { gain, offset } => self.line_code(*gain, *offset, scaled),
            Law::Curve(thresholds) => self.curve_code(thresholds, scaled),
        };
        // What is not limited does not clip.
        let clipped = !matches!(self.law, Law::Transparent) && self.clips(scaled);
        Converted { scaled, code, clipped }
    }

    fn limited(&self, code: f64) -> f64 {
        code.clamp(f64::from(self.lowest), f64::from(self.highest))
    }

    /// Whether the code that a sum would have without limits lies beyond them. Errors of the converter do not matter to that.
    fn clips(&self, scaled: f32) -> bool {
        let code = f64::from(scaled).round_ties_even();
        code != self.limited(code)
    }

    /// Code of a converter that errs in gain and offset alone: in single precision, as the engine computes it.
    fn line_code(&self, gain: f64, offset: f64, scaled: f32) -> f32 {
        let own = scaled * (1.0 + gain) as f32 + offset as f32;
        self.limited(f64::from(own).round_ties_even()) as f32
    }

    /// Code of a converter whose thresholds do not lie evenly.
    fn curve_code(&self, thresholds: &[f64], scaled: f32) -> f32 {
        let input = f64::from(scaled);
        let code = self.lowest + thresholds.iter().filter(|&&threshold| threshold < input).count() as i32;
        let tie = thresholds.contains(&input);
        (code + i32::from(tie && code % 2 != 0)) as f32
    }

    /// The code that a sum in double precision gives; none where it is so near to a change of codes that either is right, or where the
    /// converter has no codes.
    pub(crate) fn double_code(&self, sum: f64) -> Option<f64> {
        let scaled = sum / self.step;
        match &self.law {
            Law::Quantiser => self.double_nearest(scaled),
            Law::Transparent => None,
            Law::Line { gain, offset } => self.double_nearest((1.0 + gain) * scaled + offset),
            Law::Curve(thresholds) => {
                let tie = thresholds.iter().any(|threshold| (threshold - scaled).abs() < NEAR * scaled.abs().max(1.0));
                let below = thresholds.iter().filter(|&&threshold| threshold < scaled).count();
                (!tie).then(|| f64::from(self.lowest) + below as f64)
            }
        }
    }

    fn double_nearest(&self, input: f64) -> Option<f64> {
        let tie = (input - input.floor() - 0.5).abs() < NEAR * input.abs().max(1.0);
        (!tie).then(|| self.limited(input.round_ties_even()))
    }
}

/// So near, in steps or relative, two sums in double precision are the same.
const NEAR: f64 = 1e-9;

/// The converters of all columns, one list per array in the order of the crossbars. The converters of a bank take its columns in turn.
pub(crate) fn columns(program: &Program, layer: u64, stage: &MvmStage, address: SampleAddress) -> Vec<Vec<Column>> {
    let adc = &program.chip.tile.adc;
    let mut curves = Curves::new();
    let mut taken = vec![0_u32; stage.crossbars.len()];
    let mut all = Vec::new();
    for placed in &stage.crossbars {
        let columns = placed.outputs as usize * stage.slices.len();
        for array in 0..converted_together(stage).len() {
            let mut column = |column: usize| {
                let slice = stage.slices[column % stage.slices.len()].adc;
                let own = placed.column_adcs.get(array * columns + column);
                let own = own.copied().unwrap_or(ColumnAdc { step: slice.step, gain: 1.0 });
                let instance = taken[placed.bank as usize] % adc.per_bank;
                taken[placed.bank as usize] += 1;
                let (lowest, highest) = (slice.min_code, slice.max_code);
                let at = Instance { layer, bank: placed.bank, instance, codes: (lowest, highest) };
                Column { step: own.step, lowest, highest, gain: own.gain, law: law(adc, address, at, &mut curves) }
            };
            all.push((0..columns).map(&mut column).collect());
        }
    }
    all
}

/// One physical converter.
#[derive(Clone, Copy, PartialEq)]
struct Instance {
    layer: u64,
    bank: u32,
    instance: u32,
    codes: (i32, i32),
}

/// Thresholds of converters that exist already.
type Curves = Vec<(Instance, Rc<Vec<f64>>)>;

fn law(adc: &Adc, address: SampleAddress, at: Instance, curves: &mut Curves) -> Law {
    if adc.kind == AdcKind::Ideal {
        return Law::Transparent;
    }
    if adc.nonideal.is_none() {
        return Law::Quantiser;
    }
    let indices = [address.purpose as u64, address.chip_sample, at.layer, at.bank.into(), at.instance.into()];
    let mut draws = stream(address.seed, Purpose::Converter, &indices);
    let errors = adc.nonideal;
    let bends = [errors.capacitor_sigma, errors.comparator_sigma_codes, errors.ramp_curvature_sigma_codes];
    if bends == [0.0; 3] {
        // The first two draws of every converter; no gain turns it around.
        let [gain, offset]: [f64; 2] = [0; 2].map(|_| StandardNormal.sample(&mut draws));
        return Law::Line { gain: (errors.gain_sigma * gain).max(-0.9), offset: errors.offset_sigma_codes * offset };
    }
    if let Some((_, known)) = curves.iter().find(|(known, _)| *known == at) {
        return Law::Curve(Rc::clone(known));
    }
    let thresholds = Rc::new(Converter::draw(adc.kind, &errors, at.codes, &mut draws).thresholds());
    curves.push((at, Rc::clone(&thresholds)));
    Law::Curve(thresholds)
}
