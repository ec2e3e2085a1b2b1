//! The rules of `docs/timing.md` without time, for several images that overlap, in any order: the model that the liveness check is compared with.
//!
//! Every part of a core is spelt out: slices one by one, converters, sends that complete later, ends of occupancies.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail the test")]

use super::Tape;
use chip::machine::hardware::TileHardware;
use chip::machine::instruction::{Instruction, Part};
use chip::machine::work::{Core, Workload};

#[derive(Default)]
struct Step {
    image: u64,
    fetch: Vec<Instruction>,
    slices: u32,
    back: Vec<(Instruction, u64)>,
    begun: bool,
    fetched: usize,
    latched: u32,
    converted: u32,
    has_output: bool,
    issued: usize,
    done: usize,
    under_way: usize,
    /// Regions and items that the next merge gives back.
    held: Vec<(usize, u64)>,
    input_free: bool,
    ended: bool,
}

struct Player {
    steps: Vec<Step>,
    rooms: Vec<u64>,
    /// Regions of items that come from the memory.
    coming: Vec<usize>,
}

/// How many items each core has written to and given back of each region, in the run, without a gap.
struct Board<'a> {
    work: &'a Workload,
    written: Vec<Vec<u64>>,
    given: Vec<Vec<u64>>,
    /// Region, core and item of what was given back behind a gap.
    early: Vec<(usize, usize, u64)>,
}

impl Board<'_> {
    fn is_there(&self, region: usize, item: u64) -> bool {
        let list = &self.work.regions[region];
        let (image, at) = (item / list.items, item % list.items);
        let count = list.writers.len() as u64;
        let written = |at: u64| {
            let writer = (at % count) as usize;
            let share = (0..list.items).filter(|other| other % count == writer as u64).count() as u64;
            self.written[region][list.writers[writer] as usize] > image * share + at / count
        };
        count == 0 || (0..=at).all(written)
    }

    fn give_back(&mut self, region: usize, core: usize, item: u64) {
        self.early.push((region, core, item));
        while self.early.contains(&(region, core, self.given[region][core])) {
            self.given[region][core] += 1;
        }
    }

    fn has_room(&self, region: usize, item: u64) -> bool {
        let list = &self.work.regions[region];
        let freed = list.readers.iter().map(|&reader| self.given[region][reader as usize]).min();
        list.capacity.is_none_or(|capacity| freed.is_none_or(|freed| item < freed + capacity))
    }
}

/// Whether all images end, with the choice of what happens next taken from a tape.
pub(crate) fn finishes(work: &Workload, tile: &TileHardware, images: u64, tape: &mut Tape<'_>) -> bool {
    let none = || vec![vec![0; work.cores.len()]; work.regions.len()];
    let mut board = Board { work, written: none(), given: none(), early: vec![] };
    let mut players: Vec<Player> = work.cores.iter().map(|core| player(core, work, images)).collect();
    loop {
        let mut actions: Vec<(usize, usize)> = Vec::new();
        for (number, player) in players.iter().enumerate() {
            actions.extend(player.actions(number, &board, tile).into_iter().map(|action| (number, action)));
        }
        if actions.is_empty() {
            return players.iter().all(|player| player.steps.iter().all(|step| step.ended));
        }
        let (core, action) = actions[tape.below(actions.len() as u64) as usize];
        players[core].act(core, action, &mut board, tile);
    }
}

fn player(core: &Core, work: &Workload, images: u64) -> Player {
    let mut steps: Vec<Step> = Vec::new();
    let mut received = vec![0; work.regions.len()];
    for image in 0..images {
        let mut open = false;
        for &instruction in &core.instructions {
            let fetch = instruction.part() == Part::Fetch;
            if !open || (fetch && steps.last().is_some_and(|step| step.slices > 0 || !step.back.is_empty())) {
                steps.push(Step { image, ..Step::default() });
                open = true;
            }
            let Some(step) = steps.last_mut() else { continue };
            let mut number = 0;
            match instruction {
                Instruction::Mvm { slices } => step.slices = slices,
                Instruction::Receive { region } => {
                    number = received[region as usize];
                    received[region as usize] += 1;
                }
                _ => {}
            }
            match instruction.part() {
                Part::Fetch => step.fetch.push(instruction),
                Part::Arrays => {}
                Part::WriteBack => step.back.push((instruction, number)),
            }
        }
    }
    Player { steps, rooms: vec![0; work.regions.len()], coming: vec![] }
}

