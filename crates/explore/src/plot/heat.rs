//! Accuracy over two settings as a heat map.

use plotters::style::RGBColor;

use super::PlotError;
use super::canvas::{Canvas, Lettering};
use super::legend::head;
use super::lines::lower;
use super::panel::demand_panels;
use super::rows::{Entry, common, demand_drawable, dividing, in_order, key, labels};
use super::words::{column_name, number};
use crate::results::{COLUMNS as COLUMNS_OF_ROWS, FIRST_RESULT};

const MARGIN: f64 = 24.0;
/// Between the edge of the page and the values of the vertical axis: its name.
const NAME: f64 = 22.0;
const GAP: f64 = 40.0;
const CELL: (f64, f64) = (52.0, 34.0);
const COLUMNS: usize = 3;
const LEAST_WIDTH: f64 = 520.0;
/// More values on an axis do not fit a page.
const MOST_VALUES: usize = 64;

/// Every sixteenth of cividis (Nunez et al., PLoS ONE 2018): rising in lightness, and the same to colour-blind readers.
const CIVIDIS: [(u8, u8, u8); 9] = [
    (0, 34, 78),
    (18, 53, 112),
    (59, 73, 108),
    (87, 93, 109),
    (112, 113, 115),
    (138, 134, 120),
    (165, 156, 116),
    (195, 179, 105),
    (253, 231, 55),
];
/// Ink on cells, which is the same on light and dark pages.
const ON_DARK: RGBColor = RGBColor(254, 254, 254);
const ON_LIGHT: RGBColor = RGBColor(1, 1, 1);

/// A cell for every pair of values of the columns or axes `x` and `y`, with the mean accuracy in percent; a panel for every mapping strategy, training method
/// and whatever else tells rows apart.
///
/// # Errors
/// If there is nothing to draw or too much, a column does not exist or is a result, or rows cannot be told apart.
pub fn heat_map<E: Entry>(rows: &[E], x: &str, y: &str) -> Result<String, PlotError> {
    demand_drawable(rows)?;
    let (x, y) = (Axis::new(rows, x)?, Axis::new(rows, y)?);
    let panels = panels(rows, &x, &y)?;
    demand_panels(panels.len())?;
    let page = Page::new(&panels, &x, &y);
    let title = format!("Accuracy (%) over {} and {}", lower(&column_name(x.column)), lower(&column_name(y.column)));
    let mut canvas = Canvas::default();
    let subtitle = common(rows, &["mapping", "training", x.column, y.column]);
    let top = head(&mut canvas, &title, &subtitle, &[], MARGIN, page.width - MARGIN);
    let range = rows.iter().map(|row| row.row().accuracy_mean);
    let range = range.fold((1.0_f64, 0.0_f64), |(low, high), accuracy| (low.min(accuracy), high.max(accuracy)));
    for (index, panel) in panels.iter().enumerate() {
        let (left, above) = page.corner(index, top);
        for (line, label) in panel.labels.iter().enumerate() {
            let letters = if line == 0 { Lettering::size(13.0).bold() } else { Lettering::size(12.0) };
            let up = 14.0 + 16.0 * (panel.labels.len() - 1 - line) as f64;
            canvas.text((left + page.size.0 / 2.0, above - up), label, letters);
        }
        for ((column, line), accuracy) in &panel.cells {
            let corner = (left + *column as f64 * page.cell, above + (y.values.len() - 1 - line) as f64 * CELL.1);
            cell(&mut canvas, corner, page.cell, *accuracy, range);
        }
        axes(&mut canvas, (left, above), &page, &x, &y, index % COLUMNS == 0);
    }
    canvas.finish(page.width, top + page.lines() as f64 * page.step.1 + 8.0, &title)
}

/// A setting with its values, numbers in ascending order.
struct Axis<'a> {
    column: &'a str,
    values: Vec<String>,
}

impl<'a> Axis<'a> {
    fn new<E: Entry>(rows: &[E], column: &'a str) -> Result<Self, PlotError> {
        let all = rows.iter().map(|row| key(row, &[column])).collect::<Result<Vec<_>, _>>()?;
        if is_result(column) {
            return Err(PlotError::Unsuitable(format!("{column} is a result, and no setting with values of its own")));
        }
        let mut values = in_order(all.into_iter().flatten());
        values.sort_by(|a, b| match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(a), Ok(b)) => a.total_cmp(&b),
            _ => std::cmp::Ordering::Equal,
        });
        if values.len() > MOST_VALUES {
            return Err(PlotError::TooMuch(format!("more than {MOST_VALUES} values on an axis")));
        }
        Ok(Self { column, values })
    }

    fn place(&self, value: &str) -> usize {
        self.values.iter().position(|own| own == value).unwrap_or(0)
    }

    /// The values as they are written.
    fn texts(&self) -> impl DoubleEndedIterator<Item = String> + ExactSizeIterator {
        self.values.iter().map(|text| text.parse().map_or_else(|_| text.clone(), number))
    }

    fn widest(&self) -> f64 {
        self.texts().map(|text| Lettering::size(12.0).width(&text)).fold(0.0, f64::max)
    }
}

/// One panel: accuracies by column and line.
struct Panel {
    labels: Vec<String>,
    cells: Vec<((usize, usize), f64)>,
}

