//! Replicas of a stage: further copies of its crossbars, which take windows in turn.

use super::{MvmStage, PlacedCrossbar};
use serde::{Deserialize, Serialize};

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
    /// Copies of the stage's crossbars, at least 1. Window `q` of an image is worked on by copy `q % copies`.
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

    /// Windows of an image that a copy works on.
    #[must_use]
    pub fn windows_of(&self, copy: usize) -> u64 {
        (self.window.count() as u64).saturating_sub(copy as u64).div_ceil(self.copies() as u64)
    }
}
