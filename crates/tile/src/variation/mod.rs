//! How the conductance of a programmed cell differs from its nominal value: one file a model.
//!
//! To add a model: write its file with a struct that implements [`VariationModel`], add a variant to [`Variation`] and a line to
//! [`VARIATIONS`].

pub mod csv;
mod ideal;
mod independent;
mod law;
mod lognormal;
mod measured;
mod per_state;
mod polynomial;
mod proportional;
mod saturating;

pub use ideal::Ideal;
pub use independent::Independent;
pub use law::Law;
pub use lognormal::Lognormal;
pub use measured::Measured;
pub use per_state::PerState;
pub use polynomial::Polynomial;
pub use proportional::Proportional;
pub use saturating::Saturating;
pub(crate) use saturating::saturating;

use crate::check::Problems;
use crate::statistics::Z_975;
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
    /// Time from programming to reading, s; 0 = when the variation was measured.
    pub read_after_s: f64,
}

/// Mean and standard deviation of `programmed - nominal` conductance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// Mean shift, S.
    pub mean_shift_s: f64,
    /// Standard deviation, S.
    pub sigma_s: f64,
}

/// What the device around a model is used for.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    /// Conductance of level 0, S.
    pub g_min_s: f64,
    /// Conductance of the highest level, S.
    pub g_max_s: f64,
    /// Time from programming to reading, s.
    pub read_after_s: f64,
    /// Cells measured per state.
    pub samples_per_state: u32,
}

impl Conditions {
    /// Requires the device's range to lie in that of a fit.
    pub(crate) fn demand_fitted(&self, fitted_min_s: f64, fitted_max_s: f64, problems: &mut Problems) {
        // A rounding of the last digit must not refuse a range that ends where the fit ends.
        let inside = self.g_min_s >= fitted_min_s * (1.0 - 1e-9) && self.g_max_s <= fitted_max_s * (1.0 + 1e-9);
        problems.require(
            "fitted_min_s, fitted_max_s",
            format!("{fitted_min_s:e} to {fitted_max_s:e} S"),
            inside,
            format!("must contain g_min_s to g_max_s ({:e} to {:e} S)", self.g_min_s, self.g_max_s),
        );
    }
}

/// A model of the programming error.
pub trait VariationModel {
    /// Mean and standard deviation of the error of a cell programmed to `state`.
    fn moments(&self, state: &NominalState) -> Moments;

    /// The law of a programmed cell; normal unless a model says otherwise.
    fn law(&self, state: &NominalState) -> Law {
        Law::Normal(self.moments(state))
    }

    /// Adds the problems of the model's parameters.
    fn check(&self, conditions: &Conditions, problems: &mut Problems);

    /// Whether the model knows cells with `levels` levels; otherwise what it knows.
    ///
    /// # Errors
    /// If it does not.
    fn supports(&self, _levels: usize) -> Result<(), String> {
        Ok(())
    }

    /// Whether the moments depend on the time of reading.
    fn depends_on_time(&self) -> bool {
        false
    }

    /// Ends of the 95 % confidence interval of a state's error, relative to the error: `1 -+ 1.96 / sqrt(2 n)`, the large-sample interval of
    /// a standard deviation estimated from n normal samples.
    fn error_factors95(&self, _state: &NominalState, samples_per_state: u32) -> (f64, f64) {
        let half_width = Z_975 / (2.0 * f64::from(samples_per_state)).sqrt();
        ((1.0 - half_width).max(0.0), 1.0 + half_width)
    }
}

/// The state of a table of `states` that stands for a level: the nearest one of as many, equally numbered.
fn nearest_state(states: usize, level: usize, levels: usize) -> usize {
    let steps = levels.saturating_sub(1).max(1);
    (2 * level * states.saturating_sub(1) + steps) / (2 * steps)
}

/// Whether a table of `states` serves cells of `levels`: it must have a state for each.
fn serves(states: usize, levels: usize) -> Result<(), String> {
    if (2..=states).contains(&levels) {
        return Ok(());
    }
    let most = states.max(2).ilog2();
    let bits = if most == 1 { "1".to_owned() } else { format!("1 to {most}") };
    Err(format!("{bits} (its table has {states} states)"))
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
    /// Proportional to the conductance.
    Proportional(Proportional),
    /// The same for every state.
    Independent(Independent),
    /// Lognormal conductances.
    Lognormal(Lognormal),
    /// Saturating with the current, tabulated over time.
    Saturating(Saturating),
    /// Raw measurements.
    Measured(Measured),
}

impl Variation {
    /// The model behind the choice.
    #[must_use]
    pub fn model(&self) -> &dyn VariationModel {
        match self {
            Self::Ideal(model) => model,
            Self::PerState(model) => model,
            Self::Polynomial(model) => model,
            Self::Proportional(model) => model,
            Self::Independent(model) => model,
            Self::Lognormal(model) => model,
            Self::Saturating(model) => model,
            Self::Measured(model) => model,
        }
    }
}

/// Name and description of every model, in the order they are listed to users.
pub const VARIATIONS: &[(&str, &str)] = &[
    ("ideal", "every cell has exactly its nominal conductance"),
    ("per-state", "mean shift and sigma of each state, in level spacings"),
    ("polynomial", "sigma is a polynomial of the nominal conductance, cut at zero"),
    ("proportional", "sigma is a fixed share of the nominal conductance"),
    ("independent", "sigma is the same for every state"),
    ("lognormal", "lognormal conductances with their median at the target"),
    ("saturating", "sigma of the current saturates with the current, tabulated over the time since programming"),
    ("measured", "mean and sigma of measured cells, from a CSV file with a level and a conductance a line"),
];
