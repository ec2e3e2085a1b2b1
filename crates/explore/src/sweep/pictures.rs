//! The figures of a sweep, each for light and for dark pages.

use super::{Plot, PointRows, RowResult};
use crate::error::ExploreError;
use crate::plot::{PlotError, chip_histograms, dark, energy_bars, heat_map, lines, pareto};
use crate::results::Row;

/// Figures by the names of their files; those that the results do not allow are left out, with the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pictures {
    /// Name and SVG.
    pub files: Vec<(String, String)>,
    /// Name and reason.
    pub left_out: Vec<(String, PlotError)>,
}

/// Draws all figures: lines over the settings of the plot, a heat map of the first two of them, stacked energies, accuracy against energy, and the
/// scatter over chip samples where every mapping strategy and training method is at its best.
///
/// # Errors
/// If the lines, which the sweep asks for, cannot be drawn.
pub fn pictures(plot: Option<&Plot>, points: &[PointRows]) -> Result<Pictures, ExploreError> {
    let results: Vec<&RowResult> = points.iter().flat_map(|point| &point.rows).collect();
    let rows: Vec<Row> = results.iter().map(|result| result.row.clone()).collect();
    let mut pictures = Pictures::default();
    if rows.is_empty() {
        return Ok(pictures);
    }
    if let Some(plot) = plot {
        let series: Vec<&str> = plot.series.iter().map(String::as_str).collect();
        pictures.add("sweep", Ok(lines(&rows, &plot.x, &series)?));
        if let [first, ..] = series[..] {
            pictures.add("heat", heat_map(&rows, &plot.x, first));
        }
    }
    pictures.add("energy", energy_bars(&rows));
    pictures.add("pareto", pareto(&rows));
    pictures.add("chips", chip_histograms(&best(&results)));
    Ok(pictures)
}

impl Pictures {
    fn add(&mut self, name: &str, svg: Result<String, PlotError>) {
        match svg {
            Ok(svg) => {
                self.files.push((format!("{name}-dark.svg"), dark(&svg)));
                self.files.push((format!("{name}.svg"), svg));
            }
            Err(error) => self.left_out.push((format!("{name}.svg"), error)),
        }
    }
}

/// The most accurate row of every mapping strategy and training method, the first among equals, with the accuracies of its chip samples.
fn best(results: &[&RowResult]) -> Vec<(Row, Vec<f64>)> {
    let mut best: Vec<&RowResult> = Vec::new();
    for result in results {
        let same = |kept: &&mut &RowResult| {
            (&kept.row.mapping, &kept.row.training) == (&result.row.mapping, &result.row.training)
        };
        match best.iter_mut().find(same) {
            None => best.push(result),
            Some(kept) if result.row.accuracy_mean > kept.row.accuracy_mean => *kept = result,
            Some(_) => {}
        }
    }
    best.into_iter().map(|result| (result.row.clone(), result.accuracies.concat())).collect()
}
