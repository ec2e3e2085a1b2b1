//! Pass `place`: which tile of the mesh is which.
//!
//! Partitioning numbers tiles in the order of the stages, which is their place row by row. Here tiles change places so that those that send
//! each other much lie near together: the flit hops of an image are the sum over pairs of tiles of flits times hops, which exchanges of two
//! tiles make smaller until none does any more.

use chip::program::Program;
use std::collections::BTreeMap;

/// How tiles get their places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// Row by row, in the order of the stages.
    #[default]
    RowMajor,
    /// In a square, those near together that send each other much.
    CommunicationAware,
}

/// Name and description of every placement.
pub const PLACEMENTS: &[(Placement, &str, &str)] = &[
    (Placement::RowMajor, "row-major", "tiles row by row, in the order of the stages"),
    (Placement::CommunicationAware, "communication-aware", "tiles that send each other much near together"),
];

impl Placement {
    /// Reads a name.
    ///
    /// # Errors
    /// The names there are.
    pub fn parse(name: &str) -> Result<Self, String> {
        let found = PLACEMENTS.iter().find(|(_, known, _)| *known == name).map(|(placement, _, _)| *placement);
        let names = || PLACEMENTS.iter().map(|(_, name, _)| *name).collect::<Vec<_>>().join(", ");
        found.ok_or_else(|| format!("unknown placement `{name}`; known: {}", names()))
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        PLACEMENTS.iter().find(|(placement, _, _)| *placement == self).map_or("", |(_, name, _)| name)
    }
}

/// Sweeps over all pairs of places at most; each makes the hops fewer.
const SWEEPS: usize = 32;

/// Flit hops of an image before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hops {
    /// As the stages were partitioned.
    pub before: u64,
    /// As placed.
    pub after: u64,
}

/// Gives tiles their places; never makes the hops more.
pub fn place(program: &mut Program, placement: Placement) -> Hops {
    let traffic = program.tile_traffic();
    let before = hops(program, &traffic, |tile| tile);
    if placement == Placement::RowMajor {
        return Hops { before, after: before };
    }
    let places = Plan::new(program, &traffic).improved().places();
    let place = |tile: u32| places.get(&tile).copied().unwrap_or(tile);
    let after = hops(program, &traffic, place);
    if after >= before {
        return Hops { before, after: before };
    }
    program.move_tiles(place);
    Hops { before, after }
}

fn hops(program: &Program, traffic: &BTreeMap<(u32, u32), u64>, place: impl Fn(u32) -> u32) -> u64 {
    let mesh = &program.chip.mesh;
    traffic.iter().map(|(&(from, to), flits)| flits * mesh.hops(place(from), place(to))).sum()
}

/// Tiles on places; a place may be empty.
struct Plan<'a> {
    program: &'a Program,
    /// The places that are looked at.
    places: Vec<u32>,
    /// The tile on each place, as its index into `tiles`.
    on: Vec<Option<usize>>,
    tiles: Vec<u32>,
    /// For every tile the others that it sends to or receives from, with the flits.
    neighbours: Vec<Vec<(usize, u64)>>,
    /// For every tile its index into `places`.
    at: Vec<usize>,
}

impl<'a> Plan<'a> {
    /// Tiles in their order along a snake through the smallest square that holds them, at the corner of the mesh that holds tile 0. The tile
    /// at the port of the memory keeps its place.
    fn new(program: &'a Program, traffic: &BTreeMap<(u32, u32), u64>) -> Self {
        let tiles: Vec<u32> = {
            let mut tiles: Vec<u32> = program.stages.iter().flat_map(chip::program::Stage::tiles).collect();
            tiles.extend(traffic.keys().flat_map(|&(from, to)| [from, to]));
            tiles.sort_unstable();
            tiles.dedup();
            tiles
        };
        let places = snake(program, tiles.len());
        let mut plan = Self {
            program,
            on: vec![None; places.len()],
            places,
            neighbours: vec![Vec::new(); tiles.len()],
            at: vec![0; tiles.len()],
            tiles,
        };
        for (&(from, to), &flits) in traffic {
            let index = |tile| plan.tiles.binary_search(&tile).unwrap_or(0);
            let (from, to) = (index(from), index(to));
            plan.neighbours[from].push((to, flits));
            plan.neighbours[to].push((from, flits));
        }
        plan.seat();
        plan
    }

