//! The head of a figure: title, what is common to all data, legend.

use super::canvas::{Canvas, Lettering, Point};
use super::words::wrap;

/// Draws the sample of an entry around a point.
pub(super) type Sample<'a> = Box<dyn Fn(&mut Canvas, Point) + 'a>;

/// A space at which a subtitle is not broken.
pub(super) const UNBROKEN: char = '\u{a0}';

/// One line of entries.
pub(super) struct Line<'a> {
    /// What the entries are values of; may be empty.
    pub(super) name: String,
    pub(super) entries: Vec<(String, Sample<'a>)>,
}

const LETTERS: f64 = 13.0;
const SAMPLE: f64 = 30.0;
const GAP: f64 = 18.0;
const LINE: f64 = 22.0;

/// Draws the head between `left` and `right` and returns where it ends.
pub(super) fn head(
    canvas: &mut Canvas,
    title: &str,
    subtitle: &str,
    legend: &[Line<'_>],
    left: f64,
    right: f64,
) -> f64 {
    let mut y = 28.0;
    for line in wrap(title, fitting(17.0 * 0.66, right - left)) {
        canvas.text((left, y), &line, Lettering::size(17.0).bold().left());
        y += LINE;
    }
    for line in wrap(subtitle, fitting(12.0 * 0.6, right - left)) {
        canvas.text((left, y), &line.replace(UNBROKEN, " "), Lettering::size(12.0).grey().left());
        y += 17.0;
    }
    y += 10.0;
    for line in legend {
        y = entries(canvas, line, left, right, y) + LINE;
    }
    y - 6.0
}

fn fitting(per_character: f64, width: f64) -> usize {
    (width / per_character) as usize
}

/// Draws one line of the legend, in several lines and columns if it must; returns the height of the last.
fn entries(canvas: &mut Canvas, line: &Line<'_>, left: f64, right: f64, mut y: f64) -> f64 {
    let letters = Lettering::size(LETTERS).left();
    let mut start = left;
    if !line.name.is_empty() {
        canvas.text((left, y), &line.name, letters.bold());
        start += letters.bold().width(&line.name) + GAP / 2.0;
    }
    let widths: Vec<f64> = line.entries.iter().map(|(name, _)| SAMPLE + letters.width(name) + GAP).collect();
    let column = widths.iter().copied().fold(0.0, f64::max);
    let in_columns = start + widths.iter().sum::<f64>() - GAP > right;
    let mut x = start;
    for ((name, sample), width) in line.entries.iter().zip(widths) {
        if x > start && x + width - GAP > right {
            x = start;
            y += LINE;
        }
        sample(canvas, (x + SAMPLE / 2.0 - 4.0, y));
        canvas.text((x + SAMPLE, y), name, letters);
        x += if in_columns { column } else { width };
    }
    y
}
