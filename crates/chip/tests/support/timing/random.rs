//! Seeded random pipelines.

use chip::timing::model::{BankTiming, Flow, InputTiming, IntervalTiming, MvmTiming, StageTiming, UnitTiming};

use super::{Geometry, least_capacity, pixelwise};

/// SplitMix64: the same numbers on every machine and with every version of every library.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    /// True once in `n`.
    pub(crate) fn once_in(&mut self, n: u64) -> bool {
        self.within(1, n) == 1
    }
}

/// Which pipelines to draw.
#[derive(Clone, Copy)]
pub(crate) struct Recipe {
    /// Least length of every operation; 0 lets things happen in no time.
    pub(crate) least: u64,
    /// Most cycles of an operation.
    pub(crate) most: u64,
    /// Whether pipelined units stand among the MVM stages.
    pub(crate) mixed: bool,
}

pub(crate) fn mvm_unit(random: &mut Random, recipe: Recipe) -> MvmTiming {
    let mut cycles = |factor: u64| random.within(recipe.least, recipe.most * factor);
    let (load, post) = (cycles(3), cycles(1));
    let mut banks: Vec<BankTiming> = (0..3).map(|_| BankTiming { read: cycles(1), convert: cycles(1) }).collect();
    banks.truncate(random.within(1, 3) as usize);
    MvmTiming {
        slices: random.within(1, 4) as u32,
        load,
        load_latency: random.within(0, 3),
        banks,
        post,
        input_registers: random.within(1, 3) as u32,
        sample_hold_depth: random.within(1, 3) as u32,
    }
}

fn interval_unit(random: &mut Random, recipe: Recipe) -> IntervalTiming {
    IntervalTiming {
        interval: random.within(1, 4 * recipe.most),
        latency: random.within(recipe.least, 4 * recipe.most),
        release: random.within(0, recipe.most),
    }
}

/// A window over a map of the given size, of any kernel, stride and padding that fit it.
fn window_flow(random: &mut Random, width: u64, height: u64) -> (Flow, u64, u64) {
    let kernel = random.within(1, 3.min(width).min(height));
    let geometry =
        Geometry { width, height, kernel, stride: random.within(1, 2), pad: random.within(0, kernel.div_ceil(2) - 1) };
    let (columns, rows) = geometry.output();
    (geometry.flow(None), columns, rows)
}

/// Any flow that a machine could have: windows wait for ever later pixels and give them back early or late.
pub(crate) fn loose_flow(random: &mut Random, pixels: u64) -> Flow {
    let windows = random.within(1, 20);
    let mut need: Vec<u64> = (0..windows).map(|_| random.within(0, pixels - 1)).collect();
    need.sort_unstable();
    let mut freed = Vec::new();
    let mut before = 0;
    for next in need.iter().skip(1) {
        before = if random.once_in(2) { random.within(before, *next) } else { before };
        freed.push(before);
    }
    freed.push(pixels);
    Flow { input_pixels: pixels, need, freed, capacity: None }
}

/// Two or three stages with finite and unlimited buffers that are large enough.
pub(crate) fn pipeline(random: &mut Random, recipe: Recipe) -> Vec<StageTiming> {
    let count = random.within(2, 3);
    let (mut width, mut height) = (random.within(2, 6), random.within(2, 6));
    let loose = random.once_in(4);
    let mut stages: Vec<StageTiming> = Vec::new();
    for index in 0..count {
        let mut flow = if loose {
            let flow = loose_flow(random, width * height);
            (width, height) = (flow.need.len() as u64, 1);
            flow
        } else {
            let (flow, columns, rows) = window_flow(random, width, height);
            (width, height) = (columns, rows);
            flow
        };
        if !random.once_in(4) {
            flow.capacity = Some(least_capacity(&flow) + random.within(0, 6));
        }
        let unit = match recipe.mixed && random.once_in(2) {
            true => UnitTiming::Interval(interval_unit(random, recipe)),
            false => UnitTiming::Mvm(mvm_unit(random, recipe)),
        };
        let inputs = vec![InputTiming { source: index as usize, flow }];
        stages.push(StageTiming { name: format!("stage{index}"), unit, inputs });
    }
    stages
}

/// One to three residual blocks, whose skips may be too small: branches of windows that keep the size of a map, and joins of two of them.
/// Every result is read in the end.
pub(crate) fn residual(random: &mut Random, recipe: Recipe) -> Vec<StageTiming> {
    let (width, height) = (random.within(2, 5), random.within(2, 5));
    let mut graph = RandomGraph { random, recipe, width, height, stages: Vec::new() };
    let mut at = if graph.random.once_in(4) { 0 } else { graph.same(0) };
    for _ in 0..graph.random.within(1, 3) {
        let [main, shortcut] =
            [graph.random.within(1, 3), graph.random.within(0, 1)].map(|depth| graph.branch(at, depth));
        let sources = if graph.random.once_in(2) { [main, shortcut] } else { [shortcut, main] };
        at = graph.join(sources);
    }
    graph.stages
}

struct RandomGraph<'r> {
    random: &'r mut Random,
    recipe: Recipe,
    width: u64,
    height: u64,
    stages: Vec<StageTiming>,
}

impl RandomGraph<'_> {
    fn push(&mut self, inputs: Vec<InputTiming>) -> usize {
        let unit = match self.random.once_in(2) {
            true => UnitTiming::Interval(interval_unit(self.random, self.recipe)),
            false => UnitTiming::Mvm(mvm_unit(self.random, self.recipe)),
        };
        self.stages.push(StageTiming { name: format!("stage{}", self.stages.len()), unit, inputs });
        self.stages.len()
    }

    /// A window that keeps the size of its map, with a buffer that is large enough for itself.
    fn same(&mut self, source: usize) -> usize {
        let kernel = self.random.within(0, 1) * 2 + 1;
        let geometry = Geometry { width: self.width, height: self.height, kernel, stride: 1, pad: kernel / 2 };
        let flow = self.with_capacity(geometry.flow(None));
        self.push(vec![InputTiming { source, flow }])
    }

    fn with_capacity(&mut self, mut flow: Flow) -> Flow {
        if !self.random.once_in(4) {
            flow.capacity = Some(least_capacity(&flow) + self.random.within(0, 6));
        }
        flow
    }

    fn branch(&mut self, from: usize, depth: u64) -> usize {
        (0..depth).fold(from, |at, _| self.same(at))
    }

    fn join(&mut self, sources: [usize; 2]) -> usize {
        let pixels = self.width * self.height;
        let inputs = sources.map(|source| InputTiming { source, flow: self.with_capacity(pixelwise(pixels, None)) });
        self.push(inputs.to_vec())
    }
}
