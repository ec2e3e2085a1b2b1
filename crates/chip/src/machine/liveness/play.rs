//! The game: all cores of a workload, each woken when a region that it writes or reads has changed.

use super::core::{Player, Waits};
use super::error::{Grown, Stuck};
use super::region::Board;
use crate::machine::hardware::TileHardware;
use crate::machine::work::Workload;

pub(super) struct Play<'a> {
    work: &'a Workload,
    board: Board,
    cores: Vec<Player<'a>>,
    /// Cores that may be able to go on.
    awake: Vec<u32>,
    /// Whether a core is in that list.
    listed: Vec<bool>,
}

impl<'a> Play<'a> {
    pub(super) fn new(work: &'a Workload, tile: &TileHardware) -> Self {
        let player = |(number, core)| Player::new(number as u32, core, tile);
        Self {
            work,
            board: Board::new(work),
            cores: work.cores.iter().enumerate().map(player).collect(),
            awake: (0..work.cores.len() as u32).rev().collect(),
            listed: vec![true; work.cores.len()],
        }
    }

    /// Plays until no core can go on.
    pub(super) fn run(&mut self) {
        while let Some(core) = self.awake.pop() {
            self.listed[core as usize] = false;
            self.cores[core as usize].run(&mut self.board);
            self.board.changed.sort_unstable();
            self.board.changed.dedup();
            for region in self.board.changed.drain(..) {
                let region = &self.work.regions[region as usize];
                for &other in region.writers.iter().chain(&region.readers) {
                    wake(other, &mut self.awake, &mut self.listed);
                }
            }
        }
    }

    /// A core that stands still: one that waits for items, if there is such a one, or else for room, or else for a register.
    pub(super) fn stuck(&self) -> Option<Stuck> {
        let rank = |player: &Player<'_>| match (player.receiving(), player.waits()) {
            (Some(instruction), _) => Some((0, instruction)),
            (None, Waits::Items { instruction }) => Some((1, instruction)),
            (None, Waits::Room { instruction, .. }) => Some((2, instruction)),
            (None, Waits::Register { instruction }) => Some((3, instruction)),
            (None, Waits::Done) => None,
        };
        let stuck = self.cores.iter().enumerate().filter(|(_, player)| !player.is_done());
        let ranked = stuck.filter_map(|(core, player)| rank(player).map(|(rank, at)| (rank, core, at)));
        ranked.min().map(|(_, core, instruction)| Stuck { core, instruction })
    }

    /// A full region that has to grow, and the capacity that lets a core go on. That is the first one whose last reader waits for items of another
    /// region: behind those whose readers only wait for room themselves stands one of that kind, or a circle.
    pub(super) fn blocking(&self) -> Option<(u32, u64)> {
        let full: Vec<(u32, u64)> =
            self.cores.iter().enumerate().filter_map(|(core, player)| self.full(core, player)).collect();
        let root = |&&(region, _): &&(u32, u64)| {
            let reader = self.board.regions[region as usize].last_reader();
            reader.is_some_and(|reader| self.waits_for_items(reader))
        };
        let region = full.iter().find(root).or(full.first())?.0;
        full.into_iter().filter(|&(other, _)| other == region).min()
    }

    /// The region for which a core waits for room, with the capacity that it would need.
    fn full(&self, core: usize, player: &Player<'_>) -> Option<(u32, u64)> {
        let Waits::Room { region, earlier, .. } = player.waits() else { return None };
        let items = &self.board.regions[region as usize];
        Some((region, items.room_for(items.item(core as u32, earlier))))
    }

    fn waits_for_items(&self, core: u32) -> bool {
        let player = &self.cores[core as usize];
        player.receiving().is_some() || matches!(player.waits(), Waits::Items { .. })
    }

    pub(super) fn grow(&mut self, (region, capacity): (u32, u64)) {
        self.board.regions[region as usize].set_capacity(capacity);
        for &writer in &self.work.regions[region as usize].writers {
            wake(writer, &mut self.awake, &mut self.listed);
        }
    }

    /// All regions that had to grow.
    pub(super) fn grown(&self) -> Vec<Grown> {
        let grown = |(number, region): (usize, &crate::machine::work::Region)| {
            let (capacity, required) = (region.capacity?, self.board.regions[number].capacity()?);
            let name = region.name.clone();
            (required > capacity).then_some(Grown { region: number as u32, name, capacity, required })
        };
        self.work.regions.iter().enumerate().filter_map(grown).collect()
    }
}

fn wake(core: u32, awake: &mut Vec<u32>, listed: &mut [bool]) {
    if !std::mem::replace(&mut listed[core as usize], true) {
        awake.push(core);
    }
}
