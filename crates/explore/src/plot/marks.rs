//! Colours and marks that tell series apart without and with colour.

use plotters::style::RGBColor;

use super::canvas::{BLACK, Canvas, Point, WHITE};

/// The colours of Okabe and Ito (2008), distinct to colour-blind readers, without its yellow, which is lost
/// on white paper.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(86, 180, 233),
    RGBColor(204, 121, 167),
    RGBColor(0, 0, 0),
];

/// The most series that colours and marks can tell apart.
pub(super) const MOST_SERIES: usize = 35;

/// The colour of a series.
pub(super) fn colour(series: usize) -> RGBColor {
    COLOURS[series % COLOURS.len()]
}

/// The colour of a series, paler, so that black marks on it are seen.
pub(super) fn pale(series: usize) -> RGBColor {
    let RGBColor(red, green, blue) = colour(series);
    let mix = |part: u8| ((u16::from(part) * 3 + 255 * 2) / 5) as u8;
    RGBColor(mix(red), mix(green), mix(blue))
}

/// Draws the mark of a series, with a white rim. The shapes repeat after five and the colours after seven, so 35 differ.
pub(super) fn mark(canvas: &mut Canvas, series: usize, (x, y): Point) {
    if series.is_multiple_of(5) {
        canvas.disc((x, y), 5, WHITE);
        canvas.disc((x, y), 4, colour(series));
        return;
    }
    let corners: &[Point] = match series % 5 {
        1 => &[(-4.0, -4.0), (4.0, -4.0), (4.0, 4.0), (-4.0, 4.0)],
        2 => &[(0.0, -5.0), (5.0, 4.0), (-5.0, 4.0)],
        3 => &[(0.0, -6.0), (6.0, 0.0), (0.0, 6.0), (-6.0, 0.0)],
        _ => &[(0.0, 5.0), (5.0, -4.0), (-5.0, -4.0)],
    };
    let scaled = |by: f64| corners.iter().map(|(dx, dy)| (x + by * dx, y + by * dy)).collect();
    canvas.area(scaled(1.25), WHITE);
    canvas.area(scaled(1.0), colour(series));
}

/// A small triangle with a black rim, for the 5th percentile.
pub(super) fn percentile_mark(canvas: &mut Canvas, (x, y): Point) {
    canvas.area(vec![(x, y + 5.0), (x + 6.0, y - 5.0), (x - 6.0, y - 5.0)], BLACK);
    canvas.area(vec![(x, y + 2.0), (x + 3.0, y - 3.0), (x - 3.0, y - 3.0)], WHITE);
}

/// A vertical error bar with caps.
pub(super) fn error_bar(canvas: &mut Canvas, x: f64, low: f64, high: f64, half: f64, colour: RGBColor) {
    canvas.line((x, low), (x, high), 1, colour);
    for y in [low, high] {
        canvas.line((x - half, y), (x + half, y), 1, colour);
    }
}
