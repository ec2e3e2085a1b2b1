//! Random networks as ONNX files, with what they compute: every node is evaluated in `f64` by loops over its definition while it is written. Nothing
//! is shared with the crate under test but the messages of the file.
#![allow(dead_code, reason = "every test binary uses a part of it")]

mod draw;
mod heads;
mod joins;
mod map;
mod pools;
mod values;
mod weighted;
mod windows;

use super::writer::Writer;
pub(crate) use draw::Draw;
pub(crate) use map::Map;
use nn::onnx::proto::AttributeProto;

/// What a network is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Whatever can be imported.
    Import,
    /// What a chip has units for: it ends with scores, its windows have the padding of their own, constants go with channels.
    Chip,
}

/// A network with an image and what it should compute.
pub(crate) struct Case {
    /// The file.
    pub(crate) bytes: Vec<u8>,
    /// Channels, height and width of the image.
    pub(crate) size: [usize; 3],
    /// The image, channel-major.
    pub(crate) input: Vec<f32>,
    /// The result.
    pub(crate) expected: Vec<f64>,
    /// The largest value of any map, at least 1: the measure of rounding errors.
    pub(crate) largest: f64,
}

/// A network that grows node by node.
pub(crate) struct Growing {
    pub(crate) draw: Draw,
    pub(crate) writer: Writer,
    purpose: Purpose,
    /// Whether maps have one row, which the file does not know of.
    flat: bool,
    /// All maps so far that further ones may be joined with, the image first.
    maps: Vec<Map>,
    /// The largest value of any map.
    largest: f64,
}

/// Channels that maps do not exceed.
const MOST_CHANNELS: usize = 24;

/// The network of a seed.
pub(crate) fn random(seed: u64, purpose: Purpose) -> Case {
    let mut growing = Growing::new(seed, purpose);
    for _ in 0..growing.draw.within(1, 8) {
        let before = growing.maps.len();
        growing.grow();
        if growing.last().size[0] > MOST_CHANNELS {
            growing.maps.truncate(before);
        }
    }
    growing.head();
    growing.finish()
}

impl Growing {
    fn new(seed: u64, purpose: Purpose) -> Self {
        let mut draw = Draw::new(seed);
        let flat = draw.once_in(8);
        let height = if flat { 1 } else { draw.within(3, 9) };
        let size = [draw.within(1, 4), height, draw.within(3, 9)];
        let dims: Vec<i64> =
            if flat { vec![size[0], size[2]] } else { size.to_vec() }.iter().map(|&n| n as i64).collect();
        // Both an open and a fixed number of images.
        let images = if draw.once_in(2) { 0 } else { 1 };
        let mut writer = Writer::new(&[&[images], &dims[..]].concat());
        writer.opset = if draw.once_in(2) { 13 } else { 19 };
        let image = |draw: &mut Draw, count| match purpose {
            Purpose::Import => draw.numbers(count),
            Purpose::Chip => (0..count).map(|_| draw.within(0, 255) as f32 / 255.0).collect(),
        };
        let values = image(&mut draw, size.iter().product());
        let input = Map { name: "x".into(), size, values: values.into_iter().map(f64::from).collect() };
        Self { draw, writer, purpose, flat, maps: vec![input], largest: 1.0 }
    }

    fn last(&self) -> Map {
        self.maps[self.maps.len() - 1].clone()
    }

    /// Adds a node or a few, unless what was drawn does not fit the last map.
    fn grow(&mut self) {
        let map = self.last();
        let next = match self.draw.within(0, 15) {
            0..=3 => self.conv(&map, 3),
            4 | 5 => self.pool(&map),
            6 => self.padded(&map),
            7 => Some(self.arithmetic(&map)),
            8 => Some(self.normalised(&map)),
            9 | 10 => Some(self.activation(&map)),
            11 | 12 => self.residual(&map),
            13 => self.joined(&map),
            14 => Some(self.there_and_back(&map)),
            _ => self.unusual(&map),
        };
        self.maps.extend(next);
    }

    /// What only an import can do.
    fn unusual(&mut self, map: &Map) -> Option<Map> {
        match (self.purpose, self.draw.within(0, 2)) {
            (Purpose::Chip, _) => None,
            (Purpose::Import, 0) => Some(self.softmax(map)),
            (Purpose::Import, 1) => Some(self.bordered(map)),
            (Purpose::Import, _) => Some(self.product_of_rows(map)),
        }
    }

    /// Adds a node whose result is `value` of every channel, row and column.
    fn node(
        &mut self,
        op: &str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
        size: [usize; 3],
        value: impl FnMut(usize, usize, usize) -> f64,
    ) -> Map {
        let name = self.writer.node(op, inputs, attributes);
        self.seen(Map::fill(name, size, value))
    }

    /// A map whose values have been looked at.
    fn seen(&mut self, map: Map) -> Map {
        self.largest = map.values.iter().fold(self.largest, |largest, value| largest.max(value.abs()));
        map
    }

    /// The numbers of rows and columns, or of columns only where the file knows of no rows.
    fn spatial(&self, both: [usize; 2]) -> Vec<usize> {
        if self.flat { vec![both[1]] } else { both.to_vec() }
    }

    /// Sizes of a constant with channels in front.
    fn dims(&self, size: [usize; 3]) -> Vec<usize> {
        [&size[..1], &self.spatial([size[1], size[2]])].concat()
    }

    fn finish(self) -> Case {
        let (first, last) = (&self.maps[0], &self.maps[self.maps.len() - 1]);
        Case {
            size: first.size,
            input: first.values.iter().map(|&value| value as f32).collect(),
            expected: last.values.clone(),
            largest: self.largest,
            bytes: self.writer.bytes(&last.name),
        }
    }
}
