//! The vertical axes of a sweep figure.

use super::PlotError;
use super::canvas::{Canvas, Lettering};
use super::lines::lower;
use super::panel::Panel;
use super::rows::Entry;
use super::scale::{Scale, round_linear, round_logarithmic};
use super::words::{axis_name, column_name};
use crate::results::Row;

pub(super) const ACCURACY_HEIGHT: f64 = 200.0;
pub(super) const MEASURE_HEIGHT: f64 = 130.0;
/// Between two strips.
const BETWEEN: f64 = 16.0;

/// The vertical axes: the accuracy, and below it other results, which are the same in all panels.
#[derive(Debug)]
pub(super) struct Strips {
    /// The same in all panels; none where each has its own.
    pub(super) accuracy: Option<Scale>,
    pub(super) measures: Vec<Measure>,
}

/// A panel that would fill less of a common axis has its own, and so have the others.
const LEAST_FILLED: f64 = 1.0 / 3.0;

/// A result with its axis.
#[derive(Debug)]
pub(super) struct Measure {
    pub(super) column: String,
    /// At the axis, in one or two lines.
    name: Vec<String>,
    pub(super) scale: Scale,
    pub(super) factor: f64,
}

impl Strips {
    pub(super) fn new<E: Entry>(rows: &[E], panels: &[Panel<'_, E>], measures: &[&str]) -> Result<Self, PlotError> {
        let (low, high) = percents(rows.iter());
        let lost = |panel: &Panel<'_, E>| {
            let (from, to) = percents(panel.points.iter().map(|(_, _, row)| *row));
            to - from < LEAST_FILLED * (high - low)
        };
        let common = !panels.iter().any(lost);
        let accuracy = common.then(|| round_linear(low, high, (0.0, 100.0)));
        let measures = measures.iter().map(|column| Measure::new(rows, column)).collect::<Result<_, _>>()?;
        Ok(Self { accuracy, measures })
    }

    /// Room between two panels.
    pub(super) fn gap(&self) -> f64 {
        if self.accuracy.is_some() { 22.0 } else { 50.0 }
    }

    /// What is shown, as the beginning of a sentence.
    pub(super) fn in_words(&self) -> String {
        let short = |measure: &Measure| {
            let name = if measure.column == "energy_j" { "Energy".to_owned() } else { column_name(&measure.column) };
            lower(name.split(" (").next().unwrap_or(&name))
        };
        let mut words: Vec<String> = self.measures.iter().map(short).collect();
        let last = words.pop().map_or_else(String::new, |last| format!(" and {last}"));
        let before = words.into_iter().map(|word| format!(", {word}")).collect::<String>();
        format!("Accuracy{before}{last}")
    }

    /// Height of all together.
    pub(super) fn height(&self) -> f64 {
        ACCURACY_HEIGHT + self.measures.len() as f64 * (BETWEEN + MEASURE_HEIGHT)
    }

    /// Where the measure number `index` begins, below the top of the panel.
    pub(super) fn top(index: usize) -> f64 {
        ACCURACY_HEIGHT + BETWEEN + index as f64 * (BETWEEN + MEASURE_HEIGHT)
    }

    /// Writes the names at the left edge of the page.
    pub(super) fn names(&self, canvas: &mut Canvas, top: f64) {
        let upright = Lettering::size(13.0).upright();
        let name = if self.accuracy.is_some() { "Accuracy (%)" } else { "Accuracy (%), own ranges" };
        canvas.text((26.0, top + ACCURACY_HEIGHT / 2.0), name, upright);
        for (index, measure) in self.measures.iter().enumerate() {
            let middle = top + Self::top(index) + MEASURE_HEIGHT / 2.0;
            let first = if measure.name.len() == 1 { 26.0 } else { 18.0 };
            for (line, text) in measure.name.iter().enumerate() {
                canvas.text((first + 16.0 * line as f64, middle), text, upright);
            }
        }
    }
}

impl Measure {
    fn new<E: Entry>(rows: &[E], column: &str) -> Result<Self, PlotError> {
        let values = rows.iter().map(|row| value(row, column)).collect::<Result<Vec<f64>, _>>()?;
        let (least, most) = ends(values.into_iter());
        let (name, factor) = axis_name(column, most);
        let (least, most) = (least * factor, most * factor);
        // Without costs all energies are zero, which has no logarithm.
        let scale = if least > 0.0 {
            round_logarithmic(least, most)
        } else {
            round_linear(least.min(0.0), most, (f64::MIN, f64::MAX))
        };
        Ok(Self { column: column.to_owned(), name, scale, factor })
    }
}

/// A result as a number.
pub(super) fn value<E: Entry>(row: &E, column: &str) -> Result<f64, PlotError> {
    let text = row.field(column).ok_or_else(|| PlotError::UnknownColumn(column.to_owned()))?;
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| PlotError::Unsuitable(format!("{column} = {text} is no number that has a place on an axis")))
}

/// The lowest and the highest of all that is drawn of accuracies.
pub(super) fn percents<'a, E: Entry + 'a>(rows: impl Iterator<Item = &'a E>) -> (f64, f64) {
    let of_row = |row: &Row| [row.accuracy_mean, row.accuracy_ci95_low, row.accuracy_ci95_high, row.software_accuracy];
    ends(rows.flat_map(|row| of_row(row.row())).map(|accuracy| 100.0 * accuracy))
}

fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}
