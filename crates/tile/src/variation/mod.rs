//! How the conductance of a programmed cell differs from its nominal value: one file a model.
//!
//! To add a model: write its file with a struct that implements [`VariationModel`], add a variant to [`Variation`] and a line to
//! [`VARIATIONS`].

mod ideal;
mod per_state;
mod polynomial;

pub use ideal::Ideal;
pub use per_state::PerState;
pub use polynomial::Polynomial;

use crate::check::Problems;
use serde::{Deserialize, Serialize};

/// The nominal state of a cell that a model is asked about.
#[derive(Clone, Copy, Debug)]
pub struct NominalState {
    /// Level, 0 = lowest conductance.
    pub level: usize,
    /// Number of levels.
    pub levels: usize,
    /// Nominal conductance, S.
    pub conductance_s: f64,
    /// Distance between neighbouring levels, S.
    pub spacing_s: f64,
}

/// Mean and standard deviation of `programmed - nominal` conductance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// Mean shift, S.
    pub mean_shift_s: f64,
    /// Standard deviation, S.
    pub sigma_s: f64,
}

/// A model of the programming error.
pub trait VariationModel {
    /// Mean and standard deviation of the error of a cell programmed to `state`.
    fn moments(&self, state: &NominalState) -> Moments;

    /// Adds the problems of the model's parameters, given the device's conductance range in S.
    fn check(&self, g_min_s: f64, g_max_s: f64, problems: &mut Problems);

    /// Whether the model knows cells with `levels` levels; otherwise what it knows.
    fn supports(&self, levels: usize) -> Result<(), String>;
}

/// The choice of model in a device file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Variation {
    /// No error.
    Ideal(Ideal),
    /// A table of the states.
    PerState(PerState),
    /// A polynomial of the conductance.
    Polynomial(Polynomial),
}

impl Variation {
    /// The model behind the choice.
    #[must_use]
    pub fn model(&self) -> &dyn VariationModel {
        match self {
            Self::Ideal(model) => model,
            Self::PerState(model) => model,
            Self::Polynomial(model) => model,
        }
    }
}

/// Name and description of every model, in the order they are listed to users.
pub const VARIATIONS: &[(&str, &str)] = &[
    ("ideal", "every cell has exactly its nominal conductance"),
    ("per-state", "mean shift and sigma of each state, in level spacings"),
    ("polynomial", "sigma is a polynomial of the nominal conductance, cut at zero"),
];
