//! Errors of the states of many devices, a panel each.

use super::PlotError;
use super::canvas::{BLACK, Canvas, GREY, GRID, Lettering, Point};
use super::legend::{Line, Sample, head};
use super::marks::{MOST_SERIES, colour, error_bar, mark};
use super::panel::demand_panels;
use super::rows::in_order;
use super::scale::{Scale, round_logarithmic};
use super::words::number;
use crate::states::{CellSurvey, DeviceSurvey, LevelReport, Survey};

const TITLE: &str = "Errors of cell states under device variation";
const SUBTITLE: &str = "Root mean square error of a cell, before clipping, in spacings between its levels. \
    Marks at the lower edge lie below it.";
const COLUMNS: usize = 4;
const WIDTH: f64 = 190.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 24.0;
const GAP: f64 = 22.0;
/// Above a panel: name and range of the device.
const ABOVE: f64 = 48.0;
/// Below it: ticks and the name of the axis.
const BELOW: f64 = 46.0;
/// The axis spans three decades at most: the tiny errors of states that hardly vary need not be told apart.
const SPAN: f64 = 1e3;
/// A cell that errs by more than this is nearer to another state.
const HALF_SPACING: f64 = 0.5;

/// A panel per device: the error of every state in level spacings, with its 95 % interval, over the state's place in the device's range of
/// conductances; a series per number of bits per cell, on one logarithmic axis for all devices. A device that has none of the cells has an
/// empty panel that says so.
///
/// # Errors
/// If there is nothing to draw, or too much, or a number is not finite.
pub fn state_errors(survey: &Survey) -> Result<String, PlotError> {
    if survey.devices.is_empty() {
        return Err(PlotError::Empty);
    }
    demand_panels(survey.devices.len())?;
    demand_finite(survey)?;
    let bits = in_order(survey.devices.iter().flat_map(|device| &device.cells).map(|cell| cell.cell_bits));
    if bits.len() > MOST_SERIES {
        return Err(PlotError::TooMuch(format!("more than {MOST_SERIES} numbers of bits per cell")));
    }
    let columns = survey.devices.len().min(COLUMNS);
    let width = LEFT + columns.max(3) as f64 * (WIDTH + GAP) - GAP + RIGHT;
    let mut canvas = Canvas::default();
    let mut top = head(&mut canvas, TITLE, SUBTITLE, &[legend(&bits), signs()], 24.0, width - RIGHT);
    let y = axis(survey);
    for row in survey.devices.chunks(COLUMNS) {
        let corner = top + ABOVE;
        for (column, device) in row.iter().enumerate() {
            let left = LEFT + column as f64 * (WIDTH + GAP);
            let panel = Panel {
                left,
                top: corner,
                x: Scale::linear(-0.08, 1.08).between(left, left + WIDTH),
                y: y.between(corner + HEIGHT, corner),
            };
            panel.frame(&mut canvas, column == 0);
            panel.device(&mut canvas, device, &bits);
        }
        let upright = Lettering::size(13.0).upright();
        canvas.text((22.0, corner + HEIGHT / 2.0), "Error (level spacings)", upright);
        top = corner + HEIGHT + BELOW;
    }
    canvas.finish(width, top + 8.0, TITLE)
}

fn levels(survey: &Survey) -> impl Iterator<Item = &LevelReport> {
    survey.devices.iter().flat_map(|device| &device.cells).flat_map(|cell| &cell.levels)
}

fn demand_finite(survey: &Survey) -> Result<(), PlotError> {
    let finite = |level: &LevelReport| {
        [level.conductance_s, level.error_levels, level.error_ci95_low, level.error_ci95_high]
            .iter()
            .all(|value| value.is_finite())
    };
    match levels(survey).position(|level| !finite(level)) {
        Some(index) => Err(PlotError::NotFinite { column: "error_levels", row: index + 1 }),
        None => Ok(()),
    }
}

/// The vertical axis, the same in all panels.
fn axis(survey: &Survey) -> Scale {
    let high = levels(survey).map(|level| level.error_ci95_high).fold(0.0, f64::max);
    let positive = levels(survey).map(|level| level.error_ci95_low).filter(|error| *error > 0.0);
    let low = positive.fold(f64::INFINITY, f64::min).max(high / SPAN);
    // Without any error there is no logarithm.
    if high > 0.0 && low.is_finite() { round_logarithmic(low, high) } else { Scale::logarithmic(0.01, 1.0) }
}

/// Where a device is drawn.
struct Panel {
    left: f64,
    top: f64,
    x: Scale,
    y: Scale,
}

