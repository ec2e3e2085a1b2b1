//! Does the event-driven engine give, to the cycle, what independent cycle-stepped models give?
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

#[path = "support/timing/mod.rs"]
mod support;

use chip::timing::model::StageTiming;
use chip::timing::{TimingError, simulate};
use support::graph::stepped_graph;
use support::random::{Random, Recipe, loose_flow, mvm_unit, pipeline};
use support::stepped::{TwoUnits, recurrence, stepped_layer, stepped_two};
use support::{Geometry, chain, interval, least_capacity, mvm, pixelwise};

/// One window per image makes the report tell the end of every MVM.
fn every_mvm(mvms: usize, unit: &chip::timing::model::MvmTiming) -> Vec<u64> {
    simulate(&[mvm("layer", unit.clone(), pixelwise(1, None))], mvms as u64).unwrap().image_done
}

#[test]
fn a_stage_of_one_bank_ends_every_mvm_with_the_stepped_layer_and_the_recurrence() {
    let mut random = Random(1);
    for case in 0..6000 {
        let mut unit = mvm_unit(&mut random, Recipe { least: 1, most: 12, mixed: false });
        unit.banks.truncate(1);
        unit.load = random.within(1, 40);
        let mvms = random.within(1, 7) as usize;
        let engine = every_mvm(mvms, &unit);
        assert_eq!(engine, stepped_layer(mvms, &unit), "stepped, case {case}: {mvms} x {unit:?}");
        assert_eq!(engine, recurrence(mvms, &unit), "recurrence, case {case}: {mvms} x {unit:?}");
    }
}

#[test]
fn a_stage_whose_operations_take_no_time_follows_the_recurrence() {
    let mut random = Random(2);
    for case in 0..2000 {
        let mut unit = mvm_unit(&mut random, Recipe { least: 0, most: 2, mixed: false });
        unit.banks.truncate(1);
        let mvms = random.within(1, 7) as usize;
        assert_eq!(every_mvm(mvms, &unit), recurrence(mvms, &unit), "case {case}: {mvms} x {unit:?}");
    }
}

fn two_units(random: &mut Random) -> TwoUnits {
    TwoUnits {
        first_latency: random.within(1, 20),
        first_interval: random.within(1, 9),
        second_interval: random.within(1, 14),
        second_latency: random.within(1, 20),
        release: random.within(0, 3),
    }
}

fn two_stages(units: &TwoUnits, geometry: Geometry, capacity: Option<u64>) -> Vec<StageTiming> {
    let pixels = geometry.width * geometry.height;
    chain(vec![
        interval("first", units.first_interval, units.first_latency, 0, pixelwise(pixels, None)),
        interval("second", units.second_interval, units.second_latency, units.release, geometry.flow(capacity)),
    ])
}

#[test]
fn two_pipelined_units_agree_with_and_without_a_finite_buffer() {
    let mut random = Random(3);
    let (mut stalled, mut peaks) = (0, 0);
    for case in 0..2000 {
        let geometry = Geometry::plain(random.within(3, 9), random.within(3, 9), random.within(1, 3));
        let units = two_units(&mut random);
        let flow = geometry.flow(None);
        let least = (geometry.kernel - 1) * geometry.width + geometry.kernel;
        assert_eq!(least_capacity(&flow), least, "the least buffer of a plain window is (k-1)W+k");
        let finite = least + random.within(0, 12);
        for (capacity, held) in [(Some(finite), finite), (None, 1_000_000)] {
            let stepped = stepped_two(&units, &flow, held).unwrap();
            let report = simulate(&two_stages(&units, geometry, capacity), 1).unwrap();
            let seen = (report.cycles, report.stages[0].stall, report.stages[1].peak_occupancy[0]);
            assert_eq!(
                seen,
                (stepped.cycles, stepped.stall, stepped.peak),
                "case {case}: {units:?} {geometry:?} {held}"
            );
            stalled += u64::from(stepped.stall > 0);
            peaks = peaks.max(stepped.peak);
        }
    }
    assert!(stalled > 500 && peaks > 30, "the cases are too easy: {stalled} stalled, peak {peaks}");
}

/// Compares whole reports: the end of every image, all counts, busy and waiting cycles, stalls and occupancies.
fn compare_chains(seed: u64, cases: usize, recipe: Recipe) {
    let mut random = Random(seed);
    let (mut stalled, mut waited, mut tails) = (0, 0, 0);
    for case in 0..cases {
        let stages = pipeline(&mut random, recipe);
        let images = random.within(1, 4);
        let stepped = stepped_graph(&stages, images);
        let engine = simulate(&stages, images).unwrap();
        assert_eq!(Some(&engine), stepped.as_ref(), "case {case} of seed {seed}, {images} images: {stages:#?}");
        stalled += usize::from(engine.stages.iter().any(|stage| stage.stall > 0));
        waited += usize::from(engine.stages.iter().any(|stage| stage.banks.iter().any(|bank| bank.array_wait > 0)));
        tails += usize::from(engine.drained > engine.cycles);
    }
    assert!(stalled * 4 > cases && waited * 4 > cases, "the cases are too easy: {stalled} stalled, {waited} waited");
    assert!(tails > 0, "no case has pixels that nobody reads");
}

