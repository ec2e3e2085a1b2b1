//! What must hold before the first cycle: a well-formed graph whose buffers are large enough.

use super::error::TimingError;
use super::liveness::check_joins;
use super::model::{Flow, InputTiming, StageTiming, UnitTiming};

/// Refuses malformed pipelines and those that would stand still for ever.
pub(super) fn check(stages: &[StageTiming], images: u64) -> Result<(), TimingError> {
    if stages.is_empty() {
        return Err(TimingError::NoStages);
    }
    if images == 0 {
        return Err(TimingError::NoImages);
    }
    for stage in stages {
        check_unit(stage)?;
        check_inputs(stage)?;
        check_range(stage, images)?;
    }
    for (at, stage) in stages.iter().enumerate() {
        stage.inputs.iter().try_for_each(|input| check_source(stages, at, stage, input))?;
    }
    for stage in stages {
        stage.inputs.iter().try_for_each(|input| check_capacity(stage, input))?;
    }
    check_joins(stages)
}

fn check_unit(stage: &StageTiming) -> Result<(), TimingError> {
    let least_one = |what: &'static str, is_zero: bool| match is_zero {
        true => Err(TimingError::Zero { stage: stage.name.clone(), what }),
        false => Ok(()),
    };
    match &stage.unit {
        UnitTiming::Mvm(mvm) => {
            least_one("the number of input slices", mvm.slices == 0)?;
            least_one("the number of converter banks", mvm.banks.is_empty())?;
            least_one("the number of input registers", mvm.input_registers == 0)?;
            least_one("the depth of the sample-and-hold", mvm.sample_hold_depth == 0)
        }
        UnitTiming::Interval(unit) => least_one("the interval between starts", unit.interval == 0),
    }
}

fn check_inputs(stage: &StageTiming) -> Result<(), TimingError> {
    let Some(first) = stage.inputs.first() else {
        return Err(TimingError::Zero { stage: stage.name.clone(), what: "the number of inputs" });
    };
    for input in &stage.inputs {
        check_flow(&stage.name, &input.flow)?;
        let (windows, other) = (first.flow.need.len(), input.flow.need.len());
        if windows != other {
            return Err(TimingError::Windows { stage: stage.name.clone(), windows, other });
        }
    }
    Ok(())
}

fn check_flow(name: &str, flow: &Flow) -> Result<(), TimingError> {
    let stage = || name.to_owned();
    let (need, freed) = (flow.need.len(), flow.freed.len());
    if need != freed {
        return Err(TimingError::Lengths { stage: stage(), need, freed });
    }
    if need == 0 {
        return Err(TimingError::Zero { stage: stage(), what: "the number of windows" });
    }
    let mut before = 0;
    for (window, (&need, &freed)) in flow.need.iter().zip(&flow.freed).enumerate() {
        if need >= flow.input_pixels {
            return Err(TimingError::NeedOutOfRange { stage: stage(), window, need, input_pixels: flow.input_pixels });
        }
        if freed < before {
            return Err(TimingError::FreedDecreases { stage: stage(), window, freed, before });
        }
        before = freed;
    }
    if before != flow.input_pixels {
        return Err(TimingError::FreedIncomplete { stage: stage(), freed: before, input_pixels: flow.input_pixels });
    }
    Ok(())
}

/// The global indices of pixels and windows, and one past them, must fit their type.
fn check_range(stage: &StageTiming, images: u64) -> Result<(), TimingError> {
    let fits = |count: u64| count.checked_mul(images).is_some();
    match stage.inputs.iter().all(|input| fits(input.flow.input_pixels)) && fits(stage.windows()) {
        true => Ok(()),
        false => Err(TimingError::Overflow { stage: stage.name.clone() }),
    }
}

/// A stage reads what an earlier one writes, or the images that the first one reads.
fn check_source(
    stages: &[StageTiming],
    at: usize,
    stage: &StageTiming,
    input: &InputTiming,
) -> Result<(), TimingError> {
    let input_pixels = input.flow.input_pixels;
    let writer = stages.get(..at).and_then(|before| before.get(input.source.checked_sub(1)?));
    let images = stages.first().and_then(|first| first.inputs.first()).map(|first| first.flow.input_pixels);
    let name = || stage.name.clone();
    match (input.source, writer) {
        (0, _) if images.is_some_and(|images| images != input_pixels) => {
            Err(TimingError::Images { stage: name(), input_pixels, images: images.unwrap_or(0) })
        }
        (0, _) => Ok(()),
        (number, None) => Err(TimingError::Source { stage: name(), number, most: at }),
        (_, Some(writer)) if writer.windows() != input_pixels => Err(TimingError::Chain {
            stage: name(),
            input_pixels,
            previous: writer.name.clone(),
            windows: writer.windows(),
        }),
        (_, Some(_)) => Ok(()),
    }
}

/// Images stand ready, so they have no buffer that could be too small.
fn check_capacity(stage: &StageTiming, input: &InputTiming) -> Result<(), TimingError> {
    let required = required_capacity(&input.flow);
    match input.flow.capacity {
        Some(capacity) if capacity < required && input.source > 0 => {
            Err(TimingError::Deadlock { stage: stage.name.clone(), capacity, required })
        }
        _ => Ok(()),
    }
}

/// Pixels that the input buffer must hold at least.
///
/// The last pixel of a window can only be begun when it has room beside the pixels that no earlier window gave back, hence the bound is
/// necessary. Where no stage joins inputs it is also sufficient: earlier windows give their pixels back without waiting for anything downstream, since a unit asks for
/// the room of its result before it starts and never afterwards. Images need no case of their own, since the last window of an image gives
/// all of it back and the first window of the next then waits for as many pixels as that of the first image.
fn required_capacity(flow: &Flow) -> u64 {
    let before = std::iter::once(&0).chain(&flow.freed);
    // `need < input_pixels`, so one more than it cannot overflow.
    flow.need.iter().zip(before).map(|(need, before)| (need + 1).saturating_sub(*before)).max().unwrap_or(0)
}
