//! Which windows of large layers calibration looks at.

use chip::config::Chip;
use chip::program::MvmStage;
use tile::address::mix;

/// Most sums of a stage that are looked at on each chip sample, about; enough that a ten-thousandth of them still is hundreds.
const MOST_SUMS: u64 = 1 << 22;

/// The golden ratio less 1, in units of 2^-32: of its multiples modulo 1, as many lie in any interval as belong there, up to a few.
const GOLDEN: u64 = 2_654_435_769;

/// The share of a stage's windows that is looked at: of every position behind every crossbar the same share of the images, which images being drawn
/// by lot. So no regularity of positions, images and crossbars decides what is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    /// In units of 2^-32.
    of: u64,
    /// Windows of an image.
    positions: u64,
}

impl Share {
    /// Of a stage that sees so many images. Columns that have something of their own need every sum.
    pub(super) fn new(chip: &Chip, stage: &MvmStage, images: u64) -> Self {
        let own = chip.tile.adc.per_column || chip.tile.adc.column_gain;
        let columns: u64 = stage.crossbars.iter().map(|placed| stage.converted_columns(placed)).sum();
        let cycles = u64::from(chip.input_cycles(stage.applied_bits()));
        let positions = (stage.window.count() as u64).max(1);
        let sums = images * positions * cycles * columns;
        Self { of: if own || sums <= MOST_SUMS { 1 << 32 } else { (MOST_SUMS << 32).div_ceil(sums) }, positions }
    }

    /// Whether a window, numbered over all images, is looked at behind a crossbar.
    pub(super) fn has(self, crossbar: usize, window: u64) -> bool {
        let (image, position) = (window / self.positions, window % self.positions);
        // The images of a position follow each other evenly from a start that is drawn by lot.
        let start = mix(((crossbar as u64) << 32) ^ position);
        start.wrapping_add(image.wrapping_mul(GOLDEN)) & u64::from(u32::MAX) < self.of
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Maps of all sizes: every position behind every crossbar is looked at in its share of the images, within 2.5 of it, so in some where that is more,
    /// and every image has its share of windows.
    #[test]
    fn every_position_is_looked_at_at_the_same_rate() {
        for width in (1..=32).chain([55, 56, 63, 64, 112, 113, 127, 128]) {
            let positions = width * width;
            for (part, images) in [(4, 64), (8, 64), (32, 64), (3, 200), (8, 17)] {
                let share = Share { of: (1 << 32) / part, positions };
                let seen = |crossbar, image, position| share.has(crossbar, image * positions + position);
                let expected = images as f64 / part as f64;
                for crossbar in [0, 1, 40] {
                    for position in (0..positions).step_by(1 + positions as usize / 1500) {
                        let count = (0..images).filter(|&image| seen(crossbar, image, position)).count() as f64;
                        assert!((count - expected).abs() < 2.5, "{width}, {part} of {images}, {position}: {count}");
                        assert!(count > 0.0 || expected < 2.0, "{width}, {part} of {images}, {position}");
                    }
                }
                for image in [0, 1, images - 1] {
                    let count = (0..positions).filter(|&position| seen(3, image, position)).count() as f64;
                    let expected = positions as f64 / part as f64;
                    // Five standard deviations of independent draws.
                    assert!(
                        (count - expected).abs() < 5.0 * expected.sqrt() + 1.0,
                        "{width}, {part}, {image}: {count}"
                    );
                }
            }
        }
    }

    /// The windows of one crossbar are not those of the next, nor are those of neighbouring positions the same.
    #[test]
    fn crossbars_and_positions_are_drawn_by_themselves() {
        let share = Share { of: (1 << 32) / 8, positions: 1024 };
        let both = |other: &dyn Fn(u64) -> bool| (0..1024 * 64).filter(|&w| share.has(0, w) && other(w)).count() as f64;
        for count in [both(&|window| share.has(1, window)), both(&|window| share.has(0, window + 1))] {
            assert!((count / 1024.0 - 1.0).abs() < 0.25, "{count} of the expected 1024");
        }
    }
}