impl Panel {
    fn frame(&self, canvas: &mut Canvas, labelled: bool) {
        let (right, bottom) = (self.left + WIDTH, self.top + HEIGHT);
        for tick in self.y.ticks() {
            canvas.line((self.left, self.y.at(tick)), (right, self.y.at(tick)), 1, GRID);
            if labelled {
                canvas.text((self.left - 8.0, self.y.at(tick)), &number(tick), Lettering::size(12.0).right());
            }
        }
        for tick in [0.0, 0.5, 1.0] {
            canvas.line((self.x.at(tick), bottom), (self.x.at(tick), bottom + 4.0), 1, BLACK);
            canvas.text((self.x.at(tick), bottom + 15.0), &number(tick), Lettering::size(12.0));
        }
        let middle = self.left + WIDTH / 2.0;
        canvas.text((middle, bottom + 34.0), "Place in the range", Lettering::size(13.0));
        let half = self.y.at(HALF_SPACING);
        if (self.top..=bottom).contains(&half) {
            canvas.dashes(self.left, right, half, 1, GREY);
        }
        canvas.box_outline((self.left, self.top), (right, bottom), BLACK);
    }

    fn device(&self, canvas: &mut Canvas, device: &DeviceSurvey, bits: &[u32]) {
        let middle = self.left + WIDTH / 2.0;
        let bold = Lettering::size(13.0).bold();
        // A long name is written smaller, so that it does not run into its neighbour's.
        let size = (13.0 * WIDTH / bold.width(&device.device)).clamp(7.0, 13.0);
        canvas.text((middle, self.top - 28.0), &device.device, Lettering::size(size).bold());
        let range = format!("{} to {} µS", micro(device.g_min_s), micro(device.g_max_s));
        canvas.text((middle, self.top - 12.0), &range, Lettering::size(12.0).grey());
        for cell in &device.cells {
            let series = bits.iter().position(|bits| *bits == cell.cell_bits).unwrap_or(0);
            self.cell(canvas, device, cell, series);
        }
        if device.cells.iter().all(|cell| cell.levels.is_empty()) {
            canvas.text((middle, self.top + HEIGHT / 2.0), "no such cells", Lettering::size(12.0).grey());
        }
    }

    fn cell(&self, canvas: &mut Canvas, device: &DeviceSurvey, cell: &CellSurvey, series: usize) {
        let range_s = device.g_max_s - device.g_min_s;
        let place = |level: &LevelReport| -> Point {
            let share = ((level.conductance_s - device.g_min_s) / range_s).clamp(0.0, 1.0);
            (self.x.at(share), self.height(level.error_levels))
        };
        let points: Vec<Point> = cell.levels.iter().map(place).collect();
        for pair in points.windows(2) {
            canvas.line(pair[0], pair[1], 1, colour(series));
        }
        for (level, point) in cell.levels.iter().zip(&points) {
            let ends = [level.error_ci95_low, level.error_ci95_high].map(|end| self.height(end));
            error_bar(canvas, point.0, ends[0], ends[1], 6.0, colour(series));
        }
        for point in points {
            mark(canvas, series, point);
        }
    }

    /// The pixel of an error; those below the axis are at its lower edge.
    fn height(&self, error: f64) -> f64 {
        let bottom = self.top + HEIGHT;
        if error > 0.0 { self.y.at(error).clamp(self.top, bottom) } else { bottom }
    }
}

/// Siemens in µS with at most two decimals.
fn micro(siemens: f64) -> String {
    let text = format!("{:.2}", 1e6 * siemens);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn legend(bits: &[u32]) -> Line<'static> {
    let entry = |(series, bits): (usize, &u32)| -> (String, Sample<'static>) {
        let sample = move |canvas: &mut Canvas, (x, y): Point| {
            canvas.line((x - 13.0, y), (x + 13.0, y), 1, colour(series));
            mark(canvas, series, (x, y));
        };
        (bits.to_string(), Box::new(sample))
    };
    Line { name: "Bits per cell".to_owned(), entries: bits.iter().enumerate().map(entry).collect() }
}

fn signs() -> Line<'static> {
    let mut line = Line { name: String::new(), entries: Vec::new() };
    line.entries.push((
        "95 % interval".to_owned(),
        Box::new(|canvas, (x, y)| error_bar(canvas, x, y + 7.0, y - 7.0, 6.0, BLACK)),
    ));
    line.entries.push((
        "half a level spacing".to_owned(),
        Box::new(|canvas, (x, y)| canvas.dashes(x - 13.0, x + 13.0, y, 1, GREY)),
    ));
    line
}
