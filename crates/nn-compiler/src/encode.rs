//! Pass `map`: how the integer weights of every layer become levels of cells.

use crate::error::CompileError;
use crate::mapping::{CellStates, Encoding, LayerMappings, LayerStatistics, Mapping, histogram};
use crate::partition::check_columns;
use crate::refusals::Refusals;
use chip::config::Chip;
use chip::program::{Groups, PlacedCrossbar};
use nn::quantised::{QuantisedLayer, QuantisedMvm, QuantisedNetwork};

/// What could be done about weights that a mapping cannot store in the chip's cells.
const UNSTORED: &str =
    "choose another mapping (`ohmic list mappings`), or other widths (format.weight_bits, tile.cell.bits)";

/// What could be done about weights that do not fit the chip's arrays.
const UNFIT: &str = "choose a mapping of fewer columns or arrays (`ohmic list mappings`), fewer bits, or larger arrays";

/// A layer with weights.
fn as_mvm(layer: &QuantisedLayer) -> Option<&QuantisedMvm> {
    if let QuantisedLayer::Mvm(mvm) = layer { Some(mvm) } else { None }
}

/// The encodings of the weighted layers of a network, but for those that the chip's cells and arrays cannot store, which are noted in `refusals`.
///
/// # Errors
/// If `mappings` are not those of as many layers.
pub(crate) fn encodings(
    network: &QuantisedNetwork,
    mappings: &dyn LayerMappings,
    chip: &Chip,
    refusals: &mut Refusals,
) -> Result<Vec<Encoding>, CompileError> {
    let weighted: Vec<&QuantisedMvm> = network.layers.iter().filter_map(as_mvm).collect();
    mappings.check(weighted.len()).map_err(|what| CompileError::chip(chip, what))?;
    let cells = CellStates::of(&chip.tile.cell);
    let mut encodings = Vec::with_capacity(weighted.len());
    for (index, mvm) in weighted.into_iter().enumerate() {
        let format = (mvm.weight_bits, mvm.weight_offset);
        let mut refuse = |what: String, remedy: &str| refusals.push((&mvm.name, "mapping"), what, remedy);
        match choose_encoding(&mvm.weights, format, mappings.of(index), chip, &cells) {
            Ok(encoding) => match check_columns(&encoding, chip) {
                Ok(()) => encodings.push(encoding),
                Err(what) => refuse(what, UNFIT),
            },
            Err(CompileError::Chip { what, .. }) => refuse(what, UNSTORED),
            Err(error) => return Err(error),
        }
    }
    Ok(encodings)
}

/// The encoding that a strategy chooses for a layer's integer weights on a chip with such cells, given their number of bits and the offset that they
/// were trained to be stored with, if they were.
///
/// # Errors
/// If the strategy cannot store such weights in the chip's cells.
pub fn choose_encoding(
    weights: &[i32],
    (weight_bits, offset): (u32, Option<i64>),
    mapping: &Mapping,
    chip: &Chip,
    cells: &CellStates,
) -> Result<Encoding, CompileError> {
    let cell_bits = chip.tile.cell.bits;
    let refused = |allowed| CompileError::chip(chip, format!("tile.cell.bits = {cell_bits}; allowed is {allowed}"));
    cells.states(cell_bits).map_err(refused)?;
    let histogram = histogram(weights, weight_bits);
    let layer = LayerStatistics { weight_bits, cell_bits, histogram: &histogram, offset, cells };
    mapping.encoding(&layer).map_err(|what| CompileError::chip(chip, what))
}

/// Sets the levels of a crossbar, given the network's row of every row of the chip. Unused cells stay at level 0.
pub(crate) fn fill_levels(
    crossbar: &mut PlacedCrossbar,
    mvm: &QuantisedMvm,
    (groups, rows): (&Groups, &[usize]),
    encoding: &Encoding,
) {
    let slices = encoding.slices.len();
    let columns = crossbar.outputs as usize * slices;
    let (first_row, first_output) = (crossbar.row_start as usize, crossbar.output_start as usize);
    let matrix = |polarity: usize| {
        let mut levels = vec![0; crossbar.rows as usize * columns];
        for group in groups.of(crossbar) {
            let outputs = groups.outputs_in(crossbar, group);
            for row in groups.rows_in(crossbar, group) {
                let from = rows[first_row + row] - group * groups.rows;
                let levels = &mut levels[row * columns..][outputs.start * slices..outputs.end * slices];
                for (output, levels) in outputs.clone().zip(levels.chunks_exact_mut(slices)) {
                    let weight = encoding.clip(mvm.weights[(first_output + output) * groups.rows + from]);
                    let of_slices = (0..slices).map(|slice| encoding.level(weight, slice, polarity));
                    levels.iter_mut().zip(of_slices).for_each(|(level, of_slice)| *level = of_slice);
                }
            }
        }
        levels
    };
    crossbar.levels = (0..encoding.polarities()).map(matrix).collect();
}
