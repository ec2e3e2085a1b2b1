//! Forks and joins: closed forms, equal branches, random graphs against the stepped model, and the buffers without which all stands still.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail the test")]

#[path = "support/timing/mod.rs"]
mod support;

use chip::timing::model::{Flow, InputTiming, StageTiming};
use chip::timing::{TimingError, simulate};
use support::graph::stepped_graph;
use support::random::{Random, Recipe, residual};
use support::{Geometry, chain, interval, pixelwise};

/// A pixel-wise stage of interval 1 and latency 2 that joins two results, which it gives back after `release` cycles.
fn join(sources: [(usize, Option<u64>); 2], pixels: u64, release: u64) -> StageTiming {
    let inputs = sources.map(|(source, capacity)| InputTiming { source, flow: pixelwise(pixels, capacity) });
    StageTiming { inputs: inputs.to_vec(), ..interval("join", 1, 2, release, pixelwise(pixels, None)) }
}

fn reads(mut stage: StageTiming, source: usize) -> StageTiming {
    stage.inputs[0].source = source;
    stage
}

/// A first stage every 2 cycles with latency 3, a slow one behind it every 5 cycles with latency 7, and the sum of both.
fn skip(pixels: u64, capacity: Option<u64>, release: u64) -> Vec<StageTiming> {
    vec![
        interval("first", 2, 3, 0, pixelwise(pixels, None)),
        reads(interval("slow", 5, 7, 0, pixelwise(pixels, None)), 1),
        join([(2, None), (1, capacity)], pixels, release),
    ]
}

#[test]
fn a_wide_skip_costs_the_slowest_stage() {
    // The slow stage starts at 3, 8, 13, ..., the sum 7 cycles later and ends 2 after that.
    for pixels in 1..40 {
        let report = simulate(&skip(pixels, None, 0), 1).unwrap();
        assert_eq!(report.cycles, 3 + 5 * (pixels - 1) + 7 + 2);
        assert!(report.stages.iter().all(|stage| stage.stall == 0));
    }
    // 8 pixels are begun by cycle 14, and only the first has left the skip, in cycle 10.
    assert_eq!(simulate(&skip(8, None, 0), 1).unwrap().stages[2].peak_occupancy[1], 7);
}

#[test]
fn a_narrow_skip_costs_its_round_trip() {
    // A pixel holds its place from its start for 3 + 7 cycles and until it is given back; so many places share them.
    for release in 0..6 {
        for pixels in 1..30 {
            let one = simulate(&skip(pixels, Some(1), release), 1).unwrap();
            assert_eq!(one.cycles, (pixels - 1) * (10 + release) + 12, "one place, {release} to give it back");
            assert_eq!(one.stages[2].peak_occupancy[1], 1);
        }
        // The 21st pixel is ten round trips of two places behind the first; without release just the pace of the slow stage.
        let two = simulate(&skip(21, Some(2), release), 1).unwrap();
        assert_eq!(two.cycles, 10 * (10 + release) + 12, "two places, {release} to give one back");
    }
}

#[test]
fn a_join_of_equal_branches_is_a_chain() {
    let mut random = Random(51);
    for _ in 0..300 {
        let pixels = random.within(1, 12);
        let capacity = [None, Some(random.within(1, 4))][random.within(0, 1) as usize];
        let (every, latency, release) = (random.within(1, 6), random.within(1, 9), random.within(0, 4));
        let first = interval("first", random.within(1, 6), random.within(1, 9), 0, pixelwise(pixels, None));
        let branch = || interval("branch", every, latency, release, pixelwise(pixels, capacity));
        let behind = random.within(0, 3);
        let last = interval("join", 1, 2, behind, pixelwise(pixels, capacity));
        let straight = chain(vec![first.clone(), branch(), last]);
        let joined =
            vec![first, reads(branch(), 1), reads(branch(), 1), join([(2, capacity), (3, capacity)], pixels, behind)];
        let images = random.within(1, 3);
        let (straight, joined) = (simulate(&straight, images).unwrap(), simulate(&joined, images).unwrap());
        assert_eq!(joined.image_done, straight.image_done);
        assert_eq!((&joined.stages[1], &joined.stages[2]), (&straight.stages[1], &straight.stages[1]));
        assert_eq!(joined.stages[0].stall, straight.stages[0].stall);
        assert_eq!(joined.stages[3].peak_occupancy, [straight.stages[2].peak_occupancy[0]; 2]);
    }
}

/// A residual block: `depth` windows of 3x3 that keep the size of a map, and the sum with the map before them.
fn block(width: u64, height: u64, depth: usize, capacity: u64) -> Vec<StageTiming> {
    let same = Geometry { width, height, kernel: 3, stride: 1, pad: 1 };
    let pixels = width * height;
    let mut stages = vec![interval("first", 1, 1, 0, pixelwise(pixels, None))];
    for _ in 0..depth {
        let source = stages.len();
        stages.push(reads(interval("conv", 1, 1, 0, same.flow(Some(3 * width))), source));
    }
    stages.push(join([(stages.len(), None), (1, Some(capacity))], pixels, 0));
    stages
}

