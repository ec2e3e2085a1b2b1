//! Runs one case and says how far the results are from CrossSim's.

use super::arrays::part;
use super::case::Case;
use super::chain::Chain;
use super::converters::converters;
use super::npz::Arrays;
use std::path::Path;

/// Largest differences of one case, each as a share of the largest result of CrossSim.
pub(crate) struct Agreement {
    pub(crate) results: f64,
    /// Of the currents before conversion, if they are saved.
    pub(crate) currents: Option<f64>,
    pub(crate) tolerance: f64,
    pub(crate) current_tolerance: f64,
}

impl Agreement {
    pub(crate) fn holds(&self) -> bool {
        self.results <= self.tolerance && self.currents.is_none_or(|difference| difference <= self.current_tolerance)
    }
}

/// Runs the case beside `path` (its `.json`).
pub(crate) fn run(path: &Path) -> Result<Agreement, String> {
    let case = Case::read(path)?;
    if path.file_stem().and_then(|name| name.to_str()) != Some(case.name.as_str()) {
        return Err(format!("the file holds the case `{}`", case.name));
    }
    let mut arrays = Arrays::read(&path.with_extension("npz"))?;
    let (outputs, inputs, batch) = (case.outputs(), case.inputs(), case.params.batch);
    let weights = arrays.take("W", &[outputs, inputs])?;
    let codes: Vec<i64> = arrays.take("X", &[inputs, batch])?.iter().map(|&code| code as i64).collect();
    let expected = arrays.take("Y", &[outputs, batch])?;
    check_ideal(&case, &mut arrays, &weights, &codes, &expected)?;
    let mut found = vec![0.0; outputs * batch];
    let mut currents = None;
    for index in 0..case.partitions().len() {
        let difference = add_part(&case, &mut arrays, &weights, &codes, index, &mut found)?;
        currents = difference.map(|d| d.max(currents.unwrap_or(0.0)));
    }
    arrays.all_read()?;
    let (tolerance, current_tolerance) = tolerances(&case);
    Ok(Agreement { results: difference(&found, &expected), currents, tolerance, current_tolerance })
}

/// Of results and currents, each relative to the largest. CrossSim computes in `f64`, but holds the conductances of its `balanced` cores in
/// `f32`. In one case its solver of wires stops early (1e-3, its default): against its own solution at 1e-10 that costs 1.57e-4 of the
/// largest result, and 3.8e-4 of the largest current.
fn tolerances(case: &Case) -> (f64, f64) {
    let tolerance = if case.is_balanced() { 1e-4 } else { 1e-6 };
    let early = if case.params.parasitics { case.params.solver_error } else { 0.0 };
    (f64::max(tolerance, 0.16 * early), f64::max(tolerance, 0.4 * early))
}

/// Largest difference as a share of the largest expected value.
fn difference(found: &[f64], expected: &[f64]) -> f64 {
    let largest = expected.iter().fold(0.0, |largest, value| f64::max(largest, value.abs()));
    found.iter().zip(expected).fold(0.0, |worst, (a, b)| f64::max(worst, (a - b).abs())) / largest
}