const FETCH: usize = 0;
const LATCH: usize = 1;
const CONVERT: usize = 2;
const OUTPUT: usize = 3;
const DELIVER: usize = 4;
const FIRST_STEP: usize = 5;

impl Player {
    /// What can happen: fetch, latch, convert, an output register, an item from the memory; of step `s` issue, done, complete, end.
    fn actions(&self, core: usize, board: &Board<'_>, tile: &TileHardware) -> Vec<usize> {
        let able = [
            self.can_fetch(core, board, tile),
            self.latching().is_some() && self.in_sample_hold() < tile.sample_hold_depth,
            self.converting().is_some(),
            self.can_start(tile),
            !self.coming.is_empty(),
        ];
        let parts = (0..FIRST_STEP).filter(|&part| able[part]);
        let steps = (0..self.steps.len()).flat_map(|at| {
            let able =
                [self.can_issue(at), self.can_be_done(at, board), self.steps[at].under_way > 0, self.can_end(at)];
            (0..4).filter(move |&kind| able[kind]).map(move |kind| FIRST_STEP + at * 4 + kind)
        });
        parts.chain(steps).collect()
    }

    fn fetching(&self) -> Option<usize> {
        self.steps.iter().position(|step| step.fetched < step.fetch.len() || !step.begun)
    }

    fn can_fetch(&self, core: usize, board: &Board<'_>, tile: &TileHardware) -> bool {
        let Some(at) = self.fetching() else { return false };
        let step = &self.steps[at];
        if !step.begun {
            let held = self.steps.iter().filter(|step| step.begun && !step.input_free).count();
            return held < tile.input_registers as usize;
        }
        match step.fetch[step.fetched] {
            Instruction::Wait { region, count } => {
                let items = board.work.regions[region as usize].items;
                (0..count).all(|item| board.is_there(region as usize, step.image * items + item))
            }
            Instruction::Room { region } => {
                let list = &board.work.regions[region as usize];
                let count = list.writers.len() as u64;
                let place = list.writers.iter().position(|&writer| writer as usize == core).unwrap() as u64;
                let own: Vec<u64> = (0..list.items).filter(|item| item % count == place).collect();
                let taken = self.rooms[region as usize];
                let (image, item) = (taken / own.len() as u64, own[taken as usize % own.len()]);
                board.has_room(region as usize, image * list.items + item)
            }
            _ => true,
        }
    }

    fn is_fetched(&self, at: usize) -> bool {
        self.steps[at].begun && self.steps[at].fetched == self.steps[at].fetch.len()
    }

    /// The step whose next slice the arrays read.
    fn latching(&self) -> Option<usize> {
        let at = self.steps.iter().position(|step| step.latched < step.slices)?;
        self.is_fetched(at).then_some(at)
    }

    fn in_sample_hold(&self) -> u32 {
        self.steps.iter().map(|step| step.latched - step.converted).sum()
    }

    fn converting(&self) -> Option<usize> {
        let at = self.steps.iter().position(|step| step.converted < step.slices)?;
        let step = &self.steps[at];
        (step.converted < step.latched && step.has_output).then_some(at)
    }

    fn can_start(&self, tile: &TileHardware) -> bool {
        let Some(at) = self.steps.iter().position(|step| !step.has_output) else { return false };
        let held = self.steps.iter().filter(|step| step.has_output && !step.ended).count();
        self.is_fetched(at) && held < tile.output_registers as usize
    }

    fn can_issue(&self, at: usize) -> bool {
        let step = &self.steps[at];
        let ready = step.has_output && step.converted == step.slices;
        let turn = at == 0 || {
            let before = &self.steps[at - 1];
            let begun = before.has_output && before.converted == before.slices;
            begun && (before.issued > step.issued || before.issued == before.back.len())
        };
        ready && turn && step.issued < step.back.len() && step.done == step.issued
    }