    /// Puts the tile of the memory port on its place and the others in order on the rest.
    fn seat(&mut self) {
        let port = self.fixed();
        if let Some(port) = port {
            let place = self.places.iter().position(|&place| place == port).unwrap_or_else(|| {
                self.places.push(port);
                self.on.push(None);
                self.places.len() - 1
            });
            self.put(place, self.tiles.binary_search(&port).unwrap_or(0));
        }
        let mut free = 0;
        for tile in 0..self.tiles.len() {
            if Some(self.tiles[tile]) != port {
                while self.on[free].is_some() {
                    free += 1;
                }
                self.put(free, tile);
            }
        }
    }

    /// The tile that cannot move: where streamed images enter.
    fn fixed(&self) -> Option<u32> {
        let memory = &self.program.chip.memory;
        let port = memory.streams_images().then_some(memory.port_tile);
        port.filter(|port| self.tiles.binary_search(port).is_ok())
    }

    fn put(&mut self, place: usize, tile: usize) {
        (self.on[place], self.at[tile]) = (Some(tile), place);
    }

    /// The place of every tile.
    fn places(&self) -> BTreeMap<u32, u32> {
        self.tiles.iter().zip(&self.at).map(|(&tile, &at)| (tile, self.places[at])).collect()
    }

    /// Exchanges places as long as that makes the hops fewer.
    fn improved(mut self) -> Self {
        let fixed = self.fixed();
        let movable: Vec<usize> = (0..self.places.len()).filter(|&place| Some(self.places[place]) != fixed).collect();
        for _ in 0..SWEEPS {
            let mut better = false;
            for (index, &first) in movable.iter().enumerate() {
                for &second in &movable[index + 1..] {
                    better |= self.exchange_if_better(first, second);
                }
            }
            if !better {
                break;
            }
        }
        self
    }

    fn exchange_if_better(&mut self, first: usize, second: usize) -> bool {
        let pair = [self.on[first], self.on[second]];
        let cost = |plan: &Self| pair.iter().flatten().map(|&tile| plan.cost(tile)).sum::<u64>();
        let before = cost(self);
        self.exchange(first, second);
        if cost(self) < before {
            return true;
        }
        self.exchange(first, second);
        false
    }

    fn exchange(&mut self, first: usize, second: usize) {
        self.on.swap(first, second);
        for place in [first, second] {
            if let Some(tile) = self.on[place] {
                self.at[tile] = place;
            }
        }
    }

    /// Flit hops of what a tile sends and receives.
    fn cost(&self, tile: usize) -> u64 {
        let mesh = &self.program.chip.mesh;
        let place = self.places[self.at[tile]];
        self.neighbours[tile].iter().map(|&(other, flits)| flits * mesh.hops(place, self.places[self.at[other]])).sum()
    }
}

/// At least `count` places along a snake through a square, or through the whole mesh if it is narrower.
fn snake(program: &Program, count: usize) -> Vec<u32> {
    let mesh = &program.chip.mesh;
    let side = (1..).find(|side: &u32| u64::from(*side).pow(2) >= count as u64).unwrap_or(1);
    let width = side.max((count as u64).div_ceil(mesh.height.into()) as u32).min(mesh.width);
    let rows = (count as u64).div_ceil(width.into()) as u32;
    let row = |row: u32| {
        (0..width).map(move |column| row * mesh.width + if row.is_multiple_of(2) { column } else { width - 1 - column })
    };
    (0..rows.min(mesh.height)).flat_map(row).collect()
}
