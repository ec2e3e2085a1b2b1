//! How networks end: products of all values with matrices.

use super::super::writer::{float, int};
use super::{Growing, Map, Purpose};

impl Growing {
    /// Scores of a few classes; for imports sometimes nothing, or their shares.
    pub(super) fn head(&mut self) {
        let mut map = self.last();
        if self.purpose == Purpose::Import && self.draw.once_in(4) {
            // At least one node.
            let last = self.relu(&map);
            return self.maps.push(last);
        }
        if self.draw.once_in(2) {
            map = self.global(&map);
        }
        let mut flat = self.flattened(&map);
        if self.draw.once_in(3) {
            let hidden = self.draw.within(1, 12);
            flat = self.linear(&flat, hidden);
            flat = match self.purpose {
                Purpose::Chip if self.draw.once_in(2) => flat,
                _ => self.activation_of_list(&flat),
            };
        }
        let classes = self.draw.within(1, 6);
        let mut last = self.linear(&flat, classes);
        if self.purpose == Purpose::Import && self.draw.once_in(4) {
            last = self.shares(&last);
        }
        self.maps.push(last);
    }

    /// All values of a map as the channels of one pixel, by either operator.
    fn flattened(&mut self, map: &Map) -> Map {
        let name = match self.draw.once_in(2) {
            true => self.writer.node("Flatten", &[&map.name], vec![]),
            false => {
                let sizes = self.writer.list(&[0, -1]);
                self.writer.node("Reshape", &[&map.name, &sizes], vec![])
            }
        };
        Map { name, size: [map.values.len(), 1, 1], values: map.values.clone() }
    }

    fn activation_of_list(&mut self, map: &Map) -> Map {
        let name = self.writer.node("Relu", &[&map.name], vec![]);
        Map { name, size: map.size, values: map.values.iter().map(|value| value.max(0.0)).collect() }
    }

    /// `Gemm` in any of its forms, or `MatMul` with or without a bias.
    fn linear(&mut self, map: &Map, outputs: usize) -> Map {
        let inputs = map.values.len();
        let (weight, bias) = (self.weights(inputs * outputs, inputs), self.draw.numbers(outputs));
        let turned: Vec<f32> = (0..inputs * outputs).map(|i| weight[i % outputs * inputs + i / outputs]).collect();
        let (alpha, beta) = (self.draw.pick(&[1.0_f32, 0.5]), self.draw.pick(&[1.0_f32, 2.0]));
        let form = self.draw.within(0, 3);
        let (alpha, beta) = if form < 2 { (alpha, beta) } else { (1.0, if form == 2 { 1.0 } else { 0.0 }) };
        let b = self.writer.constant(&[outputs], &bias);
        let scales = vec![float("alpha", alpha), float("beta", beta)];
        let name = match form {
            0 => {
                let w = self.writer.constant(&[outputs, inputs], &weight);
                self.writer.node("Gemm", &[&map.name, &w, &b], [scales, vec![int("transB", 1)]].concat())
            }
            1 => {
                let w = self.writer.constant(&[inputs, outputs], &turned);
                self.writer.node("Gemm", &[&map.name, &w, &b], scales)
            }
            _ => {
                let w = self.writer.constant(&[inputs, outputs], &turned);
                let product = self.writer.node("MatMul", &[&map.name, &w], vec![]);
                if form == 2 { self.writer.node("Add", &[&product, &b], vec![]) } else { product }
            }
        };
        let sum = |output: usize| {
            let row = &weight[output * inputs..(output + 1) * inputs];
            let products = row.iter().zip(&map.values).map(|(&weight, value)| f64::from(weight) * value);
            f64::from(alpha) * products.sum::<f64>() + f64::from(beta) * f64::from(bias[output])
        };
        self.seen(Map { name, size: [outputs, 1, 1], values: (0..outputs).map(sum).collect() })
    }

    /// Shares of the scores, or their logarithms.
    fn shares(&mut self, map: &Map) -> Map {
        let log = self.draw.once_in(2);
        let name = self.writer.node(if log { "LogSoftmax" } else { "Softmax" }, &[&map.name], vec![int("axis", -1)]);
        let all: f64 = map.values.iter().map(|value| value.exp()).sum();
        let share = |value: &f64| if log { value - all.ln() } else { value.exp() / all };
        self.seen(Map { name, size: map.size, values: map.values.iter().map(share).collect() })
    }

    /// `MatMul` over the columns of every row.
    pub(super) fn product_of_rows(&mut self, map: &Map) -> Map {
        let (columns, outputs) = (map.size[2], self.draw.within(1, 6));
        let weight = self.weights(columns * outputs, columns);
        let w = self.writer.constant(&[columns, outputs], &weight);
        let size = [map.size[0], map.size[1], outputs];
        self.node("MatMul", &[&map.name, &w], vec![], size, |channel, y, output| {
            (0..columns).map(|x| map.value(channel, y, x) * f64::from(weight[x * outputs + output])).sum()
        })
    }
}
