//! Replicas of a stage: further copies of its crossbars, which share its windows out.
//!
//! A copy works on a band of columns of the result: every pixel of the source is needed by few copies, and all of them work on the same rows, so that
//! the stages behind need not wait for a copy that is far behind the others. Where `copies` does not divide the width, the bands' borders move
//! by a column from row to row, so that all copies have as much to do: row `y` gives copy `c` as many windows as there are multiples of `copies / width`
//! from `c + y` to `c + y + 1`. With more copies than columns that is none in some rows, and the copies of a column take its rows in turn.

use super::{MvmStage, PlacedCrossbar};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Where a copy of a crossbar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Tile, numbered row by row over the mesh.
    pub tile: u32,
    /// First physical array in the tile; a pair takes two.
    pub array: u32,
    /// Converter bank, numbered within the replica.
    pub bank: u32,
}

impl PlacedCrossbar {
    /// Where it is.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { tile: self.tile, array: self.array, bank: self.bank }
    }
}

impl MvmStage {
    /// Copies of the stage's crossbars, at least 1.
    #[must_use]
    pub fn copies(&self) -> usize {
        1 + self.replicas.len()
    }

    /// The crossbars with their places in a copy.
    pub fn placed(&self, copy: usize) -> impl Iterator<Item = (&PlacedCrossbar, Place)> {
        let places = copy.checked_sub(1).and_then(|copy| self.replicas.get(copy));
        self.crossbars.iter().enumerate().map(move |(index, crossbar)| {
            let place = places.and_then(|places| places.get(index)).copied();
            (crossbar, place.unwrap_or_else(|| crossbar.place()))
        })
    }

    /// The tile in which a copy merges its partial sums and writes its results.
    #[must_use]
    pub fn home(&self, copy: usize) -> u32 {
        self.placed(copy).next().map_or(0, |(_, place)| place.tile)
    }

    /// Tiles of a copy, ascending, each once.
    #[must_use]
    pub fn tiles_of(&self, copy: usize) -> Vec<u32> {
        let mut tiles: Vec<u32> = self.placed(copy).map(|(_, place)| place.tile).collect();
        tiles.sort_unstable();
        tiles.dedup();
        tiles
    }

    /// Windows of an image that a copy works on; their numbers differ by at most 1.
    #[must_use]
    pub fn windows_of(&self, copy: usize) -> u64 {
        let rows = self.window.out_height() as usize;
        (self.columns_before(copy + rows) - self.columns_before(copy)) as u64
    }

    /// The windows of an image that a copy works on, in raster order.
    pub fn windows_in(&self, copy: usize) -> impl Iterator<Item = usize> {
        let width = self.window.out_width() as usize;
        let rows = 0..self.window.out_height() as usize;
        rows.flat_map(move |row| self.columns_in(copy, row).map(move |column| row * width + column))
    }

    /// The copy that works on a window.
    #[must_use]
    pub fn copy_of(&self, window: usize) -> usize {
        let width = (self.window.out_width() as usize).max(1);
        let (row, column) = (window / width, window % width);
        // The last copy of which no column lies behind this one.
        ((column + self.columns_before(row) + 1) * self.copies()).div_ceil(width) - 1 - row
    }

    /// The columns of a row of the result that a copy works on.
    fn columns_in(&self, copy: usize, row: usize) -> Range<usize> {
        let first = self.columns_before(row);
        self.columns_before(copy + row) - first..self.columns_before(copy + row + 1) - first
    }

    /// Columns that `turns` copies take in a row that begins with the first of them.
    fn columns_before(&self, turns: usize) -> usize {
        turns * self.window.out_width() as usize / self.copies()
    }
}
