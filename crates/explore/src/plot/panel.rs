//! One panel of a sweep figure: accuracy above other results, over the same horizontal axis.

use std::collections::BTreeMap;

use super::PlotError;
use super::canvas::{BLACK, Canvas, GREY, GRID, Lettering, Point};
use super::marks::{colour, error_bar, mark};
use super::rows::Entry;
use super::scale::{Scale, round_linear};
use super::strips::{ACCURACY_HEIGHT, MEASURE_HEIGHT, Strips, percents, value};
use super::words::number;
use crate::results::Row;

/// How much a band hides what is behind it.
pub(super) const VEIL: f64 = 0.22;
/// Series at the same place are set apart by a little, so that their error bars are seen: by this much in all.
const ASIDE: f64 = 18.0;
/// The most between two series.
const STEP: f64 = 9.0;

/// The horizontal axis.
#[derive(Debug)]
pub(super) struct XAxis {
    places: BTreeMap<String, f64>,
    scale: Scale,
    /// Words have no order that a line could follow.
    pub(super) connected: bool,
    /// The width a panel needs.
    pub(super) width: f64,
}

impl XAxis {
    /// An axis for the values of a column; numbers keep their distances, words get equal ones.
    pub(super) fn new(values: &[String]) -> Self {
        let numbers: Vec<f64> =
            values.iter().filter_map(|value| value.parse().ok()).filter(|v: &f64| v.is_finite()).collect();
        if numbers.len() < values.len() {
            let places = values.iter().enumerate().map(|(place, value)| (value.clone(), place as f64)).collect();
            let widest = values.iter().map(|value| Lettering::size(12.0).width(value) + 14.0).fold(60.0, f64::max);
            let scale = Scale::linear(-0.5, values.len() as f64 - 0.5);
            return Self { places, scale, connected: false, width: (widest * values.len() as f64).max(220.0) };
        }
        let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
        let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let places = values.iter().cloned().zip(numbers).collect();
        // A tenth of the panel stays free at each end.
        let scale = if low > 0.0 && high / low >= 10.0 {
            let margin = libm::pow(high / low, 0.1);
            Scale::logarithmic(low / margin, high * margin)
        } else {
            let margin = if high > low { 0.1 * (high - low) } else { 0.5 };
            Scale::linear(low - margin, high + margin)
        };
        Self { places, scale, connected: true, width: 250.0 }
    }

    fn within(&self, left: f64) -> Scale {
        self.scale.between(left, left + self.width)
    }

    /// Places and words of the ticks, as many as fit.
    fn ticks(&self, left: f64) -> Vec<(f64, String)> {
        let scale = self.within(left);
        let mut all: Vec<(f64, &String)> = self.places.iter().map(|(text, place)| (scale.at(*place), text)).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut end = f64::NEG_INFINITY;
        let mut ticks = Vec::new();
        for (x, text) in all {
            let text = text.parse().map_or_else(|_| text.clone(), number);
            let half = Lettering::size(12.0).width(&text) / 2.0;
            if x - half > end {
                end = x + half + 4.0;
                ticks.push((x, text));
            }
        }
        ticks
    }
}

/// The data of one panel.
#[derive(Debug)]
pub(super) struct Panel<'a, E> {
    pub(super) labels: Vec<String>,
    /// Number of the series, value of the horizontal axis, row.
    pub(super) points: Vec<(usize, String, &'a E)>,
}

