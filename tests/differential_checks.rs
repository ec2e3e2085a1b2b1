//! What must hold of one case.

use crate::differential_cases::Case;
use crate::differential_reference::{Outcome, Read, Reference, SliceUse};
use crate::support::counts::counts;
use chip::functional::{ColumnProbe, ConverterUse, Inference, Observation, Settings, infer, infer_with};
use tile::kernel::Isa;

/// Fails with what differs, and with the case.
macro_rules! same {
    ($case:expr, $left:expr, $right:expr, $($what:tt)+) => {
        let (left, right) = (&$left, &$right);
        assert!(left == right, "{}: {left:?} is not {right:?}\n{}", format!($($what)+), $case.describe());
    };
}
pub(crate) use same;

/// Runs the engine.
pub(crate) fn run<'a>(case: &'a Case, images: &[i32], probe: Option<&'a mut dyn ColumnProbe>) -> Inference {
    infer(&case.program, &case.sample, images, probe).unwrap_or_else(|error| panic!("{error}\n{}", case.describe()))
}

pub(crate) fn close(found: f64, expected: f64, scale: f64, tolerance: f64) -> bool {
    (found - expected).abs() <= tolerance * scale.abs()
}

/// What the engine computed in one way of running it.
pub(crate) struct Way {
    pub(crate) name: String,
    /// Whether the converters' error statistics were asked for.
    pub(crate) errors: bool,
    pub(crate) inference: Inference,
}

/// Runs a case in every way that the engine can run here: on every instruction set, with and without error statistics, which take another
/// path. The first is that of [`run`].
pub(crate) fn every_way(case: &Case) -> Vec<Way> {
    let first = Way { name: "default".to_owned(), errors: true, inference: run(case, &case.images, None) };
    let settings = Isa::available().flat_map(|isa| [true, false].map(|errors| Settings { isa, errors }));
    let way = |settings: Settings| {
        let inference = infer_with(&case.program, &case.sample, &case.images, settings);
        let inference = inference.unwrap_or_else(|error| panic!("{error}\n{}", case.describe()));
        let name = format!("{}, error statistics: {}", settings.isa.name(), settings.errors);
        Way { name, errors: settings.errors, inference }
    };
    std::iter::once(first).chain(settings.map(way)).collect()
}

/// Everything that an inference reports equals the reference.
pub(crate) fn equal(case: &Case, way: &Way, expected: &Outcome) {
    let Way { name, errors, inference: found } = way;
    same!(case, found.scores.len(), expected.scores.len(), "{name}: number of scores");
    for (index, (found, expected)) in found.scores.iter().zip(&expected.scores).enumerate() {
        same!(case, found.to_bits(), expected.to_bits(), "{name}: bits of score {index}, {found} and {expected}");
    }
    let energies = (found.array_energy_j, expected.array_energy_j);
    assert!(close(energies.0, energies.1, energies.1, 1e-12), "{name}: energies {energies:?}\n{}", case.describe());
    same!(case, found.saturated_outputs, expected.saturated_outputs, "{name}: saturated outputs");
    same!(case, found.counts, counts(&case.program).times(case.image_count() as u64), "{name}: actions");
    let wires = !case.program.chip.tile.wires.is_ideal();
    same!(case, found.wire_error_bound > 0.0, wires, "{name}: bound of the wires' error");
    same!(case, found.converters.len(), expected.slices.len(), "{name}: number of slices");
    for (found, expected) in found.converters.iter().zip(&expected.slices) {
        let place = format!("{name}, {} {}", found.stage, found.slice);
        same_use(case, &place, found, expected);
        if *errors {
            same_errors(case, &place, found, expected);
        }
    }
}

fn same_use(case: &Case, place: &str, found: &ConverterUse, expected: &SliceUse) {
    same!(case, found.conversions, expected.conversions, "{place}: conversions");
    same!(case, found.clipped, expected.clipped, "{place}: clipped of {}", expected.conversions);
    same!(case, found.saturated, expected.saturated, "{place}: saturated");
    let codes = (expected.available_codes > 0).then_some((expected.codes.0 as i64, expected.codes.1 as i64));
    same!(case, found.codes, codes, "{place}: codes");
    same!(case, found.available_codes, expected.available_codes, "{place}: available codes");
}

/// Engines may sum a few conversions in single precision.
fn same_errors(case: &Case, place: &str, found: &ConverterUse, expected: &SliceUse) {
    let errors = found.errors;
    // Where slices and input bits merge, no single conversion is simulated.
    let simulated = if expected.codes.0.is_finite() { expected.conversions } else { 0 };
    same!(case, errors.count, simulated, "{place}: conversions in the statistics");
    let [sum, magnitudes, squares, error_squares] = expected.sums;
    let near = |found, expected, scale| close(found, expected, scale, 2e-5);
    let all = near(errors.sum, sum, magnitudes)
        && near(errors.sum_squares, squares, squares)
        && near(errors.error_squares, error_squares, error_squares);
    assert!(all, "{place}: {errors:?}, expected {:?}\n{}", expected.sums, case.describe());
}

/// Keeps every read.
#[derive(Default)]
pub(crate) struct Reads(pub(crate) Vec<Read>);

impl ColumnProbe for Reads {
    fn observe(&mut self, read: &Observation<'_>) {
        let driven = read.driven().iter().map(|row| (row.row as usize, row.digit as i32)).collect();
        let sums = read.sums.iter().map(|sum| sum.to_bits()).collect();
        self.0.push((read.layer, read.crossbar, read.array, driven, sums));
    }
}

/// The sums that a probe sees are those of the reference, whatever the order in which arrays are read.
pub(crate) fn same_reads(case: &Case, mut found: Vec<Read>, mut expected: Vec<Read>) {
    found.sort();
    expected.sort();
    same!(case, found.len(), expected.len(), "number of reads");
    for (found, expected) in found.iter().zip(&expected) {
        same!(case, found, expected, "a read (stage, crossbar, array, driven rows, bits of the sums)");
    }
}

/// Codes that differ from those of double precision, and how many were compared.
#[derive(Default)]
pub(crate) struct Differing {
    pub(crate) codes: u64,
    pub(crate) of: u64,
}

/// Compares the code of every sum that a probe saw with the code of the same digits and cells in double precision.
pub(crate) fn compare_codes(case: &Case, reference: &Reference<'_>, reads: &[Read], differing: &mut Differing) {
    for (layer, crossbar, array, driven, sums) in reads {
        let layer = &reference.layers[*layer];
        let here = |of: &crate::differential_arrays::Array| of.crossbar == *crossbar && of.array == *array;
        let index = layer.arrays.iter().position(here).unwrap();
        for (column, bits) in sums.iter().enumerate() {
            let sum = f32::from_bits(*bits);
            let exact = layer.arrays[index].double_sum(column, driven);
            let converter = &layer.columns[index][column];
            let Some(expected) = converter.double_code(exact) else { continue };
            let difference = (f64::from(converter.convert(sum).code) - expected).abs();
            let place = (crossbar, array, column, sum, exact);
            assert!(difference <= 1.0, "code off by {difference} at {place:?}\n{}", case.describe());
            differing.of += 1;
            differing.codes += u64::from(difference != 0.0);
        }
    }
}
