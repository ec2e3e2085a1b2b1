//! Does the engine obey the laws that hold for every pipeline?
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

#[path = "support/timing/mod.rs"]
mod support;

use chip::timing::model::{BankTiming, StageTiming, UnitTiming};
use chip::timing::{TimingError, simulate};
use support::least_capacity;
use support::random::{Random, Recipe, pipeline};

const MIXED: Recipe = Recipe { least: 0, most: 6, mixed: true };

/// So many random pipelines with a number of images.
fn pipelines(seed: u64, count: usize, recipe: Recipe) -> impl Iterator<Item = (Vec<StageTiming>, u64)> {
    let mut random = Random(seed);
    std::iter::repeat_with(move || (pipeline(&mut random, recipe), random.within(1, 5))).take(count)
}

fn image_done(stages: &[StageTiming], images: u64) -> Vec<u64> {
    simulate(stages, images).unwrap().image_done
}

#[test]
fn no_unit_works_longer_than_the_whole() {
    for (stages, images) in pipelines(21, 1000, MIXED) {
        let report = simulate(&stages, images).unwrap();
        assert_eq!(report.image_done.len() as u64, images);
        assert!(report.image_done.is_sorted());
        assert_eq!(report.image_done.last(), Some(&report.cycles));
        // Pixels that nobody reads may still be computed when the last image is done.
        assert!(report.drained >= report.cycles);
        let all_read = stages
            .iter()
            .all(|stage| stage.inputs[0].flow.need.last() == Some(&(stage.inputs[0].flow.input_pixels - 1)));
        let end = if all_read { report.cycles } else { report.drained };
        for stage in &report.stages {
            assert!(stage.load_busy + stage.stall <= end, "{stages:?}");
            for bank in &stage.banks {
                assert!(bank.array_busy + bank.array_wait <= end && bank.converter_busy <= end, "{stages:?}");
            }
        }
    }
}

#[test]
fn counts_are_slices_times_windows_times_images() {
    for (stages, images) in pipelines(22, 1000, MIXED) {
        let report = simulate(&stages, images).unwrap();
        for (stage, done) in stages.iter().zip(&report.stages) {
            let windows = images * stage.inputs[0].flow.need.len() as u64;
            assert_eq!((&done.name, done.loads, done.pixels), (&stage.name, windows, windows));
            let UnitTiming::Mvm(mvm) = &stage.unit else {
                assert!(done.banks.is_empty() && done.load_busy == 0);
                continue;
            };
            assert_eq!((done.load_busy, done.banks.len()), (windows * mvm.load, mvm.banks.len()));
            let slices = windows * u64::from(mvm.slices);
            for (bank, timing) in done.banks.iter().zip(&mvm.banks) {
                assert_eq!((bank.reads, bank.conversions), (slices, slices));
                assert_eq!(bank.array_busy, slices * timing.read);
                assert_eq!(bank.converter_busy, slices * timing.convert);
            }
        }
    }
}

#[test]
fn later_images_change_nothing_for_earlier_ones() {
    for (stages, images) in pipelines(23, 500, MIXED) {
        let more = image_done(&stages, images + 2);
        assert_eq!(image_done(&stages, images), more[..images as usize], "{stages:?}");
    }
}

#[test]
fn the_same_pipeline_gives_the_same_report() {
    for (stages, images) in pipelines(24, 200, MIXED) {
        assert_eq!(simulate(&stages, images), simulate(&stages.clone(), images));
    }
}

/// Makes one thing of one stage faster or larger.
fn improve(random: &mut Random, stage: &mut StageTiming) -> &'static str {
    let what = random.within(0, 7);
    let by = random.within(1, 4);
    let shorten = |cycles: &mut u64| *cycles = cycles.saturating_sub(by);
    let any_bank = |banks: &mut Vec<BankTiming>, random: &mut Random| random.within(0, banks.len() as u64 - 1) as usize;
    match (&mut stage.unit, what) {
        (_, 0) => {
            stage.inputs[0].flow.capacity = stage.inputs[0].flow.capacity.map(|capacity| capacity + by);
            return "capacity";
        }
        (UnitTiming::Mvm(mvm), 1) => shorten(&mut mvm.load),
        (UnitTiming::Mvm(mvm), 2) => shorten(&mut mvm.load_latency),
        (UnitTiming::Mvm(mvm), 3) => {
            let bank = any_bank(&mut mvm.banks, random);
            shorten(&mut mvm.banks[bank].read);
        }
        (UnitTiming::Mvm(mvm), 4) => {
            let bank = any_bank(&mut mvm.banks, random);
            shorten(&mut mvm.banks[bank].convert);
        }
        (UnitTiming::Mvm(mvm), 5) => shorten(&mut mvm.post),
        (UnitTiming::Mvm(mvm), 6) => mvm.input_registers += 1,
        (UnitTiming::Mvm(mvm), _) => mvm.sample_hold_depth += 1,
        (UnitTiming::Interval(unit), 1..3) => unit.interval = unit.interval.saturating_sub(by).max(1),
        (UnitTiming::Interval(unit), 3..6) => shorten(&mut unit.latency),
        (UnitTiming::Interval(unit), _) => shorten(&mut unit.release),
    }
    "unit"
}

