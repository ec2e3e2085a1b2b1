//! Convolutions in float. Every sum starts with the bias and adds the window in (channel, row, column) order.

use super::conv::Conv;
use crate::Shape;
use crate::convolution::Convolution;

impl Conv {
    /// Its geometry over maps of shape `input`, for parameters that need not be the layer's own (training runs with quantised or noisy ones).
    #[must_use]
    pub fn over(&self, input: Shape) -> Convolution {
        Convolution::new(self.group_window(input), self.group_outputs(), self.groups)
    }

    /// The convolution of every image of a batch; shapes must have been checked.
    pub(super) fn forward(&self, input: Shape, values: &[f32]) -> Vec<f32> {
        let positions = self.group_window(input).positions();
        let mut result = vec![0.0; values.len() / input.len() * self.out_channels * positions];
        self.over(input).forward(&self.weight, &self.bias, values, &mut result);
        result
    }
}
