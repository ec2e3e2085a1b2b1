//! How long an image keeps a layer busy.

use crate::replicate::interval;
use chip::config::{Images, Memory};
use chip::program::{Program, Stage};
use chip::timing;

/// Images that follow each other: what the second one adds is what an image takes once the pipeline is full.
const IMAGES: u64 = 2;

/// Base cycles for which an image keeps one copy of the only layer of a program busy. The timing engine tells, so that what follows the converters counts
/// too (additions, partial sums from other tiles, the vector unit), and what it takes to send every tile its part of the map.
///
/// Where a tile's buffer cannot hold what the layer needs, arrays, converters and loads alone count; such a program is refused later, with the size that it needs.
pub(super) fn busy_cycles(mut program: Program) -> u64 {
    let mut least = 0;
    for stage in &mut program.stages {
        if let Stage::Mvm(stage) = stage {
            if stage.input != 0 {
                send_at_once(&mut program.chip.memory);
            }
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

/// Makes the port to the memory as fast as another layer's tile: its router alone limits what it sends.
fn send_at_once(memory: &mut Memory) {
    *memory = Memory { input_images: Images::Streamed, bits_per_cycle: MOST_BITS, latency_cycles: 1, ..*memory };
}

/// Bits a cycle of the widest port.
const MOST_BITS: u64 = 1 << 20;
