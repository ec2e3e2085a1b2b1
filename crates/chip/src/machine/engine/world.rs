//! Everything around the cores: regions, tiles, memory, network, and what is still to happen.

use super::accounts::Accounts;
use super::agenda::{Agenda, Event};
use super::causes::{Causes, Op};
use super::packets::{Packets, Send};
use super::region::RegionState;
use super::request::{Age, Request, Wanted};
use super::tile::{MemoryPort, Tile};
use crate::machine::hardware::Hardware;
use crate::machine::network::Network;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What cores share.
pub(super) struct World<'a, 'r> {
    pub(super) hardware: &'a Hardware,
    pub(super) now: u64,
    pub(super) agenda: Agenda,
    pub(super) accounts: Accounts<'r>,
    pub(super) causes: Causes,
    pub(super) regions: Vec<RegionState<'a>>,
    pub(super) tiles: Vec<Tile>,
    pub(super) memory: MemoryPort,
    pub(super) network: Network,
    pub(super) packets: Packets,
    /// What was sent in this instant; queues take it in the order of age.
    pub(super) sends: Vec<(Age, Send)>,
    /// Cores that may be able to go on.
    pub(super) awake: Worklist,
    /// Tiles with something to grant.
    pub(super) granting: Worklist,
    /// Regions in which places were taken in this instant.
    pub(super) touched: Worklist,
}

/// Numbers that wait for their turn, each once.
///
/// Which comes first changes no cycle. It decides between operations that let another begin at the same instant, so that the critical path is the same with
/// and without skipping only if the lowest number comes first.
#[derive(Debug, Default)]
pub(super) struct Worklist {
    /// The last one that came comes first; empty if the lowest one does.
    stack: Vec<u32>,
    lowest: BinaryHeap<Reverse<u32>>,
    listed: Vec<bool>,
    lowest_first: bool,
}

impl Worklist {
    pub(super) fn new(count: usize, lowest_first: bool) -> Self {
        Self { stack: Vec::new(), lowest: BinaryHeap::new(), listed: vec![false; count], lowest_first }
    }

    pub(super) fn add(&mut self, number: u32) {
        let listed = &mut self.listed[number as usize];
        if !std::mem::replace(listed, true) {
            if self.lowest_first {
                self.lowest.push(Reverse(number));
            } else {
                self.stack.push(number);
            }
        }
    }

    pub(super) fn add_all(&mut self) {
        (0..self.listed.len() as u32).for_each(|number| self.add(number));
    }

    pub(super) fn take(&mut self) -> Option<u32> {
        let number = self.stack.pop().or_else(|| self.lowest.pop().map(|Reverse(number)| number))?;
        self.listed[number as usize] = false;
        Some(number)
    }
}

impl World<'_, '_> {
    /// Schedules an event `cycles` cycles of a clock from now.
    pub(super) fn after(&mut self, cycles: u64, clock: u64, event: Event) {
        self.agenda.after(self.now, cycles.saturating_mul(clock), event);
    }

    /// Whether this instant is an edge of a clock.
    pub(super) fn is_edge(&self, clock: u64) -> bool {
        clock == 1 || self.now.is_multiple_of(clock)
    }

    /// The next edge of a clock, which lies behind this instant.
    pub(super) fn next_edge(&self, clock: u64) -> u64 {
        (self.now / clock + 1) * clock
    }

    pub(super) fn wake_readers(&mut self, region: u32) {
        for &core in &self.regions[region as usize].region().readers {
            self.awake.add(core);
        }
    }

    pub(super) fn wake_writers(&mut self, region: u32) {
        for &core in &self.regions[region as usize].region().writers {
            self.awake.add(core);
        }
    }

    /// An item of a core is in a region.
    pub(super) fn write(&mut self, region: u32, item: u64, core: u32, by: Op) {
        self.regions[region as usize].write(core, item, by);
        self.wake_readers(region);
    }

    pub(super) fn request(&mut self, tile: u32, request: Request) {
        if matches!(request.wanted, Wanted::Memory { .. }) {
            self.memory.requests.add(request);
        } else {
            self.tiles[tile as usize].request(request);
            self.granting.add(tile);
        }
    }
}
