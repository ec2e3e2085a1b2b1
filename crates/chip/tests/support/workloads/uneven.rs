//! Steps of one core that differ from one another.

use chip::machine::instruction::{Instruction, Part, VectorOperation};
use chip::machine::work::Workload;

use super::random::Random;

/// Puts operations into the write-backs of some steps, at any place: some are long, so that younger steps end first.
pub(crate) fn make_uneven(workload: &mut Workload, random: &mut Random) {
    for core in &mut workload.cores {
        let (most, long) = (random.within(1, 3), random.within(1, 60));
        let mut uneven = Vec::new();
        for (at, &instruction) in core.instructions.iter().enumerate() {
            uneven.push(instruction);
            let next = core.instructions.get(at + 1).map(|next| next.part());
            // Behind an instruction of a write-back, and between an `mvm` or the last fetch and its write-back.
            let inside = instruction.part() == Part::WriteBack || next == Some(Part::WriteBack);
            if inside && random.once_in(3) {
                uneven.extend((0..random.within(1, most)).map(|_| operation(long, random)));
            }
        }
        core.instructions = uneven;
    }
}

fn operation(long: u64, random: &mut Random) -> Instruction {
    let values = if random.once_in(3) { random.within(1, long * 16) } else { random.within(1, 8) };
    match random.within(0, 7) {
        0..=2 => Instruction::Merge { values },
        at => Instruction::Vector { operation: VectorOperation::ALL[at as usize - 3], values },
    }
}
