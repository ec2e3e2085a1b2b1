//! Figures as SVG, for print and for colour-blind readers. Equal rows give equal bytes.

mod bars;
mod canvas;
mod dark;
mod energies;
mod floor_plan;
mod heat;
mod histogram;
mod learning;
mod legend;
mod lines;
mod marks;
mod panel;
mod pareto;
mod rows;
mod scale;
mod sigma;
mod states;
mod strips;
#[cfg(test)]
mod sweep_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod texts;
mod words;

pub use self::bars::accuracy_bars;
pub use self::dark::dark;
pub use self::energies::energy_bars;
pub use self::floor_plan::floor_plan;
pub use self::heat::heat_map;
pub use self::histogram::chip_histograms;
pub use self::learning::learning_curve;
pub use self::lines::lines;
pub use self::pareto::{pareto, pareto_front};
pub use self::rows::{AxisValue, Entry, Labelled};
pub use self::sigma::accuracy_over_sigma;
pub use self::states::state_errors;

/// A figure that cannot be drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// There is nothing to draw.
    #[error("there are no rows to draw")]
    Empty,
    /// A column that rows do not have.
    #[error("there is no column {0}")]
    UnknownColumn(
        /// The name.
        String,
    ),
    /// A value that has no place in a figure.
    #[error("{column} of row {row} is not a finite number")]
    NotFinite {
        /// The column.
        column: &'static str,
        /// The row, from 1.
        row: usize,
    },
    /// Rows that a figure of this kind cannot show.
    #[error("{0}")]
    Unsuitable(
        /// Why.
        String,
    ),
    /// More than a figure can show.
    #[error("{0}")]
    TooMuch(
        /// What there is too much of.
        String,
    ),
    /// The SVG could not be written.
    #[error("cannot write the figure: {0}")]
    Backend(
        /// Why.
        String,
    ),
}
