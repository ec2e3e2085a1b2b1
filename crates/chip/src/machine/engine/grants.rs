//! Who gets the shared units, and what follows from it.

use super::Engine;
use super::agenda::Event;
use super::causes::Op;
use super::request::{Request, Wanted};
use super::tile::Edge;
use super::world::World;
use crate::machine::account::Class;

impl Engine<'_, '_> {
    /// Something of a core's tile is free, and the core may go on.
    pub(super) fn release(&mut self, core: u32) {
        let tile = self.cores[core as usize].core.tile;
        self.world.awake.add(core);
        self.release_tile(tile);
    }

    pub(super) fn release_tile(&mut self, tile: u32) {
        let World { tiles, granting, accounts, now, .. } = &mut self.world;
        tiles[tile as usize].release(*now, accounts);
        granting.add(tile);
    }

    pub(super) fn release_memory(&mut self) {
        let World { memory, accounts, now, .. } = &mut self.world;
        if let Some(core) = memory.release(*now, accounts) {
            self.cores[core as usize].loaded();
            self.world.awake.add(core);
        }
    }

    /// Grants what a tile can grant, or comes back at the next edge of its clock.
    pub(super) fn grant(&mut self, tile: u32) {
        let clock = self.world.hardware.clocks.digital;
        let now = self.world.now;
        let next_edge = self.world.next_edge(clock);
        let mut granted = Vec::new();
        let World { tiles, accounts, causes, hardware, agenda, .. } = &mut self.world;
        let state = &mut tiles[tile as usize];
        if state.is_idle() {
            return;
        }
        let again = !now.is_multiple_of(clock)
            || state.grant(Edge { now, clock }, hardware.tile.banks, (accounts, causes), |request, op| {
                granted.push((request, op));
            });
        if again && state.scheduled != next_edge {
            state.scheduled = next_edge;
            agenda.push(next_edge, Event::Tile(tile));
        }
        granted.into_iter().for_each(|(request, op)| self.granted(request, op));
    }

    pub(super) fn grant_memory(&mut self) {
        let clock = self.world.hardware.clocks.memory;
        let now = self.world.now;
        let World { memory, accounts, causes, .. } = &mut self.world;
        if now.is_multiple_of(clock) {
            if let Some((request, op)) = memory.grant(Edge { now, clock }, (accounts, causes)) {
                self.granted(request, op);
            }
        } else if !memory.requests.is_empty() && memory.scheduled < now {
            memory.scheduled = (now / clock + 1) * clock;
            let at = memory.scheduled;
            self.world.agenda.push(at, Event::MemoryEdge);
        }
    }

    /// A core, or a packet, has got what it asked for.
    fn granted(&mut self, request: Request, op: Op) {
        self.world.follow(request, op);
        let core = &mut self.cores[request.age.core as usize];
        match request.wanted {
            Wanted::Load { .. } | Wanted::Memory { .. } => {
                if let Wanted::Memory { packet, .. } = request.wanted {
                    self.world.packets.brought(packet, op);
                }
                core.fetch.cause = op;
                self.world.accounts.set(core.fetch.unit, Class::Busy, self.world.now);
            }
            Wanted::Add { .. } | Wanted::Vector { .. } => {
                core.computing(request.age.step, op);
                core.account(&mut self.world);
            }
            Wanted::Store { cycles, region, .. } => {
                let World { accounts, hardware, now, .. } = &mut self.world;
                if let Some(recorder) = &mut accounts.recorder {
                    let end = now.saturating_add(cycles.saturating_mul(hardware.clocks.digital));
                    recorder.item(core.write_back_unit, region, request.age.since, end);
                }
            }
            Wanted::Write { .. } => {}
        }
    }
}
