//! A core in the game of one image: fetch, arrays and write-back, each as far as it can go.

use super::back::Back;
use super::region::Board;
use crate::machine::hardware::TileHardware;
use crate::machine::instruction::Instruction;
use crate::machine::steps::{Step, steps};
use crate::machine::work::Core;
use std::collections::{BTreeMap, VecDeque};

/// What the fetch of a core waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// Items of a region, at this instruction.
    Items { instruction: usize },
    /// Room for the item of a region behind `earlier` ones of this core, at this instruction.
    Room { instruction: usize, region: u32, earlier: u64 },
    /// An input register, before this instruction.
    Register { instruction: usize },
    /// Nothing: all is fetched.
    Done,
}

/// A core at work.
#[derive(Debug)]
pub(super) struct Player<'a> {
    number: u32,
    core: &'a Core,
    steps: Vec<Step>,
    input_registers: usize,
    output_registers: usize,
    sample_hold: u64,
    /// The step that is fetched and the instruction at which it is; steps before it are fetched.
    fetched: usize,
    next: usize,
    has_register: bool,
    /// Steps that have let go of their input register.
    inputs_freed: usize,
    /// Steps whose arrays have been looked at, and slices of those before.
    latched: usize,
    latched_slices: u64,
    /// Steps that have had an output register, their slices, and how many steps have ended.
    started: usize,
    started_slices: u64,
    ended: usize,
    backs: VecDeque<Back>,
    /// Items that the core took places for, and `receive` instructions that came to write-back, by region.
    rooms: BTreeMap<u32, u64>,
    receives: BTreeMap<u32, u64>,
}

impl<'a> Player<'a> {
    pub(super) fn new(number: u32, core: &'a Core, tile: &TileHardware) -> Self {
        Self {
            number,
            core,
            steps: steps(&core.instructions).collect(),
            input_registers: tile.input_registers.max(1) as usize,
            output_registers: tile.output_registers.max(1) as usize,
            sample_hold: tile.sample_hold_depth.max(1).into(),
            fetched: 0,
            next: 0,
            has_register: false,
            inputs_freed: 0,
            latched: 0,
            latched_slices: 0,
            started: 0,
            started_slices: 0,
            ended: 0,
            backs: VecDeque::new(),
            rooms: BTreeMap::new(),
            receives: BTreeMap::new(),
        }
    }

    /// Goes as far as it can.
    pub(super) fn run(&mut self, board: &mut Board) {
        loop {
            let mut moved = self.fetch(board);
            moved |= self.start();
            moved |= self.latch();
            moved |= self.write_back(board);
            if !moved {
                return;
            }
        }
    }

    /// Whether all of its steps have ended.
    pub(super) fn is_done(&self) -> bool {
        self.ended == self.steps.len()
    }

    /// What its fetch waits for when it cannot go on.
    pub(super) fn waits(&self) -> Waits {
        let instruction = self.next;
        match self.core.instructions.get(instruction) {
            _ if self.fetched == self.steps.len() => Waits::Done,
            _ if !self.has_register => Waits::Register { instruction },
            Some(&Instruction::Room { region }) => {
                let earlier = self.rooms.get(&region).copied().unwrap_or(0);
                Waits::Room { instruction, region, earlier }
            }
            _ => Waits::Items { instruction },
        }
    }

    /// The oldest instruction of its write-back that waits for an item.
    pub(super) fn receiving(&self) -> Option<usize> {
        self.backs.iter().find_map(Back::receiving)
    }

    /// Fetches until an instruction or the lack of a register stops it.
    fn fetch(&mut self, board: &mut Board) -> bool {
        let mut moved = false;
        while let Some(&step) = self.steps.get(self.fetched) {
            if !self.has_register {
                if self.fetched - self.inputs_freed >= self.input_registers {
                    return moved;
                }
                self.has_register = true;
            }
            while self.next < step.arrays {
                if !self.fetch_one(board) {
                    return moved;
                }
                self.next += 1;
                moved = true;
            }
            self.fetched += 1;
            self.next = step.end;
            self.has_register = false;
            moved = true;
        }
        moved
    }

    /// Whether the next fetch instruction goes on.
    fn fetch_one(&mut self, board: &mut Board) -> bool {
        match self.core.instructions.get(self.next) {
            Some(&Instruction::Wait { region, count }) => board.there(region) >= count,
            Some(&Instruction::Room { region }) => {
                let taken = self.rooms.entry(region).or_insert(0);
                let room = board.has_room(region, self.number, *taken);
                *taken += u64::from(room);
                room
            }
            Some(&Instruction::Free { region, count }) => {
                board.free(region, self.number, count);
                true
            }
            Some(&Instruction::LoadMemory { region, .. }) => {
                board.write(region, self.number);
                true
            }
            _ => true,
        }
    }

    /// Output registers to fetched steps, in order.
    fn start(&mut self) -> bool {
        let mut moved = false;
        while self.started < self.fetched && self.started - self.ended < self.output_registers {
            let Some(&step) = self.steps.get(self.started) else { break };
            self.started_slices = self.started_slices.saturating_add(self.slices(step));
            let numbers = self.number_receives(step);
            self.backs.push_back(Back::new(step, numbers));
            self.started += 1;
            moved = true;
        }
        moved
    }

    fn number_receives(&mut self, step: Step) -> VecDeque<u64> {
        let mut numbers = VecDeque::new();
        for instruction in self.core.instructions.get(step.back..step.end).unwrap_or(&[]) {
            if let &Instruction::Receive { region } = instruction {
                let number = self.receives.entry(region).or_insert(0);
                numbers.push_back(*number);
                *number += 1;
            }
        }
        numbers
    }

    fn slices(&self, step: Step) -> u64 {
        match self.core.instructions.get(step.arrays) {
            Some(&Instruction::Mvm { slices }) if step.back > step.arrays => slices.into(),
            _ => 0,
        }
    }

    /// Frees input registers of steps with `mvm`. Slices of steps with an output register are converted; behind them as many are
    /// latched as the sample-and-hold keeps.
    fn latch(&mut self) -> bool {
        let mut moved = false;
        let most = self.started_slices.saturating_add(self.sample_hold);
        while self.latched < self.fetched {
            let Some(&step) = self.steps.get(self.latched) else { break };
            let slices = self.latched_slices.saturating_add(self.slices(step));
            if slices > most {
                break;
            }
            self.inputs_freed += usize::from(step.back > step.arrays);
            self.latched_slices = slices;
            self.latched += 1;
            moved = true;
        }
        moved
    }

    /// Issues what can be issued; whether that was anything.
    fn write_back(&mut self, board: &mut Board) -> bool {
        let mut moved = false;
        for at in 0..self.backs.len() {
            let before = at.checked_sub(1).and_then(|before| self.backs.get(before)).map(Back::issued);
            let Some(back) = self.backs.get_mut(at) else { break };
            moved |= back.run(before, self.number, &self.core.instructions, board);
            self.inputs_freed += usize::from(back.frees_input());
            self.ended += usize::from(back.ends());
        }
        while self.backs.front().is_some_and(Back::has_ended) {
            self.backs.pop_front();
        }
        moved
    }
}
