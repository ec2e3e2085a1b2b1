//! Does the functional engine compute what a program means? Random networks on random chips against a naive reference that shares no code
//! with it, the sums of its arrays against double precision, and the engine against itself in other batches and on other threads.
//!
//! A case is made from its index alone: `OHMIC_DIFFERENTIAL_CASE=17 cargo test -p ohmic --test differential` runs number 17 of every test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail the test")]
#![allow(clippy::print_stdout, reason = "the tables of what was covered are part of the answer")]

mod differential_arrays;
mod differential_cases;
mod differential_checks;
mod differential_chips;
mod differential_converters;
mod differential_coverage;
mod differential_merged;
mod differential_ranges;
mod differential_reference;
mod differential_stages;
mod support;

use chip::functional::{ConverterUse, Inference};
use differential_cases::Case;
use differential_checks::{Differing, Reads, close, compare_codes, equal, every_way, run, same, same_reads};
use differential_chips::{Bench, Levels};
use differential_coverage::Coverage;
use differential_reference::Reference;
use tile::adc::ErrorStatistics;

/// Cases of each kind of cells.
const CASES: u64 = 1600;

/// Names the case in which a test ends early, whatever ended it.
struct Named(Levels, u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("it was case {} of {:?} levels; OHMIC_DIFFERENTIAL_CASE={} runs it alone", self.1, self.0, self.1);
        }
    }
}

/// The one case that the environment asks for.
fn alone() -> Option<u64> {
    std::env::var("OHMIC_DIFFERENTIAL_CASE").ok().map(|index| index.parse().unwrap())
}

/// Runs `check` on every `step`-th case, or on the one that the environment names.
fn cases(levels: Levels, step: usize, mut check: impl FnMut(&Case) -> Inference) -> Coverage {
    let bench = Bench::new();
    let mut coverage = Coverage::default();
    let indices = alone().map_or_else(|| (0..CASES).step_by(step).collect(), |index| vec![index]);
    for index in indices {
        let named = Named(levels, index);
        let case = Case::new(&bench, levels, index);
        coverage.note(&case, &check(&case));
        drop(named);
    }
    coverage
}

/// What cells of whole levels cannot have.
const NOT_WHOLE: [&str; 5] =
    ["cells below the lowest level", "cells between levels", "compensated drift", "non-linear cells", "wires"];

fn demand(coverage: &Coverage, least: u64, impossible: &[&str]) {
    println!("{}", coverage.table());
    if alone().is_none() {
        coverage.demand(least, impossible);
    }
}

/// Scores bit for bit, energy, and everything that is counted, in every way of running the engine.
fn equals_the_reference(case: &Case) -> Inference {
    let expected = Reference::new(&case.program, &case.cells).infer(&case.images);
    let ways = every_way(case);
    ways.iter().for_each(|way| equal(case, way, &expected));
    ways.into_iter().next().unwrap().inference
}

#[test]
fn whole_levels_are_exact() {
    let coverage = cases(Levels::Whole, 1, equals_the_reference);
    demand(&coverage, 10, &NOT_WHOLE);
    assert!(coverage.conversions > 1_000_000 || coverage.cases < 2);
}

#[test]
fn varied_cells_are_added_in_the_documented_order() {
    let coverage = cases(Levels::Varied, 1, equals_the_reference);
    demand(&coverage, 10, &[]);
    assert!(coverage.conversions > 1_000_000 || coverage.cases < 2);
}

/// One step off where a sum lies next to a change of codes, and that hardly ever; and a probe changes nothing.
#[test]
fn codes_are_those_of_double_precision() {
    let mut differing = Differing::default();
    let check = |case: &Case| {
        let reference = Reference::new(&case.program, &case.cells);
        let mut reads = Reads::default();
        let probed = run(case, &case.images, Some(&mut reads));
        same!(case, probed, run(case, &case.images, None), "probed and not");
        compare_codes(case, &reference, &reads.0, &mut differing);
        same_reads(case, reads.0, reference.infer(&case.images).reads);
        probed
    };
    let coverage = cases(Levels::Varied, 3, check);
    demand(&coverage, 2, &[]);
    println!("{} of {} codes are one step off", differing.codes, differing.of);
    assert!(differing.codes * 1000 <= differing.of);
    assert!(differing.of > 1_000_000 || coverage.cases < 2);
}

/// What an inference reports when the converters' error statistics are not asked for.
fn without_errors(mut inference: Inference) -> Inference {
    inference.converters.iter_mut().for_each(|used| used.errors = ErrorStatistics::default());
    inference
}

/// A batch is the sum of its parts.
fn adds_up(case: &Case, whole: &Inference, parts: &[Inference]) {
    let scores: Vec<u64> = parts.iter().flat_map(|part| &part.scores).map(|score| score.to_bits()).collect();
    let whole_scores: Vec<u64> = whole.scores.iter().map(|score| score.to_bits()).collect();
    same!(case, whole_scores, scores, "bits of the scores in {} batches", parts.len());
    let mut sum = parts[0].clone();
    for part in &parts[1..] {
        sum.counts += part.counts;
        sum.array_energy_j += part.array_energy_j;
        sum.saturated_outputs += part.saturated_outputs;
        sum.converters.iter_mut().zip(&part.converters).for_each(|(sum, part)| sum.merge(part));
    }
    same!(case, whole.counts, sum.counts, "actions in {} batches", parts.len());
    same!(case, whole.saturated_outputs, sum.saturated_outputs, "saturated outputs in {} batches", parts.len());
    let energies = (whole.array_energy_j, sum.array_energy_j);
    assert!(close(energies.0, energies.1, energies.1, 1e-12), "energies {energies:?}\n{}", case.describe());
    for (whole, sum) in whole.converters.iter().zip(&sum.converters) {
        let counted =
            |used: &ConverterUse| (used.conversions, used.clipped, used.saturated, used.codes, used.errors.count);
        same!(case, counted(whole), counted(sum), "converters in {} batches", parts.len());
    }
}

#[test]
fn batches_threads_and_instruction_sets_do_not_matter() {
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let pools = [1, 2, 3, 8].map(pool);
    let check = |case: &Case| {
        let whole = run(case, &case.images, None);
        let batches_of = |images: usize| -> Vec<Inference> {
            case.images.chunks(images * case.program.input.len()).map(|part| run(case, part, None)).collect()
        };
        adds_up(case, &whole, &batches_of(1));
        adds_up(case, &whole, &batches_of(case.image_count().div_ceil(3)));
        for pool in &pools {
            for way in pool.install(|| every_way(case)) {
                let expected = if way.errors { whole.clone() } else { without_errors(whole.clone()) };
                same!(case, way.inference, expected, "{}, {} threads", way.name, pool.current_num_threads());
            }
        }
        let none = run(case, &[], None);
        same!(case, (none.scores.len(), none.counts.adc_conversion, none.array_energy_j), (0, 0, 0.0), "no images");
        whole
    };
    for levels in [Levels::Whole, Levels::Varied] {
        demand(&cases(levels, 3, check), 1, if levels == Levels::Whole { &NOT_WHOLE } else { &[] });
    }
}
