//! Sweeps: accuracy and energy over one setting, a line for every value of others.

use super::PlotError;
use super::canvas::{BLACK, Canvas, GREY, Lettering};
use super::legend::{Line, head};
use super::marks::{MOST_SERIES, colour, error_bar, mark};
use super::panel::{ACCURACY_HEIGHT, BETWEEN, ENERGY_HEIGHT, Panel, XAxis, YAxes, demand_panels};
use super::rows::{also_needed, common, demand_drawable, in_order, key};
use super::words::column_name;
use crate::results::Row;

const LEFT: f64 = 84.0;
const RIGHT: f64 = 24.0;
const GAP: f64 = 22.0;
/// Below the last panel of a column: ticks and the name of the axis.
const BELOW: f64 = 46.0;
const COLUMNS: usize = 4;
const LEAST_WIDTH: f64 = 520.0;

/// A panel for every mapping and training method (and whatever else tells rows apart), accuracy with its 95 % interval
/// above the energy of an inference. `x` is the column of the horizontal axis; every combination of values of the
/// columns `series` is a line.
pub fn lines(rows: &[Row], x: &str, series: &[&str]) -> Result<String, PlotError> {
    demand_drawable(rows)?;
    let names = in_order(rows.iter().map(|row| key(row, series)).collect::<Result<Vec<_>, _>>()?);
    if names.len() > MOST_SERIES {
        return Err(PlotError::TooMuch(format!("more than {MOST_SERIES} lines")));
    }
    let panels = panels(rows, x, series, &names)?;
    demand_panels(panels.len())?;
    let x_values = in_order(rows.iter().map(|row| key(row, &[x])).collect::<Result<Vec<_>, _>>()?);
    let mut axis = XAxis::new(&x_values.into_iter().flatten().collect::<Vec<_>>());
    if panels.len() == 1 {
        axis.width = axis.width.max(LEAST_WIDTH - LEFT - RIGHT);
    }
    let title = format!("Accuracy and energy over {}", lower(&column_name(x)));
    let shown: Vec<&str> = ["mapping", "training", x].into_iter().chain(series.iter().copied()).collect();
    let width = (LEFT + panels.len().min(COLUMNS) as f64 * (axis.width + GAP) - GAP + RIGHT).max(LEAST_WIDTH);
    let mut canvas = Canvas::default();
    let top = head(&mut canvas, &title, &common(rows, &shown), &legend(&names, series), 24.0, width - RIGHT);
    let bottom = grid(&mut canvas, &panels, top, &axis, &YAxes::new(rows), &column_name(x));
    canvas.finish(width, bottom, &title)
}

/// All panels in rows of at most four; returns where the figure ends.
fn grid(canvas: &mut Canvas, panels: &[Panel<'_>], top: f64, x: &XAxis, y: &YAxes, x_name: &str) -> f64 {
    let lines = panels.iter().map(|panel| panel.labels.len()).max().unwrap_or(1);
    let above = 10.0 + 16.0 * lines as f64 + 6.0;
    let mut start = top;
    for row in panels.chunks(COLUMNS) {
        let corner = start + above;
        let energy = corner + ACCURACY_HEIGHT + BETWEEN;
        for (column, panel) in row.iter().enumerate() {
            let left = LEFT + column as f64 * (x.width + GAP);
            panel.draw(canvas, (left, corner), x, y, column == 0);
            canvas.text((left + x.width / 2.0, energy + ENERGY_HEIGHT + 35.0), x_name, Lettering::size(13.0));
        }
        let upright = Lettering::size(13.0).upright();
        canvas.text((26.0, corner + ACCURACY_HEIGHT / 2.0), "Accuracy (%)", upright);
        canvas.text((18.0, energy + ENERGY_HEIGHT / 2.0), "Energy per", upright);
        let unit = format!("inference ({})", y.energy_unit);
        canvas.text((34.0, energy + ENERGY_HEIGHT / 2.0), &unit, upright);
        start = energy + ENERGY_HEIGHT + BELOW + 8.0;
    }
    start
}

fn panels<'a>(rows: &'a [Row], x: &str, series: &[&str], names: &[Vec<String>]) -> Result<Vec<Panel<'a>>, PlotError> {
    let base: Vec<&str> = ["mapping", "training", x].into_iter().chain(series.iter().copied()).collect();
    let also = also_needed(rows, &base)?;
    // What lines or the axis show already need not divide panels.
    let divides = |column: &&str| *column != x && !series.contains(column);
    let columns: Vec<&str> = ["mapping", "training"].into_iter().chain(also).filter(divides).collect();
    let mut panels: Vec<(Vec<String>, Panel<'a>)> = Vec::new();
    for row in rows {
        let values = key(row, &columns)?;
        let index = names.iter().position(|name| key(row, series).is_ok_and(|own| own == *name)).unwrap_or(0);
        let point = (index, key(row, &[x])?.concat(), row);
        match panels.iter_mut().find(|(own, _)| *own == values) {
            Some((_, panel)) => panel.points.push(point),
            None => {
                let labels = labels(&columns, &values);
                panels.push((values, Panel { labels, points: vec![point] }));
            }
        }
    }
    Ok(panels.into_iter().map(|(_, panel)| panel).collect())
}

/// Mapping and training by their values, anything else with its name.
fn labels(columns: &[&str], values: &[String]) -> Vec<String> {
    let plain = |column: &str| column == "mapping" || column == "training";
    let both = columns.iter().zip(values);
    let first: Vec<&str> = both.clone().filter(|(column, _)| plain(column)).map(|(_, value)| value.as_str()).collect();
    let rest =
        both.filter(|(column, _)| !plain(column)).map(|(column, value)| format!("{}: {value}", column_name(column)));
    [first.join(", ")].into_iter().filter(|text| !text.is_empty()).chain(rest).collect()
}

fn legend<'a>(names: &[Vec<String>], series: &[&str]) -> Vec<Line<'a>> {
    let mut lines = Line {
        name: series.iter().map(|column| column_name(column)).collect::<Vec<_>>().join(", "),
        entries: Vec::new(),
    };
    if !series.is_empty() {
        for (index, name) in names.iter().enumerate() {
            lines.entries.push((
                name.join(", "),
                Box::new(move |canvas, (x, y)| {
                    canvas.line((x - 13.0, y), (x + 13.0, y), 2, colour(index));
                    mark(canvas, index, (x, y));
                }),
            ));
        }
    }
    let mut marks = Line { name: String::new(), entries: Vec::new() };
    marks.entries.push((
        "95 % interval of the mean".to_owned(),
        Box::new(|canvas, (x, y)| {
            error_bar(canvas, x, y + 7.0, y - 7.0, 4.0, BLACK);
        }),
    ));
    marks
        .entries
        .push(("software".to_owned(), Box::new(|canvas, (x, y)| canvas.dashes(x - 13.0, x + 13.0, y, 1, GREY))));
    if lines.entries.is_empty() { vec![marks] } else { vec![lines, marks] }
}

/// A name within a sentence.
pub(super) fn lower(name: &str) -> String {
    // "ADC bits" stays, "Array rows" becomes "array rows".
    let second_is_small = name.chars().nth(1).is_some_and(char::is_lowercase);
    let mut letters: Vec<char> = name.chars().collect();
    if second_is_small && let Some(first) = letters.first_mut() {
        *first = first.to_ascii_lowercase();
    }
    letters.into_iter().collect()
}
