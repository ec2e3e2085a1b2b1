//! Where the texts of a figure are, for tests: none may be cut or lie on another.

use super::canvas::Lettering;

/// A text with the box that it takes, as wide as on a page with common letters.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) text: String,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    Some(tag[start..].split('"').next()?.to_owned())
}

/// All texts of a figure.
pub(crate) fn texts(svg: &str) -> Vec<Text> {
    let of = |part: &str| {
        let (tag, rest) = part.split_once('>')?;
        let text = rest
            .split("</text")
            .next()?
            .trim()
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&amp;", "&");
        let number = |name: &str| attribute(tag, name).and_then(|value| value.parse::<f64>().ok());
        let (x, y, size) = (number("x")?, number("y")?, number("font-size")?);
        let bold = tag.contains("bold");
        let letters = Lettering::size(size);
        // Lettering is on the safe side; common fonts are a tenth narrower.
        let width = 0.9 * if bold { letters.bold() } else { letters }.width(&text);
        let along = match attribute(tag, "text-anchor").as_deref() {
            Some("middle") => (-width / 2.0, width / 2.0),
            Some("end") => (-width, 0.0),
            _ => (0.0, width),
        };
        // Where a text is centred vertically, its baseline is moved down.
        let half = 0.36 * size;
        let upright = tag.contains("rotate(270");
        let ((left, right), (top, bottom)) = if upright {
            ((x - half, x + half), (y - along.1, y - along.0))
        } else {
            ((x + along.0, x + along.1), (y - half, y + half))
        };
        Some(Text { text, left, right, top, bottom })
    };
    svg.split("<text").skip(1).filter_map(of).collect()
}

/// Fails if a text leaves the page or lies on another.
pub(crate) fn demand_readable(name: &str, svg: &str) {
    let page = svg.split_once('>').unwrap().0;
    let side = |side| attribute(page, side).unwrap().parse::<f64>().unwrap();
    let (width, height) = (side("width"), side("height"));
    let texts = texts(svg);
    assert!(!texts.is_empty(), "{name}");
    for (index, text) in texts.iter().enumerate() {
        let inside = text.left >= 0.0 && text.right <= width && text.top >= 0.0 && text.bottom <= height;
        assert!(inside, "{name}: `{}` at {text:?} leaves the page of {width} x {height}", text.text);
        for other in &texts[..index] {
            let apart = text.left >= other.right
                || other.left >= text.right
                || text.top >= other.bottom
                || other.top >= text.bottom;
            assert!(apart, "{name}: `{}` at {text:?} lies on `{}` at {other:?}", text.text, other.text);
        }
    }
}