/// The exact product, the weights read back and the errors that CrossSim reported must fit the case: its files belong together.
fn check_ideal(
    case: &Case,
    arrays: &mut Arrays,
    weights: &[f64],
    codes: &[i64],
    results: &[f64],
) -> Result<(), String> {
    let (outputs, inputs, batch) = (case.outputs(), case.inputs(), case.params.batch);
    let ideal = arrays.take("Y_ideal", &[outputs, batch])?;
    let product = |index: usize| -> f64 {
        let row = &weights[index / batch * inputs..][..inputs];
        let column = codes.iter().skip(index % batch).step_by(batch);
        row.iter().zip(column).map(|(weight, &code)| weight * code as f64).sum::<f64>() / f64::from(case.x_max)
    };
    let exact: Vec<f64> = (0..outputs * batch).map(product).collect();
    let errors: Vec<f64> = results.iter().zip(&ideal).map(|(result, ideal)| (result - ideal).abs()).collect();
    let largest = |values: &[f64]| values.iter().fold(0.0, |largest, value| f64::max(largest, value.abs()));
    let rms = (errors.iter().map(|error| error * error).sum::<f64>() / errors.len() as f64).sqrt();
    let agree = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs()) + 1e-12;
    let read_back = arrays.take("G_matrix", &[outputs, inputs])?;
    let limits = i64::from(case.x_max);
    match () {
        () if difference(&ideal, &exact) > 1e-12 => Err("Y_ideal is not W X / x_max".to_owned()),
        () if !codes.iter().all(|code| code.abs() <= limits && (*code >= 0 || case.params.input_signed)) => {
            Err("input codes beyond their bits".to_owned())
        }
        () if !(agree(rms, case.rms_err) && agree(largest(&errors), case.max_err)) => {
            Err("rms_err or max_err are not those of Y".to_owned())
        }
        () if !agree(largest(&ideal), case.max_abs_ideal) => Err("max_abs_ideal is not that of Y_ideal".to_owned()),
        () if !case.is_noisy() && difference(&read_back, weights) > 1e-6 => Err("G_matrix is not W".to_owned()),
        () => Ok(()),
    }
}

/// Adds the results of one row partition; returns how far the currents are from CrossSim's, if those are saved.
fn add_part(
    case: &Case,
    arrays: &mut Arrays,
    weights: &[f64],
    codes: &[i64],
    index: usize,
    found: &mut [f64],
) -> Result<Option<f64>, String> {
    let part = part(case, arrays, weights, index)?;
    let converters = converters(case, arrays, index, part.inputs.len())?;
    let chain = Chain { case, part: &part, converters };
    let batch = case.params.batch;
    let mut currents = Vec::new();
    for vector in 0..batch {
        let codes: Vec<i64> = part.inputs.clone().map(|input| codes[input * batch + vector]).collect();
        let product = chain.multiply(&codes);
        for (output, value) in product.outputs.iter().enumerate() {
            found[output * batch + vector] += value / f64::from(case.x_max);
        }
        currents.push(product.currents);
    }
    saved_currents(case, arrays, part.index, currents[0].len())
        .map(|saved| saved.map(|saved| difference(&in_saved_order(case, &currents), &saved)))
}

/// CrossSim's currents before conversion, slice by slice (least significant first), cycle by cycle, output by output.
fn saved_currents(case: &Case, arrays: &mut Arrays, index: usize, cycles: usize) -> Result<Option<Vec<f64>>, String> {
    let values = case.outputs() * case.params.batch;
    // CrossSim makes room for one cycle per bit; with more bits per cycle the rest stays 0.
    let room = if case.params.input_serial { case.magnitude_bits() as usize } else { 1 };
    let slices = case.encoding().slices.len();
    let shape = if case.bit_sliced() { vec![slices, room, values] } else { vec![room, values] };
    let Some(saved) = arrays.take_if_there(&format!("preadc_out0_in{index}"), &shape)? else { return Ok(None) };
    let (used, unused): (Vec<_>, Vec<_>) =
        saved.chunks_exact(values).enumerate().partition(|(chunk, _)| chunk % room < cycles);
    match unused.iter().any(|(_, values)| values.iter().any(|&value| value != 0.0)) {
        true => Err("currents in cycles that do not exist".to_owned()),
        false => Ok(Some(used.into_iter().flat_map(|(_, values)| values.iter().copied()).collect())),
    }
}

fn in_saved_order(case: &Case, currents: &[Vec<Vec<f64>>]) -> Vec<f64> {
    let slices = case.encoding().slices.len();
    let first = usize::from(case.has_unit_column());
    let mut ordered = Vec::new();
    for slice in 0..slices {
        for cycle in 0..currents[0].len() {
            for output in 0..case.outputs() {
                let column = (first + output) * slices + slice;
                ordered.extend(currents.iter().map(|vector| vector[cycle][column]));
            }
        }
    }
    ordered
}
