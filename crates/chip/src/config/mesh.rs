//! The network that joins the tiles.

use serde::{Deserialize, Serialize};
use tile::check::{Check, Problems};

/// A mesh of routers with XY routing; tiles are numbered row by row. Cycles are those of the network's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mesh {
    /// Tiles in a row.
    pub width: u32,
    /// Rows of tiles.
    pub height: u32,
    /// Tiles that share a router: 1, or 4 (a concentrated mesh: blocks of 2 x 2 tiles).
    pub concentration: u32,
    /// Width of a flit, bits; a link moves one per cycle.
    pub flit_bits: u32,
    /// Cycles in a router.
    pub router_cycles: u64,
    /// Cycles on the link to the next router.
    pub link_cycles: u64,
    /// Whether an input of a router has a queue for every output, so that packets for different outputs do not wait for one another.
    pub virtual_output_queues: bool,
    /// Flits that a queue of an input from a neighbour keeps.
    pub buffer_flits: u32,
    /// Cycles until a freed place is a credit of the router before.
    pub credit_cycles: u64,
}

impl Mesh {
    /// Place of a tile's router, column and row of the mesh of routers.
    #[must_use]
    pub fn router(&self, tile: u32) -> (u32, u32) {
        let side = if self.concentration == 4 { 2 } else { 1 };
        (tile % self.width / side, tile / self.width / side)
    }

    /// Hops between the routers of two tiles on an XY route.
    #[must_use]
    pub fn hops(&self, from: u32, to: u32) -> u64 {
        let (from, to) = (self.router(from), self.router(to));
        u64::from(from.0.abs_diff(to.0)) + u64::from(from.1.abs_diff(to.1))
    }

    /// Cycles per hop: router and link.
    #[must_use]
    pub fn hop_cycles(&self) -> u64 {
        self.router_cycles.saturating_add(self.link_cycles)
    }

    /// Number of tiles.
    #[must_use]
    pub fn tiles(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

impl Check for Mesh {
    fn check(&self, problems: &mut Problems) {
        problems.integer("width", self.width.into(), 1..=256);
        problems.integer("height", self.height.into(), 1..=256);
        let known = matches!(self.concentration, 1 | 4);
        problems.require("concentration", self.concentration, known, "1 or 4");
        if self.concentration == 4 {
            for (key, tiles) in [("width", self.width), ("height", self.height)] {
                problems.require(key, tiles, tiles % 2 == 0, "a multiple of 2 where mesh.concentration = 4");
            }
        }
        problems.integer("flit_bits", self.flit_bits.into(), 1..=4096);
        problems.integer("router_cycles", self.router_cycles, 0..=1000);
        problems.integer("link_cycles", self.link_cycles, 0..=1000);
        let allowed = "at least 1 where mesh.router_cycles = 0: a hop takes a cycle";
        problems.require("link_cycles", self.link_cycles, self.hop_cycles() > 0, allowed);
        problems.integer("buffer_flits", self.buffer_flits.into(), 1..=65_536);
        problems.integer("credit_cycles", self.credit_cycles, 1..=1000);
    }
}
