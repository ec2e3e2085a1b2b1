//! Maximum over square windows of each channel, without padding.

use crate::error::Invalid;
use crate::network::Shape;
use crate::window::Window;

/// Parameters of a max pooling layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool {
    /// Height and width of a window.
    pub kernel: usize,
    /// Step in both directions.
    pub stride: usize,
}

impl MaxPool {
    /// The windows over an input map; each channel of a window is reduced by itself.
    #[must_use]
    pub fn window(self, input: Shape) -> Window {
        Window::square(input, self.kernel, self.stride, 0)
    }

    /// Shape of the result: the input's channels, one value per window.
    ///
    /// # Errors
    /// If the window does not fit into the input.
    pub fn output_shape(self, input: Shape) -> Result<Shape, Invalid> {
        let window = self.window(input);
        window.validate()?;
        Ok(Shape { channels: input.channels, height: window.out_height(), width: window.out_width() })
    }

    /// The maxima of every image of a batch `[image][channel][row][column]`.
    ///
    /// # Panics
    /// If the number of values is not `batch * input_shape.len()`.
    #[must_use]
    pub fn forward(self, input_shape: Shape, input: &[f32], batch: usize) -> Vec<f32> {
        assert_eq!(input.len(), batch * input_shape.len(), "the input must hold one map per image");
        self.sources(input_shape, input).into_iter().map(|index| input[index]).collect()
    }

    /// For every output value the index in `input` of the value it was taken from; among equal values the first in (row, column)
    /// order, which is where the gradient goes. A `NaN` is never above another value.
    #[must_use]
    pub fn sources(self, input_shape: Shape, input: &[f32]) -> Vec<usize> {
        let channel = Shape { channels: 1, ..input_shape };
        let window = self.window(channel);
        let mut sources = Vec::with_capacity(input.len());
        for (index, map) in input.chunks_exact(channel.len().max(1)).enumerate() {
            let start = index * channel.len();
            sources.extend(window.outputs().map(|(oy, ox)| start + first_maximum(map, window, oy, ox)));
        }
        sources
    }
}

/// Index in `map` of the first largest value under the window.
fn first_maximum(map: &[f32], window: Window, oy: usize, ox: usize) -> usize {
    let mut best = oy * window.vertical.stride * window.input.width + ox * window.horizontal.stride;
    for run in window.runs(oy, ox) {
        for index in run.map..run.map + run.len {
            if map[index] > map[best] {
                best = index;
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forward_by_hand() {
        let shape = Shape { channels: 2, height: 2, width: 4 };
        let input = [
            1.0, 2.0, 3.0, 3.0, //
            4.0, 0.0, 3.0, 3.0, //
            -1.0, -2.0, -5.0, -4.0, //
            -3.0, -4.0, -6.0, -7.0,
        ];
        let pool = MaxPool { kernel: 2, stride: 2 };
        assert_eq!(pool.forward(shape, &input, 1), [4.0, 3.0, -1.0, -4.0]);
        assert_eq!(pool.sources(shape, &input), [4, 2, 8, 11]);
        assert_eq!(MaxPool { kernel: 2, stride: 1 }.forward(shape, &input, 1), [4.0, 3.0, 3.0, -1.0, -2.0, -4.0]);
        assert_eq!(pool.output_shape(shape).unwrap(), Shape { channels: 2, height: 1, width: 2 });
    }

    #[test]
    fn windows_that_do_not_fit_are_refused() {
        let shape = Shape { channels: 2, height: 2, width: 4 };
        assert!(MaxPool { kernel: 3, stride: 1 }.output_shape(shape).is_err());
        assert!(MaxPool { kernel: 0, stride: 1 }.output_shape(shape).is_err());
        assert!(MaxPool { kernel: 2, stride: 0 }.output_shape(shape).is_err());
    }
}