#[test]
fn chains_of_mvm_stages_with_banks_buffers_and_images_give_the_same_report() {
    compare_chains(4, 4000, Recipe { least: 1, most: 6, mixed: false });
}

#[test]
fn chains_of_both_kinds_of_unit_give_the_same_report() {
    compare_chains(5, 2000, Recipe { least: 1, most: 5, mixed: true });
}

#[test]
fn chains_with_operations_of_no_length_give_the_same_report() {
    compare_chains(6, 3000, Recipe { least: 0, most: 2, mixed: true });
}

/// Replaces the capacity of a stage's input buffer.
fn with_capacity(stages: &[StageTiming], at: usize, capacity: u64) -> Vec<StageTiming> {
    let mut changed = stages.to_vec();
    changed[at].inputs[0].flow.capacity = Some(capacity);
    changed
}

#[test]
fn a_buffer_is_refused_exactly_when_the_stepped_graph_stands_still() {
    let mut random = Random(7);
    for case in 0..600 {
        let mixed = random.once_in(2);
        let stages = pipeline(&mut random, Recipe { least: 0, most: 3, mixed });
        let images = random.within(1, 3);
        let at = random.within(1, stages.len() as u64 - 1) as usize;
        let required = least_capacity(&stages[at].inputs[0].flow);
        let enough = with_capacity(&stages, at, required);
        assert_eq!(simulate(&enough, images).ok(), stepped_graph(&enough, images), "case {case}: {enough:#?}");
        assert!(stepped_graph(&enough, images).is_some(), "case {case}: {required} pixels are enough");
        let capacity = random.within(0, required - 1).max(required - random.within(1, required));
        let small = with_capacity(&stages, at, capacity);
        assert!(stepped_graph(&small, images).is_none(), "case {case}: {capacity} pixels are too few");
        let stage = format!("stage{at}");
        assert_eq!(simulate(&small, images), Err(TimingError::Deadlock { stage, capacity, required }), "case {case}");
        let one_less = with_capacity(&stages, at, required - 1);
        assert!(stepped_graph(&one_less, images).is_none(), "case {case}: one pixel less than {required}");
        assert!(matches!(simulate(&one_less, images), Err(TimingError::Deadlock { required: r, .. }) if r == required));
    }
}

#[test]
fn the_least_buffer_of_two_pipelined_units_is_exact() {
    let mut random = Random(8);
    for _ in 0..40 {
        let geometry = Geometry::plain(random.within(3, 7), random.within(3, 7), random.within(1, 3));
        let units = two_units(&mut random);
        let flow = geometry.flow(None);
        let least = least_capacity(&flow);
        assert!(stepped_two(&units, &flow, least).is_some());
        assert_eq!(stepped_two(&units, &flow, least - 1), None);
        assert!(simulate(&two_stages(&units, geometry, Some(least)), 1).is_ok());
        assert!(simulate(&two_stages(&units, geometry, Some(least - 1)), 1).is_err());
    }
}

/// Flows that no raster scan has, with waits and returns at any distance.
#[test]
fn whatever_is_accepted_finishes() {
    let mut random = Random(9);
    for case in 0..3000 {
        let pixels = random.within(1, 12);
        let mut flow = loose_flow(&mut random, pixels);
        // Windows out of order too, as long as each pixel exists.
        if random.once_in(3) {
            flow.need.reverse();
        }
        let capacity = random.within(0, pixels + 1);
        flow.capacity = Some(capacity);
        let unit = mvm_unit(&mut random, Recipe { least: 0, most: 3, mixed: false });
        let stages = chain(vec![interval("first", 1, 2, 0, pixelwise(pixels, None)), mvm("second", unit, flow)]);
        let images = random.within(1, 3);
        match simulate(&stages, images) {
            Ok(report) => assert_eq!(Some(report), stepped_graph(&stages, images), "case {case}: {stages:#?}"),
            Err(TimingError::Deadlock { required, .. }) => {
                assert_eq!(stepped_graph(&stages, images), None, "case {case}: {stages:#?}");
                assert!(capacity < required);
            }
            Err(error) => panic!("case {case}: {error}"),
        }
    }
}
