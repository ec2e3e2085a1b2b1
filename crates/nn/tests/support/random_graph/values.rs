//! Functions of every value by itself, and arithmetic with constants.

use super::super::writer::{float, ints};
use super::{Growing, Map, Purpose};

impl Growing {
    /// A node that turns every value into `value` of it.
    fn each(&mut self, op: &str, map: &Map, more: &[&str], value: impl Fn(f64) -> f64) -> Map {
        let inputs = [&[map.name.as_str()], more].concat();
        self.node(op, &inputs, vec![], map.size, |channel, y, x| value(map.value(channel, y, x)))
    }

    pub(super) fn relu(&mut self, map: &Map) -> Map {
        self.each("Relu", map, &[], |value| value.max(0.0))
    }

    /// Any function of a value.
    pub(super) fn activation(&mut self, map: &Map) -> Map {
        let (low, high) = (self.draw.between(-1.0, 0.0), self.draw.between(0.1, 2.0));
        match self.draw.within(0, 8) {
            0 | 1 => self.relu(map),
            2 => self.clip(map, 0.0, high),
            3 => self.clip(map, low, high),
            4 => self.leaky(map),
            5 => self.each("Sigmoid", map, &[], |value| 1.0 / (1.0 + (-value).exp())),
            6 => self.each("Tanh", map, &[], f64::tanh),
            7 => {
                let bound = self.writer.constant(&[1], &[low]);
                self.each("Max", map, &[&bound], |value| value.max(low.into()))
            }
            _ => {
                let bound = self.writer.constant(&[], &[high]);
                self.each("Min", map, &[&bound], |value| value.min(high.into()))
            }
        }
    }

    fn clip(&mut self, map: &Map, low: f32, high: f32) -> Map {
        let bounds = [self.writer.constant(&[], &[low]), self.writer.constant(&[], &[high])];
        self.each("Clip", map, &[&bounds[0], &bounds[1]], |value| value.max(low.into()).min(high.into()))
    }

    /// A slope for negative values, as an attribute or as a constant.
    fn leaky(&mut self, map: &Map) -> Map {
        let slope = self.draw.between(-0.5, 0.5);
        let bent = |value: f64| if value < 0.0 { value * f64::from(slope) } else { value };
        if self.draw.once_in(2) {
            let constant = self.writer.constant(&[1], &[slope]);
            return self.each("PRelu", map, &[&constant], bent);
        }
        self.node("LeakyRelu", &[&map.name], vec![float("alpha", slope)], map.size, |channel, y, x| {
            bent(map.value(channel, y, x))
        })
    }

    /// Sum, difference, product or quotient with a constant that repeats along some axes.
    pub(super) fn arithmetic(&mut self, map: &Map) -> Map {
        let varies = match self.purpose {
            Purpose::Import => [0; 3].map(|_| self.draw.once_in(2)),
            // A chip's maps have one scale; channels may differ, as weights do.
            Purpose::Chip => [self.draw.once_in(2), false, false],
        };
        let size = [0, 1, 2].map(|axis| if varies[axis] { map.size[axis] } else { 1 });
        // None is near 0, which quotients would not survive.
        let number = |draw: &mut super::Draw| draw.between(0.5, 1.5) * draw.pick(&[1.0, 1.0, 1.0, -1.0]);
        let values: Vec<f32> = (0..size.iter().product()).map(|_| number(&mut self.draw)).collect();
        let scalar = values.len() == 1 && self.draw.once_in(2);
        let dims = if scalar { vec![] } else { self.dims(size) };
        let constant = self.writer.constant(&dims, &values);
        let at = |channel: usize, y: usize, x: usize| {
            let index = [channel, y, x];
            let place =
                (0..3).fold(0, |place, axis| place * size[axis] + if size[axis] == 1 { 0 } else { index[axis] });
            f64::from(values[place])
        };
        let names = [map.name.as_str(), &constant];
        let turned = [constant.as_str(), &map.name];
        let value = |channel, y, x| map.value(channel, y, x);
        match self.draw.within(0, 6) {
            0 => self.node("Mul", &names, vec![], map.size, |c, y, x| value(c, y, x) * at(c, y, x)),
            1 => self.node("Mul", &turned, vec![], map.size, |c, y, x| value(c, y, x) * at(c, y, x)),
            2 => self.node("Add", &turned, vec![], map.size, |c, y, x| value(c, y, x) + at(c, y, x)),
            3 => self.node("Add", &names, vec![], map.size, |c, y, x| value(c, y, x) + at(c, y, x)),
            4 => self.node("Sub", &names, vec![], map.size, |c, y, x| value(c, y, x) - at(c, y, x)),
            5 => self.node("Sub", &turned, vec![], map.size, |c, y, x| at(c, y, x) - value(c, y, x)),
            _ => self.node("Div", &names, vec![], map.size, |c, y, x| value(c, y, x) / at(c, y, x)),
        }
    }

    /// Batch normalisation.
    pub(super) fn normalised(&mut self, map: &Map) -> Map {
        let channels = map.size[0];
        let mut numbers =
            |low: f32, high: f32| -> Vec<f32> { (0..channels).map(|_| self.draw.between(low, high)).collect() };
        let parts = [numbers(-0.5, 1.5), numbers(-0.5, 0.5), numbers(-0.5, 0.5), numbers(0.2, 2.0)];
        let names = parts.clone().map(|part| self.writer.constant(&[channels], &part));
        let epsilon = self.draw.pick(&[1e-5_f32, 1e-3]);
        let attributes = if epsilon == 1e-5 { vec![] } else { vec![float("epsilon", epsilon)] };
        let inputs: Vec<&str> = std::iter::once(map.name.as_str()).chain(names.iter().map(String::as_str)).collect();
        self.node("BatchNormalization", &inputs, attributes, map.size, |channel, y, x| {
            let [scale, bias, mean, variance] = [0, 1, 2, 3].map(|part| f64::from(parts[part][channel]));
            (map.value(channel, y, x) - mean) / (variance + f64::from(epsilon)).sqrt() * scale + bias
        })
    }

    /// Shares over the channels of every pixel.
    pub(super) fn softmax(&mut self, map: &Map) -> Map {
        let log = self.draw.once_in(2);
        let attributes = vec![super::super::writer::int("axis", 1)];
        self.node(if log { "LogSoftmax" } else { "Softmax" }, &[&map.name], attributes, map.size, |channel, y, x| {
            let all: f64 = (0..map.size[0]).map(|other| map.value(other, y, x).exp()).sum();
            if log { map.value(channel, y, x) - all.ln() } else { map.value(channel, y, x).exp() / all }
        })
    }

    /// Channels behind pixels, a function, and channels in front again, as exports from other frameworks have it.
    pub(super) fn there_and_back(&mut self, map: &Map) -> Map {
        let (last, first) =
            if self.flat { (vec![0, 2, 1], vec![0, 2, 1]) } else { (vec![0, 2, 3, 1], vec![0, 3, 1, 2]) };
        let turned = self.writer.node("Transpose", &[&map.name], vec![ints("perm", &last)]);
        let shift: Vec<f32> = self.draw.numbers(map.size[0]);
        let constant = self.writer.constant(&[map.size[0]], &shift);
        let sum = self.writer.node("Add", &[&turned, &constant], vec![]);
        let rectified = self.writer.node("Relu", &[&sum], vec![]);
        self.node("Transpose", &[&rectified], vec![ints("perm", &first)], map.size, |channel, y, x| {
            (map.value(channel, y, x) + f64::from(shift[channel])).max(0.0)
        })
    }
}
