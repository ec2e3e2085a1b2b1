//! How long the network is busy with an image: no image comes faster than its busiest link carries what belongs to one.

use super::Program;

/// Outputs of a router to its neighbours.
const SIDES: usize = 4;

impl Program {
    /// Network cycles in which an image keeps the busiest link, way into a tile or network interface busy: each carries a flit a cycle.
    #[must_use]
    pub fn network_cycles(&self) -> u64 {
        let mesh = &self.chip.mesh;
        let tiles = mesh.tiles() as usize;
        let (mut into, mut out_of, mut links) = (vec![0_u64; tiles], vec![0_u64; tiles], vec![0_u64; tiles * SIDES]);
        for ((from, to), flits) in self.tile_traffic() {
            into[to as usize] += flits;
            out_of[from as usize] += flits;
            for link in self.route(from, to) {
                links[link] += flits;
            }
        }
        into.iter().chain(&out_of).chain(&links).copied().max().unwrap_or(0)
    }

    /// The links of an XY route, numbered by the router that they leave and the side.
    fn route(&self, from: u32, to: u32) -> impl Iterator<Item = usize> {
        let (width, mut at, to) = (self.chip.mesh.width, self.chip.mesh.router(from), self.chip.mesh.router(to));
        std::iter::from_fn(move || {
            let router = (at.1 * width + at.0) as usize * SIDES;
            let (side, next) = match (at.0.cmp(&to.0), at.1.cmp(&to.1)) {
                (std::cmp::Ordering::Less, _) => (0, (at.0 + 1, at.1)),
                (std::cmp::Ordering::Greater, _) => (1, (at.0 - 1, at.1)),
                (_, std::cmp::Ordering::Less) => (2, (at.0, at.1 + 1)),
                (_, std::cmp::Ordering::Greater) => (3, (at.0, at.1 - 1)),
                _ => return None,
            };
            at = next;
            Some(router + side)
        })
    }
}
