//! How long an image keeps a layer busy.

use chip::config::Images;
use chip::program::{Program, Stage};
use chip::timing;

use crate::replicate::interval;

/// Images that follow each other: what the second one adds is what an image takes once the pipeline is full.
const IMAGES: u64 = 2;

/// Base cycles for which an image keeps one copy of the only layer of a program busy. The timing engine tells, so that what follows the converters counts
/// too: additions, partial sums from other tiles and the vector unit. The layer's map stands ready beside it, as what brings it there depends on other layers.
///
/// Where a tile's buffer cannot hold what the layer needs, arrays, converters and loads alone count; such a program is refused later, with the size that it needs.
pub(super) fn busy_cycles(mut program: Program) -> u64 {
    program.chip.memory.input_images = Images::Resident;
    let mut least = 0;
    for stage in &mut program.stages {
        if let Stage::Mvm(stage) = stage {
            stage.input = 0;
            program.input = stage.window.input;
            least = (stage.window.count() as u64).saturating_mul(interval(stage, &program.chip));
        }
    }
    match timing::run(&program, IMAGES) {
        Ok(timing) => timing.steady_interval().0,
        Err(_) => least,
    }
}
