//! How accuracies scatter over chip samples.

use super::PlotError;
use super::canvas::{BLACK, Canvas, GREY, GRID, Lettering};
use super::legend::head;
use super::marks::pale;
use super::rows::{Labelled, common, demand_drawable};
use super::scale::{Scale, round_linear};
use super::words::{column_name, number, wrap};
use crate::results::Row;

const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const PANEL: (f64, f64) = (250.0, 130.0);
const GAP: (f64, f64) = (48.0, 60.0);
const COLUMNS: usize = 3;
const BINS: usize = 20;
/// More panels do not fit a page.
const MOST_PANELS: usize = 24;
const LETTERS: f64 = 11.0;

/// A panel for each of at most 24 rows, with the accuracies of all its chip samples: their numbers in 20 equal bins over their own range, so that the
/// scatter of good chips is seen beside that of bad ones, a line at the mean, and the settings of the row.
///
/// # Errors
/// If there is nothing to draw or too much.
pub fn chip_histograms(rows: &[(Labelled, Vec<f64>)]) -> Result<String, PlotError> {
    let plain: Vec<Row> = rows.iter().map(|(labelled, _)| labelled.row.clone()).collect();
    demand_drawable(&plain)?;
    if rows.len() > MOST_PANELS {
        return Err(PlotError::TooMuch(format!("{} panels; the most a figure can show is {MOST_PANELS}", rows.len())));
    }
    let bins: Vec<Bins> = rows.iter().map(|(_, accuracies)| Bins::new(accuracies)).collect();
    let most = bins.iter().flat_map(|bins| bins.counts).max().unwrap_or(1);
    let y = round_linear(0.0, f64::from(most), (0.0, f64::MAX));
    let settings: Vec<Vec<String>> = rows.iter().map(|(labelled, _)| settings(labelled)).collect();
    let lines = settings.iter().map(Vec::len).max().unwrap_or(0) as f64;
    let step = (PANEL.0 + GAP.0, PANEL.1 + GAP.1 + 14.0 * lines);
    let columns = rows.len().min(COLUMNS);
    let width = (LEFT + columns as f64 * step.0 - GAP.0 + RIGHT).max(520.0);
    let title = "Accuracy of the chip samples, for each mapping and training at its best";
    let mut canvas = Canvas::default();
    let top = head(&mut canvas, title, &common(&plain, &["mapping", "training"]), &[], 24.0, width - RIGHT)
        + 24.0
        + 14.0 * lines;
    for (index, ((labelled, _), (bins, settings))) in rows.iter().zip(bins.iter().zip(&settings)).enumerate() {
        let left = LEFT + (index % COLUMNS) as f64 * step.0;
        let above = top + (index / COLUMNS) as f64 * step.1;
        let scales = (bins.scale.between(left, left + PANEL.0), y.between(above + PANEL.1, above));
        panel(&mut canvas, (left, above), &scales, &bins.counts, &labelled.row);
        label(&mut canvas, (left + PANEL.0 / 2.0, above - 10.0), &labelled.row, settings);
        if index % COLUMNS == 0 {
            canvas.text((20.0, above + PANEL.1 / 2.0), "Chip samples", Lettering::size(13.0).upright());
        }
    }
    let bottom = top + rows.len().div_ceil(COLUMNS) as f64 * step.1 - 14.0 * lines;
    canvas.finish(width, bottom, title)
}

/// The accuracies of one panel.
struct Bins {
    scale: Scale,
    counts: [u32; BINS],
}

impl Bins {
    fn new(accuracies: &[f64]) -> Self {
        let percents = || accuracies.iter().map(|accuracy| 100.0 * accuracy);
        let (low, high) = percents().fold((100.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        let scale = round_linear(low, high, (0.0, 100.0));
        let (from, to) = scale.ends();
        let mut counts = [0; BINS];
        for percent in percents() {
            counts[(((percent - from) / (to - from) * BINS as f64) as usize).min(BINS - 1)] += 1;
        }
        Self { scale, counts }
    }
}

/// The axes of a row with their values, in lines that fit a panel.
fn settings(labelled: &Labelled) -> Vec<String> {
    let with_value = labelled.axes.iter().filter(|axis| axis.value != "–");
    let word = |text: String| text.replace(' ', "\u{a0}");
    let words: Vec<String> =
        with_value.map(|axis| word(format!("{} {}", column_name(&axis.column), axis.value))).collect();
    let most = (PANEL.0 / Lettering::size(LETTERS).width("x")) as usize;
    let lines = if words.is_empty() { Vec::new() } else { wrap(&words.join(", "), most) };
    // What is longer than a line is cut, and says so.
    let cut = |line: String| {
        if line.chars().count() <= most { line } else { line.chars().take(most - 1).chain(['…']).collect() }
    };
    lines.into_iter().map(|line| cut(line).replace('\u{a0}', " ")).collect()
}

/// What a panel shows, above it.
fn label(canvas: &mut Canvas, (middle, bottom): (f64, f64), row: &Row, settings: &[String]) {
    for (line, text) in settings.iter().rev().enumerate() {
        canvas.text((middle, bottom - 14.0 * line as f64), text, Lettering::size(LETTERS).grey());
    }
    let name = format!("{}, {}", row.mapping, row.training);
    canvas.text((middle, bottom - 14.0 * settings.len() as f64 - 2.0), &name, Lettering::size(12.0).bold());
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
    canvas.text((left + PANEL.0 / 2.0, bottom + 30.0), "Accuracy (%)", Lettering::size(12.0));
}
