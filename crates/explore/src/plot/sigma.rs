//! Accuracy over the scale of the device's variation: a panel for every mapping strategy, a line with its band for every training method.

use super::PlotError;
use super::canvas::{BLACK, Canvas, GREY, GRID, Lettering, Point};
use super::legend::{Line, head};
use super::marks::{colour, mark, pale};
use super::rows::in_order;
use super::scale::Scale;
use crate::compare::SigmaRow;

const LEFT: f64 = 62.0;
const RIGHT: f64 = 24.0;
const WIDTH: f64 = 230.0;
const HEIGHT: f64 = 210.0;
const GAP: f64 = 22.0;
const BELOW: f64 = 52.0;
const COLUMNS: usize = 4;

/// `marked` is the scale of the operating point; dotted is what a guess among `classes` gives.
///
/// # Errors
/// If there are no rows.
pub fn accuracy_over_sigma(rows: &[SigmaRow], marked: Option<f64>, classes: usize) -> Result<String, PlotError> {
    let mappings = in_order(rows.iter().map(|row| row.mapping.clone()));
    let methods = in_order(rows.iter().map(|row| row.training.clone()));
    let last = rows.iter().map(|row| row.sigma_scale).fold(f64::NEG_INFINITY, f64::max);
    if rows.is_empty() {
        return Err(PlotError::Empty);
    }
    let entry = |(index, name): (usize, &String)| {
        let sample = move |canvas: &mut Canvas, (x, y): Point| {
            canvas.line((x - 13.0, y), (x + 13.0, y), 2, colour(index));
            mark(canvas, index, (x, y));
        };
        (name.clone(), Box::new(sample) as super::legend::Sample<'_>)
    };
    let legend = Line { name: "Training".to_owned(), entries: methods.iter().enumerate().map(entry).collect() };
    let width = LEFT + mappings.len().min(COLUMNS) as f64 * (WIDTH + GAP) - GAP + RIGHT;
    let (title, mut canvas) = ("Accuracy over the scale of variation", Canvas::default());
    let subtitle =
        "networks as they are, bands: 95 % intervals of the mean; dashed: operating point; thin: chance level";
    let mut top = head(&mut canvas, title, subtitle, &[legend], 24.0, width - RIGHT) + 22.0;
    for (row, some) in mappings.chunks(COLUMNS).enumerate() {
        top += if row > 0 { HEIGHT + BELOW + 22.0 } else { 0.0 };
        for (column, mapping) in some.iter().enumerate() {
            let left = LEFT + column as f64 * (WIDTH + GAP);
            let x = Scale::linear(0.0, last).between(left, left + WIDTH);
            let panel = Panel { corner: (left, top), x, y: Scale::linear(0.0, 100.0).between(top + HEIGHT, top) };
            panel.axes(&mut canvas, mapping, column == 0);
            panel.levels(&mut canvas, marked, classes);
            for (index, method) in methods.iter().enumerate() {
                let mine = |row: &&SigmaRow| row.mapping == *mapping && row.training == *method;
                panel.curve(&mut canvas, index, rows.iter().filter(mine).collect());
            }
        }
    }
    canvas.finish(width, top + HEIGHT + BELOW, title)
}

struct Panel {
    corner: Point,
    x: Scale,
    y: Scale,
}

impl Panel {
    fn axes(&self, canvas: &mut Canvas, name: &str, first: bool) {
        let (left, top) = self.corner;
        let small = Lettering::size(12.0);
        canvas.text((left + WIDTH / 2.0, top - 12.0), name, Lettering::size(13.0).bold());
        for tick in self.y.ticks() {
            canvas.line((left, self.y.at(tick)), (left + WIDTH, self.y.at(tick)), 1, GRID);
            if first {
                canvas.text((left - 7.0, self.y.at(tick)), &rounded(tick), small.right());
            }
        }
        for tick in self.x.ticks() {
            canvas.line((self.x.at(tick), top + HEIGHT), (self.x.at(tick), top + HEIGHT + 4.0), 1, BLACK);
            canvas.text((self.x.at(tick), top + HEIGHT + 14.0), &rounded(tick), small);
        }
        canvas.box_outline((left, top), (left + WIDTH, top + HEIGHT), BLACK);
        canvas.text((left + WIDTH / 2.0, top + HEIGHT + 36.0), "Scale of variation", Lettering::size(13.0));
        if first {
            canvas.text((left - 44.0, top + HEIGHT / 2.0), "Accuracy (%)", Lettering::size(13.0).upright());
        }
    }

    fn levels(&self, canvas: &mut Canvas, marked: Option<f64>, classes: usize) {
        let (left, top) = self.corner;
        let chance = self.y.at(100.0 / classes as f64);
        canvas.line((left, chance), (left + WIDTH, chance), 1, GREY);
        if let Some(at) = marked.map(|scale| self.x.at(scale)) {
            let dash = HEIGHT / 25.0;
            (0..13).map(|index| top + 2.0 * dash * f64::from(index)).for_each(|start| {
                canvas.line((at, start), (at, start + dash), 1, BLACK);
            });
        }
    }

    fn curve(&self, canvas: &mut Canvas, index: usize, mut rows: Vec<&SigmaRow>) {
        rows.sort_by(|a, b| a.sigma_scale.total_cmp(&b.sigma_scale));
        let at = |row: &SigmaRow, share: f64| (self.x.at(row.sigma_scale), self.y.at(100.0 * share));
        let low = rows.iter().map(|row| at(row, row.accuracy_ci95_low));
        let high = rows.iter().rev().map(|row| at(row, row.accuracy_ci95_high));
        canvas.area(low.chain(high).collect(), pale(index));
        let points: Vec<Point> = rows.iter().map(|row| at(row, row.accuracy_mean)).collect();
        points.windows(2).for_each(|pair| canvas.line(pair[0], pair[1], 2, colour(index)));
        points.iter().for_each(|&point| mark(canvas, index, point));
    }
}

/// A tick without the last digits of its binary fraction.
fn rounded(tick: f64) -> String {
    ((tick * 1e6).round() / 1e6).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(mapping: &str, training: &str, sigma_scale: f64) -> SigmaRow {
        SigmaRow {
            mapping: mapping.to_owned(),
            training: training.to_owned(),
            factor: sigma_scale,
            sigma_scale,
            chips: 2,
            images: 10,
            accuracy_mean: 0.5,
            accuracy_ci95_low: 0.4,
            accuracy_ci95_high: 0.6,
        }
    }

    #[test]
    fn every_mapping_has_a_panel_and_every_method_a_line() {
        let rows = [row("isaac", "biased", 1.0), row("isaac", "biased", 2.0), row("a<b", "conventional", 1.0)];
        let svg = accuracy_over_sigma(&rows, Some(1.5), 10).unwrap();
        for text in ["isaac", "a&lt;b", "biased", "conventional"] {
            assert_eq!(svg.matches(&format!(">\n{text}\n<")).count(), 1, "{text}: {svg}");
        }
        assert_ne!(svg, accuracy_over_sigma(&rows, None, 10).unwrap());
        assert_eq!(accuracy_over_sigma(&[], None, 10), Err(PlotError::Empty));
    }
}
