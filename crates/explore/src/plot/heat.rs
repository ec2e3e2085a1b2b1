//! Accuracy over two settings as a heat map, a panel for every mapping strategy and training method.

use plotters::style::RGBColor;

use super::PlotError;
use super::canvas::{Canvas, Lettering};
use super::legend::head;
use super::lines::lower;
use super::panel::demand_panels;
use super::rows::{common, demand_drawable, in_order, key};
use super::words::{column_name, number};
use crate::results::Row;

const LEFT: f64 = 84.0;
const RIGHT: f64 = 24.0;
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

/// A cell for every pair of values of the columns `x` and `y`, with the mean accuracy in percent. Where other settings differ as well, a cell shows the
/// first row of its pair.
///
/// # Errors
/// If there is nothing to draw or too much, or a column does not exist.
pub fn heat_map(rows: &[Row], x: &str, y: &str) -> Result<String, PlotError> {
    demand_drawable(rows)?;
    let values = |column: &str| -> Result<Vec<String>, PlotError> {
        let all = rows.iter().map(|row| key(row, &[column])).collect::<Result<Vec<_>, _>>()?;
        let mut values = in_order(all.into_iter().flatten());
        values.sort_by(|a, b| match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(a), Ok(b)) => a.total_cmp(&b),
            _ => std::cmp::Ordering::Equal,
        });
        Ok(values)
    };
    let (x_values, y_values) = (values(x)?, values(y)?);
    if x_values.len().max(y_values.len()) > MOST_VALUES {
        return Err(PlotError::TooMuch(format!("more than {MOST_VALUES} values on an axis")));
    }
    let panels = in_order(rows.iter().map(|row| (row.mapping.as_str(), row.training.as_str())));
    demand_panels(panels.len())?;
    let size = (CELL.0 * x_values.len() as f64, CELL.1 * y_values.len() as f64);
    let width = (LEFT + panels.len().min(COLUMNS) as f64 * (size.0 + GAP) - GAP + RIGHT).max(LEAST_WIDTH);
    let title = format!("Accuracy (%) over {} and {}", lower(&column_name(x)), lower(&column_name(y)));
    let mut canvas = Canvas::default();
    let top = head(&mut canvas, &title, &common(rows, &["mapping", "training", x, y]), &[], 24.0, width - RIGHT);
    let range = rows.iter().map(|row| row.accuracy_mean).fold((1.0_f64, 0.0_f64), |(l, h), a| (l.min(a), h.max(a)));
    for (index, &(mapping, training)) in panels.iter().enumerate() {
        let left = LEFT + (index % COLUMNS) as f64 * (size.0 + GAP);
        let above = top + 24.0 + (index / COLUMNS) as f64 * (size.1 + 90.0);
        canvas.text(
            (left + size.0 / 2.0, above - 14.0),
            &format!("{mapping}, {training}"),
            Lettering::size(13.0).bold(),
        );
        let own: Vec<&Row> = rows.iter().filter(|row| row.mapping == mapping && row.training == training).collect();
        for row in own.iter().rev() {
            let place = |values: &[String], column: &str| {
                values.iter().position(|value| row.field(column).as_ref() == Some(value))
            };
            let (Some(column), Some(line)) = (place(&x_values, x), place(&y_values, y)) else { continue };
            let corner = (left + column as f64 * CELL.0, above + (y_values.len() - 1 - line) as f64 * CELL.1);
            cell(&mut canvas, corner, row.accuracy_mean, range);
        }
        axes(&mut canvas, (left, above), size, (&x_values, x), (&y_values, y));
    }
    let bottom = top + panels.len().div_ceil(COLUMNS) as f64 * (size.1 + 90.0) + 8.0;
    canvas.finish(width, bottom, &title)
}

fn cell(canvas: &mut Canvas, (left, top): (f64, f64), accuracy: f64, (low, high): (f64, f64)) {
    let share = if high > low { (accuracy - low) / (high - low) } else { 0.5 };
    let (colour, ink) = colour(share);
    canvas.box_filled((left, top), (left + CELL.0 - 1.0, top + CELL.1 - 1.0), colour);
    let letters = Lettering { colour: ink, ..Lettering::size(12.0) };
    canvas.text((left + CELL.0 / 2.0, top + CELL.1 / 2.0), &format!("{:.1}", 100.0 * accuracy), letters);
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

fn axes(canvas: &mut Canvas, corner: (f64, f64), size: (f64, f64), x: (&[String], &str), y: (&[String], &str)) {
    let (left, top) = corner;
    let short = |text: &String| text.parse().map_or_else(|_| text.clone(), number);
    for (index, value) in x.0.iter().enumerate() {
        let at = (left + (index as f64 + 0.5) * CELL.0, top + size.1 + 12.0);
        canvas.text(at, &short(value), Lettering::size(12.0));
    }
    canvas.text((left + size.0 / 2.0, top + size.1 + 32.0), &column_name(x.1), Lettering::size(13.0));
    // The vertical axis is the same for all panels.
    if left > LEFT {
        return;
    }
    for (index, value) in y.0.iter().rev().enumerate() {
        let at = (left - 8.0, top + (index as f64 + 0.5) * CELL.1);
        canvas.text(at, &short(value), Lettering::size(12.0).right());
    }
    canvas.text((24.0, top + size.1 / 2.0), &column_name(y.1), Lettering::size(13.0).upright());
}
