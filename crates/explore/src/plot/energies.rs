//! Where the energy of an inference goes: stacked bars.

use super::PlotError;
use super::canvas::{BLACK, Canvas, GRID, Lettering};
use super::legend::{Line, head};
use super::marks::colour;
use super::rows::{Entry, also_needed, common, demand_drawable, key};
use super::scale::round_linear;
use super::words::{column_name, energy_unit, number};
use crate::results::Row;

const MARGIN: f64 = 24.0;
/// Room for bars and the numbers behind them.
const BARS: f64 = 480.0;
const NUMBERS: f64 = 60.0;
const BAR: f64 = 18.0;
/// More bars do not fit a page; so many, evenly spread, are drawn.
const MOST_BARS: usize = 60;

type Part = (&'static str, fn(&Row) -> f64);

const PARTS: [Part; 7] = [
    ("array", |row| row.energy_array_j),
    ("DAC", |row| row.energy_dac_j),
    ("ADC", |row| row.energy_adc_j),
    ("digital", |row| row.energy_digital_j),
    ("buffers", |row| row.energy_buffer_j),
    ("links", |row| row.energy_link_j),
    ("leakage", |row| row.energy_leakage_j),
];

/// A bar for every row, or for 60 of them, in the order of the rows.
///
/// # Errors
/// If there is nothing to draw.
pub fn energy_bars<E: Entry>(rows: &[E]) -> Result<String, PlotError> {
    demand_drawable(rows)?;
    let shown = rows.len().min(MOST_BARS);
    let chosen: Vec<&E> = (0..shown).map(|index| &rows[index * rows.len() / shown]).collect();
    let also = also_needed(rows, &["mapping", "training"])?;
    let columns: Vec<&str> = ["mapping", "training"].into_iter().chain(also.iter().map(String::as_str)).collect();
    let most = rows.iter().map(|row| row.row().energy_j).fold(0.0, f64::max);
    let (unit, per_joule) = energy_unit(most);
    let title = format!("Energy of an inference ({unit})");
    let mut legend = Line { name: String::new(), entries: Vec::new() };
    for (index, (name, _)) in PARTS.iter().enumerate() {
        legend.entries.push((
            (*name).to_owned(),
            Box::new(move |canvas, (x, y)| canvas.box_filled((x - 8.0, y - 7.0), (x + 8.0, y + 7.0), colour(index))),
        ));
    }
    let mut subtitle = common(rows, &columns);
    if shown < rows.len() {
        subtitle = format!("{shown} of {} rows, evenly chosen; {subtitle}", rows.len());
    }
    let labels = chosen.iter().map(|row| label(*row, &columns)).collect::<Result<Vec<_>, _>>()?;
    let letters = Lettering::size(11.0);
    let left = labels.iter().map(|label| letters.width(label)).fold(100.0, f64::max) + MARGIN + 8.0;
    let width = left + BARS + NUMBERS;
    let mut canvas = Canvas::default();
    let top = head(&mut canvas, &title, &subtitle, &[legend], MARGIN, width - MARGIN) + 8.0;
    let bottom = top + shown as f64 * (BAR + 6.0);
    let scale = round_linear(0.0, most * per_joule, (0.0, f64::MAX)).between(left, left + BARS);
    for tick in scale.ticks() {
        canvas.line((scale.at(tick), top), (scale.at(tick), bottom), 1, GRID);
        canvas.text((scale.at(tick), bottom + 14.0), &number(tick), Lettering::size(12.0));
    }
    for (index, (row, label)) in chosen.iter().zip(&labels).enumerate() {
        let y = top + index as f64 * (BAR + 6.0) + 3.0;
        canvas.text((left - 8.0, y + BAR / 2.0), label, letters.right());
        let mut from = 0.0;
        for (part, (_, energy)) in PARTS.iter().enumerate() {
            let to = from + energy(row.row()) * per_joule;
            canvas.box_filled((scale.at(from), y), (scale.at(to), y + BAR), colour(part));
            from = to;
        }
        canvas.text((scale.at(from) + 5.0, y + BAR / 2.0), &number(from), letters.left());
    }
    canvas.line((left, top), (left, bottom), 1, BLACK);
    canvas.finish(width, bottom + 34.0, &title)
}

/// Mapping and training by their values, anything else with its name.
fn label<E: Entry>(row: &E, columns: &[&str]) -> Result<String, PlotError> {
    let values = key(row, columns)?;
    let word = |(column, value): (&&str, &String)| match *column {
        "mapping" | "training" => value.clone(),
        column => format!("{} {value}", column_name(column)),
    };
    Ok(columns.iter().zip(&values).map(word).collect::<Vec<_>>().join(", "))
}
