//! Addresses of the noise of single conversions.

use super::plan::StagePlan;
use std::ops::Range;
use tile::address::{Purpose, key};

/// The conversions of a block of windows in the arrays of a row partition. Every logical column of the layer has a draw of its own in every
/// row partition, wherever columns are cut into arrays.
pub(super) struct Addresses<'a> {
    pub(super) plan: &'a StagePlan<'a>,
    /// Number of the block's first image in its batch.
    pub(super) first_image: u64,
    /// Windows, numbered over the images of the block.
    pub(super) windows: Range<usize>,
    /// First logical row of the partition.
    pub(super) row_start: usize,
}

impl Addresses<'_> {
    /// Keys of the draws of all columns, `[window][cycle]`.
    pub(super) fn keys(&self, purpose: Purpose, keys: &mut Vec<u64>) {
        let (count, sample) = (self.plan.stage.window.count(), self.plan.address);
        keys.clear();
        for window in self.windows.clone() {
            let (image, window) = (self.first_image + (window / count) as u64, window % count);
            for cycle in 0..self.plan.format.cycles {
                let address = [
                    sample.purpose as u64,
                    sample.chip_sample,
                    image,
                    self.plan.layer as u64,
                    window as u64,
                    cycle.into(),
                    self.row_start as u64,
                ];
                keys.push(key(sample.seed, purpose, &address));
            }
        }
    }
}
