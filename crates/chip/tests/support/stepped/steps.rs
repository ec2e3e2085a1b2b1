//! Section 3: the instructions of a core, cut into steps.

use chip::machine::instruction::{Instruction, Part};

#[derive(Clone, Debug, Default)]
pub(crate) struct Step {
    pub(crate) fetch: Vec<Instruction>,
    /// Input slices of the `mvm`.
    pub(crate) slices: Option<u32>,
    pub(crate) write_back: Vec<Instruction>,
}

impl Step {
    /// Place of the first `merge` or `vector`.
    pub(crate) fn first_unit(&self) -> Option<usize> {
        let uses_unit = |at: &Instruction| matches!(at, Instruction::Merge { .. } | Instruction::Vector { .. });
        self.write_back.iter().position(uses_unit)
    }

    /// Whether there is a `merge` behind a place.
    pub(crate) fn merges_behind(&self, place: usize) -> bool {
        self.write_back[place + 1..].iter().any(|at| matches!(at, Instruction::Merge { .. }))
    }
}

/// A fetch instruction behind another kind begins the next step.
pub(crate) fn cut(instructions: &[Instruction]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut before = None;
    for instruction in instructions {
        let part = instruction.part();
        if before.is_none() || (part == Part::Fetch && before != Some(Part::Fetch)) {
            steps.push(Step::default());
        }
        before = Some(part);
        let step = steps.last_mut().expect("the first instruction begins a step");
        match *instruction {
            Instruction::Mvm { slices } => step.slices = Some(slices),
            other if part == Part::Fetch => step.fetch.push(other),
            other => step.write_back.push(other),
        }
    }
    steps
}
