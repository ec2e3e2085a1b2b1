//! What is to be reached, and what the fastest peer reaches.
//!
//! The peer is CrossSim 3.2 (Sandia National Laboratories), measured on one core, in images per CPU-second, with the settings of
//! [`crate::compiled`]: 8-bit weights in four 2-bit slices, pairs subtracted in the array, 8-bit inputs one bit a cycle, an 8-bit conversion per
//! input bit and slice, 128 x 128 arrays, 5 % programming error. These are stated figures: CrossSim does not run when ohmic is measured.

/// A goal, and what the peer reaches.
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    /// Case of the group `network`.
    pub case: &'static str,
    /// To be reached, images per CPU-second.
    pub goal_per_second: Option<f64>,
    /// CrossSim 3.2, images per CPU-second; of a range, the highest.
    pub crosssim_per_second: Option<f64>,
}

/// Of networks.
pub const NETWORKS: &[Reference] = &[
    reference("mlp-784-256-10", Some(30_000.0), 1512.0),
    reference("mlp-784-256-10-no-error", None, 2157.0),
    // 3.5 to 22.
    reference("mlp-784-256-10-read-noise", Some(5_000.0), 22.0),
    reference("lenet-5", Some(6_000.0), 129.0),
    reference("resnet-8", Some(350.0), 9.3),
    reference("resnet-20", Some(110.0), 2.8),
];

/// Multiply-adds a second of the best matrix product on the core that the goals of networks were set on (Zen 5, 1000 x 128 x 128). On another core,
/// what counts is the ratio to its own product: a goal's cell-MAC/s over this is [`Row::goal_ratio`](crate::row::Row::goal_ratio).
pub const SGEMM_OF_GOALS: f64 = 120e9;
/// Multiply-accumulates of cells over multiply-adds of the faster matrix product, of one 128 x 128 array with its converters.
pub const KERNEL_RATIO: f64 = 2.0;
/// Programmed cells per CPU-second.
pub const PROGRAMMED_CELLS: f64 = 300e6;
/// Speed of two threads over one.
pub const TWO_THREADS: f64 = 1.85;
/// The same of trainings.
pub const TWO_THREADS_TRAINING: f64 = 1.8;

const fn reference(case: &'static str, goal_per_second: Option<f64>, crosssim: f64) -> Reference {
    Reference { case, goal_per_second, crosssim_per_second: Some(crosssim) }
}
