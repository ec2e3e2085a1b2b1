//! How accuracies scatter over chip samples.

use super::PlotError;
use super::canvas::{BLACK, Canvas, GREY, GRID, Lettering};
use super::legend::head;
use super::marks::pale;
use super::rows::{common, demand_drawable};
use super::scale::{Scale, round_linear};
use super::words::number;
use crate::results::Row;

const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const PANEL: (f64, f64) = (250.0, 130.0);
const GAP: (f64, f64) = (48.0, 66.0);
const COLUMNS: usize = 3;
const BINS: usize = 20;
/// More panels do not fit a page.
const MOST_PANELS: usize = 24;

/// A panel for each of at most 24 rows, with the accuracies of all its chip samples: their numbers in 20 equal bins, which are the same in all panels,
/// and a line at the mean.
///
/// # Errors
/// If there is nothing to draw or too much.
pub fn chip_histograms(rows: &[(Row, Vec<f64>)]) -> Result<String, PlotError> {
    let plain: Vec<Row> = rows.iter().map(|(row, _)| row.clone()).collect();
    demand_drawable(&plain)?;
    if rows.len() > MOST_PANELS {
        return Err(PlotError::TooMuch(format!("{} panels; the most a figure can show is {MOST_PANELS}", rows.len())));
    }
    let all = || rows.iter().flat_map(|(_, accuracies)| accuracies).map(|accuracy| 100.0 * accuracy);
    let (low, high) = all().fold((100.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    let x = round_linear(low, high, (0.0, 100.0));
    let (from, to) = x.ends();
    let bin = |accuracy: &f64| {
        let share = (100.0 * accuracy - from) / (to - from);
        ((share * BINS as f64) as usize).min(BINS - 1)
    };
    let counts = |accuracies: &[f64]| {
        let mut counts = [0_u32; BINS];
        accuracies.iter().for_each(|accuracy| counts[bin(accuracy)] += 1);
        counts
    };
    let most = rows.iter().flat_map(|(_, accuracies)| counts(accuracies)).max().unwrap_or(1);
    let y = round_linear(0.0, f64::from(most), (0.0, f64::MAX));
    let columns = rows.len().min(COLUMNS);
    let width = (LEFT + columns as f64 * (PANEL.0 + GAP.0) - GAP.0 + RIGHT).max(520.0);
    let title = "Accuracy of the chip samples";
    let mut canvas = Canvas::default();
    let top = head(&mut canvas, title, &common(&plain, &["mapping", "training"]), &[], 24.0, width - RIGHT) + 24.0;
    for (index, (row, accuracies)) in rows.iter().enumerate() {
        let left = LEFT + (index % COLUMNS) as f64 * (PANEL.0 + GAP.0);
        let above = top + (index / COLUMNS) as f64 * (PANEL.1 + GAP.1);
        let scales = (x.between(left, left + PANEL.0), y.between(above + PANEL.1, above));
        panel(&mut canvas, (left, above), &scales, &counts(accuracies), row);
    }
    let bottom = top + rows.len().div_ceil(COLUMNS) as f64 * (PANEL.1 + GAP.1) - 8.0;
    canvas.text((20.0, top + PANEL.1 / 2.0), "Chip samples", Lettering::size(13.0).upright());
    canvas.finish(width, bottom, title)
}

fn panel(canvas: &mut Canvas, (left, top): (f64, f64), (x, y): &(Scale, Scale), counts: &[u32; BINS], row: &Row) {
    let (right, bottom) = (left + PANEL.0, top + PANEL.1);
    for tick in y.ticks().into_iter().filter(|tick| tick.fract() == 0.0) {
        canvas.line((left, y.at(tick)), (right, y.at(tick)), 1, GRID);
        canvas.text((left - 6.0, y.at(tick)), &number(tick), Lettering::size(11.0).right());
    }
    let step = PANEL.0 / BINS as f64;
    for (bin, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let start = left + bin as f64 * step;
        canvas.box_filled((start, y.at(f64::from(count))), (start + step, bottom), pale(0));
        canvas.box_outline((start, y.at(f64::from(count))), (start + step, bottom), GREY);
    }
    let mean = x.at(100.0 * row.accuracy_mean);
    canvas.line((mean, top), (mean, bottom), 2, BLACK);
    for tick in x.ticks() {
        canvas.text((x.at(tick), bottom + 12.0), &number(tick), Lettering::size(11.0));
    }
    canvas.line((left, bottom), (right, bottom), 1, BLACK);
    let label = format!("{}, {}", row.mapping, row.training);
    canvas.text((left + PANEL.0 / 2.0, top - 10.0), &label, Lettering::size(12.0).bold());
    canvas.text((left + PANEL.0 / 2.0, bottom + 30.0), "Accuracy (%)", Lettering::size(12.0));
}
