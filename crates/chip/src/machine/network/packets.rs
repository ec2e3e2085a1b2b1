//! Packets that have not arrived.

use super::plan::Seat;

/// A packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    pub(super) flits: u64,
    pub(super) goal: Seat,
    /// The tile that it goes to.
    pub(super) to: u32,
    /// The sender's name for it.
    pub(super) tag: u32,
}

/// All packets, by number. Numbers of packets that have arrived are given again.
#[derive(Debug, Default)]
pub(super) struct Packets {
    packets: Vec<Packet>,
    free: Vec<u32>,
}

impl Packets {
    pub(super) fn insert(&mut self, packet: Packet) -> u32 {
        if let Some(number) = self.free.pop() {
            self.packets[number as usize] = packet;
            return number;
        }
        self.packets.push(packet);
        (self.packets.len() - 1) as u32
    }

    pub(super) fn get(&self, number: u32) -> &Packet {
        &self.packets[number as usize]
    }

    pub(super) fn remove(&mut self, number: u32) -> Packet {
        self.free.push(number);
        self.packets[number as usize]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packets.len() == self.free.len()
    }
}
