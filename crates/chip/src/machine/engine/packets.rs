//! Packets: what is sent over the network, and what arrives.

use super::Engine;
use super::agenda::Event;
use super::causes::Op;
use super::request::{Age, Request, Wanted};
use super::world::World;
use crate::machine::account::{Class, Cycles};
use crate::machine::hardware::MeshHardware;
use crate::machine::network::{Happening, Network, NetworkSpan};
use crate::machine::report::{Unit, UnitKind, UnitReport};

/// A packet on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    /// Who sent it, and when.
    pub(super) age: Age,
    pub(super) region: u32,
    pub(super) bits: u64,
    /// Number of its item in the run.
    pub(super) item: u64,
    /// What let it be sent, and then what brought it.
    pub(super) cause: Op,
    /// Whether it comes from the memory, not over the network.
    pub(super) from_memory: bool,
}

/// A packet for the queue of a network interface.
#[derive(Clone, Copy, Debug)]
pub(super) struct Send {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) flits: u64,
    pub(super) tag: u32,
}

/// The packets on their way, by tag.
#[derive(Debug, Default)]
pub(super) struct Packets {
    packets: Vec<Packet>,
    free: Vec<u32>,
}

impl Packets {
    pub(super) fn add(&mut self, packet: Packet) -> u32 {
        if let Some(tag) = self.free.pop() {
            self.packets[tag as usize] = packet;
            return tag;
        }
        self.packets.push(packet);
        (self.packets.len() - 1) as u32
    }

    pub(super) fn get(&self, tag: u32) -> Packet {
        self.packets[tag as usize]
    }

    /// The memory port has begun to bring it.
    pub(super) fn brought(&mut self, tag: u32, by: Op) {
        self.packets[tag as usize].cause = by;
    }

    /// Forgets a packet that has been written.
    pub(super) fn remove(&mut self, tag: u32) -> Packet {
        self.free.push(tag);
        self.packets[tag as usize]
    }
}

impl Engine<'_, '_> {
    /// A packet asks for a place in the buffer of its tile.
    pub(super) fn arrive(&mut self, tag: u32) {
        let packet = self.world.packets.get(tag);
        let core = &mut self.cores[packet.age.core as usize];
        core.work.sent_words += self.world.hardware.tile.words(packet.bits);
        core.work.sent_bits += packet.bits;
        let cause = self.world.causes.note(core.unit(UnitKind::Interface), packet.cause, self.world.now);
        self.world.ask_to_write(tag, cause);
    }

    /// What was loaded from the memory asks for a place in the buffer at the port.
    pub(super) fn delivered(&mut self, tag: u32) {
        let packet = self.world.packets.get(tag);
        let core = &mut self.cores[packet.age.core as usize];
        core.work.store_words += self.world.hardware.tile.words(packet.bits);
        core.work.store_bits += packet.bits;
        let mut cause = packet.cause;
        if self.world.hardware.memory.latency > 1 {
            cause = self.world.causes.note(core.unit(UnitKind::MemoryLatency), cause, self.world.now);
        }
        self.world.ask_to_write(tag, cause);
    }

    /// A packet is in the buffer.
    pub(super) fn packet_written(&mut self, tag: u32, op: Op) {
        let packet = self.world.packets.remove(tag);
        let core = &self.cores[packet.age.core as usize];
        let from = if packet.from_memory { core.fetch.unit } else { core.write_back_unit };
        if let Some(recorder) = &mut self.world.accounts.recorder {
            recorder.item(from, packet.region, packet.age.since, self.world.now);
        }
        self.written((packet.region, packet.item), packet.age.core, op);
        self.release_tile(self.world.regions[packet.region as usize].region().tile);
    }

    /// Hands over what was sent in this instant, and moves flits.
    pub(super) fn network(&mut self) {
        let World { network, now, agenda, hardware, sends, packets, .. } = &mut self.world;
        sends.sort_unstable_by_key(|(age, _)| *age);
        for (_, send) in sends.drain(..) {
            // Checked workloads name no tile beyond the mesh.
            let _ = network.send(*now, send.from, send.to, send.flits, send.tag);
        }
        if now.is_multiple_of(hardware.clocks.network) {
            network.step(*now, &mut self.happenings);
        }
        let mut arrived = Vec::new();
        for happening in self.happenings.drain(..) {
            match happening {
                Happening::Injected { tag, at } => {
                    // The packet may be written, and its tag be given to another one, before `at`: routers may take no time.
                    let Packet { age, cause, .. } = packets.get(tag);
                    agenda.push(at, Event::Injected(age.core, age.step, cause));
                }
                Happening::Arrived { tag, at, .. } if at == *now => arrived.push(tag),
                Happening::Arrived { tag, at, .. } => agenda.push(at, Event::Arrived(tag)),
            }
        }
        self.network_at = network.next(*now);
        self.world.record_network();
        arrived.into_iter().for_each(|tag| self.arrive(tag));
    }
}

impl World<'_, '_> {
    /// Tells the recorder what network interfaces and links did.
    pub(super) fn record_network(&mut self) {
        let first = self.accounts.len();
        let Some(recorder) = &mut self.accounts.recorder else { return };
        for NetworkSpan { unit, busy, start, end } in self.network.watched() {
            recorder.span(first + unit, if busy { Class::Busy } else { Class::Link }, start, end);
        }
    }

    /// Requests a port of the buffer for what has arrived.
    fn ask_to_write(&mut self, tag: u32, cause: Op) {
        let packet = self.packets.get(tag);
        let cycles = self.hardware.tile.transfer_cycles(packet.bits);
        let age = Age { since: self.now, is_core: false, ..packet.age };
        let bank = u64::from(packet.region).wrapping_add(packet.item);
        let tile = self.regions[packet.region as usize].region().tile;
        self.request(tile, Request { age, wanted: Wanted::Write { cycles, bank, packet: tag }, cause });
    }
}

/// The network interfaces and links.
pub(super) fn network_units(network: &Network, mesh: &MeshHardware, end: u64) -> Vec<UnitReport> {
    let unit = |tile, kind, busy, blocked| {
        let mut cycles = Cycles::default();
        cycles.add(Class::Busy, busy);
        cycles.add(Class::Link, blocked);
        cycles.add(Class::Idle, end.saturating_sub(busy + blocked));
        UnitReport { unit: Unit { tile, core: None, kind }, cycles }
    };
    let interfaces = (0..).zip(network.interfaces(end));
    let mut units: Vec<UnitReport> =
        interfaces.map(|(tile, of)| unit(tile, UnitKind::Interface, of.busy, of.blocked)).collect();
    units.extend(network.links(end).map(|of| {
        let to = mesh.first_tile(of.direction.from(of.router));
        unit(mesh.first_tile(of.router), UnitKind::Link(to), of.busy, of.blocked)
    }));
    units
}
