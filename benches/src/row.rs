//! One line of the results.

use serde::{Deserialize, Serialize};

/// What was measured of one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// `sgemm`, `array`, `network`, `programming` or `threads`.
    pub group: String,
    /// Which case.
    pub case: String,
    /// Instruction set of the kernel.
    pub isa: String,
    /// `cpu` time of the process or time on the `wall`.
    pub clock: String,
    /// What is counted.
    pub unit: String,
    /// How many of them a second.
    pub per_second: f64,
    /// Multiply-accumulates of cells a second: rows x columns x input bits per vector, a differential pair counted once, zeros included.
    pub cell_macs_per_second: Option<f64>,
    /// This over the multiply-adds a second of the faster single-precision matrix product at the same array size.
    pub ratio_to_sgemm: Option<f64>,
    /// `per_second` to reach.
    pub goal_per_second: Option<f64>,
    /// `ratio_to_sgemm` to reach; of networks, what `goal_per_second` is over the product of the core it was set on.
    pub goal_ratio: Option<f64>,
    /// What CrossSim 3.2 reached with the same settings, as stated in [`crate::references`].
    pub crosssim_per_second: Option<f64>,
    /// Rows and columns of the array, which say which matrix product is compared.
    #[serde(skip)]
    pub array_size: usize,
}

impl Row {
    /// `count` of `unit` in `seconds` of CPU time on the best instruction set.
    #[must_use]
    pub fn new(group: &str, case: &str, (count, unit): (f64, &str), seconds: f64) -> Self {
        Self {
            group: group.to_owned(),
            case: case.to_owned(),
            isa: tile::kernel::Isa::best().name().to_owned(),
            clock: "cpu".to_owned(),
            unit: unit.to_owned(),
            per_second: count / seconds,
            cell_macs_per_second: None,
            ratio_to_sgemm: None,
            goal_per_second: None,
            goal_ratio: None,
            crosssim_per_second: None,
            array_size: 128,
        }
    }

    /// With the multiply-accumulates of cells that one of `unit` takes.
    #[must_use]
    pub fn with_cell_macs(mut self, each: f64) -> Self {
        self.cell_macs_per_second = Some(each * self.per_second);
        self
    }

    /// Whether the row reaches its goal, if it has any: by its rate or, on a core of other speed, by its ratio to that core's matrix product.
    #[must_use]
    pub fn goal_reached(&self) -> Option<Reached> {
        let by_rate = self.goal_per_second.map(|goal| self.per_second >= goal);
        let by_ratio = self.goal_ratio.zip(self.ratio_to_sgemm).map(|(goal, ratio)| ratio >= goal);
        match (by_rate, by_ratio) {
            (None, None) => None,
            (Some(true), _) | (None, Some(true)) => Some(Reached::Yes),
            (Some(false), Some(true)) => Some(Reached::ByRatio),
            _ => Some(Reached::No),
        }
    }
}

/// What became of a goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// The row is as fast as its goal.
    Yes,
    /// Not as fast, but relative to the matrix product of its core at least as fast as the goal relative to that of the core it was set on.
    ByRatio,
    /// Neither.
    No,
}