impl<E: Entry> Panel<'_, E> {
    /// Draws the panel with its upper left corner at `corner`; `first` in a row of panels has the vertical axes.
    pub(super) fn draw(&self, canvas: &mut Canvas, corner: Point, x: &XAxis, strips: &Strips, first: bool) {
        let (left, top) = corner;
        for (line, label) in self.labels.iter().rev().enumerate() {
            let letters =
                if line + 1 == self.labels.len() { Lettering::size(13.0).bold() } else { Lettering::size(12.0) };
            canvas.text((left + x.width / 2.0, top - 12.0 - 16.0 * line as f64), label, letters);
        }
        for (at, text) in x.ticks(left) {
            canvas.text((at, top + strips.height() + 15.0), &text, Lettering::size(12.0));
        }
        let (low, high) = percents(self.points.iter().map(|(_, _, row)| *row));
        let accuracy = strips.accuracy.clone().unwrap_or_else(|| round_linear(low, high, (0.0, 100.0)));
        let accuracy = accuracy.between(top + ACCURACY_HEIGHT, top);
        frame(canvas, left, top, ACCURACY_HEIGHT, x, &accuracy, first || strips.accuracy.is_none());
        if let Some(software) = self.software() {
            canvas.dashes(left, left + x.width, accuracy.at(100.0 * software), 1, GREY);
        }
        self.intervals(canvas, left, x, &accuracy);
        self.curves(canvas, left, x, |row| Some(accuracy.at(100.0 * row.row().accuracy_mean)));
        for (index, measure) in strips.measures.iter().enumerate() {
            let start = top + Strips::top(index);
            let scale = measure.scale.between(start + MEASURE_HEIGHT, start);
            frame(canvas, left, start, MEASURE_HEIGHT, x, &scale, first);
            self.curves(canvas, left, x, |row| Some(scale.at(value(row, &measure.column).ok()? * measure.factor)));
        }
    }

    /// Number of series.
    fn series(&self) -> usize {
        self.points.iter().map(|(series, _, _)| series + 1).max().unwrap_or(0)
    }

    /// How far a series stands aside, so that its error bars are seen; bands need no such thing.
    fn aside(&self, index: usize, x: &XAxis) -> f64 {
        let series = self.series() as f64;
        let step = STEP.min(ASIDE * (1.0 + x.width / 250.0) / 2.0 / series);
        if x.connected { 0.0 } else { step * (index as f64 - (series - 1.0) / 2.0) }
    }

    /// The intervals of accuracies: a band where points are connected, else error bars.
    fn intervals(&self, canvas: &mut Canvas, left: f64, x: &XAxis, accuracy: &Scale) {
        let place = |value: f64| accuracy.at(100.0 * value);
        for index in 0..self.series() {
            let points = self.sorted(index, &x.within(left), x);
            let end = |value: fn(&Row) -> f64| points.iter().map(move |(at, row)| (*at, place(value(row.row()))));
            let (low, high) = (end(|row| row.accuracy_ci95_low), end(|row| row.accuracy_ci95_high));
            if x.connected && points.len() > 1 {
                canvas.veil(high.chain(low.rev()).collect(), colour(index), VEIL);
                continue;
            }
            for ((at, low), (_, high)) in low.zip(high) {
                error_bar(canvas, at + self.aside(index, x), low, high, 4.0, colour(index));
            }
        }
    }

    fn curves(&self, canvas: &mut Canvas, left: f64, x: &XAxis, y: impl Fn(&E) -> Option<f64>) {
        for index in 0..self.series() {
            let points = self.sorted(index, &x.within(left), x).into_iter();
            let points: Vec<Point> =
                points.filter_map(|(at, row)| Some((at + self.aside(index, x), y(row)?))).collect();
            curve(canvas, &points, index, x.connected);
        }
    }

    /// The accuracy in software, if it is the same for all.
    fn software(&self) -> Option<f64> {
        let mut all = self.points.iter().map(|(_, _, row)| row.row().software_accuracy);
        let first = all.next()?;
        all.all(|accuracy| accuracy == first).then_some(first)
    }

    fn sorted(&self, series: usize, scale: &Scale, x: &XAxis) -> Vec<(f64, &E)> {
        let own = self.points.iter().filter(|(index, _, _)| *index == series);
        let mut points: Vec<(f64, &E)> =
            own.filter_map(|(_, value, row)| Some((scale.at(*x.places.get(value)?), *row))).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points
    }
}

fn curve(canvas: &mut Canvas, points: &[Point], series: usize, connected: bool) {
    if connected {
        for pair in points.windows(2) {
            canvas.line(pair[0], pair[1], 2, colour(series));
        }
    }
    for point in points {
        mark(canvas, series, *point);
    }
}

fn frame(canvas: &mut Canvas, left: f64, top: f64, height: f64, x: &XAxis, y: &Scale, labelled: bool) {
    let (right, bottom) = (left + x.width, top + height);
    for tick in y.ticks() {
        canvas.line((left, y.at(tick)), (right, y.at(tick)), 1, GRID);
        if labelled {
            canvas.text((left - 8.0, y.at(tick)), &number(tick), Lettering::size(12.0).right());
        }
    }
    for (at, _) in x.ticks(left) {
        canvas.line((at, bottom), (at, bottom + 4.0), 1, BLACK);
    }
    canvas.box_outline((left, top), (right, bottom), BLACK);
}

/// Refuses more panels than a page can hold.
pub(super) fn demand_panels(panels: usize) -> Result<(), PlotError> {
    const MOST: usize = 64;
    if panels > MOST {
        return Err(PlotError::TooMuch(format!("{panels} panels; the most a figure can show is {MOST}")));
    }
    Ok(())
}
