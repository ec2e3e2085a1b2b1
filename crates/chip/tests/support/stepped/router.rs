//! Section 5: a router, without what it does.

use std::collections::VecDeque;

use chip::machine::hardware::MeshHardware;

use super::formulas::router as router_of;

/// A way into or out of a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Tile(u32),
    West,
    East,
    North,
    South,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flit {
    /// Number of the packet.
    pub(crate) packet: usize,
    pub(crate) head: bool,
    pub(crate) tail: bool,
}

/// A queue of flits at an input. Without virtual output queues every input has one, number 0; with them one for each output, by its number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lane {
    pub(crate) flits: VecDeque<Flit>,
}

#[derive(Clone, Debug)]
pub(crate) struct Output {
    /// Packet that it belongs to, and the input from which it comes.
    pub(crate) owner: Option<(usize, usize)>,
    /// Input that won last.
    pub(crate) last: Option<usize>,
    /// Credits for the lanes of the neighbour.
    pub(crate) credits: Vec<u32>,
    /// Credits on their way: instant and lane.
    pub(crate) returning: Vec<(u64, usize)>,
    /// Flits on the link: instant of arrival and flit.
    pub(crate) on_link: VecDeque<(u64, Flit)>,
    /// Whether a flit left in the last network cycle.
    pub(crate) moved: bool,
    /// Flits that left.
    pub(crate) flits: u64,
}

pub(crate) struct Router {
    pub(crate) at: (u32, u32),
    pub(crate) ways: Vec<Way>,
    /// Lanes of every input.
    pub(crate) inputs: Vec<Vec<Lane>>,
    pub(crate) outputs: Vec<Output>,
}

impl Router {
    pub(crate) fn new(at: (u32, u32), last: (u32, u32), mesh: &MeshHardware, virtual_output_queues: bool) -> Self {
        let tiles = (0..mesh.width * mesh.height).filter(|tile| router_of(mesh, *tile) == at).map(Way::Tile);
        let neighbours =
            [(Way::West, at.0 > 0), (Way::East, at.0 < last.0), (Way::North, at.1 > 0), (Way::South, at.1 < last.1)];
        let ways: Vec<Way> = tiles.chain(neighbours.into_iter().filter(|at| at.1).map(|at| at.0)).collect();
        // A router has at most four tiles and four neighbours.
        let lanes = if virtual_output_queues { 8 } else { 1 };
        let output = Output {
            owner: None,
            last: None,
            credits: vec![mesh.buffer_flits; lanes],
            returning: Vec::new(),
            on_link: VecDeque::new(),
            moved: false,
            flits: 0,
        };
        let inputs = vec![vec![Lane::default(); lanes]; ways.len()];
        Self { at, outputs: vec![output; ways.len()], inputs, ways }
    }
}
