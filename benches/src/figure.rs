//! The figure of the results: images a second beside the peer and the goal, and arrays beside the matrix product.

use crate::Failure;
use crate::row::Row;
use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBColor, ShapeStyle, TextStyle};

const WIDTH: i32 = 900;
/// Where bars begin and end.
const LEFT: i32 = 300;
const RIGHT: i32 = 840;
const BAR: i32 = 11;
const BLACK: RGBColor = RGBColor(0, 0, 0);
const GRID: RGBColor = RGBColor(222, 222, 222);
const OHMIC: RGBColor = RGBColor(0, 114, 178);
const PEER: RGBColor = RGBColor(150, 150, 150);
const GOAL: RGBColor = RGBColor(213, 94, 0);

type Svg<'a> = SVGBackend<'a>;

/// An axis from `from` to `to`.
#[derive(Clone, Copy)]
struct Axis {
    from: f64,
    to: f64,
    logarithmic: bool,
}

impl Axis {
    fn x(self, value: f64) -> i32 {
        let scale = |value: f64| if self.logarithmic { value.log10() } else { value };
        let share = (scale(value) - scale(self.from)) / (scale(self.to) - scale(self.from));
        LEFT + (share.clamp(0.0, 1.0) * f64::from(RIGHT - LEFT)).round() as i32
    }
}

/// The figure as SVG.
///
/// # Errors
/// If it cannot be drawn.
pub fn figure(rows: &[Row]) -> Result<String, Failure> {
    let networks: Vec<&Row> = rows.iter().filter(|row| row.crosssim_per_second.is_some()).collect();
    let arrays: Vec<&Row> = rows.iter().filter(|row| row.group == "array" && row.ratio_to_sgemm.is_some()).collect();
    let (top, second) = (70, 70 + 36 * networks.len() as i32 + 90);
    let height = second + 20 * arrays.len() as i32 + 50;
    let mut svg = String::new();
    {
        let mut to = SVGBackend::with_string(&mut svg, (WIDTH as u32, height as u32));
        to.draw_rect((0, 0), (WIDTH, height), &style(RGBColor(255, 255, 255)), true)?;
        text(&mut to, (LEFT, 20), "images per CPU-second, one thread", HPos::Left)?;
        legend(&mut to)?;
        draw_networks(&mut to, &networks, top)?;
        let title = "one array: cell-MAC/s over the multiply-adds/s of the faster sgemm of the same size";
        text(&mut to, (20, second - 32), title, HPos::Left)?;
        draw_arrays(&mut to, &arrays, second)?;
        to.present()?;
    }
    Ok(svg)
}

fn legend(to: &mut Svg<'_>) -> Result<(), Failure> {
    for (index, (colour, name)) in [(OHMIC, "ohmic"), (PEER, "CrossSim 3.2"), (GOAL, "goal")].into_iter().enumerate() {
        let x = 590 + 85 * index as i32 - if index == 0 { 0 } else { 15 } + if index == 2 { 35 } else { 0 };
        to.draw_rect((x, 14), (x + 10, 24), &style(colour), true)?;
        text(to, (x + 15, 20), name, HPos::Left)?;
    }
    Ok(())
}

fn draw_networks(to: &mut Svg<'_>, rows: &[&Row], top: i32) -> Result<(), Failure> {
    let axis = Axis { from: 1.0, to: 100_000.0, logarithmic: true };
    let bottom = top + 36 * rows.len() as i32;
    for value in [1, 10, 100, 1000, 10_000, 100_000] {
        grid(to, axis.x(f64::from(value)), (top - 8, bottom), &value.to_string())?;
    }
    for (row, y) in rows.iter().zip((top..).step_by(36)) {
        text(to, (LEFT - 10, y + BAR), &row.case, HPos::Right)?;
        bar(to, (y, axis.x(row.per_second)), OHMIC, &rounded(row.per_second))?;
        if let Some(peer) = row.crosssim_per_second {
            bar(to, (y + BAR + 1, axis.x(peer)), PEER, &rounded(peer))?;
        }
        if let Some(goal) = row.goal_per_second {
            to.draw_rect((axis.x(goal) - 1, y - 4), (axis.x(goal) + 1, y + BAR + 3), &style(GOAL), true)?;
        }
    }
    Ok(())
}

