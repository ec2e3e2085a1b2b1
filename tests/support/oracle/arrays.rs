//! The programmed arrays of a case as crossbars of the product.

use super::case::Case;
use super::npz::Arrays;
use super::units::Units;
use std::ops::Range;
use tile::crossbar::Crossbar;
use tile::wires::{CellMatrix, Sensing, Wires, effective_matrix};

/// One row partition: its inputs and the crossbar of all slices, column `output * slices + slice` as in the product.
pub(crate) struct Part {
    pub(crate) index: usize,
    pub(crate) inputs: Range<usize>,
    pub(crate) crossbar: Crossbar,
}

/// Columns per slice: the outputs and, before them, the unit column if there is one.
pub(crate) fn columns(case: &Case) -> usize {
    case.outputs() + usize::from(case.has_unit_column())
}

/// Programs one row partition with the conductances of the case.
pub(crate) fn part(case: &Case, arrays: &mut Arrays, weights: &[f64], index: usize) -> Result<Part, String> {
    let inputs = case.partitions()[index].clone();
    let (encoding, columns) = (case.encoding(), columns(case));
    let mut crossbar = Crossbar::new(inputs.len(), columns * encoding.slices.len());
    for slice in 0..encoding.slices.len() {
        for polarity in 0..encoding.polarities() {
            let name = array_name(case, index, slice, polarity);
            let conductances = arrays.take(&name, &[columns, inputs.len()])?;
            check_nominal(case, weights, &inputs, (slice, polarity), &conductances)
                .map_err(|error| format!("{name}: {error}"))?;
            let delivered = behind_wires(case, &inputs, &conductances)?;
            place(case, &mut crossbar, (slice, polarity), &delivered);
        }
    }
    Ok(Part { index, inputs, crossbar })
}

fn array_name(case: &Case, index: usize, slice: usize, polarity: usize) -> String {
    let slice = if case.bit_sliced() { format!("_slice{slice}") } else { String::new() };
    let side = if case.encoding().polarities() == 1 { "cell" } else { ["pos", "neg"][polarity] };
    format!("G_out0_in{index}{slice}_{side}")
}

/// Without programming errors, CrossSim must have programmed the levels of the product's encoding. CrossSim holds those of `balanced` cores
/// in `f32`.
fn check_nominal(
    case: &Case,
    weights: &[f64],
    inputs: &Range<usize>,
    (slice, polarity): (usize, usize),
    conductances: &[f64],
) -> Result<(), String> {
    if case.is_noisy() {
        return Ok(());
    }
    let (units, encoding) = (Units::new(case), case.encoding());
    let unit_columns = usize::from(case.has_unit_column());
    let tolerance = if case.is_balanced() { 2.0 * f64::from(f32::EPSILON) } else { 1e-14 };
    for (column, row) in conductances.chunks_exact(inputs.len()).enumerate() {
        for (input, &conductance) in inputs.clone().zip(row) {
            let weight = column.checked_sub(unit_columns).map_or(0.0, |output| weights[output * case.inputs() + input]);
            let expected = units.conductance(f64::from(encoding.level(weight as i32, slice, polarity)));
            if (conductance - expected).abs() > tolerance {
                return Err(format!("column {column}, input {input}: {conductance}, expected {expected}"));
            }
        }
    }
    Ok(())
}

/// The conductances that the columns see through the case's wires: CrossSim solves every slice and polarity as an array of its own.
fn behind_wires(case: &Case, inputs: &Range<usize>, conductances: &[f64]) -> Result<Vec<f64>, String> {
    let p = &case.params;
    if !p.parasitics {
        return Ok(conductances.to_vec());
    }
    let (rows, cols) = (inputs.len(), conductances.len() / inputs.len());
    let conductance_s: Vec<f64> =
        (0..rows * cols).map(|node| conductances[node % cols * rows + node / cols] / p.r_min_ohm).collect();
    let wires = Wires {
        word_line_ohm: p.row_ohm,
        bit_line_ohm: p.col_ohm,
        driver_ohm: 0.0,
        sense_ohm: p.col_terminal_ohm,
        sensing: Sensing::OneEnd,
        tolerance: 1e-10,
    };
    let cells = CellMatrix { rows, cols, conductance_s: &conductance_s };
    let effective = effective_matrix(&wires, &cells).map_err(|error| error.to_string())?;
    Ok((0..rows * cols).map(|cell| effective.matrix_s[cell % rows * cols + cell / rows] * p.r_min_ohm).collect())
}

fn place(case: &Case, crossbar: &mut Crossbar, (slice, polarity): (usize, usize), conductances: &[f64]) {
    let (units, slices) = (Units::new(case), case.encoding().slices.len());
    let sign = if polarity == 0 { 1.0 } else { -1.0 };
    let rows = crossbar.rows();
    for (column, cells) in conductances.chunks_exact(rows).enumerate() {
        for (row, &conductance) in cells.iter().enumerate() {
            crossbar.add_cell(row, column * slices + slice, units.level(conductance) as f32, sign);
        }
    }
}
