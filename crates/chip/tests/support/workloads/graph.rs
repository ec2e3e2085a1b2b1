//! Random graphs of stages, placed on the tiles of a chip.

use super::random::Random;
use super::windows::Windows;

/// From where a stage reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The image lies in the tiles from the start.
    Resident,
    /// A stage before, by number.
    Stage(usize),
}

/// How the cores of a stage go about a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// Order of fetch instructions, 0..4.
    pub(crate) order: u64,
    /// Loads per input.
    pub(crate) loads: u64,
    /// Whether every step of its cores beside the memory port reads an item from the memory.
    pub(crate) memory: bool,
    /// Additions: 0 none, 1 one behind every receive, 2 one behind all of them.
    pub(crate) merges: u64,
    /// Vector operations before sends and stores.
    pub(crate) vectors: u64,
    /// Whether some steps end with a vector operation.
    pub(crate) tail: bool,
    /// Bits of its items.
    pub(crate) bits: u64,
    /// Values of its operations.
    pub(crate) values: u64,
}

/// A stage with its cores.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) inputs: Vec<(Source, Windows)>,
    /// Windows, which are the items of its result.
    pub(crate) windows: u64,
    pub(crate) size: (u64, u64),
    /// Input slices of its `mvm`, if it has arrays.
    pub(crate) slices: Option<u32>,
    /// Tiles of the parts of every replica; the first part merges and writes the result.
    pub(crate) replicas: Vec<Vec<u32>>,
    /// Whether part `p` hands its sum to part `p - 1`, or all to the first.
    pub(crate) chained: bool,
    pub(crate) style: Style,
}

/// One to six stages, each of which reads one or two before it.
pub(crate) fn graph(tiles: u64, port: u32, random: &mut Random) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    let image = (random.within(1, 4), random.within(1, 4));
    let from_memory = random.once_in(3);
    if from_memory {
        stages.push(memory_stage(image, port, random));
    }
    for _ in 0..random.within(1, 6 - u64::from(from_memory)) {
        let stage = next_stage(&stages, image, from_memory, tiles, random);
        stages.push(stage);
    }
    stages
}

/// Reads images from the off-chip memory, item by item.
fn memory_stage(size: (u64, u64), port: u32, random: &mut Random) -> Stage {
    let style = Style { memory: true, loads: 0, merges: 0, vectors: 0, tail: false, ..style(random) };
    let replicas = vec![vec![port]];
    Stage { inputs: vec![], windows: size.0 * size.1, size, slices: None, replicas, chained: false, style }
}

fn next_stage(before: &[Stage], image: (u64, u64), from_memory: bool, tiles: u64, random: &mut Random) -> Stage {
    let mut sources = vec![match before.len() {
        0 => Source::Resident,
        n if random.once_in(4) && !from_memory => Source::Stage(random.within(0, n as u64 - 1) as usize),
        n if random.once_in(6) => Source::Stage(random.within(0, n as u64 - 1) as usize),
        n => Source::Stage(n - 1),
    }];
    if random.once_in(3) {
        sources.push(match before.len() {
            0 => Source::Resident,
            n if from_memory || random.once_in(2) => Source::Stage(random.within(0, n as u64 - 1) as usize),
            _ => Source::Resident,
        });
    }
    let size_of = |source: &Source| match source {
        Source::Resident => image,
        Source::Stage(stage) => before[*stage].size,
    };
    let (first, size) = first_windows(size_of(&sources[0]), random);
    let count = first.count();
    let mut windows = vec![first];
    for source in &sources[1..] {
        let (width, height) = size_of(source);
        let same = width * height == count && !random.once_in(3);
        windows.push(if same { Windows::items(count) } else { Windows::any(width * height, count, random) });
    }
    let parts = if random.once_in(3) { random.within(2, 3) } else { 1 };
    let copies = if random.once_in(3) { random.within(2, 3).min(count) } else { 1 };
    let mut tile = || random.within(0, tiles - 1) as u32;
    let replicas = (0..copies).map(|_| (0..parts).map(|_| tile()).collect()).collect();
    let slices = (!random.once_in(3)).then(|| random.within(1, 4) as u32);
    let chained = random.once_in(2);
    let inputs = sources.into_iter().zip(windows).collect();
    Stage { inputs, windows: count, size, slices, replicas, chained, style: style(random) }
}

/// Windows over a map, and the size of the result.
fn first_windows((width, height): (u64, u64), random: &mut Random) -> (Windows, (u64, u64)) {
    if random.once_in(4) {
        let count = random.within(1, 12);
        return (Windows::any(width * height, count, random), (count, 1));
    }
    let kernel = random.within(1, 3.min(width).min(height));
    let (stride, pad) = (random.within(1, 2), random.within(0, kernel.div_ceil(2) - 1));
    let along = |size: u64| (size + 2 * pad - kernel) / stride + 1;
    (Windows::square(width, height, kernel, stride, pad), (along(width), along(height)))
}

fn style(random: &mut Random) -> Style {
    Style {
        order: random.within(0, 3),
        loads: if random.once_in(4) { random.within(0, 2) } else { 1 },
        memory: random.once_in(4),
        merges: random.within(0, 2),
        vectors: random.within(0, 2),
        tail: random.once_in(4),
        bits: random.within(1, 80),
        values: random.within(1, 16),
    }
}
