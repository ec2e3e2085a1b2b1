//! What a simulation tells.

/// Result of [`simulate`](super::simulate). All times are in cycles, from cycle 0 in which the first image stands ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimingReport {
    /// Cycles until the last pixel of the last image is written by the last stage.
    pub cycles: u64,
    /// Cycles until every stage is idle. More than `cycles` only if the last image has pixels that no window waits for (the odd last row
    /// below a pooling of stride 2): they are computed although nobody reads them, and need not be in time.
    pub drained: u64,
    /// Cycle in which the last pixel of each image is written by the last stage; never decreasing.
    pub image_done: Vec<u64>,
    /// What each stage did, in the order of the pipeline.
    pub stages: Vec<StageActivity>,
}

impl TimingReport {
    /// The steady rate as `(cycles, images)`: the second half of the images took this many cycles.
    ///
    /// The first half is left out because the pipeline is still filling. A single image has no rate; it gives its own latency.
    pub fn steady_interval(&self) -> (u64, u64) {
        match self.image_done.as_slice() {
            [] => (0, 0),
            [only] => (*only, 1),
            [.., last] => {
                // For an odd number of images the middle one belongs to the first half.
                let from = (self.image_done.len() - 1) / 2;
                let start = self.image_done.get(from).copied().unwrap_or(0);
                (last - start, (self.image_done.len() - 1 - from) as u64)
            }
        }
    }
}

/// What a stage did, counted where it happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StageActivity {
    /// Name of the stage.
    pub name: String,
    /// Windows taken: loads of an MVM stage, starts of a pipelined unit.
    pub loads: u64,
    /// Pixels written to the buffers behind.
    pub pixels: u64,
    /// Cycles in which the load port was busy; 0 for a pipelined unit, which has none.
    pub load_busy: u64,
    /// Cycles in which the next window could have started (its pixels there, the port free, an input register free) but for the room in the
    /// buffers behind.
    pub stall: u64,
    /// Most pixels that the buffer of each input held when a cycle was over. A pixel holds its place from the start of its computation. 0
    /// for images. Buffers of this capacity change no time, unless stages take 0 cycles.
    pub peak_occupancy: Vec<u64>,
    /// The converter banks of an MVM stage, in order; empty for a pipelined unit.
    pub banks: Vec<BankActivity>,
}

/// What a converter bank and its arrays did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BankActivity {
    /// Slices read by the arrays.
    pub reads: u64,
    /// Slices converted.
    pub conversions: u64,
    /// Cycles in which the arrays were reading; waiting is not counted.
    pub array_busy: u64,
    /// Cycles in which the arrays had read a slice and waited for the sample-and-hold to take it.
    pub array_wait: u64,
    /// Cycles in which the converters were converting.
    pub converter_busy: u64,
}
