//! Accuracy against energy, with the rows that no other row beats in both.

use super::PlotError;
use super::canvas::{Canvas, GREY, GRID, Lettering};
use super::legend::{Line, head};
use super::marks::{MOST_SERIES, colour, error_bar, mark};
use super::rows::{common, demand_drawable, in_order};
use super::scale::{round_linear, round_logarithmic};
use super::words::{energy_unit, number};
use crate::results::Row;

const LEFT: f64 = 84.0;
const RIGHT: f64 = 24.0;
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;

/// Indices of the rows that no other one beats: none is more accurate for no more energy, or as accurate for less. In ascending order of energy; of equal
/// rows the first.
#[must_use]
pub fn pareto_front(rows: &[Row]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|&a, &b| {
        rows[a].energy_j.total_cmp(&rows[b].energy_j).then(rows[b].accuracy_mean.total_cmp(&rows[a].accuracy_mean))
    });
    let mut best = f64::NEG_INFINITY;
    order.retain(|&row| {
        let better = rows[row].accuracy_mean > best;
        best = best.max(rows[row].accuracy_mean);
        better
    });
    order
}

/// A mark for every row, a colour and shape for every mapping strategy and training method, and the front as a line of steps.
///
/// # Errors
/// If there is nothing to draw or too much.
pub fn pareto(rows: &[Row]) -> Result<String, PlotError> {
    demand_drawable(rows)?;
    let names = in_order(rows.iter().map(|row| (row.mapping.as_str(), row.training.as_str())));
    if names.len() > MOST_SERIES {
        return Err(PlotError::TooMuch(format!("more than {MOST_SERIES} mapping strategies and training methods")));
    }
    let one_method = names.iter().all(|(_, training)| *training == names[0].1);
    let mut legend = Line { name: String::new(), entries: Vec::new() };
    for (index, (mapping, training)) in names.iter().enumerate() {
        let name = if one_method { (*mapping).to_owned() } else { format!("{mapping}, {training}") };
        legend.entries.push((name, Box::new(move |canvas, at| mark(canvas, index, at))));
    }
    let title = "Accuracy against energy, and what no other point beats";
    let mut canvas = Canvas::default();
    let top = head(&mut canvas, title, &common(rows, &["mapping", "training"]), &[legend], 24.0, WIDTH - RIGHT) + 8.0;
    let ends = |value: &dyn Fn(&Row) -> f64| {
        rows.iter().map(value).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
    };
    let (least, most) = ends(&|row| row.energy_j);
    let (unit, per_joule) = energy_unit(most);
    let x = if least > 0.0 {
        round_logarithmic(least * per_joule, most * per_joule)
    } else {
        round_linear(0.0, most * per_joule, (0.0, f64::MAX))
    };
    let x = x.between(LEFT, WIDTH - RIGHT);
    let (low, high) = (ends(&|row| row.accuracy_ci95_low).0, ends(&|row| row.accuracy_ci95_high).1);
    let y = round_linear(100.0 * low, 100.0 * high, (0.0, 100.0)).between(top + HEIGHT, top);
    for tick in y.ticks() {
        canvas.line((LEFT, y.at(tick)), (WIDTH - RIGHT, y.at(tick)), 1, GRID);
        canvas.text((LEFT - 8.0, y.at(tick)), &number(tick), Lettering::size(12.0).right());
    }
    for tick in x.ticks() {
        canvas.line((x.at(tick), top), (x.at(tick), top + HEIGHT), 1, GRID);
        canvas.text((x.at(tick), top + HEIGHT + 14.0), &number(tick), Lettering::size(12.0));
    }
    let at = |row: &Row| (x.at(row.energy_j * per_joule), y.at(100.0 * row.accuracy_mean));
    for pair in pareto_front(rows).windows(2) {
        let (from, to) = (at(&rows[pair[0]]), at(&rows[pair[1]]));
        canvas.line(from, (to.0, from.1), 2, GREY);
        canvas.line((to.0, from.1), to, 2, GREY);
    }
    for row in rows {
        let index = names.iter().position(|name| *name == (row.mapping.as_str(), row.training.as_str())).unwrap_or(0);
        let (left, middle) = at(row);
        let end = |accuracy: f64| y.at(100.0 * accuracy);
        error_bar(&mut canvas, left, end(row.accuracy_ci95_low), end(row.accuracy_ci95_high), 3.0, colour(index));
        mark(&mut canvas, index, (left, middle));
    }
    canvas.text((24.0, top + HEIGHT / 2.0), "Accuracy (%)", Lettering::size(13.0).upright());
    let name = format!("Energy per inference ({unit})");
    canvas.text(((LEFT + WIDTH - RIGHT) / 2.0, top + HEIGHT + 34.0), &name, Lettering::size(13.0));
    canvas.finish(WIDTH, top + HEIGHT + 52.0, title)
}
