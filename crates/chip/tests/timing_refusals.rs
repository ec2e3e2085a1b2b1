//! Is every malformed pipeline refused, with a message that names the fault?
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

#[path = "support/timing/mod.rs"]
mod support;

use chip::timing::model::{Flow, MvmTiming, StageTiming};
use chip::timing::{TimingError, simulate};
use support::{Geometry, chain, interval, mvm, pixelwise, single_bank};

/// The message with which a pipeline is refused.
fn refusal(stages: &[StageTiming], images: u64) -> String {
    simulate(stages, images).unwrap_err().to_string()
}

fn with_unit(change: impl FnOnce(&mut MvmTiming)) -> Vec<StageTiming> {
    let mut unit = single_bank(2, 1, 1, 1, 1);
    change(&mut unit);
    vec![mvm("conv1", unit, pixelwise(4, None))]
}

fn with_flow(change: impl FnOnce(&mut Flow)) -> Vec<StageTiming> {
    let mut flow = pixelwise(4, None);
    change(&mut flow);
    vec![interval("pool", 1, 1, 0, flow)]
}

#[test]
fn nothing_to_do() {
    assert_eq!(refusal(&[], 1), "the pipeline has no stages");
    assert_eq!(refusal(&with_unit(|_| ()), 0), "the number of images must be at least 1");
}

#[test]
fn units_without_parts() {
    let zero = |change: fn(&mut MvmTiming)| refusal(&with_unit(change), 1);
    let expected = |what: &str| format!("stage `conv1`: {what} must be at least 1");
    assert_eq!(zero(|unit| unit.slices = 0), expected("the number of input slices"));
    assert_eq!(zero(|unit| unit.banks.clear()), expected("the number of converter banks"));
    assert_eq!(zero(|unit| unit.input_registers = 0), expected("the number of input registers"));
    assert_eq!(zero(|unit| unit.sample_hold_depth = 0), expected("the depth of the sample-and-hold"));
    let still = [interval("pool", 0, 1, 0, pixelwise(4, None))];
    assert_eq!(refusal(&still, 1), "stage `pool`: the interval between starts must be at least 1");
}

#[test]
fn flows_that_contradict_themselves() {
    let flow = |change: fn(&mut Flow)| refusal(&with_flow(change), 1);
    let short = flow(|flow| flow.freed.truncate(3));
    assert_eq!(short, "stage `pool`: `need` lists 4 windows and `freed` lists 3");
    let empty = flow(|flow| (flow.need, flow.freed) = (vec![], vec![]));
    assert_eq!(empty, "stage `pool`: the number of windows must be at least 1");
    let beyond = flow(|flow| flow.need[3] = 4);
    assert_eq!(beyond, "stage `pool`: window 3 needs pixel 4, but an image has 4 pixels");
    let back = flow(|flow| flow.freed[2] = 1);
    assert_eq!(back, "stage `pool`: window 2 frees 1 pixels, fewer than the 2 of the window before it");
    let kept = flow(|flow| flow.freed[3] = 3);
    assert_eq!(kept, "stage `pool`: the last window frees 3 pixels instead of all 4");
    let invented = flow(|flow| flow.freed[3] = 5);
    assert_eq!(invented, "stage `pool`: the last window frees 5 pixels instead of all 4");
}

#[test]
fn stages_that_do_not_fit_together() {
    let mut stages = with_unit(|_| ());
    stages.push(interval("pool", 1, 1, 0, pixelwise(5, None)));
    stages[1].inputs[0].source = 1;
    assert_eq!(refusal(&stages, 1), "stage `pool` reads 5 pixels per image, but `conv1` writes 4");
}

#[test]
fn numbers_beyond_64_bits() {
    let expected = "stage `conv1`: its times or pixel counts exceed 64 bits";
    assert_eq!(refusal(&with_unit(|_| ()), u64::MAX / 2), expected);
    assert_eq!(refusal(&with_unit(|unit| unit.load = u64::MAX), 1), expected);
    assert_eq!(refusal(&with_unit(|unit| unit.post = u64::MAX), 1), expected);
    assert_eq!(refusal(&with_unit(|unit| unit.banks[0].read = u64::MAX), 1), expected);
    // The largest times that fit are still exact.
    let mut longest = with_unit(|unit| unit.post = u64::MAX - 5);
    longest[0].inputs[0].flow = pixelwise(1, None);
    assert_eq!(simulate(&longest, 1).map(|report| report.cycles), Ok(u64::MAX - 1));
    let idle = [interval("fc", u64::MAX, 7, 0, pixelwise(1, None))];
    assert_eq!(simulate(&idle, 1).map(|report| report.cycles), Ok(7), "an interval without a next window ends nothing");
}

#[test]
fn the_first_buffer_that_is_too_small_is_named() {
    let map = |width, capacity| Geometry::plain(width, width, 3).flow(Some(capacity));
    let stages = |first, second| {
        chain(vec![
            // The images of the first stage stand ready, whatever its buffer holds.
            interval("conv1", 1, 1, 0, map(8, 0)),
            interval("conv2", 1, 1, 0, map(6, first)),
            interval("conv3", 1, 1, 0, map(4, second)),
        ])
    };
    assert!(simulate(&stages(15, 11), 2).is_ok());
    let refused = |stage: &str, capacity, required| TimingError::Deadlock { stage: stage.into(), capacity, required };
    assert_eq!(simulate(&stages(14, 11), 2), Err(refused("conv2", 14, 15)));
    assert_eq!(simulate(&stages(15, 10), 2), Err(refused("conv3", 10, 11)));
    assert_eq!(simulate(&stages(0, 0), 2), Err(refused("conv2", 0, 15)));
}
