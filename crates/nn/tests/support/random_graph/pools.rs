//! Maxima and averages.

use super::super::writer::{int, ints};
use super::windows::{Kind, Windows};
use super::{Growing, Map, Purpose};

/// Windows of a pool, and how many there are.
struct Pool {
    windows: Windows,
    count: [usize; 2],
}

impl Growing {
    /// A pool of either kind with any attributes.
    pub(super) fn pool(&mut self, map: &Map) -> Option<Map> {
        let maximum = self.draw.once_in(2);
        // Averages have dilations since version 19.
        let dilated = maximum || self.writer.opset >= 19;
        let windows = self.windows(map, Kind { narrow: true, dilated })?;
        let counted = self.draw.once_in(2);
        let padded = windows.axes.iter().any(|axis| axis.before + axis.after > 0);
        let chip_average = self.purpose == Purpose::Chip && !maximum;
        if chip_average && padded && !counted {
            return None;
        }
        let rounded_up = windows.has_pads() && !chip_average && self.draw.once_in(3);
        let sizes = [map.size[1], map.size[2]];
        let count = [0, 1].map(|axis| match rounded_up {
            true => windows.axes[axis].windows_rounded_up(sizes[axis]),
            false => windows.axes[axis].windows(sizes[axis]),
        });
        // A window over padding alone has no maximum, and no average.
        if (0..2).any(|axis| count[axis] == 0 || !windows.axes[axis].all_see(count[axis], sizes[axis])) {
            return None;
        }
        let mut attributes = self.attributes(windows);
        if !dilated {
            attributes.retain(|attribute| attribute.name != "dilations");
        }
        if rounded_up {
            attributes.push(int("ceil_mode", 1));
        }
        if !maximum {
            attributes.push(int("count_include_pad", counted.into()));
        }
        let pool = Pool { windows, count };
        Some(if maximum { self.maxima(map, &pool, attributes) } else { self.averages(map, &pool, counted, attributes) })
    }

    fn maxima(&mut self, map: &Map, pool: &Pool, attributes: Vec<nn::onnx::proto::AttributeProto>) -> Map {
        let size = [map.size[0], pool.count[0], pool.count[1]];
        self.node("MaxPool", &[&map.name], attributes, size, |channel, oy, ox| {
            let places = pool.windows.taps().map(|tap| pool.windows.place((oy, ox), tap));
            places.filter_map(|(y, x)| map.at(channel, y, x)).fold(f64::NEG_INFINITY, f64::max)
        })
    }

    fn averages(
        &mut self,
        map: &Map,
        pool: &Pool,
        counted: bool,
        attributes: Vec<nn::onnx::proto::AttributeProto>,
    ) -> Map {
        let size = [map.size[0], pool.count[0], pool.count[1]];
        // What lies beyond the padding never counts.
        let counts = |axis: usize, place: isize| {
            let steps = pool.windows.axes[axis];
            (-(steps.before as isize)..(map.size[axis + 1] + steps.after) as isize).contains(&place)
        };
        self.node("AveragePool", &[&map.name], attributes, size, |channel, oy, ox| {
            let places: Vec<(isize, isize)> =
                pool.windows.taps().map(|tap| pool.windows.place((oy, ox), tap)).collect();
            let seen: Vec<f64> = places.iter().filter_map(|&(y, x)| map.at(channel, y, x)).collect();
            let divisor = match counted {
                true => places.iter().filter(|&&(y, x)| counts(0, y) && counts(1, x)).count(),
                false => seen.len(),
            };
            seen.iter().sum::<f64>() / divisor as f64
        })
    }

    /// One value per channel of the whole map.
    pub(super) fn global(&mut self, map: &Map) -> Map {
        let size = [map.size[0], 1, 1];
        let places = || (0..map.size[1]).flat_map(|y| (0..map.size[2]).map(move |x| (y, x)));
        let count = (map.size[1] * map.size[2]) as f64;
        if self.draw.once_in(3) {
            let largest = |channel| places().map(|(y, x)| map.value(channel, y, x)).fold(f64::NEG_INFINITY, f64::max);
            return self.node("GlobalMaxPool", &[&map.name], vec![], size, |channel, _, _| largest(channel));
        }
        let average = |channel| places().map(|(y, x)| map.value(channel, y, x)).sum::<f64>() / count;
        if self.draw.once_in(2) || self.writer.opset >= 18 {
            return self.node("GlobalAveragePool", &[&map.name], vec![], size, |channel, _, _| average(channel));
        }
        let axes = self.spatial([2, 3]);
        let axes: Vec<usize> = if self.flat { vec![2] } else { axes };
        self.node("ReduceMean", &[&map.name], vec![ints("axes", &axes)], size, |channel, _, _| average(channel))
    }
}
