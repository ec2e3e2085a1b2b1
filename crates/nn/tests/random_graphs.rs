//! Do random graphs, written as ONNX and imported, compute what nested loops over the definitions compute?
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail the test")]

#[path = "support/writer.rs"]
mod writer;

use nn::onnx::{Options, import};
use proptest::prelude::*;
use writer::{Writer, int, ints, text};

/// The tests' own generator (xorshift64*), so that a case is one number.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33
    }

    /// A number of `low` to `high`.
    fn within(&mut self, low: usize, high: usize) -> usize {
        low + (self.next() % (high - low + 1) as u64) as usize
    }

    fn numbers(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| (self.next() % 2001) as f32 / 1000.0 - 1.0).collect()
    }
}

/// A map of one image with its name in the model.
#[derive(Clone)]
struct Map {
    name: String,
    size: [usize; 3],
    values: Vec<f64>,
}

impl Map {
    /// A value, or none beyond the border.
    fn at(&self, channel: usize, y: isize, x: isize) -> Option<f64> {
        let [_, height, width] = self.size;
        let inside = y >= 0 && x >= 0 && (y as usize) < height && (x as usize) < width;
        inside.then(|| self.values[(channel * height + y as usize) * width + x as usize])
    }

    /// A map whose values are a function of channel, row and column.
    fn fill(name: String, size: [usize; 3], mut value: impl FnMut(usize, usize, usize) -> f64) -> Self {
        let mut values = Vec::new();
        for channel in 0..size[0] {
            for y in 0..size[1] {
                for x in 0..size[2] {
                    values.push(value(channel, y, x));
                }
            }
        }
        Self { name, size, values }
    }
}

/// One axis of a window as ONNX has it: kernel, stride, dilation, padding in front, padding behind.
#[derive(Clone, Copy)]
struct Steps {
    kernel: usize,
    stride: usize,
    dilation: usize,
    before: usize,
    after: usize,
}

impl Steps {
    /// Padding is at most `widest`, or, if that is 0, less than the kernel's reach.
    fn draw(draw: &mut Draw, widest: usize) -> Self {
        let (kernel, stride, dilation) = (draw.within(1, 3), draw.within(1, 3), draw.within(1, 2));
        let reach = (kernel - 1) * dilation + 1;
        let most = if widest > 0 { widest } else { reach - 1 };
        Self { kernel, stride, dilation, before: draw.within(0, most), after: draw.within(0, most) }
    }

    fn reach(self) -> usize {
        (self.kernel - 1) * self.dilation + 1
    }

    fn windows(self, size: usize) -> usize {
        (size + self.before + self.after).checked_sub(self.reach()).map_or(0, |room| room / self.stride + 1)
    }

    /// The padding that `auto_pad` asks for.
    fn padded(self, size: usize, mode: &str) -> Self {
        let total = ((size.div_ceil(self.stride) - 1) * self.stride + self.reach()).saturating_sub(size);
        let (before, after) = match mode {
            "SAME_UPPER" => (total / 2, total - total / 2),
            "SAME_LOWER" => (total - total / 2, total / 2),
            "VALID" => (0, 0),
            _ => (self.before, self.after),
        };
        Self { before, after, ..self }
    }

    fn place(self, window: usize, tap: usize) -> isize {
        (window * self.stride + tap * self.dilation) as isize - self.before as isize
    }
}

fn attributes(axes: [Steps; 2], mode: &str) -> Vec<nn::onnx::proto::AttributeProto> {
    let both = |part: fn(Steps) -> usize| [part(axes[0]), part(axes[1])];
    let mut attributes = vec![
        ints("kernel_shape", &both(|axis| axis.kernel)),
        ints("strides", &both(|axis| axis.stride)),
        ints("dilations", &both(|axis| axis.dilation)),
    ];
    match mode {
        "" => attributes.push(ints("pads", &[axes[0].before, axes[1].before, axes[0].after, axes[1].after])),
        mode => attributes.push(text("auto_pad", mode)),
    }
    attributes
}

