//! Accuracy of every mapping and training method as grouped bars.

use super::PlotError;
use super::canvas::{BLACK, Canvas, GREY, GRID, Lettering};
use super::legend::{Line, head};
use super::marks::{MOST_SERIES, error_bar, pale, percentile_mark};
use super::rows::{also_needed, common, demand_drawable, in_order, key};
use super::scale::Scale;
use super::words::{column_name, energy_unit, number};
use crate::results::Row;

const TITLE: &str = "Accuracy under device variation";
const LEFT: f64 = 104.0;
const RIGHT: f64 = 24.0;
const BAR: f64 = 46.0;
const GROUP_GAP: f64 = 30.0;
const HEIGHT: f64 = 320.0;
const LEAST_WIDTH: f64 = 540.0;
/// More bars would not fit a page, and a file of them no memory.
const MOST_BARS: usize = 2000;

/// Bars of one mapping (and of whatever else tells rows apart), labelled below.
struct Group<'a> {
    labels: Vec<String>,
    rows: Vec<&'a Row>,
    left: f64,
    width: f64,
    /// Width of a bar.
    bar: f64,
}

/// Groups are mappings, bars training methods; with the 95 % interval of the mean, the 5th percentile of chips, the
/// accuracy in software, chance level (1 / `classes`; no line for 0) and the energy of an inference below each bar.
pub fn accuracy_bars(rows: &[Row], classes: u64) -> Result<String, PlotError> {
    demand_drawable(rows)?;
    if rows.len() > MOST_BARS {
        return Err(PlotError::TooMuch(format!("{} bars; the most a figure can show is {MOST_BARS}", rows.len())));
    }
    let trainings = in_order(rows.iter().map(|row| row.training.as_str()));
    if trainings.len() > MOST_SERIES {
        return Err(PlotError::TooMuch(format!("more than {MOST_SERIES} training methods")));
    }
    let mut groups = groups(rows, &trainings)?;
    arrange(&mut groups);
    let data_right = groups.last().map_or(LEFT, |group| group.left + group.width) + GROUP_GAP / 2.0;
    let width = (data_right + RIGHT).max(LEAST_WIDTH);
    let mut canvas = Canvas::default();
    let legend = legend(&trainings, classes);
    let top = head(&mut canvas, TITLE, &common(rows, &["mapping", "training"]), &legend, 24.0, width - RIGHT) + 14.0;
    let scale = Scale::linear(0.0, 100.0).between(top + HEIGHT, top);
    axis(&mut canvas, &scale, top, data_right);
    for group in &groups {
        for (place, row) in group.rows.iter().enumerate() {
            bar(&mut canvas, &scale, row, (bar_left(group, place), group.bar), &trainings);
        }
    }
    if classes > 0 {
        canvas.dashes(LEFT, data_right, scale.at(100.0 / classes as f64), 1, BLACK);
    }
    canvas.line((LEFT, top + HEIGHT), (data_right, top + HEIGHT), 1, BLACK);
    let bottom = footer(&mut canvas, rows, &groups, top + HEIGHT);
    canvas.finish(width, bottom, TITLE)
}

fn groups<'a>(rows: &'a [Row], trainings: &[&str]) -> Result<Vec<Group<'a>>, PlotError> {
    let also = also_needed(rows, &["mapping", "training"])?;
    let columns: Vec<&str> = ["mapping"].into_iter().chain(also.iter().map(String::as_str)).collect();
    let keyed = rows.iter().map(|row| Ok((key(row, &columns)?, row))).collect::<Result<Vec<_>, PlotError>>()?;
    let mut groups = Vec::new();
    for values in in_order(keyed.iter().map(|(key, _)| key)) {
        let mut rows: Vec<&Row> = keyed.iter().filter(|(key, _)| key == values).map(|(_, row)| *row).collect();
        rows.sort_by_key(|row| trainings.iter().position(|training| *training == row.training));
        let more =
            columns.iter().zip(values).skip(1).map(|(column, value)| format!("{}: {value}", column_name(column)));
        let labels: Vec<String> = values.iter().take(1).cloned().chain(more).collect();
        groups.push(Group { labels, rows, left: 0.0, width: 0.0, bar: BAR });
    }
    Ok(groups)
}

