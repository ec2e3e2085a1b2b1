//! What the timing tests share: builders of pipelines, a seeded generator, and models that are independent of the engine.
#![allow(dead_code, reason = "every test file uses a part")]

pub(crate) mod graph;
pub(crate) mod random;
pub(crate) mod stepped;

use chip::timing::model::{BankTiming, Flow, InputTiming, IntervalTiming, MvmTiming, StageTiming, UnitTiming};

/// A square window over a feature map.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    pub(crate) width: u64,
    pub(crate) height: u64,
    pub(crate) kernel: u64,
    pub(crate) stride: u64,
    pub(crate) pad: u64,
}

impl Geometry {
    /// Stride 1, no padding.
    pub(crate) fn plain(width: u64, height: u64, kernel: u64) -> Self {
        Self { width, height, kernel, stride: 1, pad: 0 }
    }

    /// Width and height of the output.
    pub(crate) fn output(&self) -> (u64, u64) {
        let along = |size: u64| (size + 2 * self.pad - self.kernel) / self.stride + 1;
        (along(self.width), along(self.height))
    }

    /// Every pixel that every window reads, found by enumeration.
    fn windows(&self) -> Vec<Vec<u64>> {
        let (columns, rows) = self.output();
        let along = |start: u64, size: u64| {
            (start * self.stride..start * self.stride + self.kernel)
                .filter_map(|at| at.checked_sub(self.pad))
                .filter(|at| *at < size)
                .collect::<Vec<_>>()
        };
        let mut windows = Vec::new();
        for row in 0..rows {
            for column in 0..columns {
                let (ys, xs) = (along(row, self.height), along(column, self.width));
                windows.push(ys.iter().flat_map(|y| xs.iter().map(move |x| y * self.width + x)).collect());
            }
        }
        windows
    }

    pub(crate) fn flow(&self, capacity: Option<u64>) -> Flow {
        let input_pixels = self.width * self.height;
        let windows = self.windows();
        let need = windows.iter().map(|read| *read.iter().max().unwrap()).collect();
        let freed = (1..=windows.len()).map(|q| windows[q..].iter().flatten().copied().min().unwrap_or(input_pixels));
        Flow { input_pixels, need, freed: freed.collect(), capacity }
    }
}

/// A stage whose window q is pixel q.
pub(crate) fn pixelwise(pixels: u64, capacity: Option<u64>) -> Flow {
    Flow { input_pixels: pixels, need: (0..pixels).collect(), freed: (1..=pixels).collect(), capacity }
}

/// One bank, double-buffered inputs, a sample-and-hold for one column vector.
pub(crate) fn single_bank(slices: u32, load: u64, read: u64, convert: u64, post: u64) -> MvmTiming {
    MvmTiming {
        slices,
        load,
        load_latency: 0,
        banks: vec![BankTiming { read, convert }],
        post,
        input_registers: 2,
        sample_hold_depth: 1,
    }
}

/// A stage that reads images.
fn reading(name: &str, unit: UnitTiming, flow: Flow) -> StageTiming {
    StageTiming { name: name.into(), unit, inputs: vec![InputTiming { source: 0, flow }] }
}

pub(crate) fn mvm(name: &str, unit: MvmTiming, flow: Flow) -> StageTiming {
    reading(name, UnitTiming::Mvm(unit), flow)
}

pub(crate) fn interval(name: &str, interval: u64, latency: u64, release: u64, flow: Flow) -> StageTiming {
    reading(name, UnitTiming::Interval(IntervalTiming { interval, latency, release }), flow)
}

/// Every stage reads the one before it.
pub(crate) fn chain(mut stages: Vec<StageTiming>) -> Vec<StageTiming> {
    for (at, stage) in stages.iter_mut().enumerate() {
        stage.inputs[0].source = at;
    }
    stages
}

/// Pixels that a buffer must hold, by walking through all windows of two images.
pub(crate) fn least_capacity(flow: &Flow) -> u64 {
    let mut required = 0;
    let mut freed = 0;
    for image in 0..2 {
        for (need, after) in flow.need.iter().zip(&flow.freed) {
            let needed = image * flow.input_pixels + need + 1;
            required = required.max(needed.saturating_sub(freed));
            freed = image * flow.input_pixels + after;
        }
    }
    required
}