/// Axes over a map and the `auto_pad` that goes with them; none if no window fits.
fn windows(draw: &mut Draw, map: &Map, widest: usize) -> Option<([Steps; 2], &'static str)> {
    let mode = ["", "", "SAME_UPPER", "SAME_LOWER", "VALID"][draw.within(0, 4)];
    let axis = |axis: usize, draw: &mut Draw| Steps::draw(draw, widest).padded(map.size[axis], mode);
    let axes = [axis(1, draw), axis(2, draw)];
    let fits = axes[0].windows(map.size[1]) > 0 && axes[1].windows(map.size[2]) > 0;
    // A pool must not have a window that sees nothing but padding.
    let sees = |axis: Steps, window: usize, size: usize| {
        (0..axis.kernel).any(|tap| (0..size as isize).contains(&axis.place(window, tap)))
    };
    let seen = |(axis, size): (Steps, usize)| {
        axis.before.max(axis.after) < axis.reach() && (0..axis.windows(size)).all(|window| sees(axis, window, size))
    };
    let sizes = [map.size[1], map.size[2]];
    (fits && (widest > 0 || axes.into_iter().zip(sizes).all(seen))).then_some((axes, mode))
}

fn conv(draw: &mut Draw, writer: &mut Writer, map: &Map) -> Option<Map> {
    let (axes, mode) = windows(draw, map, 3)?;
    let channels = map.size[0];
    let divisors: Vec<usize> = (1..=channels).filter(|groups| channels.is_multiple_of(*groups)).collect();
    let groups = divisors[draw.within(0, divisors.len() - 1)];
    let (inputs, outputs) = (channels / groups, groups * draw.within(1, 5));
    let taps = axes[0].kernel * axes[1].kernel;
    let (weight, bias) = (draw.numbers(outputs * inputs * taps), draw.numbers(outputs));
    let w = writer.constant(&[outputs, inputs, axes[0].kernel, axes[1].kernel], &weight);
    let b = writer.constant(&[outputs], &bias);
    let with_bias = draw.within(0, 1) == 1;
    let mut attributes = attributes(axes, mode);
    attributes.push(int("group", groups as i64));
    let names = if with_bias { vec![map.name.as_str(), &w, &b] } else { vec![map.name.as_str(), &w] };
    let name = writer.node("Conv", &names, attributes);
    let size = [outputs, axes[0].windows(map.size[1]), axes[1].windows(map.size[2])];
    Some(Map::fill(name, size, |output, oy, ox| {
        let mut sum = if with_bias { f64::from(bias[output]) } else { 0.0 };
        for input in 0..inputs {
            for ky in 0..axes[0].kernel {
                for kx in 0..axes[1].kernel {
                    let weight = weight[((output * inputs + input) * axes[0].kernel + ky) * axes[1].kernel + kx];
                    let channel = output / (outputs / groups) * inputs + input;
                    let value = map.at(channel, axes[0].place(oy, ky), axes[1].place(ox, kx)).unwrap_or(0.0);
                    sum += f64::from(weight) * value;
                }
            }
        }
        sum
    }))
}

