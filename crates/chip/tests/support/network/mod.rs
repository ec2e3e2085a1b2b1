//! What the tests of the network share: a driver, addressed random traffic and a naive model.
#![allow(dead_code, reason = "every test file uses a part")]

pub(crate) mod driver;
pub(crate) mod naive;

use chip::machine::hardware::MeshHardware;
use tile::address::{Purpose, key};

/// Numbers that depend on a seed and their place only.
#[derive(Clone, Copy)]
pub(crate) struct Draws(pub(crate) u64);

impl Draws {
    /// A number from `low` to `high`, both included.
    pub(crate) fn within(self, place: &[u64], low: u64, high: u64) -> u64 {
        low + key(self.0, Purpose::Control, place) % (high - low + 1)
    }

    /// True with a probability.
    pub(crate) fn happens(self, place: &[u64], probability: f64) -> bool {
        (key(self.0, Purpose::Control, place) >> 11) as f64 * 2f64.powi(-53) < probability
    }

    /// Numbers in random order (Fisher and Yates).
    pub(crate) fn shuffle<T>(self, place: u64, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.within(&[place, last as u64], 0, last as u64) as usize);
        }
    }
}

/// A mesh with the least times and 8 flits a lane.
pub(crate) fn mesh(width: u32, height: u32) -> MeshHardware {
    MeshHardware {
        width,
        height,
        concentration: 1,
        flit_bits: 32,
        router_cycles: 1,
        link_cycles: 1,
        virtual_output_queues: false,
        buffer_flits: 8,
        credit_cycles: 1,
    }
}
