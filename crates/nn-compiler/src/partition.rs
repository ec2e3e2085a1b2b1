//! Passes `partition` and `place`: a layer's matrix is cut into crossbars, and crossbars get tiles, arrays and converter banks.

use crate::error::CompileError;
use crate::mapping::Encoding;
use chip::config::Chip;
use chip::program::{Groups, Place, PlacedCrossbar};

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

/// The rows and outputs of every crossbar of a matrix: a group that does not fit an array is cut both ways; else as many whole groups as fit
/// share one, each with rows and columns of its own.
fn cuts(groups: &Groups, array_rows: usize, array_outputs: usize) -> Vec<(Part, Part)> {
    let together = (array_rows / groups.rows).min(array_outputs / groups.outputs);
    let mut cuts = Vec::new();
    for of in parts(groups.count, together.max(1)) {
        for outputs in parts(of.len * groups.outputs, array_outputs) {
            for rows in parts(of.len * groups.rows, array_rows) {
                let at = |part: Part, size: usize| Part { start: of.start * size + part.start, ..part };
                cuts.push((at(rows, groups.rows), at(outputs, groups.outputs)));
            }
        }
    }
    cuts
}

/// Row partition, within its group, of every row of a layer's matrix (in the network's own order of rows), and the number of partitions: what
/// of a column lies in one array.
#[must_use]
pub fn row_partitions(window: &nn::Window, groups: usize, array_rows: usize) -> (Vec<usize>, usize) {
    let order = row_order(window, groups);
    let of_group = (order.len() / groups).max(1);
    let parts = parts(of_group, array_rows);
    let mut partition = vec![0; order.len()];
    for group in order.chunks_exact(of_group) {
        for (index, part) in parts.iter().enumerate() {
            for &row in &group[part.start..part.start + part.len] {
                partition[row] = index;
            }
        }
    }
    (partition, parts.len())
}

/// For every logical row of the chip, which is pixel-major in each group, the row of the network's matrix, which is channel-major; both are
/// counted over all groups.
#[must_use]
pub fn row_order(window: &nn::Window, groups: usize) -> Vec<usize> {
    let (channels, pixels) = (window.input.channels / groups, window.vertical.kernel * window.horizontal.kernel);
    let row = move |group, pixel, channel| (group * channels + channel) * pixels + pixel;
    let of_group =
        |group| (0..pixels).flat_map(move |pixel| (0..channels).map(move |channel| row(group, pixel, channel)));
    (0..groups).flat_map(of_group).collect()
}

/// What keeps a weight from being stored in an array, or a pair of arrays from a tile.
pub(crate) fn check_columns(encoding: &Encoding, chip: &Chip) -> Result<(), String> {
    let (columns, available) = (encoding.slices.len(), chip.tile.array.cols);
    if columns > available as usize {
        return Err(format!("its weights need {columns} columns, an array has {available}"));
    }
    if encoding.polarities() as u32 > chip.tile.arrays {
        return Err("a pair of arrays does not fit a tile of one array (tile.arrays)".to_owned());
    }
    Ok(())
}

impl Placer {
    /// Cuts and places a matrix; levels are left empty.
    pub(crate) fn place(
        &mut self,
        layer: &str,
        groups: &Groups,
        encoding: &Encoding,
        chip: &Chip,
    ) -> Result<Vec<PlacedCrossbar>, CompileError> {
        check_columns(encoding, chip).map_err(|what| CompileError::layer(layer, what))?;
        let tile = &chip.tile;
        let outputs_per_array = tile.array.cols as usize / encoding.slices.len();
        let mut site = Site::new(self.next_tile);
        let mut crossbars = Vec::new();
        for (rows, outputs) in cuts(groups, tile.array.rows as usize, outputs_per_array) {
            let place = site.take(encoding.polarities() as u32, chip);
            crossbars.push(crossbar(place, rows, outputs));
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

    /// Two groups of two channels under 1 x 2 windows: the network numbers (channel, pixel), the chip (group, pixel, channel of the group).
    #[test]
    fn rows_are_ordered_and_cut_within_their_groups() {
        let input = nn::Shape { channels: 4, height: 1, width: 2 };
        let window = nn::Window::whole(input);
        assert_eq!(row_order(&window, 1), [0, 2, 4, 6, 1, 3, 5, 7]);
        assert_eq!(row_order(&window, 2), [0, 2, 1, 3, 4, 6, 5, 7]);
        assert_eq!(row_order(&window, 4), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(row_partitions(&window, 1, 5), (vec![0, 1, 0, 1, 0, 1, 0, 1], 2));
        assert_eq!(row_partitions(&window, 2, 3), (vec![0, 1, 0, 1, 0, 1, 0, 1], 2));
        assert_eq!(row_partitions(&window, 2, 4), (vec![0; 8], 1));
    }

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

        /// Every weight is in one array, no array is too large, and none holds fewer groups than it could unless they are few.
        #[test]
        fn groups_are_packed_and_no_weight_is_lost(
            count in 1_usize..30, rows in 1_usize..40, outputs in 1_usize..12, most in (1_usize..64, 1_usize..24),
        ) {
            let groups = Groups { count, rows, outputs };
            let place = Place { tile: 0, array: 0, bank: 0 };
            let placed = cuts(&groups, most.0, most.1).into_iter().map(|(rows, outputs)| crossbar(place, rows, outputs));
            let placed: Vec<PlacedCrossbar> = placed.collect();
            let mut held = vec![0; count * rows * outputs];
            for placed in &placed {
                prop_assert!(placed.rows as usize <= most.0 && placed.outputs as usize <= most.1);
                prop_assert!(groups.fit(placed));
                for group in groups.of(placed) {
                    for row in groups.rows_in(placed, group) {
                        for output in groups.outputs_in(placed, group) {
                            let row = placed.row_start as usize + row;
                            held[row * outputs + (placed.output_start as usize + output) % outputs] += 1;
                        }
                    }
                }
            }
            prop_assert!(held.iter().all(|&times| times == 1));
            let together = (most.0 / rows).min(most.1 / outputs);
            let fewest = match together {
                0 => count * rows.div_ceil(most.0) * outputs.div_ceil(most.1),
                _ => count.div_ceil(together),
            };
            prop_assert_eq!(placed.len(), fewest);
        }
    }
}
