//! What must hold before the first cycle: a well-formed chain whose buffers are large enough.

use super::error::TimingError;
use super::model::{Flow, StageTiming, UnitTiming};

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
        check_flow(&stage.name, &stage.flow)?;
        check_range(stage, images)?;
    }
    for pair in stages.windows(2) {
        if let [previous, stage] = pair {
            check_link(previous, stage)?;
        }
    }
    // The images of the first stage stand ready, so it has no buffer that could be too small.
    stages.iter().skip(1).try_for_each(check_capacity)
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
    match fits(stage.flow.input_pixels) && fits(stage.flow.need.len() as u64) {
        true => Ok(()),
        false => Err(TimingError::Overflow { stage: stage.name.clone() }),
    }
}

fn check_link(previous: &StageTiming, stage: &StageTiming) -> Result<(), TimingError> {
    let windows = previous.flow.need.len() as u64;
    if windows == stage.flow.input_pixels {
        return Ok(());
    }
    Err(TimingError::Chain {
        stage: stage.name.clone(),
        input_pixels: stage.flow.input_pixels,
        previous: previous.name.clone(),
        windows,
    })
}

fn check_capacity(stage: &StageTiming) -> Result<(), TimingError> {
    let required = required_capacity(&stage.flow);
    match stage.flow.capacity {
        Some(capacity) if capacity < required => {
            Err(TimingError::Deadlock { stage: stage.name.clone(), capacity, required })
        }
        _ => Ok(()),
    }
}

/// Pixels that the input buffer must hold at least.
///
/// The last pixel of a window can only be begun when it has room beside the pixels that no earlier window gave back, hence the bound is
/// necessary. It is also sufficient: earlier windows give their pixels back without waiting for anything downstream, since a unit asks for
/// the room of its result before it starts and never afterwards. Images need no case of their own, since the last window of an image gives
/// all of it back and the first window of the next then waits for as many pixels as that of the first image.
fn required_capacity(flow: &Flow) -> u64 {
    let before = std::iter::once(&0).chain(&flow.freed);
    // `need < input_pixels`, so one more than it cannot overflow.
    flow.need.iter().zip(before).map(|(need, before)| (need + 1).saturating_sub(*before)).max().unwrap_or(0)
}
