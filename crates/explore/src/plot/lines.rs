//! Sweeps: accuracy and other results over one setting, a line for every value of others.

use super::PlotError;
use super::canvas::{BLACK, Canvas, GREY, Lettering};
use super::legend::{Line, head};
use super::marks::{MOST_SERIES, colour, error_bar, mark};
use super::panel::{Panel, VEIL, XAxis, demand_panels};
use super::rows::{Entry, common, demand_drawable, dividing, in_order, key, labels};
use super::strips::Strips;
use super::words::column_name;

const LEFT: f64 = 84.0;
const RIGHT: f64 = 24.0;
/// Below the last panel of a column: ticks and the name of the axis.
const BELOW: f64 = 46.0;
const COLUMNS: usize = 4;
const LEAST_WIDTH: f64 = 520.0;

/// A panel for every mapping and training method (and whatever else tells rows apart), accuracy with its 95 % interval above the results in the columns
/// `measures`. Where a panel would fill less than a third of the common axis of accuracies, each has its own. `x` is the column or axis of the horizontal axis; every combination of values of the columns `series` is a line, with its interval as a
/// band, or with error bars where nothing connects its points.
///
/// # Errors
/// If there is nothing to draw or too much, or a column does not exist.
pub fn lines<E: Entry>(rows: &[E], x: &str, series: &[&str], measures: &[&str]) -> Result<String, PlotError> {
    demand_drawable(rows)?;
    let names = in_order(rows.iter().map(|row| key(row, series)).collect::<Result<Vec<_>, _>>()?);
    if names.len() > MOST_SERIES {
        return Err(PlotError::TooMuch(format!("more than {MOST_SERIES} lines")));
    }
    let panels = panels(rows, x, series, &names)?;
    demand_panels(panels.len())?;
    let x_values = in_order(rows.iter().map(|row| key(row, &[x])).collect::<Result<Vec<_>, _>>()?);
    let mut axis = XAxis::new(&x_values.into_iter().flatten().collect::<Vec<_>>());
    // A panel is no narrower than its title.
    let letters = Lettering::size(13.0).bold();
    let widest = panels.iter().flat_map(|panel| &panel.labels).map(|label| letters.width(label)).fold(0.0, f64::max);
    axis.width = axis.width.max(widest);
    if panels.len() == 1 {
        axis.width = axis.width.max(LEAST_WIDTH - LEFT - RIGHT);
    }
    let strips = Strips::new(rows, &panels, measures)?;
    let title = format!("{} over {}", strips.in_words(), lower(&column_name(x)));
    let shown: Vec<&str> = ["mapping", "training", x].into_iter().chain(series.iter().copied()).collect();
    let width =
        (LEFT + panels.len().min(COLUMNS) as f64 * (axis.width + strips.gap()) - strips.gap() + RIGHT).max(LEAST_WIDTH);
    let mut canvas = Canvas::default();
    let legend = legend(&names, series, axis.connected);
    let top = head(&mut canvas, &title, &common(rows, &shown), &legend, 24.0, width - RIGHT);
    let bottom = grid(&mut canvas, &panels, top, &axis, &strips, &column_name(x));
    canvas.finish(width, bottom, &title)
}

/// All panels in rows of at most four; returns where the figure ends.
fn grid<E: Entry>(
    canvas: &mut Canvas,
    panels: &[Panel<'_, E>],
    top: f64,
    x: &XAxis,
    strips: &Strips,
    x_name: &str,
) -> f64 {
    let lines = panels.iter().map(|panel| panel.labels.len()).max().unwrap_or(1);
    let above = 10.0 + 16.0 * lines as f64 + 6.0;
    let mut start = top;
    for row in panels.chunks(COLUMNS) {
        let corner = start + above;
        for (column, panel) in row.iter().enumerate() {
            let left = LEFT + column as f64 * (x.width + strips.gap());
            panel.draw(canvas, (left, corner), x, strips, column == 0);
            canvas.text((left + x.width / 2.0, corner + strips.height() + 35.0), x_name, Lettering::size(13.0));
        }
        strips.names(canvas, corner);
        start = corner + strips.height() + BELOW + 8.0;
    }
    start
}

fn panels<'a, E: Entry>(
    rows: &'a [E],
    x: &str,
    series: &[&str],
    names: &[Vec<String>],
) -> Result<Vec<Panel<'a, E>>, PlotError> {
    // What lines or the axis show already need not divide panels.
    let used: Vec<&str> = [x].into_iter().chain(series.iter().copied()).collect();
    let columns = dividing(rows, &used)?;
    let columns_as: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut panels: Vec<(Vec<String>, Panel<'a, E>)> = Vec::new();
    for row in rows {
        let values = key(row, &columns_as)?;
        let own = key(row, series)?;
        let index = names.iter().position(|name| *name == own).unwrap_or(0);
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

fn legend<'a>(names: &[Vec<String>], series: &[&str], connected: bool) -> Vec<Line<'a>> {
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
        Box::new(move |canvas, (x, y)| {
            if connected {
                let corners = [(x - 13.0, y - 6.0), (x + 13.0, y - 6.0), (x + 13.0, y + 6.0), (x - 13.0, y + 6.0)];
                canvas.veil(corners.to_vec(), GREY, VEIL);
            } else {
                error_bar(canvas, x, y + 7.0, y - 7.0, 4.0, BLACK);
            }
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
