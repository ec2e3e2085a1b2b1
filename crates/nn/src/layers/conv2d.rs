//! Two-dimensional convolution (cross-correlation, as in ONNX), square stride, zero padding.

use crate::error::{Invalid, check_dimension, check_finite, check_length, check_product};
use crate::gemm::{GemmSize, gemm_nt};
use crate::network::Shape;
use crate::window::Window;

/// Parameters of a convolution.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv2d {
    /// Input channels.
    pub in_channels: usize,
    /// Output channels.
    pub out_channels: usize,
    /// Height and width of the kernel.
    pub kernel: usize,
    /// Step in both directions.
    pub stride: usize,
    /// Zeros added on every side.
    pub padding: usize,
    /// `out_channels x (in_channels x kernel x kernel)`, row-major.
    pub weight: Vec<f32>,
    /// One per output channel.
    pub bias: Vec<f32>,
    /// Value of one integer step of the quantised weight.
    pub weight_scale: f32,
}

impl Conv2d {
    /// Checks sizes, the number of parameters and that they are finite, and the scale.
    ///
    /// # Errors
    /// The first value that is not allowed.
    pub fn validate(&self) -> Result<(), Invalid> {
        check_length("weight", self.weight.len(), self.check_sizes()?)?;
        check_length("bias", self.bias.len(), self.out_channels)?;
        check_finite("weight", &self.weight)?;
        check_finite("bias", &self.bias)?;
        super::check_scale(self.weight_scale)
    }

    /// Checks the sizes alone and returns the number of weights they ask for.
    pub(crate) fn check_sizes(&self) -> Result<usize, Invalid> {
        check_dimension("in_channels", self.in_channels)?;
        check_dimension("out_channels", self.out_channels)?;
        check_dimension("kernel", self.kernel)?;
        check_dimension("stride", self.stride)?;
        if self.padding >= self.kernel {
            let allowed = format!("less than the kernel, 0 to {}", self.kernel - 1);
            return Err(Invalid::new("padding", self.padding, allowed));
        }
        let sizes = [self.out_channels, self.in_channels, self.kernel, self.kernel];
        check_product("weight (out_channels x in_channels x kernel x kernel)", &sizes)
    }

    /// The windows over an input map.
    #[must_use]
    pub fn window(&self, input: Shape) -> Window {
        let Self { kernel, stride, padding, .. } = *self;
        Window::square(input, kernel, stride, padding)
    }

    /// Shape of the result.
    ///
    /// # Errors
    /// If the input has another number of channels, the kernel does not fit, or the result would be absurdly large.
    pub fn output_shape(&self, input: Shape) -> Result<Shape, Invalid> {
        if input.channels != self.in_channels {
            let allowed = format!("{}, the channels of its input {input}", input.channels);
            return Err(Invalid::new("in_channels", self.in_channels, allowed));
        }
        let window = self.window(input);
        window.validate()?;
        let shape = Shape { channels: self.out_channels, height: window.out_height(), width: window.out_width() };
        shape.validate()?;
        check_product("im2col matrix (windows x values under a window)", &[window.positions(), window.rows()])?;
        Ok(shape)
    }

    /// The convolution of every image of a batch; see [`conv2d_forward`].
    ///
    /// # Panics
    /// If the number of values is not `batch * input.len()` or the parameters do not have the layer's sizes.
    #[must_use]
    pub fn forward(&self, input_shape: Shape, input: &[f32], batch: usize) -> Vec<f32> {
        conv2d_forward(self.window(input_shape), &self.weight, &self.bias, input, batch)
    }
}

/// The convolution of every image of a batch `[image][channel][row][column]` with parameters that need not be a layer's own (training
/// runs with quantised or noisy ones). Every sum starts with the bias and adds the window in (channel, row, column) order.
///
/// # Panics
/// If `weight` does not hold `bias.len()` rows of `window.rows()` values or `input` not `batch` maps.
#[must_use]
pub fn conv2d_forward(window: Window, weight: &[f32], bias: &[f32], input: &[f32], batch: usize) -> Vec<f32> {
    let size = GemmSize { m: bias.len(), n: window.positions(), k: window.rows() };
    assert_eq!(input.len(), batch * window.input.len(), "the input must hold one map per image");
    let mut output = Vec::with_capacity(batch * size.m * size.n);
    for map in input.chunks_exact(window.input.len()) {
        let start = output.len();
        for &bias in bias {
            output.resize(output.len() + size.n, bias);
        }
        gemm_nt(size, weight, &window.im2col(map), &mut output[start..]);
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(in_channels: usize, out_channels: usize, kernel: usize, stride: usize, padding: usize) -> Conv2d {
        let count = in_channels * out_channels * kernel * kernel;
        Conv2d {
            in_channels,
            out_channels,
            kernel,
            stride,
            padding,
            weight: (0..count).map(|i| ((i * 37 % 19) as f32 - 9.0) / 8.0).collect(),
            bias: (0..out_channels).map(|i| i as f32 - 1.0).collect(),
            weight_scale: 0.125,
        }
    }

    /// The definition, in the same order of terms; padding adds `0 * w`, which changes no finite sum.
    fn naive(layer: &Conv2d, shape: Shape, map: &[f32]) -> Vec<f32> {
        let out = layer.output_shape(shape).unwrap();
        let mut output = Vec::new();
        for (o, oy, ox) in
            (0..out.channels).flat_map(|o| (0..out.height).flat_map(move |y| (0..out.width).map(move |x| (o, y, x))))
        {
            let mut sum = layer.bias[o];
            for c in 0..layer.in_channels {
                for ky in 0..layer.kernel {
                    for kx in 0..layer.kernel {
                        let y = (oy * layer.stride + ky).wrapping_sub(layer.padding);
                        let x = (ox * layer.stride + kx).wrapping_sub(layer.padding);
                        if y < shape.height && x < shape.width {
                            let weight =
                                layer.weight[((o * layer.in_channels + c) * layer.kernel + ky) * layer.kernel + kx];
                            sum += weight * map[(c * shape.height + y) * shape.width + x];
                        }
                    }
                }
            }
            output.push(sum);
        }
        output
    }

    #[test]
    fn forward_follows_the_definition() {
        let shape = Shape { channels: 2, height: 6, width: 5 };
        let input: Vec<f32> = (0..2 * shape.len()).map(|i| (i * 29 % 23) as f32 / 23.0).collect();
        for layer in [layer(2, 3, 3, 1, 1), layer(2, 4, 3, 2, 0), layer(2, 1, 1, 1, 0), layer(2, 5, 5, 2, 2)] {
            let output = layer.forward(shape, &input, 2);
            let expected: Vec<f32> =
                input.chunks_exact(shape.len()).flat_map(|map| naive(&layer, shape, map)).collect();
            assert_eq!(output, expected);
        }
    }

    #[test]
    fn wrong_sizes_are_named() {
        let conv = layer(2, 3, 3, 1, 1);
        assert_eq!(conv.validate(), Ok(()));
        let error = conv.output_shape(Shape { channels: 1, height: 6, width: 5 }).unwrap_err();
        assert_eq!(error.to_string(), "in_channels is 2, allowed: 1, the channels of its input 1x6x5");
        let error = layer(1, 1, 5, 1, 0).output_shape(Shape { channels: 1, height: 4, width: 9 }).unwrap_err();
        assert_eq!(error.to_string(), "kernel height is 5, allowed: at most the padded input's 4");
        assert_eq!(Conv2d { padding: 3, ..layer(1, 1, 3, 1, 0) }.validate().unwrap_err().key, "padding");
    }
}