#[test]
fn a_skip_holds_what_the_windows_look_ahead() {
    // A 3x3 window with padding reads a line and a pixel ahead of the pixel it writes.
    for (width, height, depth) in [(4, 5, 1), (6, 6, 1), (5, 7, 2), (6, 9, 3)] {
        let least = depth as u64 * (width + 1) + 1;
        assert!(simulate(&block(width, height, depth, least), 3).is_ok());
        for capacity in 1..least {
            let refused =
                TimingError::Join { stage: "join".into(), previous: "first".into(), capacity, required: least };
            assert_eq!(simulate(&block(width, height, depth, capacity), 3), Err(refused));
            assert_eq!(stepped_graph(&block(width, height, depth, capacity), 1), None);
        }
        let none = simulate(&block(width, height, depth, 0), 1).unwrap_err();
        assert_eq!(none, TimingError::Deadlock { stage: "join".into(), capacity: 0, required: 1 });
    }
    let text = simulate(&block(6, 6, 1, 7), 1).unwrap_err().to_string();
    assert_eq!(
        text,
        "the buffer of stage `join` for the result of `first` holds 7 pixels and needs 8, as its other input comes later"
    );
}

/// Gives the buffer that a refusal names the size that it asks for.
fn enlarge(stages: &mut [StageTiming], name: &str, writer: &str, capacity: u64, required: u64) {
    let source = stages.iter().position(|stage| stage.name == writer).unwrap() + 1;
    let stage = stages.iter_mut().find(|stage| stage.name == name).unwrap();
    let small = |input: &&mut InputTiming| input.source == source && input.flow.capacity == Some(capacity);
    stage.inputs.iter_mut().find(small).unwrap().flow.capacity = Some(required);
}

/// Whole reports of random graphs, and for those that stand still the sizes that let them go on.
fn compare(seed: u64, cases: usize, recipe: Recipe) {
    let mut random = Random(seed);
    let (mut stuck, mut stalled) = (0, 0);
    for case in 0..cases {
        let mut stages = residual(&mut random, recipe);
        let images = random.within(1, 3);
        loop {
            let stepped = stepped_graph(&stages, images);
            match simulate(&stages, images) {
                Ok(report) => {
                    assert_eq!(Some(&report), stepped.as_ref(), "case {case} of seed {seed}: {stages:#?}");
                    stalled += usize::from(report.stages.iter().any(|stage| stage.stall > 0));
                    break;
                }
                Err(TimingError::Join { stage, previous, capacity, required }) => {
                    assert_eq!(stepped, None, "case {case} of seed {seed}: {stage} {previous} {stages:#?}");
                    assert!(required > capacity);
                    enlarge(&mut stages, &stage, &previous, capacity, required);
                    stuck += 1;
                }
                Err(error) => panic!("case {case}: {error}"),
            }
        }
    }
    assert!(stuck * 4 > cases && stalled * 4 > cases, "of {cases} cases {stuck} buffers too small, {stalled} stalled");
}

#[test]
fn random_graphs_give_the_report_of_the_stepped_model() {
    compare(52, 2000, Recipe { least: 1, most: 5, mixed: true });
}

#[test]
fn random_graphs_with_operations_of_no_length_do_too() {
    compare(53, 2000, Recipe { least: 0, most: 2, mixed: true });
}

#[test]
fn malformed_graphs_are_refused() {
    let refusal = |stages: &[StageTiming]| simulate(stages, 1).unwrap_err().to_string();
    let good = || skip(4, None, 0);
    assert!(simulate(&good(), 1).is_ok());
    let changed = |change: &dyn Fn(&mut Vec<StageTiming>)| {
        let mut stages = good();
        change(&mut stages);
        refusal(&stages)
    };
    let forward = changed(&|stages| stages[1].inputs[0].source = 3);
    assert_eq!(forward, "stage `slow`: its source is 3, allowed is 0 (the images) to 1");
    let itself = changed(&|stages| stages[1].inputs[0].source = 2);
    assert_eq!(itself, "stage `slow`: its source is 2, allowed is 0 (the images) to 1");
    let none = changed(&|stages| stages[2].inputs.clear());
    assert_eq!(none, "stage `join`: the number of inputs must be at least 1");
    let whole = Flow { input_pixels: 4, need: vec![3], freed: vec![4], capacity: None };
    let windows = changed(&|stages| stages[2].inputs[1].flow = whole.clone());
    assert_eq!(windows, "stage `join`: its first input has 4 windows and another one 1");
    let images = changed(&|stages| {
        stages[2].inputs[1].source = 0;
        stages[0].inputs[0].flow = Geometry::plain(3, 3, 2).flow(None);
    });
    assert_eq!(images, "stage `join` reads images of 4 pixels, but the first stage images of 9");
}
