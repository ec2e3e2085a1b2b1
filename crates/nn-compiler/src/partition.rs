//! Passes `partition` and `place`: a layer's matrix is cut into crossbars, and crossbars get tiles, arrays and converter banks.

use crate::error::CompileError;
use crate::mapping::Encoding;
use chip::config::Chip;
use chip::program::{Place, PlacedCrossbar};

/// Where the next stage goes: every stage starts on a tile of its own, because stages do not share load ports.
#[derive(Debug, Default)]
pub(crate) struct Placer {
    next_tile: u32,
}

/// A part of one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    start: usize,
    len: usize,
}

/// Cuts `0..total` into the fewest parts of at most `most`, whose sizes differ by at most 1, the larger ones first.
fn parts(total: usize, most: usize) -> Vec<Part> {
    let count = total.div_ceil(most);
    let (size, larger) = (total / count.max(1), total % count.max(1));
    let start = |index: usize| index * size + index.min(larger);
    (0..count).map(|index| Part { start: start(index), len: start(index + 1) - start(index) }).collect()
}

/// Row partition of every row of a layer's matrix (in the network's own order of rows), and the number of partitions: what of a column
/// lies in one array.
#[must_use]
pub fn row_partitions(window: &nn::Window, array_rows: usize) -> (Vec<usize>, usize) {
    let order = row_order(window);
    let parts = parts(order.len(), array_rows);
    let mut partition = vec![0; order.len()];
    for (index, part) in parts.iter().enumerate() {
        for &row in &order[part.start..part.start + part.len] {
            partition[row] = index;
        }
    }
    (partition, parts.len())
}

/// For every logical row of the chip, which is pixel-major, the row of the network's matrix, which is channel-major.
#[must_use]
pub fn row_order(window: &nn::Window) -> Vec<usize> {
    let (channels, pixels) = (window.input.channels, window.vertical.kernel * window.horizontal.kernel);
    (0..pixels).flat_map(|pixel| (0..channels).map(move |channel| channel * pixels + pixel)).collect()
}

impl Placer {
    /// Cuts and places a matrix of `rows x outputs`; levels are left empty.
    pub(crate) fn place(
        &mut self,
        layer: &str,
        rows: usize,
        outputs: usize,
        encoding: &Encoding,
        chip: &Chip,
    ) -> Result<Vec<PlacedCrossbar>, CompileError> {
        let tile = &chip.tile;
        let outputs_per_array = tile.array.cols as usize / encoding.slices.len();
        if outputs_per_array == 0 {
            let what = format!("its weights need {} columns, an array has {}", encoding.slices.len(), tile.array.cols);
            return Err(CompileError::layer(layer, what));
        }
        if encoding.polarities() as u32 > tile.arrays {
            return Err(CompileError::layer(layer, "a pair of arrays does not fit a tile of one array (tile.arrays)"));
        }
        let mut site = Site::new(self.next_tile);
        let mut crossbars = Vec::new();
        for row_part in parts(rows, tile.array.rows as usize) {
            for output_part in parts(outputs, outputs_per_array) {
                let place = site.take(encoding.polarities() as u32, chip);
                crossbars.push(crossbar(place, row_part, output_part));
            }
        }
        self.next_tile = site.tile + 1;
        if u64::from(self.next_tile) > chip.mesh.tiles() {
            let what = format!(
                "it has {} tiles; the network needs more: layer `{layer}` ends on tile {}",
                chip.mesh.tiles(),
                site.tile
            );
            return Err(CompileError::chip(chip, what));
        }
        Ok(crossbars)
    }
}

/// A part of a matrix in its place.
fn crossbar(place: Place, rows: Part, outputs: Part) -> PlacedCrossbar {
    PlacedCrossbar {
        tile: place.tile,
        array: place.array,
        bank: place.bank,
        row_start: rows.start as u32,
        rows: rows.len as u32,
        output_start: outputs.start as u32,
        outputs: outputs.len as u32,
        levels: Vec::new(),
        flipped: Vec::new(),
        column_adcs: Vec::new(),
    }
}

/// The next free array of a stage. Banks do not reach over tiles, nor over copies of a stage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site {
    /// The tile of that array, or the one before it if that is full.
    pub(crate) tile: u32,
    array: u32,
    bank: u32,
    in_bank: u32,
}

impl Site {
    /// The first array of a tile.
    pub(crate) fn new(tile: u32) -> Self {
        Self { tile, array: 0, bank: 0, in_bank: 0 }
    }

    /// Begins a copy of so many crossbars: behind what is there, or on a new tile if it would otherwise spread over more tiles than it must.
    pub(crate) fn begin_copy(&mut self, crossbars: u64, arrays: u32, chip: &Chip) {
        let per_tile = u64::from(chip.tile.arrays / arrays.max(1)).max(1);
        let free = u64::from(chip.tile.arrays.saturating_sub(self.array) / arrays.max(1));
        if crossbars > free && 1 + (crossbars - free).div_ceil(per_tile) > crossbars.div_ceil(per_tile) {
            (self.tile, self.array) = (self.tile.saturating_add(1), 0);
        }
        (self.bank, self.in_bank) = (0, 0);
    }

    /// Takes the arrays of a crossbar: one, or a pair.
    pub(crate) fn take(&mut self, arrays: u32, chip: &Chip) -> Place {
        if self.array + arrays > chip.tile.arrays {
            (self.tile, self.array) = (self.tile.saturating_add(1), 0);
            if self.in_bank > 0 {
                (self.bank, self.in_bank) = (self.bank + 1, 0);
            }
        }
        let place = Place { tile: self.tile, array: self.array, bank: self.bank };
        self.array += arrays;
        self.in_bank += 1;
        if self.in_bank == chip.tile.adc.arrays_per_bank {
            (self.bank, self.in_bank) = (self.bank + 1, 0);
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_cover_everything_once_and_evenly(total in 1_usize..2000, most in 1_usize..300) {
            let parts = parts(total, most);
            let mut next = 0;
            for part in &parts {
                prop_assert_eq!(part.start, next);
                prop_assert!(part.len >= 1 && part.len <= most);
                next += part.len;
            }
            prop_assert_eq!(next, total);
            prop_assert!(parts[0].len - parts[parts.len() - 1].len <= 1);
            prop_assert_eq!(parts.len(), total.div_ceil(most));
        }
    }
}
