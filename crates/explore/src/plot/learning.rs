//! The learning curve of a training: loss, and accuracies in per cent, over epochs.

use super::PlotError;
use super::canvas::{BLACK, Canvas, GRID, Lettering, Point};
use super::legend::{Line, head};
use super::marks::{colour, mark};
use super::scale::{Scale, round_linear};
use trainer::Epoch;

const LEFT: f64 = 70.0;
const RIGHT: f64 = 24.0;
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 220.0;
const GAP: f64 = 76.0;
const BELOW: f64 = 52.0;

/// Name of a curve and its values, where there are such.
type Curve = (&'static str, Vec<(f64, f64)>);

/// Loss on the left, accuracies on the right; `chosen` is the index of the epoch that the network was taken from.
///
/// # Errors
/// If there is no epoch, or a loss is not finite.
pub fn learning_curve(epochs: &[Epoch], chosen: usize, title: &str) -> Result<String, PlotError> {
    if epochs.is_empty() {
        return Err(PlotError::Empty);
    }
    if let Some(row) = epochs.iter().position(|epoch| !epoch.loss.is_finite()) {
        return Err(PlotError::NotFinite { column: "loss", row: row + 1 });
    }
    let curve = |of: &dyn Fn(&Epoch) -> Option<f64>| -> Vec<(f64, f64)> {
        epochs.iter().filter_map(|epoch| Some((f64::from(epoch.epoch), of(epoch)?))).collect()
    };
    let percent = |share: f64| Some(100.0 * share);
    let loss: Vec<Curve> = vec![("loss of the steps", curve(&|epoch| Some(epoch.loss)))];
    let mut accuracies: Vec<Curve> = vec![
        ("training images, in the steps", curve(&|epoch| percent(epoch.training_software))),
        ("validation images, software", curve(&|epoch| percent(epoch.validation_software))),
        ("validation images, chip samples", curve(&|epoch| percent(epoch.validation_hardware?))),
    ];
    accuracies.retain(|(_, values)| !values.is_empty());
    let width = LEFT + 2.0 * WIDTH + GAP + RIGHT;
    let mut canvas = Canvas::default();
    let entry = |(index, (name, _)): (usize, &Curve)| {
        let sample = move |canvas: &mut Canvas, (x, y): Point| {
            canvas.line((x - 13.0, y), (x + 13.0, y), 2, colour(index));
            mark(canvas, index, (x, y));
        };
        ((*name).to_owned(), Box::new(sample) as super::legend::Sample<'_>)
    };
    let legend = Line { name: String::new(), entries: accuracies.iter().enumerate().map(entry).collect() };
    let subtitle = format!("the network is that of epoch {}", chosen + 1);
    let top = head(&mut canvas, title, &subtitle, &[legend], 24.0, width - RIGHT) + 12.0;
    let last = f64::from(epochs.last().map_or(1, |epoch| epoch.epoch));
    panel(&mut canvas, (LEFT, top), last, &loss, "Loss (nats)", (0.0, f64::INFINITY));
    panel(&mut canvas, (LEFT + WIDTH + GAP, top), last, &accuracies, "Accuracy (%)", (0.0, 100.0));
    canvas.finish(width, top + HEIGHT + BELOW, title)
}

/// One pair of axes with its curves.
fn panel(canvas: &mut Canvas, (left, top): Point, last: f64, curves: &[Curve], name: &str, bounds: (f64, f64)) {
    let values = || curves.iter().flat_map(|(_, values)| values.iter().map(|&(_, value)| value));
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let y = round_linear(low, high, bounds).between(top + HEIGHT, top);
    let x = Scale::linear(1.0, last).between(left, left + WIDTH);
    let small = Lettering::size(12.0);
    for tick in y.ticks() {
        canvas.line((left, y.at(tick)), (left + WIDTH, y.at(tick)), 1, GRID);
        canvas.text((left - 7.0, y.at(tick)), &rounded(tick), small.right());
    }
    for tick in x.ticks().into_iter().filter(|tick| tick.fract() == 0.0) {
        canvas.line((x.at(tick), top + HEIGHT), (x.at(tick), top + HEIGHT + 4.0), 1, BLACK);
        canvas.text((x.at(tick), top + HEIGHT + 14.0), &rounded(tick), small);
    }
    canvas.box_outline((left, top), (left + WIDTH, top + HEIGHT), BLACK);
    for (index, (_, values)) in curves.iter().enumerate() {
        let points: Vec<Point> = values.iter().map(|&(epoch, value)| (x.at(epoch), y.at(value))).collect();
        points.windows(2).for_each(|pair| canvas.line(pair[0], pair[1], 2, colour(index)));
        points.iter().for_each(|&point| mark(canvas, index, point));
    }
    canvas.text((left + WIDTH / 2.0, top + HEIGHT + 36.0), "Epochs", Lettering::size(13.0));
    canvas.text((left - 50.0, top + HEIGHT / 2.0), name, Lettering::size(13.0).upright());
}

/// A tick without the last digits of its binary fraction.
fn rounded(tick: f64) -> String {
    ((tick * 1e6).round() / 1e6).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(epoch: u32, hardware: Option<f64>) -> Epoch {
        let loss = 1.0 / f64::from(epoch);
        Epoch { epoch, loss, validation_software: 0.9, validation_hardware: hardware, ..Epoch::default() }
    }

    #[test]
    fn every_curve_that_was_measured_is_drawn() {
        let svg = learning_curve(&[epoch(1, None), epoch(2, None), epoch(3, None)], 1, "a < b").unwrap();
        assert!(svg.contains("a &lt; b") && svg.contains("that of epoch 2") && !svg.contains("chip samples"));
        let with = learning_curve(&[epoch(1, None), epoch(2, Some(0.5))], 1, "x").unwrap();
        assert!(with.contains("chip samples"));
        assert_ne!(
            learning_curve(&[epoch(1, None)], 0, "x").unwrap(),
            learning_curve(&[epoch(2, None)], 0, "x").unwrap()
        );
    }

    #[test]
    fn what_cannot_be_drawn_is_named() {
        assert_eq!(learning_curve(&[], 0, "x"), Err(PlotError::Empty));
        let diverged = Epoch { loss: f64::NAN, ..epoch(1, None) };
        let error = learning_curve(&[epoch(1, None), diverged], 0, "x").unwrap_err();
        assert_eq!(error, PlotError::NotFinite { column: "loss", row: 2 });
    }
}
