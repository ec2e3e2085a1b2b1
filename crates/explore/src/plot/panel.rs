//! One panel of a sweep figure: accuracy above energy, over the same horizontal axis.

use std::collections::BTreeMap;

use super::PlotError;
use super::canvas::{BLACK, Canvas, GREY, GRID, Lettering, Point};
use super::marks::{colour, error_bar, mark};
use super::scale::{Scale, round_linear, round_logarithmic};
use super::words::number;
use crate::results::Row;

pub(super) const ACCURACY_HEIGHT: f64 = 200.0;
pub(super) const ENERGY_HEIGHT: f64 = 130.0;
/// Between the two.
pub(super) const BETWEEN: f64 = 16.0;
/// Series at the same place are set apart by a little, so that their error bars are seen: by this much in all.
const ASIDE: f64 = 18.0;
/// The most between two series, with lines and without.
const STEPS: [f64; 2] = [3.0, 9.0];

/// The horizontal axis.
#[derive(Debug)]
pub(super) struct XAxis {
    places: BTreeMap<String, f64>,
    scale: Scale,
    /// Words have no order that a line could follow.
    connected: bool,
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

/// The vertical axes, the same in all panels.
#[derive(Debug)]
pub(super) struct YAxes {
    accuracy: Scale,
    energy: Scale,
    pub(super) energy_unit: &'static str,
    energy_per_joule: f64,
}

impl YAxes {
    pub(super) fn new(rows: &[Row]) -> Self {
        let percents = rows
            .iter()
            .flat_map(|row| [row.accuracy_mean, row.accuracy_ci95_low, row.accuracy_ci95_high, row.software_accuracy])
            .map(|accuracy| 100.0 * accuracy);
        let (low, high) = ends(percents);
        let (least, most) = ends(rows.iter().map(|row| row.energy_j));
        let (energy_unit, energy_per_joule) = super::words::energy_unit(most);
        let (least, most) = (least * energy_per_joule, most * energy_per_joule);
        // Without costs all energies are zero, which has no logarithm.
        let energy = if least > 0.0 {
            round_logarithmic(least, most)
        } else {
            round_linear(least.min(0.0), most, (f64::MIN, f64::MAX))
        };
        Self { accuracy: round_linear(low, high, (0.0, 100.0)), energy, energy_unit, energy_per_joule }
    }
}

fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

/// The data of one panel.
#[derive(Debug)]
pub(super) struct Panel<'a> {
    pub(super) labels: Vec<String>,
    /// Number of the series, value of the horizontal axis, row.
    pub(super) points: Vec<(usize, String, &'a Row)>,
}

impl Panel<'_> {
    /// Draws the panel with its upper left corner at `corner`; `first` in a row of panels has the vertical axes.
    pub(super) fn draw(&self, canvas: &mut Canvas, corner: Point, x: &XAxis, y: &YAxes, first: bool) {
        let (left, top) = corner;
        let accuracy = y.accuracy.between(top + ACCURACY_HEIGHT, top);
        let energy_top = top + ACCURACY_HEIGHT + BETWEEN;
        let energy = y.energy.between(energy_top + ENERGY_HEIGHT, energy_top);
        for (line, label) in self.labels.iter().rev().enumerate() {
            let letters =
                if line + 1 == self.labels.len() { Lettering::size(13.0).bold() } else { Lettering::size(12.0) };
            canvas.text((left + x.width / 2.0, top - 12.0 - 16.0 * line as f64), label, letters);
        }
        frame(canvas, left, top, ACCURACY_HEIGHT, x, &accuracy, first);
        frame(canvas, left, energy_top, ENERGY_HEIGHT, x, &energy, first);
        for (at, text) in x.ticks(left) {
            canvas.text((at, energy_top + ENERGY_HEIGHT + 15.0), &text, Lettering::size(12.0));
        }
        if let Some(software) = self.software() {
            canvas.dashes(left, left + x.width, accuracy.at(100.0 * software), 1, GREY);
        }
        let series = self.points.iter().map(|(series, _, _)| series + 1).max().unwrap_or(0);
        let step = STEPS[usize::from(!x.connected)].min(ASIDE * (1.0 + x.width / 250.0) / 2.0 / series as f64);
        let aside = |index: usize| step * (index as f64 - (series as f64 - 1.0) / 2.0);
        for index in 0..series {
            let points = self.sorted(index, &x.within(left), x);
            let at =
                |value: &dyn Fn(&Row) -> f64| points.iter().map(|(px, row)| (px + aside(index), value(row))).collect();
            let means: Vec<Point> = at(&|row| accuracy.at(100.0 * row.accuracy_mean));
            let energies: Vec<Point> = at(&|row| energy.at(row.energy_j * y.energy_per_joule));
            for ((_, row), (at, _)) in points.iter().zip(&means) {
                let place = |value: f64| accuracy.at(100.0 * value);
                error_bar(canvas, *at, place(row.accuracy_ci95_low), place(row.accuracy_ci95_high), 4.0, colour(index));
            }
            for points in [&means, &energies] {
                curve(canvas, points, index, x.connected);
            }
        }
    }

    /// The accuracy in software, if it is the same for all.
    fn software(&self) -> Option<f64> {
        let (_, _, first) = self.points.first()?;
        let same = |(_, _, row): &(usize, String, &Row)| row.software_accuracy == first.software_accuracy;
        self.points.iter().all(same).then_some(first.software_accuracy)
    }

    fn sorted(&self, series: usize, scale: &Scale, x: &XAxis) -> Vec<(f64, &Row)> {
        let own = self.points.iter().filter(|(index, _, _)| *index == series);
        let mut points: Vec<(f64, &Row)> =
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
