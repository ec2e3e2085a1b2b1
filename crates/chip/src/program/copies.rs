//! What must hold of the places of crossbars and of their copies.

use super::{MvmStage, Place, Program};
use std::collections::BTreeMap;

impl Program {
    /// The array, or the two of a pair, must exist.
    pub(super) fn check_place(&self, stage: &MvmStage, place: Place) -> Result<(), String> {
        self.check_tile(place.tile)?;
        let arrays = self.chip.tile.arrays;
        if u64::from(place.array) + u64::from(stage.polarities) > arrays.into() {
            return Err(format!("array {} does not exist; a tile has {arrays}", place.array));
        }
        Ok(())
    }

    /// Every copy must place every crossbar, and have a window to work on.
    pub(super) fn check_replicas(&self, stage: &MvmStage) -> Result<(), String> {
        let (copies, windows) = (stage.copies(), stage.window.count());
        if copies > windows {
            return Err(format!("it has {copies} copies; allowed is at most {windows}, its windows"));
        }
        for (copy, places) in (1..).zip(&stage.replicas) {
            let (found, crossbars) = (places.len(), stage.crossbars.len());
            if found != crossbars {
                return Err(format!("copy {copy} has places for {found} of {crossbars} crossbars"));
            }
            for &place in places {
                self.check_place(stage, place).map_err(|what| format!("copy {copy}: {what}"))?;
            }
            check_banks(places).map_err(|what| format!("copy {copy}: {what}"))?;
        }
        Ok(())
    }

    /// No array may hold two crossbars, of whatever stages or copies.
    pub(super) fn check_arrays(&self) -> Result<(), String> {
        let mut holders = BTreeMap::new();
        for (_, stage) in self.mvm_stages() {
            for copy in 0..stage.copies() {
                for (_, place) in stage.placed(copy) {
                    for array in place.array..place.array + stage.polarities {
                        if let Some((other, of)) = holders.insert((place.tile, array), (&stage.name, copy)) {
                            let (name, tile) = (&stage.name, place.tile);
                            return Err(format!(
                                "stage `{name}`, copy {copy}: array {array} of tile {tile} already holds a crossbar of `{other}`, copy {of}"
                            ));
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// Banks of a copy must be numbered without gaps.
fn check_banks(places: &[Place]) -> Result<(), String> {
    let mut numbers: Vec<u32> = places.iter().map(|place| place.bank).collect();
    numbers.sort_unstable();
    numbers.dedup();
    match (0..).zip(&numbers).find(|(expected, number)| expected != *number) {
        Some((bank, _)) => Err(format!("bank {bank} has no crossbar")),
        None => Ok(()),
    }
}