/// Gives groups their places; few bars get wider ones, so that the figure is not empty.
fn arrange(groups: &mut [Group<'_>]) {
    let free = LEAST_WIDTH - LEFT - RIGHT - groups.len() as f64 * GROUP_GAP;
    let bars: usize = groups.iter().map(|group| group.rows.len()).sum();
    let bar = (free / bars as f64).clamp(BAR, 2.0 * BAR);
    let mut left = LEFT + GROUP_GAP / 2.0;
    for group in groups {
        let widest = group.labels.iter().map(|label| Lettering::size(13.0).bold().width(label)).fold(0.0, f64::max);
        group.bar = bar;
        group.left = left;
        group.width = (group.rows.len() as f64 * bar).max(widest);
        left += group.width + GROUP_GAP;
    }
}

/// Bars stand in the middle of a group whose label is wider.
fn bar_left(group: &Group<'_>, place: usize) -> f64 {
    group.left + (group.width - group.rows.len() as f64 * group.bar) / 2.0 + place as f64 * group.bar
}

fn legend<'a>(trainings: &[&'a str], classes: u64) -> Vec<Line<'a>> {
    let mut methods = Line { name: "Training".to_owned(), entries: Vec::new() };
    for (index, training) in trainings.iter().enumerate() {
        methods.entries.push((
            (*training).to_owned(),
            Box::new(move |canvas, (x, y)| {
                canvas.box_filled((x - 8.0, y - 7.0), (x + 8.0, y + 7.0), pale(index));
                canvas.box_outline((x - 8.0, y - 7.0), (x + 8.0, y + 7.0), BLACK);
            }),
        ));
    }
    let mut marks = Line { name: String::new(), entries: Vec::new() };
    marks.entries.push((
        "95 % interval of the mean".to_owned(),
        Box::new(|canvas, (x, y)| {
            error_bar(canvas, x, y + 7.0, y - 7.0, 5.0, BLACK);
        }),
    ));
    marks.entries.push(("5th percentile of chips".to_owned(), Box::new(percentile_mark)));
    marks.entries.push((
        "software".to_owned(),
        Box::new(|canvas, (x, y)| {
            canvas.line((x - 11.0, y), (x + 11.0, y), 3, BLACK);
        }),
    ));
    if classes > 0 {
        let chance = format!("chance ({} %)", number(100.0 / classes as f64));
        marks.entries.push((chance, Box::new(|canvas, (x, y)| canvas.dashes(x - 13.0, x + 13.0, y, 1, BLACK))));
    }
    vec![methods, marks]
}

fn axis(canvas: &mut Canvas, scale: &Scale, top: f64, right: f64) {
    for tick in scale.ticks() {
        let y = scale.at(tick);
        canvas.line((LEFT, y), (right, y), 1, GRID);
        canvas.line((LEFT - 5.0, y), (LEFT, y), 1, BLACK);
        canvas.text((LEFT - 9.0, y), &number(tick), Lettering::size(12.0).right());
    }
    canvas.line((LEFT, top), (LEFT, top + HEIGHT), 1, BLACK);
    let middle = (LEFT - 56.0, top + HEIGHT / 2.0);
    canvas.text(middle, "Accuracy on the chip (%)", Lettering::size(14.0).upright());
}

fn bar(canvas: &mut Canvas, scale: &Scale, row: &Row, (left, width): (f64, f64), trainings: &[&str]) {
    let y = |accuracy: f64| scale.at(100.0 * accuracy.clamp(0.0, 1.0));
    let (from, to) = (left + 3.0, left + width - 3.0);
    let series = trainings.iter().position(|training| *training == row.training).unwrap_or(0);
    canvas.box_filled((from, y(row.accuracy_mean)), (to, y(0.0)), pale(series));
    canvas.box_outline((from, y(row.accuracy_mean)), (to, y(0.0)), BLACK);
    canvas.line((from - 1.0, y(row.software_accuracy)), (to + 1.0, y(row.software_accuracy)), 3, BLACK);
    let middle = left + width * 0.42;
    error_bar(canvas, middle, y(row.accuracy_ci95_low), y(row.accuracy_ci95_high), 6.0, BLACK);
    percentile_mark(canvas, (left + width * 0.74, y(row.accuracy_p5)));
}

/// Energies and labels below the bars; returns where the figure ends.
fn footer(canvas: &mut Canvas, rows: &[Row], groups: &[Group<'_>], axis: f64) -> f64 {
    let (unit, per_joule) = energy_unit(rows.iter().map(|row| row.energy_j).fold(0.0, f64::max));
    canvas.text((LEFT - 9.0, axis + 16.0), "Energy per", Lettering::size(11.0).grey().right());
    canvas.text((LEFT - 9.0, axis + 30.0), &format!("inference ({unit})"), Lettering::size(11.0).grey().right());
    for group in groups {
        for (place, row) in group.rows.iter().enumerate() {
            let x = bar_left(group, place) + group.bar / 2.0;
            canvas.text((x, axis + 16.0), &number(row.energy_j * per_joule), Lettering::size(12.0));
        }
        let middle = group.left + group.width / 2.0;
        canvas.line((group.left, axis + 30.0), (group.left + group.width, axis + 30.0), 1, GREY);
        for (line, label) in group.labels.iter().enumerate() {
            let letters = if line == 0 { Lettering::size(13.0).bold() } else { Lettering::size(12.0) };
            canvas.text((middle, axis + 44.0 + 17.0 * line as f64), label, letters);
        }
    }
    let lines = groups.iter().map(|group| group.labels.len()).max().unwrap_or(1);
    axis + 44.0 + 17.0 * lines as f64 + 30.0 - 17.0
}