fn panels<E: Entry>(rows: &[E], x: &Axis<'_>, y: &Axis<'_>) -> Result<Vec<Panel>, PlotError> {
    let columns = dividing(rows, &[x.column, y.column])?;
    let columns_as: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut panels: Vec<(Vec<String>, Panel)> = Vec::new();
    for row in rows {
        let (values, at) = (key(row, &columns_as)?, key(row, &[x.column, y.column])?);
        let cell = ((x.place(&at[0]), y.place(&at[1])), row.row().accuracy_mean);
        match panels.iter_mut().find(|(own, _)| *own == values) {
            Some((_, panel)) if panel.cells.iter().any(|(place, _)| *place == cell.0) => {
                return Err(PlotError::Unsuitable(format!(
                    "several rows have the same {} and {}",
                    column_name(x.column),
                    column_name(y.column)
                )));
            }
            Some((_, panel)) => panel.cells.push(cell),
            None => {
                let labels = labels(&columns, &values);
                panels.push((values, Panel { labels, cells: vec![cell] }));
            }
        }
    }
    Ok(panels.into_iter().map(|(_, panel)| panel).collect())
}

/// Where panels are.
struct Page {
    /// Width of a cell.
    cell: f64,
    left: f64,
    /// Of the cells of a panel.
    size: (f64, f64),
    /// From one panel to the next.
    step: (f64, f64),
    /// Above the cells of a panel.
    above: f64,
    width: f64,
    panels: usize,
}

impl Page {
    fn new(panels: &[Panel], x: &Axis<'_>, y: &Axis<'_>) -> Self {
        // Wide words stand in two lines by turns.
        let cell = CELL.0.max((x.widest() + 6.0) / 2.0);
        let size = (cell * x.values.len() as f64, CELL.1 * y.values.len() as f64);
        let letters = Lettering::size(13.0).bold();
        let titles = panels.iter().flat_map(|panel| &panel.labels).map(|label| letters.width(label));
        let below = Lettering::size(13.0).width(&column_name(x.column));
        let widest = titles.fold(size.0.max(below), f64::max);
        let left = MARGIN + NAME + y.widest() + 8.0 + (widest - size.0) / 2.0;
        let lines = panels.iter().map(|panel| panel.labels.len()).max().unwrap_or(1);
        let upright = Lettering::size(13.0).width(&column_name(y.column));
        let above = 12.0 + 16.0 * lines as f64;
        // The name of the vertical axis may be longer than the axis.
        let step = (widest + GAP, (size.1 + 50.0 + above).max(upright + 20.0));
        let right = left + (panels.len().min(COLUMNS) - 1) as f64 * step.0 + (size.0 + widest) / 2.0 + MARGIN;
        Self { cell, left, size, step, above, width: right.max(LEAST_WIDTH), panels: panels.len() }
    }

    fn lines(&self) -> usize {
        self.panels.div_ceil(COLUMNS)
    }

    /// The upper left corner of the cells of a panel.
    fn corner(&self, index: usize, top: f64) -> (f64, f64) {
        let (column, line) = ((index % COLUMNS) as f64, (index / COLUMNS) as f64);
        (self.left + column * self.step.0, top + self.above + line * self.step.1)
    }
}

/// Whether a column says what came out.
fn is_result(column: &str) -> bool {
    COLUMNS_OF_ROWS.iter().skip_while(|name| **name != FIRST_RESULT).any(|name| *name == column)
}

fn cell(canvas: &mut Canvas, (left, top): (f64, f64), width: f64, accuracy: f64, (low, high): (f64, f64)) {
    let share = if high > low { (accuracy - low) / (high - low) } else { 0.5 };
    let (colour, ink) = colour(share);
    canvas.box_filled((left, top), (left + width - 1.0, top + CELL.1 - 1.0), colour);
    let letters = Lettering { colour: ink, ..Lettering::size(12.0) };
    canvas.text((left + width / 2.0, top + CELL.1 / 2.0), &format!("{:.1}", 100.0 * accuracy), letters);
}

/// The colour at a share from 0 to 1, and an ink that is read on it.
fn colour(share: f64) -> (RGBColor, RGBColor) {
    let place = share.clamp(0.0, 1.0) * (CIVIDIS.len() - 1) as f64;
    let below = (place as usize).min(CIVIDIS.len() - 2);
    let ((r, g, b), (s, h, c)) = (CIVIDIS[below], CIVIDIS[below + 1]);
    let mix = |low: u8, high: u8| {
        libm::round(f64::from(low) + (place - below as f64) * (f64::from(high) - f64::from(low))) as u8
    };
    (RGBColor(mix(r, s), mix(g, h), mix(b, c)), if share > 0.55 { ON_LIGHT } else { ON_DARK })
}

/// The values and names of both axes; those of the vertical one are the same for all panels of a line.
fn axes(canvas: &mut Canvas, corner: (f64, f64), page: &Page, x: &Axis<'_>, y: &Axis<'_>, first: bool) {
    let ((left, top), size) = (corner, page.size);
    let rows = if x.widest() + 4.0 > page.cell { 2 } else { 1 };
    for (index, value) in x.texts().enumerate() {
        let at = (left + (index as f64 + 0.5) * page.cell, top + size.1 + 12.0 + 14.0 * (index % rows) as f64);
        canvas.text(at, &value, Lettering::size(12.0));
    }
    let name = (left + size.0 / 2.0, top + size.1 + 18.0 + 14.0 * rows as f64);
    canvas.text(name, &column_name(x.column), Lettering::size(13.0));
    if !first {
        return;
    }
    for (index, value) in y.texts().rev().enumerate() {
        let at = (left - 8.0, top + (index as f64 + 0.5) * CELL.1);
        canvas.text(at, &value, Lettering::size(12.0).right());
    }
    let name = (left - 8.0 - y.widest() - 14.0, top + size.1 / 2.0);
    canvas.text(name, &column_name(y.column), Lettering::size(13.0).upright());
}