fn draw_arrays(to: &mut Svg<'_>, rows: &[&Row], top: i32) -> Result<(), Failure> {
    let largest = rows.iter().filter_map(|row| row.ratio_to_sgemm).fold(2.0, f64::max).ceil();
    let axis = Axis { from: 0.0, to: largest, logarithmic: false };
    let bottom = top + 20 * rows.len() as i32;
    for value in 0..=largest as i32 {
        grid(to, axis.x(f64::from(value)), (top - 8, bottom), &format!("{value} x"))?;
    }
    for (row, y) in rows.iter().zip((top..).step_by(20)) {
        let ratio = row.ratio_to_sgemm.unwrap_or_default();
        text(to, (LEFT - 10, y + BAR / 2), &row.case, HPos::Right)?;
        bar(to, (y, axis.x(ratio)), OHMIC, &format!("{ratio:.2}"))?;
        if let Some(goal) = row.goal_ratio {
            to.draw_rect((axis.x(goal) - 1, y - 4), (axis.x(goal) + 1, y + BAR + 4), &style(GOAL), true)?;
        }
    }
    Ok(())
}

fn bar(to: &mut Svg<'_>, (y, end): (i32, i32), colour: RGBColor, label: &str) -> Result<(), Failure> {
    to.draw_rect((LEFT, y), (end, y + BAR), &style(colour), true)?;
    text(to, (end + 6, y + BAR / 2 + 1), label, HPos::Left)
}

fn grid(to: &mut Svg<'_>, x: i32, (top, bottom): (i32, i32), label: &str) -> Result<(), Failure> {
    to.draw_line((x, top), (x, bottom), &style(GRID))?;
    text(to, (x, bottom + 12), label, HPos::Center)
}

fn text(to: &mut Svg<'_>, at: (i32, i32), text: &str, align: HPos) -> Result<(), Failure> {
    let lettering = TextStyle::from(("sans-serif", 15).into_font()).color(&BLACK).pos(Pos::new(align, VPos::Center));
    to.draw_text(text, &lettering, at)?;
    Ok(())
}

fn rounded(value: f64) -> String {
    if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

fn style(colour: RGBColor) -> ShapeStyle {
    ShapeStyle { color: colour.to_rgba(), filled: true, stroke_width: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_numbers() {
        let logarithmic = Axis { from: 1.0, to: 100_000.0, logarithmic: true };
        assert_eq!([0.1, 1.0, 100_000.0, 1e9].map(|value| logarithmic.x(value)), [LEFT, LEFT, RIGHT, RIGHT]);
        assert_eq!(logarithmic.x(10.0) - LEFT, (RIGHT - LEFT) / 5);
        let linear = Axis { from: 0.0, to: 4.0, logarithmic: false };
        assert_eq!(linear.x(1.0) - LEFT, (RIGHT - LEFT) / 4);
    }

    #[test]
    fn every_compared_row_is_drawn() {
        let network =
            Row { crosssim_per_second: Some(129.0), ..Row::new("network", "lenet-5", (512.0, "images"), 0.1) };
        let array = Row { ratio_to_sgemm: Some(1.75), ..Row::new("array", "128x128-adc", (1.0, "vectors"), 1.0) };
        let svg = figure(&[network, array, Row::new("array", "packing", (1.0, "vectors"), 1.0)]).unwrap();
        for label in ["lenet-5", "5120", "129", "128x128-adc", "1.75"] {
            assert!(svg.contains(&format!("\n{label}\n")), "{label} in {svg}");
        }
        assert!(!svg.contains("packing"));
    }
}
