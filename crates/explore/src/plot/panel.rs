//! One panel of a sweep figure: accuracy above other results, over the same horizontal axis.

use std::collections::BTreeMap;

use super::PlotError;
use super::canvas::{BLACK, Canvas, GREY, GRID, Lettering, Point};
use super::lines::lower;
use super::marks::{colour, error_bar, mark};
use super::rows::Entry;
use super::scale::{Scale, round_linear, round_logarithmic};
use super::words::{axis_name, column_name, number};
use crate::results::Row;

const ACCURACY_HEIGHT: f64 = 200.0;
const MEASURE_HEIGHT: f64 = 130.0;
/// Between two strips.
const BETWEEN: f64 = 16.0;
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

/// The vertical axes: the accuracy, and below it other results, which are the same in all panels.
#[derive(Debug)]
pub(super) struct Strips {
    /// The same in all panels; none where each has its own.
    accuracy: Option<Scale>,
    measures: Vec<Measure>,
}

/// A panel that would fill less of a common axis has its own, and so have the others.
const LEAST_FILLED: f64 = 1.0 / 3.0;

/// A result with its axis.
#[derive(Debug)]
struct Measure {
    column: String,
    /// At the axis, in one or two lines.
    name: Vec<String>,
    scale: Scale,
    factor: f64,
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
    fn top(index: usize) -> f64 {
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
fn value<E: Entry>(row: &E, column: &str) -> Result<f64, PlotError> {
    let text = row.field(column).ok_or_else(|| PlotError::UnknownColumn(column.to_owned()))?;
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| PlotError::Unsuitable(format!("{column} = {text} is no number that has a place on an axis")))
}

/// The lowest and the highest of all that is drawn of accuracies.
fn percents<'a, E: Entry + 'a>(rows: impl Iterator<Item = &'a E>) -> (f64, f64) {
    let of_row = |row: &Row| [row.accuracy_mean, row.accuracy_ci95_low, row.accuracy_ci95_high, row.software_accuracy];
    ends(rows.flat_map(|row| of_row(row.row())).map(|accuracy| 100.0 * accuracy))
}

fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
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