fn pool(draw: &mut Draw, writer: &mut Writer, map: &Map) -> Option<Map> {
    let (mut axes, mode) = windows(draw, map, 0)?;
    let maximum = draw.within(0, 1) == 1;
    if !maximum {
        // Averages have no dilation in this set of operators.
        axes = axes.map(|axis| Steps { dilation: 1, ..axis });
        axes = [axes[0].padded(map.size[1], mode), axes[1].padded(map.size[2], mode)];
        if axes.iter().any(|axis| axis.before.max(axis.after) >= axis.kernel) {
            return None;
        }
    }
    let counted = draw.within(0, 1) == 1;
    let mut attributes = attributes(axes, mode);
    if !maximum {
        attributes.retain(|attribute| attribute.name != "dilations");
        attributes.push(int("count_include_pad", counted.into()));
    }
    let size = [map.size[0], axes[0].windows(map.size[1]), axes[1].windows(map.size[2])];
    if size[1] * size[2] == 0 {
        return None;
    }
    let name = writer.node(if maximum { "MaxPool" } else { "AveragePool" }, &[&map.name], attributes);
    Some(Map::fill(name, size, |channel, oy, ox| {
        let taps = (0..axes[0].kernel).flat_map(|ky| (0..axes[1].kernel).map(move |kx| (ky, kx)));
        let seen = taps.filter_map(|(ky, kx)| map.at(channel, axes[0].place(oy, ky), axes[1].place(ox, kx)));
        let seen: Vec<f64> = seen.collect();
        if maximum {
            return seen.into_iter().fold(f64::NEG_INFINITY, f64::max);
        }
        let divisor = if counted { axes[0].kernel * axes[1].kernel } else { seen.len() };
        seen.iter().sum::<f64>() / divisor as f64
    }))
}

fn pad(draw: &mut Draw, writer: &mut Writer, map: &Map) -> Map {
    let mut border = || [draw.within(0, 1), draw.within(0, 2), draw.within(0, 2)];
    let (before, after) = (border(), border());
    let list: Vec<i64> = [[0].as_slice(), &before, &[0], &after].concat().iter().map(|&size| size as i64).collect();
    let (list, value) = (writer.list(&list), writer.constant(&[], &[0.5]));
    let name = writer.node("Pad", &[&map.name, &list, &value], vec![]);
    let size = [0, 1, 2].map(|axis| map.size[axis] + before[axis] + after[axis]);
    Map::fill(name, size, |channel, y, x| {
        let inside = channel.checked_sub(before[0]).filter(|&channel| channel < map.size[0]);
        let (y, x) = (y as isize - before[1] as isize, x as isize - before[2] as isize);
        inside.and_then(|channel| map.at(channel, y, x)).unwrap_or(0.5)
    })
}

/// `Mul` or `Add` with a constant that repeats along some axes.
fn arithmetic(draw: &mut Draw, writer: &mut Writer, map: &Map) -> Map {
    let dims = map.size.map(|size| if draw.within(0, 1) == 1 { size } else { 1 });
    let values = draw.numbers(dims.iter().product());
    let constant = writer.constant(&dims, &values);
    let product = draw.within(0, 1) == 1;
    let name = writer.node(if product { "Mul" } else { "Add" }, &[&constant, &map.name], vec![]);
    Map::fill(name, map.size, |channel, y, x| {
        let index = [channel, y, x];
        let place = (0..3).fold(0, |place, axis| place * dims[axis] + if dims[axis] == 1 { 0 } else { index[axis] });
        let (value, constant) = (map.at(channel, y as isize, x as isize).unwrap(), f64::from(values[place]));
        if product { value * constant } else { value + constant }
    })
}

fn relu(writer: &mut Writer, map: &Map) -> Map {
    let name = writer.node("Relu", &[&map.name], vec![]);
    Map { name, size: map.size, values: map.values.iter().map(|value| value.max(0.0)).collect() }
}

/// The sum with, or the channels behind those of, another map that fits.
fn joined(draw: &mut Draw, writer: &mut Writer, maps: &[Map], map: &Map) -> Option<Map> {
    let others: Vec<&Map> = maps.iter().filter(|other| other.size[1..] == map.size[1..]).collect();
    let other = *others.get(draw.within(0, others.len().max(1) - 1))?;
    if other.size == map.size && draw.within(0, 1) == 1 {
        let name = writer.node("Add", &[&other.name, &map.name], vec![]);
        let values = other.values.iter().zip(&map.values).map(|(a, b)| a + b).collect();
        return Some(Map { name, size: map.size, values });
    }
    let name = writer.node("Concat", &[&other.name, &map.name], vec![int("axis", 1)]);
    let size = [other.size[0] + map.size[0], map.size[1], map.size[2]];
    Some(Map { name, size, values: [other.values.clone(), map.values.clone()].concat() })
}