    fn can_be_done(&self, at: usize, board: &Board<'_>) -> bool {
        let step = &self.steps[at];
        if step.done == step.issued {
            return false;
        }
        match step.back[step.done] {
            (Instruction::Receive { region }, number) => (0..=number).all(|item| board.is_there(region as usize, item)),
            _ => true,
        }
    }

    fn can_end(&self, at: usize) -> bool {
        let step = &self.steps[at];
        let ready = step.has_output && step.converted == step.slices && !step.ended;
        ready && step.done == step.back.len() && step.under_way == 0
    }

    fn act(&mut self, core: usize, action: usize, board: &mut Board<'_>, tile: &TileHardware) {
        match action {
            FETCH => self.fetch(core, board),
            LATCH => {
                let at = self.latching().unwrap();
                let step = &mut self.steps[at];
                step.latched += 1;
                step.input_free |= step.latched == step.slices;
            }
            CONVERT => {
                let at = self.converting().unwrap();
                self.steps[at].converted += 1;
            }
            OUTPUT => {
                assert!(self.can_start(tile));
                self.steps.iter_mut().find(|step| !step.has_output).unwrap().has_output = true;
            }
            DELIVER => {
                let region = self.coming.remove(0);
                board.written[region][core] += 1;
            }
            _ => self.write_back(core, (action - FIRST_STEP) / 4, (action - FIRST_STEP) % 4, board),
        }
    }

    fn fetch(&mut self, core: usize, board: &mut Board<'_>) {
        let at = self.fetching().unwrap();
        let step = &mut self.steps[at];
        if !step.begun {
            step.begun = true;
            return;
        }
        match step.fetch[step.fetched] {
            Instruction::Room { region } => self.rooms[region as usize] += 1,
            Instruction::LoadMemory { region, .. } => self.coming.push(region as usize),
            Instruction::Free { region, count } => {
                let items = board.work.regions[region as usize].items;
                let given = &mut board.given[region as usize][core];
                *given = (*given).max(step.image * items + count);
            }
            _ => {}
        }
        step.fetched += 1;
    }

    fn write_back(&mut self, core: usize, at: usize, kind: usize, board: &mut Board<'_>) {
        let step = &mut self.steps[at];
        match kind {
            0 => {
                let (instruction, _) = step.back[step.issued];
                step.issued += 1;
                if matches!(instruction, Instruction::Send { .. } | Instruction::Store { .. }) {
                    step.under_way += 1;
                    step.done += 1;
                }
            }
            1 => {
                let (instruction, number) = step.back[step.done];
                step.done += 1;
                step.be_done((instruction, number), core, board);
            }
            2 => {
                // Which of those under way does not matter to the model, so the oldest of the step.
                let sent = step.back[..step.issued].iter().filter_map(|(instruction, _)| match instruction {
                    Instruction::Send { region, .. } | Instruction::Store { region, .. } => Some(*region as usize),
                    _ => None,
                });
                let sent: Vec<usize> = sent.collect();
                board.written[sent[sent.len() - step.under_way]][core] += 1;
                step.under_way -= 1;
            }
            _ => {
                step.ended = true;
                step.input_free = true;
            }
        }
    }
}

impl Step {
    fn be_done(&mut self, (instruction, number): (Instruction, u64), core: usize, board: &mut Board<'_>) {
        match instruction {
            Instruction::Receive { region } => {
                let rest = &self.back[self.done..];
                if rest.iter().any(|(instruction, _)| matches!(instruction, Instruction::Merge { .. })) {
                    self.held.push((region as usize, number));
                } else {
                    board.give_back(region as usize, core, number);
                }
            }
            Instruction::Merge { .. } => {
                self.held.drain(..).for_each(|(region, item)| board.give_back(region, core, item));
                self.input_free |= self.slices == 0;
            }
            Instruction::Vector { .. } => self.input_free |= self.slices == 0,
            _ => {}
        }
    }
}
