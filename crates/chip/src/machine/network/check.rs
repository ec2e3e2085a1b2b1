//! Which meshes there can be.

use tile::check::{Check, Problems};

use crate::machine::hardware::MeshHardware;

/// Cycles of anything; keeps instants far from the largest number.
pub(super) const MOST_CYCLES: u64 = 1_000_000;

/// Side of a mesh, which bounds the memory that routers take.
const MOST_TILES: u64 = 256;

impl Check for MeshHardware {
    fn check(&self, problems: &mut Problems) {
        problems.within("mesh", |mesh| {
            mesh.integer("width", self.width.into(), 1..=MOST_TILES);
            mesh.integer("height", self.height.into(), 1..=MOST_TILES);
            mesh.require("concentration", self.concentration, matches!(self.concentration, 1 | 4), "1 or 4");
            mesh.integer("flit_bits", self.flit_bits, 1..=u64::from(u32::MAX));
            mesh.integer("router_cycles", self.router_cycles, 0..=MOST_CYCLES);
            mesh.integer("link_cycles", self.link_cycles, 0..=MOST_CYCLES);
            let hop = self.router_cycles.saturating_add(self.link_cycles);
            mesh.require("router_cycles + link_cycles", hop, hop > 0, "at least 1");
            mesh.integer("buffer_flits", self.buffer_flits.into(), 1..=u64::from(u32::MAX));
            mesh.integer("credit_cycles", self.credit_cycles, 1..=MOST_CYCLES);
        });
    }
}
