//! What the timing engine needs to know of a program: integer cycles and pixel indices, nothing else.
//!
//! A pipeline is a directed acyclic graph of stages, each listed behind its sources. Every stage reads windows of its input feature maps,
//! pixel by pixel in raster order, and writes one output pixel (all channels) per window; that pixel is an input pixel of every stage that
//! reads the result. The last stage of the list gives the result of an image.

/// One stage of the pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageTiming {
    /// Name of the stage, for reports and errors.
    pub name: String,
    /// How long it works on one window.
    pub unit: UnitTiming,
    /// What it reads, each through a buffer of its own: one input, or several that are joined. All have the same number of windows.
    pub inputs: Vec<InputTiming>,
}

/// One input of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputTiming {
    /// Where its pixels come from: 0 is the images, which stand ready, `k` the `k`-th stage, which must stand before this one.
    pub source: usize,
    /// Which of them each window waits for and gives back.
    pub flow: Flow,
}

impl StageTiming {
    /// Windows of an image, hence pixels of the result.
    #[must_use]
    pub fn windows(&self) -> u64 {
        self.inputs.first().map_or(0, |input| input.flow.need.len() as u64)
    }
}

/// The two kinds of unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnitTiming {
    /// Crossbars with their converters, one matrix-vector product (MVM) per window.
    Mvm(MvmTiming),
    /// A pipelined unit with a fixed initiation interval (vector unit, pooling).
    Interval(IntervalTiming),
}

/// Stage times of an MVM, in cycles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MvmTiming {
    /// Input slices per MVM, `ceil(input_bits / dac_bits)`.
    pub slices: u32,
    /// Occupancy of the load port per MVM.
    pub load: u64,
    /// Further latency, pipelined behind the port, until loaded inputs may be used.
    pub load_latency: u64,
    /// Converter banks that work side by side on the same inputs; an MVM is done when all are.
    pub banks: Vec<BankTiming>,
    /// Pipelined latency from the last conversion to the pixel being in the next buffer.
    pub post: u64,
    /// Input vectors that can be held at once (2 = double buffer).
    pub input_registers: u32,
    /// Column vectors that the sample-and-hold can keep.
    pub sample_hold_depth: u32,
}

/// The arrays of one converter bank, which work in lock-step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BankTiming {
    /// Cycles of one array read (DAC, settling, sampling) for one input slice.
    pub read: u64,
    /// Cycles to convert all columns of the bank's arrays for one input slice.
    pub convert: u64,
}

/// A pipelined unit, in cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntervalTiming {
    /// Least distance between two starts.
    pub interval: u64,
    /// From start to the pixel being in the next buffer.
    pub latency: u64,
    /// From start to the return of the buffer slots the window gives back.
    pub release: u64,
}

/// Pixel dependences of one image. Windows and pixels are numbered in raster order from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Pixels of the input feature map.
    pub input_pixels: u64,
    /// `need[q]`: last input pixel of window q. One entry per window, hence per output pixel.
    pub need: Vec<u64>,
    /// `freed[q]`: number of leading input pixels that no window after q reads; the last entry is `input_pixels`.
    pub freed: Vec<u64>,
    /// Input pixels the buffer can hold; `None` is unlimited. Ignored for images, which stand ready.
    pub capacity: Option<u64>,
}
