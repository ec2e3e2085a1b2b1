//! Convolutions, and what is made of them.

use super::super::writer::int;
use super::windows::{Kind, Windows};
use super::{Growing, Map, Purpose};

impl Growing {
    /// A convolution with any attributes, and at most `wide` outputs of each group.
    pub(super) fn conv(&mut self, map: &Map, wide: usize) -> Option<Map> {
        // A chip has no unit for padding that a window would see nothing but.
        let narrow = self.purpose == Purpose::Chip || self.draw.once_in(2);
        let windows = self.windows(map, Kind { narrow, dilated: true })?;
        let channels = map.size[0];
        let divisors: Vec<usize> = (1..=channels).filter(|groups| channels.is_multiple_of(*groups)).collect();
        let groups = match self.draw.within(0, 3) {
            0 => channels,
            1 => self.draw.pick(&divisors),
            _ => 1,
        };
        let outputs = groups * self.draw.within(1, wide);
        Some(self.convolve(map, windows, groups, outputs))
    }

    /// A convolution of the size `kernel` that keeps rows and columns but for its stride.
    pub(super) fn same(&mut self, map: &Map, kernel: usize, stride: usize, outputs: usize) -> Map {
        let windows = Windows::same(kernel, stride, self.flat);
        self.convolve(map, windows, 1, outputs)
    }

    pub(super) fn convolve(&mut self, map: &Map, windows: Windows, groups: usize, outputs: usize) -> Map {
        let inputs = map.size[0] / groups;
        let [rows, columns] = windows.axes.map(|axis| axis.kernel);
        let weight = self.weights(outputs * inputs * rows * columns, inputs * rows * columns);
        let bias = self.draw.numbers(outputs);
        let w = self.writer.constant(&[&[outputs, inputs], &self.spatial([rows, columns])[..]].concat(), &weight);
        let mut names = vec![map.name.clone(), w];
        let biased = self.draw.once_in(2);
        if biased {
            names.push(self.writer.constant(&[outputs], &bias));
        }
        let mut attributes = self.attributes(windows);
        if groups > 1 || self.draw.once_in(2) {
            attributes.push(int("group", groups as i64));
        }
        let size = [outputs, windows.axes[0].windows(map.size[1]), windows.axes[1].windows(map.size[2])];
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.node("Conv", &names, attributes, size, |output, oy, ox| {
            let mut sum = if biased { f64::from(bias[output]) } else { 0.0 };
            for input in 0..inputs {
                for (ky, kx) in windows.taps() {
                    let channel = output / (outputs / groups) * inputs + input;
                    let (y, x) = windows.place((oy, ox), (ky, kx));
                    let weight = weight[((output * inputs + input) * rows + ky) * columns + kx];
                    sum += f64::from(weight) * map.at(channel, y, x).unwrap_or(0.0);
                }
            }
            sum
        })
    }

    /// Weights that keep the size of values over sums of `rows`.
    pub(super) fn weights(&mut self, count: usize, rows: usize) -> Vec<f32> {
        let reach = (3.0 / rows as f32).sqrt();
        self.draw.numbers(count).into_iter().map(|number| number * reach).collect()
    }

    /// A border of zeros, which the convolution behind it takes as its padding.
    pub(super) fn padded(&mut self, map: &Map) -> Option<Map> {
        let kernel = self.draw.within(2, 3);
        let mut border = || self.draw.within(0, kernel - 1);
        let (mut before, mut after) = ([0, border(), border()], [0, border(), border()]);
        if self.flat {
            (before[1], after[1]) = (0, 0);
        }
        let windows = Windows::plain(kernel, self.flat);
        let bordered = self.border(map, before, after, Some(0.0));
        let fits = windows.axes.iter().zip(&bordered.size[1..]).all(|(axis, &size)| axis.windows(size) > 0);
        let outputs = self.draw.within(1, 5);
        fits.then(|| self.convolve(&bordered, windows, 1, outputs))
    }

    /// A border of any size, also of channels, and of any value.
    pub(super) fn bordered(&mut self, map: &Map) -> Map {
        let mut border = || [self.draw.within(0, 1), self.draw.within(0, 2), self.draw.within(0, 2)];
        let (mut before, mut after) = (border(), border());
        if self.flat {
            (before[1], after[1]) = (0, 0);
        }
        let value = self.draw.once_in(2).then(|| self.draw.between(-1.0, 1.0));
        self.border(map, before, after, value)
    }

    fn border(&mut self, map: &Map, before: [usize; 3], after: [usize; 3], value: Option<f32>) -> Map {
        let list: Vec<i64> =
            [&[0], &self.dims(before)[..], &[0], &self.dims(after)[..]].concat().iter().map(|&n| n as i64).collect();
        let mut names = vec![map.name.clone(), self.writer.list(&list)];
        names.extend(value.map(|value| self.writer.constant(&[], &[value])));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let size = [0, 1, 2].map(|axis| map.size[axis] + before[axis] + after[axis]);
        let value = f64::from(value.unwrap_or(0.0));
        self.node("Pad", &names, vec![], size, |channel, y, x| {
            let inside = channel.checked_sub(before[0]).filter(|&channel| channel < map.size[0]);
            let (y, x) = (y as isize - before[1] as isize, x as isize - before[2] as isize);
            inside.and_then(|channel| map.at(channel, y, x)).unwrap_or(value)
        })
    }
}
