//! Convolutions in float. Every sum starts with the bias and adds the window in (channel, row, column) order, whichever way is taken.

use super::conv::Conv;
use crate::Shape;
use crate::gemm::{GemmSize, gemm_nn};

/// Output channels of a group below which the product's tiles would be mostly empty (depthwise convolutions).
const FEW_OUTPUTS: usize = 4;

impl Conv {
    /// The convolution of every image of a batch; shapes must have been checked.
    pub(super) fn forward(&self, input: Shape, values: &[f32]) -> Vec<f32> {
        let positions = self.group_window(input).positions();
        let mut result = vec![0.0; values.len() / input.len() * self.out_channels * positions];
        self.forward_with(&self.weight, &self.bias, input, values, &mut Vec::new(), &mut result);
        result
    }

    /// The same with parameters that need not be the layer's own (training runs with quantised or noisy ones), into `result`; `columns` is
    /// memory that is reused.
    ///
    /// # Panics
    /// If a slice is shorter than the sizes of the layer ask for.
    pub fn forward_with(
        &self,
        weight: &[f32],
        bias: &[f32],
        input: Shape,
        values: &[f32],
        columns: &mut Vec<f32>,
        result: &mut [f32],
    ) {
        let window = self.group_window(input);
        let (positions, rows, outputs) = (window.positions(), self.rows(), self.group_outputs());
        let groups = values.chunks_exact(window.input.len()).zip(result.chunks_exact_mut(outputs * positions));
        for (index, (map, result)) in groups.enumerate() {
            let group = index % self.groups;
            for (result, &bias) in result.chunks_exact_mut(positions).zip(&bias[group * outputs..]) {
                result.fill(bias);
            }
            let weight = &weight[group * outputs * rows..(group + 1) * outputs * rows];
            if outputs < FEW_OUTPUTS {
                for (weight, result) in weight.chunks_exact(rows).zip(result.chunks_exact_mut(positions)) {
                    window.accumulate(weight, map, result);
                }
                continue;
            }
            let size = GemmSize { m: outputs, n: positions, k: rows };
            gemm_nn(size, weight, window.unfold(map, columns), result);
        }
    }
}