fn linear(draw: &mut Draw, writer: &mut Writer, map: &Map) -> Map {
    let (inputs, outputs) = (map.values.len(), draw.within(1, 6));
    let (weight, bias) = (draw.numbers(inputs * outputs), draw.numbers(outputs));
    let (w, b) = (writer.constant(&[outputs, inputs], &weight), writer.constant(&[outputs], &bias));
    let flat = writer.node("Flatten", &[&map.name], vec![]);
    let name = writer.node("Gemm", &[&flat, &w, &b], vec![int("transB", 1)]);
    Map::fill(name, [outputs, 1, 1], |output, _, _| {
        let row = &weight[output * inputs..(output + 1) * inputs];
        let products = row.iter().zip(&map.values).map(|(&weight, value)| f64::from(weight) * value);
        products.sum::<f64>() + f64::from(bias[output])
    })
}

/// A random model with its input and what it should compute.
fn random(seed: u64) -> (Vec<u8>, Vec<f32>, Map) {
    let mut draw = Draw(seed | 1);
    let size = [draw.within(1, 4), draw.within(3, 9), draw.within(3, 9)];
    let mut writer = Writer::new(&[0, size[0] as i64, size[1] as i64, size[2] as i64]);
    let input = draw.numbers(size.iter().product());
    let values = input.iter().map(|&value| value.into()).collect();
    let mut maps = vec![Map { name: "x".into(), size, values }];
    for _ in 0..draw.within(1, 9) {
        let map = maps[maps.len() - 1].clone();
        let next = match draw.within(0, 7) {
            0..=2 => conv(&mut draw, &mut writer, &map),
            3 => pool(&mut draw, &mut writer, &map),
            4 => Some(pad(&mut draw, &mut writer, &map)),
            5 => Some(arithmetic(&mut draw, &mut writer, &map)),
            6 => Some(relu(&mut writer, &map)),
            _ => joined(&mut draw, &mut writer, &maps, &map),
        };
        maps.extend(next.filter(|map| map.size[0] <= 64));
    }
    let last = maps[maps.len() - 1].clone();
    let last = if draw.within(0, 1) == 1 { linear(&mut draw, &mut writer, &last) } else { relu(&mut writer, &last) };
    (writer.bytes(&last.name), input, last)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]
    #[test]
    fn imported_graphs_follow_the_definitions(seed in any::<u64>()) {
        let (bytes, input, expected) = random(seed);
        let graph = import(&bytes, &Options::new("random", "random")).unwrap_or_else(|error| panic!("{error}"));
        let result = graph.forward(&input).unwrap();
        prop_assert_eq!(result.len(), expected.values.len());
        let largest = expected.values.iter().fold(1.0f64, |largest, value| largest.max(value.abs()));
        for (value, expected) in result.iter().zip(&expected.values) {
            prop_assert!((f64::from(*value) - expected).abs() <= 1e-5 * largest, "{} instead of {}", value, expected);
        }
    }
}

/// Shapes, sums and residuals are what makes the graphs worth testing: most have several.
#[test]
fn the_random_graphs_hold_every_operator() {
    let mut seen = std::collections::BTreeMap::new();
    for seed in 0..300u64 {
        let (bytes, _, _) = random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let model: nn::onnx::proto::ModelProto = prost::Message::decode(bytes.as_slice()).unwrap();
        for node in model.graph.unwrap().node {
            *seen.entry(node.op_type).or_insert(0) += 1;
        }
    }
    for operator in ["Add", "AveragePool", "Concat", "Conv", "Gemm", "MaxPool", "Mul", "Pad", "Relu"] {
        assert!(seen.get(operator).is_some_and(|&count| count >= 20), "{operator}: {seen:?}");
    }
}
