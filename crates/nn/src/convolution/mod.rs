//! Convolutions and their gradients as matrix products whose operands are never stored as matrices: panels of a product are copied straight
//! from maps.
//!
//! With `P` the matrix of a map with one row per value of a window (channel, kernel row, kernel column) and one column per window, a
//! convolution is `Y = b + W P`, and the gradients are `dW += dY P^T` and `dP = W^T dY`, of which every value of the map gets the sum of
//! the places where it stands in `P`. Sums have the order of [`crate::gemm`]: a result starts with its bias and adds the values of the window
//! in their order, padding's zeros included; a weight's gradient adds image after image and window after window; a value's gradient adds
//! its windows in their order, each the sum over outputs in their order.

mod channels_last;
mod copy;
mod few_outputs;
mod forward;
mod input;
mod padded;
mod runs;
#[cfg(test)]
mod tests;
mod weights;

use crate::error::{Invalid, MAX_VALUES};
use crate::gemm::{ROWS, WIDTH};
use crate::window::Window;
use channels_last::ChannelsLast;
use forward::Forward;
use input::InputGradient;
use padded::Padded;
use std::cell::RefCell;
use weights::WeightGradient;

/// A convolution in groups over maps of one shape, of which it holds the geometry and not the parameters. Maps are `[image][channel][row][column]`,
/// weights `[output][channel of the group][kernel row][kernel column]`.
pub struct Convolution {
    /// The windows of one group.
    window: Window,
    /// Output channels of one group.
    outputs: usize,
    groups: usize,
    padded: Padded,
    channels_last: ChannelsLast,
}

/// Memory that is used again.
#[derive(Default)]
struct Scratch {
    /// Packed rows of `A`.
    a: Vec<[f32; ROWS]>,
    /// A packed panel of `B`.
    b: Vec<[f32; WIDTH]>,
    /// A map in another order.
    map: Vec<f32>,
    /// Results in another order.
    sums: Vec<f32>,
}

thread_local! {
    /// Kept between products, of which a training step makes thousands.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Zeros, `count` of them.
fn clear(values: &mut Vec<f32>, count: usize) {
    values.clear();
    values.resize(count, 0.0);
}

impl Convolution {
    /// A convolution of `groups` groups, each with `outputs` output channels for the windows `window` over its own channels. The window must be
    /// valid.
    #[must_use]
    pub fn new(window: Window, outputs: usize, groups: usize) -> Self {
        Self { window, outputs, groups, padded: Padded::new(window), channels_last: ChannelsLast::new(window) }
    }

    /// Refuses maps that have too many values with their padding, of which dilated windows may have much; without gradients they are of no
    /// concern.
    ///
    /// # Errors
    /// The number of values.
    pub fn check_memory(&self) -> Result<(), Invalid> {
        let values = self.padded.len().max(self.channels_last.len());
        if values <= MAX_VALUES {
            return Ok(());
        }
        Err(Invalid::new("values of a map with its padding", values, format!("at most {MAX_VALUES}")))
    }

    /// Writes the results for some images.
    ///
    /// # Panics
    /// If a slice is shorter than the sizes ask for.
    pub fn forward(&self, weight: &[f32], bias: &[f32], maps: &[f32], results: &mut [f32]) {
        if self.outputs < few_outputs::LIMIT || self.check_memory().is_err() {
            self.forward_few(weight, bias, maps, results);
            return;
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let product = Forward { convolution: self, weight, bias, maps, results, scratch };
            pulp::Arch::new().dispatch(product);
        });
    }

    /// Adds the gradient with respect to the weights, from that with respect to the results.
    ///
    /// # Panics
    /// If a slice is shorter than the sizes ask for.
    pub fn weight_gradient(&self, maps: &[f32], slopes: &[f32], gradient: &mut [f32]) {
        SCRATCH.with_borrow_mut(|scratch| {
            let product = WeightGradient { convolution: self, maps, slopes, gradient, scratch };
            pulp::Arch::new().dispatch(product);
        });
    }

    /// Writes the gradient with respect to the maps, from that with respect to the results.
    ///
    /// # Panics
    /// If a slice is shorter than the sizes ask for.
    pub fn input_gradient(&self, weight: &[f32], slopes: &[f32], gradient: &mut [f32]) {
        SCRATCH.with_borrow_mut(|scratch| {
            let product = InputGradient { convolution: self, weight, slopes, gradient, scratch };
            pulp::Arch::new().dispatch(product);
        });
    }

    /// The weights of a group within all weights.
    fn weights(&self, group: usize) -> std::ops::Range<usize> {
        let size = self.outputs * self.window.rows();
        group * size..(group + 1) * size
    }

    /// The maps of a group, image after image.
    fn maps<'a>(&self, maps: &'a [f32], group: usize) -> impl Iterator<Item = &'a [f32]> {
        maps.chunks_exact(self.window.input.len()).skip(group).step_by(self.groups)
    }

    /// The results of a group or their gradients, image after image.
    fn results<'a>(&self, results: &'a [f32], group: usize) -> impl Iterator<Item = &'a [f32]> {
        results.chunks_exact(self.outputs * self.window.positions()).skip(group).step_by(self.groups)
    }
}
