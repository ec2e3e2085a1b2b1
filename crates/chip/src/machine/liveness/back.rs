//! A step in write-back.

use super::region::Board;
use crate::machine::instruction::Instruction;
use crate::machine::steps::Step;
use std::collections::VecDeque;

/// A step in write-back.
#[derive(Debug)]
pub(super) struct Back {
    step: Step,
    /// The next instruction to issue.
    next: usize,
    /// Numbers of the items that its `receive` instructions take, in order.
    numbers: VecDeque<u64>,
    /// The region and the item for which the instruction before `next` waits.
    waits: Option<(u32, u64)>,
    /// Regions and their items that the next `merge` gives back.
    held: Vec<(u32, u64)>,
    /// Whether the input register is still to be let go of.
    holds_input: bool,
    /// Whether its first `merge` or `vector` is behind it.
    worked: bool,
    ended: bool,
}

/// How many instructions of its write-back a step has issued, and whether these are all.
pub(super) type Issued = (usize, bool);

impl Back {
    /// The arrays let go of the input register of a step with `mvm`.
    pub(super) fn new(step: Step, numbers: VecDeque<u64>) -> Self {
        let holds_input = step.back == step.arrays;
        Self { step, next: step.back, numbers, waits: None, held: Vec::new(), holds_input, worked: false, ended: false }
    }

    pub(super) fn issued(&self) -> Issued {
        (self.next - self.step.back, self.next == self.step.end)
    }

    /// The instruction that waits for an item.
    pub(super) fn receiving(&self) -> Option<usize> {
        self.waits.map(|_| self.next - 1)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Issues what can be issued; whether that was anything. Instruction number `i` waits until the step before has issued its `i`-th or its last
    /// one.
    pub(super) fn run(&mut self, before: Option<Issued>, core: u32, list: &[Instruction], board: &mut Board) -> bool {
        let mut moved = false;
        loop {
            if let Some((region, item)) = self.waits {
                if board.there(region) <= item {
                    return moved;
                }
                self.received((region, item), core, list, board);
                moved = true;
            }
            let turn = before.is_none_or(|(issued, all)| all || issued > self.next - self.step.back);
            if !turn || self.next >= self.step.end {
                return moved;
            }
            let Some(&instruction) = list.get(self.next) else { return moved };
            self.next += 1;
            moved = true;
            self.issue(instruction, core, board);
        }
    }

    fn issue(&mut self, instruction: Instruction, core: u32, board: &mut Board) {
        match instruction {
            Instruction::Receive { region } => self.waits = Some((region, self.numbers.pop_front().unwrap_or(0))),
            Instruction::Merge { .. } => {
                self.worked = true;
                for (region, item) in self.held.drain(..) {
                    board.free_item(region, core, item);
                }
            }
            Instruction::Vector { .. } => self.worked = true,
            Instruction::Send { region, .. } | Instruction::Store { region, .. } => board.write(region, core),
            _ => {}
        }
    }

    /// The item is given back by the next `merge`, or at once if none follows.
    fn received(&mut self, (region, item): (u32, u64), core: u32, list: &[Instruction], board: &mut Board) {
        self.waits = None;
        let rest = list.get(self.next..self.step.end).unwrap_or(&[]);
        if rest.iter().any(|instruction| matches!(instruction, Instruction::Merge { .. })) {
            self.held.push((region, item));
        } else {
            board.free_item(region, core, item);
        }
    }

    /// Whether it lets go of its input register now.
    pub(super) fn frees_input(&mut self) -> bool {
        let frees = self.holds_input && (self.worked || self.is_through());
        self.holds_input &= !frees;
        frees
    }

    /// Whether it ends now.
    pub(super) fn ends(&mut self) -> bool {
        let ends = !self.ended && self.is_through();
        self.ended |= ends;
        ends
    }

    fn is_through(&self) -> bool {
        self.waits.is_none() && self.next >= self.step.end
    }
}
