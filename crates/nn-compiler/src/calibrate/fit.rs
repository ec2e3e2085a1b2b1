//! From observed sums to a converter.

use super::{Sums, transfer};
use chip::config::{Adc, Criterion};
use chip::program::MvmStage;
use tile::adc::AdcTransfer;

/// The transfer that the criterion asks for, with no step finer than the chip's finest.
pub(super) fn fit(adc: &Adc, stage: &MvmStage, sums: &Sums) -> AdcTransfer {
    let codes = transfer(adc, stage, 1.0);
    let with_step = |step: f64| AdcTransfer { step: shift_step(adc, step.max(adc.finest_step_levels)), ..codes };
    match adc.criterion {
        Criterion::Percentile => with_step(transfer(adc, stage, sums.percentile(adc.percentile)).step),
        Criterion::LeastSquaredError => {
            // The steps that are tried do not depend on the resolution, so that more bits never do worse.
            let coarsest = sums.largest().max(adc.finest_step_levels);
            let mut best = (f64::INFINITY, with_step(coarsest));
            let mut step = coarsest;
            while step >= adc.finest_step_levels * FINENESS {
                let candidate = with_step(step);
                let error = sums.squared_error(candidate);
                if error < best.0 {
                    best = (error, candidate);
                }
                step *= FINENESS;
            }
            best.1
        }
    }
}

/// Ratio of neighbouring steps of the search, `2^(-1/16)`.
const FINENESS: f64 = 0.957_603_280_698_573_6;

/// Rounds the step up to a power of two where the chip scales slices by shifts.
fn shift_step(adc: &Adc, wanted: f64) -> f64 {
    if !adc.power_of_two_step {
        return wanted;
    }
    let mut step = 1.0;
    while step < wanted {
        step *= 2.0;
    }
    while step / 2.0 >= wanted {
        step /= 2.0;
    }
    step
}