#[test]
fn nothing_that_gets_faster_or_larger_delays_an_image() {
    let mut random = Random(25);
    let mut gains = 0;
    for _ in 0..3000 {
        let stages = pipeline(&mut random, MIXED);
        let mut better = stages.clone();
        let at = random.within(0, stages.len() as u64 - 1) as usize;
        let what = improve(&mut random, &mut better[at]);
        let (before, after) = (image_done(&stages, 3), image_done(&better, 3));
        assert!(after.iter().zip(&before).all(|(after, before)| after <= before), "{what}: {stages:#?} {better:#?}");
        gains += u64::from(after < before);
    }
    assert!(gains > 300, "only {gains} of the changes made a difference");
}

#[test]
fn unlimited_buffers_are_the_limit_of_large_ones() {
    for (stages, images) in pipelines(26, 500, Recipe { least: 1, ..MIXED }) {
        let with = |capacity: &dyn Fn(usize) -> Option<u64>| {
            let mut changed = stages.clone();
            changed.iter_mut().enumerate().for_each(|(at, stage)| stage.inputs[0].flow.capacity = capacity(at));
            changed
        };
        let unlimited = simulate(&with(&|_| None), images).unwrap();
        assert!(unlimited.stages.iter().all(|stage| stage.stall == 0));
        assert_eq!(unlimited.stages[0].peak_occupancy, [0]);
        // Room for what was ever held changes nothing, and less than that is noticed.
        let peaks = with(&|at| Some(unlimited.stages[at].peak_occupancy[0]));
        assert_eq!(simulate(&peaks, images).as_ref(), Ok(&unlimited));
        let tight = with(&|at| (at == 1).then(|| unlimited.stages[1].peak_occupancy[0] - 1));
        if unlimited.stages[1].peak_occupancy[0] > least_capacity(&stages[1].inputs[0].flow) {
            assert!(simulate(&tight, images).unwrap().stages[0].stall > 0, "{stages:?}");
        }
    }
}

/// Multiplies every length by the same factor.
fn scale(stages: &mut [StageTiming], factor: u64) {
    for stage in stages {
        match &mut stage.unit {
            UnitTiming::Mvm(mvm) => {
                let banks = mvm.banks.iter_mut().flat_map(|bank| [&mut bank.read, &mut bank.convert]);
                let lengths = [&mut mvm.load, &mut mvm.load_latency, &mut mvm.post].into_iter().chain(banks);
                lengths.for_each(|cycles| *cycles *= factor);
            }
            UnitTiming::Interval(unit) => {
                let lengths = [&mut unit.interval, &mut unit.latency, &mut unit.release];
                lengths.into_iter().for_each(|cycles| *cycles *= factor);
            }
        }
    }
}

/// Would take longer than the age of the universe if the cost grew with the cycles.
#[test]
fn times_scale_with_the_lengths_of_the_operations() {
    for (stages, images) in pipelines(27, 300, MIXED) {
        let mut long = stages.clone();
        scale(&mut long, 1_000_000_000_000);
        let expected: Vec<u64> = image_done(&stages, images).iter().map(|done| done * 1_000_000_000_000).collect();
        assert_eq!(image_done(&long, images), expected);
    }
}

#[test]
fn times_beyond_64_bits_are_refused_and_never_wrong() {
    let mut refused = 0;
    for (stages, images) in pipelines(28, 500, MIXED) {
        let mut long = stages.clone();
        scale(&mut long, 1 << 57);
        // As events of these times would happen in exact arithmetic.
        let drained = u128::from(simulate(&stages, images).unwrap().drained) << 57;
        match simulate(&long, images) {
            Ok(report) => assert_eq!(u128::from(report.drained), drained),
            Err(error) => {
                assert!(matches!(error, TimingError::Overflow { .. }), "{error}");
                refused += 1;
            }
        }
        if drained > u128::from(u64::MAX) {
            assert!(simulate(&long, images).is_err());
        }
    }
    assert!((100..500).contains(&refused), "{refused} of 500 refused");
}

#[test]
fn the_steady_rate_is_that_of_the_second_half() {
    let mut report = simulate(&pipelines(29, 1, MIXED).next().unwrap().0, 1).unwrap();
    let mut rate = |done: &[u64]| {
        report.image_done = done.to_vec();
        report.steady_interval()
    };
    assert_eq!(rate(&[100]), (100, 1));
    assert_eq!(rate(&[100, 130]), (30, 1));
    assert_eq!(rate(&[100, 130, 150]), (20, 1));
    assert_eq!(rate(&[100, 130, 150, 180]), (50, 2));
    assert_eq!(rate(&[100, 130, 150, 180, 200]), (50, 2));
}
