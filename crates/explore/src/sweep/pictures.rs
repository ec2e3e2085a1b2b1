//! The figures of a sweep, each for light and for dark pages.

use super::table::{hidden, plain};
use super::{Axis, Plot, PointRows, RowResult};
use crate::plot::{AxisValue, Labelled, PlotError, chip_histograms, dark, energy_bars, heat_map, lines, pareto};
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
#[must_use]
pub fn pictures(axes: &[Axis], plot: Option<&Plot>, points: &[PointRows]) -> Pictures {
    let labelled: Vec<(Labelled, &RowResult)> = labelled(axes, points);
    let rows: Vec<Labelled> = labelled.iter().map(|(row, _)| row.clone()).collect();
    let plain: Vec<Row> = rows.iter().map(|row| row.row.clone()).collect();
    let mut pictures = Pictures::default();
    if rows.is_empty() {
        return pictures;
    }
    if let Some(plot) = plot {
        let series: Vec<&str> = plot.series.iter().map(String::as_str).collect();
        let measures: Vec<&str> = plot.measures.iter().map(String::as_str).collect();
        pictures.add("sweep", lines(&rows, &plot.x, &series, &measures));
        if let [first, ..] = series[..] {
            pictures.add("heat", heat_map(&rows, &plot.x, first));
        }
    }
    pictures.add("energy", energy_bars(&rows));
    pictures.add("pareto", pareto(&plain));
    pictures.add("chips", chip_histograms(&best(&labelled)));
    pictures
}

/// All rows with the values of the axes.
fn labelled<'a>(axes: &[Axis], points: &'a [PointRows]) -> Vec<(Labelled, &'a RowResult)> {
    let hidden = hidden(axes);
    let of_point = |point: &'a PointRows| {
        let value = |axis: &Axis| {
            let setting = point.settings.iter().find(|setting| setting.axis == axis.name);
            AxisValue {
                column: format!("axis_{}", axis.name),
                value: setting.map_or_else(|| "–".to_owned(), |setting| plain(&setting.value)),
                shown: !hidden.contains(&axis.name.as_str()),
            }
        };
        let values: Vec<AxisValue> = axes.iter().map(value).collect();
        point.rows.iter().map(move |result| (Labelled { row: result.row.clone(), axes: values.clone() }, result))
    };
    points.iter().flat_map(of_point).collect()
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
fn best(rows: &[(Labelled, &RowResult)]) -> Vec<(Labelled, Vec<f64>)> {
    let mut best: Vec<&(Labelled, &RowResult)> = Vec::new();
    for row in rows {
        let name = |(_, result): &(Labelled, &RowResult)| (result.row.mapping.clone(), result.row.training.clone());
        match best.iter_mut().find(|kept| name(kept) == name(row)) {
            None => best.push(row),
            Some(kept) if row.1.row.accuracy_mean > kept.1.row.accuracy_mean => *kept = row,
            Some(_) => {}
        }
    }
    best.into_iter().map(|(labelled, result)| (labelled.clone(), result.accuracies.concat())).collect()
}
