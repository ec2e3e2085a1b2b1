//! Which windows of large layers calibration looks at.

use chip::config::Chip;
use chip::program::MvmStage;

/// Most sums of a stage that are looked at on each chip sample, about; enough that a ten-thousandth of them still is hundreds.
const MOST_SUMS: u64 = 1 << 22;

/// The points of a sequence that fills the unit square evenly, in units of 2^-32: `1/p` and `1/p^2` of the plastic number `p^3 = p + 1`
/// (M. Roberts, "The Unreasonable Effectiveness of Quasirandom Sequences", 2018).
const STEPS: [u64; 2] = [3_242_174_889, 2_447_445_414];

/// The share of a stage's windows that is looked at, the same for every crossbar and spread evenly over images, positions and crossbars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    /// In units of 2^-32.
    of: u64,
}

impl Share {
    /// Of a stage that sees so many images. Columns that have something of their own need every sum.
    pub(super) fn new(chip: &Chip, stage: &MvmStage, images: u64) -> Self {
        let own = chip.tile.adc.per_column || chip.tile.adc.column_gain;
        let columns: u64 = stage.crossbars.iter().map(|placed| stage.converted_columns(placed)).sum();
        let cycles = u64::from(chip.input_cycles(stage.applied_bits()));
        let sums = images * stage.window.count() as u64 * cycles * columns;
        Self { of: if own || sums <= MOST_SUMS { 1 << 32 } else { (MOST_SUMS << 32).div_ceil(sums) } }
    }

    /// Whether a window, numbered over all images, is looked at behind a crossbar.
    pub(super) fn has(self, crossbar: usize, window: u64) -> bool {
        let at = window.wrapping_mul(STEPS[0]).wrapping_add((crossbar as u64).wrapping_mul(STEPS[1]));
        at & u64::from(u32::MAX) < self.of
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every crossbar has its share of any hundred windows in a row, up to a few, and no two look at the same ones.
    #[test]
    fn windows_are_spread_evenly() {
        for part in [2, 7, 30] {
            let share = Share { of: (1 << 32) / part };
            let seen = |crossbar, start: u64| {
                (start..start + 100).filter(|&window| share.has(crossbar, window)).collect::<Vec<_>>()
            };
            for start in [0, 1000, 1 << 40] {
                for crossbar in 0..50 {
                    let count = seen(crossbar, start).len() as f64;
                    assert!((count - 100.0 / part as f64).abs() < 4.0, "{part}, {crossbar}, {start}: {count}");
                    assert_ne!(seen(crossbar, start), seen(crossbar + 1, start));
                }
            }
        }
    }
}
