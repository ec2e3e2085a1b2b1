//! How a list of instructions is cut into steps.

use std::ops::Range;

use super::instruction::{Instruction, Part};

/// A step: instructions `start..arrays` are fetched, `arrays..back` is the `mvm` if there is one, `back..end` is the write-back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Number of the first instruction of the step.
    pub(super) start: usize,
    /// Number of the first one behind the fetch.
    pub(super) arrays: usize,
    /// Number of the first one of the write-back.
    pub(super) back: usize,
    /// Number of the first one behind the step.
    pub(super) end: usize,
}

impl Step {
    /// Its write-back.
    pub(super) fn write_back(self) -> Range<usize> {
        self.back..self.end
    }

    /// Input slices of its `mvm`, if it has one.
    pub(super) fn slices(self, instructions: &[Instruction]) -> Option<u32> {
        match instructions.get(self.arrays) {
            Some(Instruction::Mvm { slices }) => Some(*slices),
            _ => None,
        }
    }
}

/// Cuts a list into steps. Of two `mvm` in a row the second begins the write-back, which a check refuses.
pub(super) fn steps(instructions: &[Instruction]) -> impl Iterator<Item = Step> + '_ {
    let mut start = 0;
    std::iter::from_fn(move || {
        let step = (start < instructions.len()).then(|| cut(instructions, start))?;
        start = step.end;
        Some(step)
    })
}

/// The step that begins at `start`, which is within the list.
fn cut(instructions: &[Instruction], start: usize) -> Step {
    let run = |from: usize, fetch: bool| {
        let rest = instructions.iter().skip(from);
        from + rest.take_while(|instruction| (instruction.part() == Part::Fetch) == fetch).count()
    };
    let arrays = run(start, true);
    let end = run(arrays, false);
    let mvm = matches!(instructions.get(arrays), Some(Instruction::Mvm { .. }));
    Step { start, arrays, back: arrays + usize::from(mvm), end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fetch_instruction_behind_another_kind_begins_the_next_step() {
        use Instruction as I;
        let list = [
            I::Wait { region: 0, count: 1 },
            I::Load { region: 0, bits: 8 },
            I::Mvm { slices: 1 },
            I::Store { region: 1, bits: 8 },
            I::Free { region: 0, count: 1 },
            I::Receive { region: 2 },
            I::Wait { region: 0, count: 2 },
        ];
        let found: Vec<Step> = steps(&list).collect();
        let expected = [
            Step { start: 0, arrays: 2, back: 3, end: 4 },
            Step { start: 4, arrays: 5, back: 5, end: 6 },
            Step { start: 6, arrays: 7, back: 7, end: 7 },
        ];
        assert_eq!(found, expected);
        assert_eq!(steps(&[]).count(), 0);
        assert_eq!(steps(&list[2..4]).next(), Some(Step { start: 0, arrays: 0, back: 1, end: 2 }));
    }
}
