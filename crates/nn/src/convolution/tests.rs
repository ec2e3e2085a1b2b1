//! Convolutions and their gradients against the definition, bit for bit.

use super::*;
use crate::Shape;
use crate::axis::tests::any_axis;
use crate::gemm::tests::{bits, values};
use proptest::prelude::*;
use pulp::Simd;

/// A convolution with parameters, maps and gradients of results for some images.
struct Case {
    convolution: Convolution,
    weight: Vec<f32>,
    bias: Vec<f32>,
    maps: Vec<f32>,
    slopes: Vec<f32>,
}

impl Case {
    fn new(window: Window, outputs: usize, groups: usize, images: usize) -> Self {
        let convolution = Convolution::new(window, outputs, groups);
        Self {
            weight: values(groups * outputs * window.rows(), 1),
            bias: values(groups * outputs, 2),
            maps: values(images * groups * window.input.len(), 3),
            slopes: values(images * groups * outputs * window.positions(), 4),
            convolution,
        }
    }

    /// Calls `of` for every image and group: (group, windows of its map, one after the other).
    fn images(&self, mut of: impl FnMut(usize, usize, &[Vec<f32>])) {
        let Window { input, .. } = self.convolution.window;
        for (index, map) in self.maps.chunks_exact(input.len()).enumerate() {
            let matrix = self.convolution.window.im2col(map);
            let windows: Vec<_> = matrix.chunks_exact(self.convolution.window.rows()).map(<[f32]>::to_vec).collect();
            of(index, index % self.convolution.groups, &windows);
        }
    }

    fn forward(&self) -> Vec<f32> {
        let Convolution { window, outputs, .. } = self.convolution;
        let mut results = Vec::new();
        self.images(|_, group, windows| {
            for output in group * outputs..(group + 1) * outputs {
                let weight = &self.weight[output * window.rows()..][..window.rows()];
                let dot =
                    |values: &Vec<f32>| values.iter().zip(weight).fold(self.bias[output], |sum, (x, w)| sum + w * x);
                results.extend(windows.iter().map(dot));
            }
        });
        results
    }

    fn weight_gradient(&self, mut gradient: Vec<f32>) -> Vec<f32> {
        let Convolution { window, outputs, .. } = self.convolution;
        self.images(|index, group, windows| {
            for output in 0..outputs {
                let slopes = &self.slopes[(index * outputs + output) * windows.len()..];
                let row = &mut gradient[(group * outputs + output) * window.rows()..][..window.rows()];
                for (values, slope) in windows.iter().zip(slopes) {
                    row.iter_mut().zip(values).for_each(|(sum, x)| *sum += slope * x);
                }
            }
        });
        gradient
    }

    fn input_gradient(&self) -> Vec<f32> {
        let Convolution { window, outputs, groups, .. } = self.convolution;
        let mut gradient = vec![0.0; self.maps.len()];
        for (index, gradient) in gradient.chunks_exact_mut(window.input.len()).enumerate() {
            let weight = &self.weight[index % groups * outputs * window.rows()..];
            for (position, (oy, ox)) in window.outputs().enumerate() {
                for run in window.runs(oy, ox) {
                    for place in 0..run.len {
                        let mut part = 0.0;
                        for output in 0..outputs {
                            let slope = self.slopes[(index * outputs + output) * window.positions() + position];
                            part += weight[output * window.rows() + run.window + place] * slope;
                        }
                        gradient[run.map + place] += part;
                    }
                }
            }
        }
        gradient
    }

    fn check(&self) {
        let Self { convolution, weight, bias, maps, slopes } = self;
        let (mut results, mut input) = (vec![7.0; slopes.len()], vec![7.0; maps.len()]);
        convolution.forward(weight, bias, maps, &mut results);
        assert_eq!(bits(&results), bits(&self.forward()), "forward");
        let (start, mut gradient) = (values(weight.len(), 5), values(weight.len(), 5));
        convolution.weight_gradient(maps, slopes, &mut gradient);
        assert_eq!(bits(&gradient), bits(&self.weight_gradient(start)), "weights");
        convolution.input_gradient(weight, slopes, &mut input);
        assert_eq!(bits(&input), bits(&self.input_gradient()), "input");
        self.others(pulp::Scalar, [&results, &gradient, &input]);
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = pulp::x86::V3::try_new() {
            self.others(avx2, [&results, &gradient, &input]);
        }
    }

    /// The same on another instruction set than the machine's best.
    fn others(&self, simd: impl Simd, expected: [&[f32]; 3]) {
        let Self { convolution, weight, bias, maps, slopes } = self;
        let scratch = &mut Scratch::default();
        let mut results = vec![7.0; slopes.len()];
        simd.vectorize(Forward { convolution, weight, bias, maps, results: &mut results, scratch });
        assert_eq!(bits(&results), bits(expected[0]));
        let mut gradient = values(weight.len(), 5);
        simd.vectorize(WeightGradient { convolution, maps, slopes, gradient: &mut gradient, scratch });
        assert_eq!(bits(&gradient), bits(expected[1]));
        let mut gradient = vec![7.0; maps.len()];
        simd.vectorize(InputGradient { convolution, weight, slopes, gradient: &mut gradient, scratch });
        assert_eq!(bits(&gradient), bits(expected[2]));
    }
}

proptest! {
    #[test]
    fn equals_the_definition_bit_for_bit(
        channels in 1usize..10, height in 1usize..12, width in 1usize..40, vertical in any_axis(), horizontal in any_axis(),
        outputs in 1usize..12, groups in 1usize..3,
    ) {
        let window = Window { input: Shape { channels, height, width }, vertical, horizontal };
        prop_assume!(window.validate().is_ok());
        Case::new(window, outputs, groups, 2).check();
    }
}

/// Rows of exactly one, a half and a quarter of a panel, more terms than a block, steps of two.
#[test]
fn layers_of_networks_equal_the_definition() {
    for (channels, size, kernel, stride, padding, outputs) in
        [(3, 32, 3, 1, 1, 16), (30, 16, 3, 1, 1, 8), (16, 16, 3, 2, 1, 9), (8, 16, 1, 2, 0, 17), (6, 14, 5, 1, 0, 16)]
    {
        let window = Window::square(Shape { channels, height: size, width: size }, kernel, stride, padding);
        Case::new(window, outputs, 1, 2).check();
    }
}
