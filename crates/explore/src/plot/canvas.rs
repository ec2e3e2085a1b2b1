//! A list of shapes, turned into SVG when the size of the figure is known.

use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontTransform, IntoFont, RGBColor, ShapeStyle, TextStyle};

use super::PlotError;

pub(super) const BLACK: RGBColor = RGBColor(0, 0, 0);
pub(super) const WHITE: RGBColor = RGBColor(255, 255, 255);
/// Text of less weight; dark enough for print.
pub(super) const GREY: RGBColor = RGBColor(90, 90, 90);
/// Lines behind the data.
pub(super) const GRID: RGBColor = RGBColor(222, 222, 222);

/// The backend multiplies sizes by its reciprocal.
const FONT_SCALE: f64 = 1.24;

/// A point in pixels; y grows downwards.
pub(super) type Point = (f64, f64);

#[derive(Clone, Debug)]
enum Shape {
    Line { from: Point, to: Point, width: u32, colour: RGBColor },
    Area { points: Vec<Point>, colour: RGBColor, opacity: f64 },
    Rectangle { from: Point, to: Point, filled: bool, colour: RGBColor },
    Circle { centre: Point, radius: u32, colour: RGBColor },
    Text { at: Point, text: String, style: Lettering },
}

/// Which end of a text is at its place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Align {
    Left,
    Middle,
    Right,
}

/// How a text is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lettering {
    pub(super) size: f64,
    pub(super) bold: bool,
    pub(super) colour: RGBColor,
    pub(super) align: Align,
    /// Bottom to top.
    pub(super) upright: bool,
}

impl Lettering {
    /// Black, centred, of `size` pixels.
    pub(super) fn size(size: f64) -> Self {
        Self { size, bold: false, colour: BLACK, align: Align::Middle, upright: false }
    }

    pub(super) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(super) fn grey(self) -> Self {
        Self { colour: GREY, ..self }
    }

    pub(super) fn left(self) -> Self {
        Self { align: Align::Left, ..self }
    }

    pub(super) fn right(self) -> Self {
        Self { align: Align::Right, ..self }
    }

    pub(super) fn upright(self) -> Self {
        Self { upright: true, ..self }
    }

    /// About the width of a text, on the safe side for the usual sans-serif fonts.
    pub(super) fn width(self, text: &str) -> f64 {
        let per_character = if self.bold { 0.65 } else { 0.57 };
        text.chars().count() as f64 * per_character * self.size
    }
}

/// The shapes drawn so far.
#[derive(Debug, Default)]
pub(super) struct Canvas {
    shapes: Vec<Shape>,
}

impl Canvas {
    pub(super) fn line(&mut self, from: Point, to: Point, width: u32, colour: RGBColor) {
        self.shapes.push(Shape::Line { from, to, width, colour });
    }

    /// A dashed horizontal line.
    pub(super) fn dashes(&mut self, left: f64, right: f64, y: f64, width: u32, colour: RGBColor) {
        let mut x = left;
        while x < right {
            self.line((x, y), ((x + 6.0).min(right), y), width, colour);
            x += 10.0;
        }
    }

    pub(super) fn area(&mut self, points: Vec<Point>, colour: RGBColor) {
        self.shapes.push(Shape::Area { points, colour, opacity: 1.0 });
    }

    /// An area through which others are seen.
    pub(super) fn veil(&mut self, points: Vec<Point>, colour: RGBColor, opacity: f64) {
        self.shapes.push(Shape::Area { points, colour, opacity });
    }

    pub(super) fn box_filled(&mut self, from: Point, to: Point, colour: RGBColor) {
        self.shapes.push(Shape::Rectangle { from, to, filled: true, colour });
    }

    pub(super) fn box_outline(&mut self, from: Point, to: Point, colour: RGBColor) {
        self.shapes.push(Shape::Rectangle { from, to, filled: false, colour });
    }

    pub(super) fn disc(&mut self, centre: Point, radius: u32, colour: RGBColor) {
        self.shapes.push(Shape::Circle { centre, radius, colour });
    }

    /// Writes a text, vertically centred on `at`.
    pub(super) fn text(&mut self, at: Point, text: &str, style: Lettering) {
        self.shapes.push(Shape::Text { at, text: printable(text), style });
    }

    /// The SVG of a figure of a size, with a title for those who cannot see it.
    pub(super) fn finish(self, width: f64, height: f64, title: &str) -> Result<String, PlotError> {
        let mut svg = String::new();
        {
            let size = (width.ceil() as u32, height.ceil() as u32);
            let mut backend = SVGBackend::with_string(&mut svg, size);
            let page = Shape::Rectangle { from: (0.0, 0.0), to: (width, height), filled: true, colour: WHITE };
            draw(&mut backend, &page)?;
            self.shapes.iter().try_for_each(|shape| draw(&mut backend, shape))?;
            backend.present().map_err(|error| PlotError::Backend(error.to_string()))?;
        }
        let title = printable(title).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let svg = svg.replacen("<svg ", "<svg role=\"img\" ", 1);
        Ok(svg.replacen(">\n", &format!(">\n<title>{title}</title>\n"), 1))
    }
}

fn draw<B: DrawingBackend>(backend: &mut B, shape: &Shape) -> Result<(), PlotError> {
    let drawn = match shape {
        Shape::Line { from, to, width, colour } => backend.draw_line(pixel(*from), pixel(*to), &style(*colour, *width)),
        Shape::Area { points, colour, opacity } => {
            backend.fill_polygon(points.iter().map(|point| pixel(*point)), &colour.mix(*opacity))
        }
        Shape::Rectangle { from, to, filled, colour } => {
            backend.draw_rect(pixel(*from), pixel(*to), &style(*colour, 1), *filled)
        }
        Shape::Circle { centre, radius, colour } => {
            backend.draw_circle(pixel(*centre), *radius, &style(*colour, 1), true)
        }
        Shape::Text { at, text, style } => backend.draw_text(text, &text_style(style), pixel(*at)),
    };
    drawn.map_err(|error| PlotError::Backend(error.to_string()))
}

fn style(colour: RGBColor, width: u32) -> ShapeStyle {
    ShapeStyle { color: colour.to_rgba(), filled: true, stroke_width: width }
}

fn text_style(style: &Lettering) -> TextStyle<'_> {
    let mut font = ("sans-serif", style.size * FONT_SCALE).into_font();
    if style.bold {
        font = font.style(plotters::style::FontStyle::Bold);
    }
    if style.upright {
        font = font.transform(FontTransform::Rotate270);
    }
    let horizontal = match style.align {
        Align::Left => HPos::Left,
        Align::Middle => HPos::Center,
        Align::Right => HPos::Right,
    };
    TextStyle::from(font).color(&style.colour).pos(Pos::new(horizontal, VPos::Center))
}

fn pixel((x, y): Point) -> (i32, i32) {
    (x.round() as i32, y.round() as i32)
}

/// A text without the characters that XML does not allow.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { ' ' } else { c }).collect()
}
