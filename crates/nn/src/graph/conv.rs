//! Convolution (cross-correlation, as in ONNX) in groups, zero padding.

use super::weights::WeightScale;
use crate::Shape;
use crate::axis::Axis;
use crate::error::{Invalid, check_dimension, check_finite, check_length, check_product};
use crate::window::Window;

/// Parameters of a convolution. Output channel `o` reads the input channels of group `o / (out_channels / groups)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv {
    /// Input channels, all groups.
    pub in_channels: usize,
    /// Output channels, all groups.
    pub out_channels: usize,
    /// Groups of channels that do not see each other; as many as input channels is a depthwise convolution.
    pub groups: usize,
    /// Steps down the rows of the map.
    pub vertical: Axis,
    /// Steps along a row of the map.
    pub horizontal: Axis,
    /// `out_channels x (in_channels / groups) x kernel height x kernel width`, row-major.
    pub weight: Vec<f32>,
    /// One per output channel.
    pub bias: Vec<f32>,
    /// The integers that the weights were made for.
    pub weight_scale: WeightScale,
    /// What is added to the integers before they are stored, where the weights were trained so: a mapping strategy that searches an offset takes it.
    pub weight_offset: Option<i64>,
}

impl Conv {
    /// Checks sizes, the number of parameters and that they are finite, and the scales.
    ///
    /// # Errors
    /// The first value that is not allowed.
    pub fn validate(&self) -> Result<(), Invalid> {
        check_length("weight", self.weight.len(), self.check_sizes()?)?;
        check_length("bias", self.bias.len(), self.out_channels)?;
        check_finite("weight", &self.weight)?;
        check_finite("bias", &self.bias)?;
        self.weight_scale.validate(self.out_channels)
    }

    /// Checks the sizes alone and returns the number of weights they ask for.
    pub(crate) fn check_sizes(&self) -> Result<usize, Invalid> {
        check_dimension("in_channels", self.in_channels)?;
        check_dimension("out_channels", self.out_channels)?;
        check_dimension("groups", self.groups)?;
        for (key, channels) in [("in_channels", self.in_channels), ("out_channels", self.out_channels)] {
            if !channels.is_multiple_of(self.groups) {
                return Err(Invalid::new(key, channels, format!("multiples of {}, the groups", self.groups)));
            }
        }
        check_dimension("kernel height", self.vertical.kernel)?;
        check_dimension("kernel width", self.horizontal.kernel)?;
        let sizes = [self.out_channels, self.group_inputs(), self.vertical.kernel, self.horizontal.kernel];
        check_product("weight (out_channels x in_channels / groups x kernel height x kernel width)", &sizes)
    }

    /// Input channels of one group.
    #[must_use]
    pub fn group_inputs(&self) -> usize {
        self.in_channels / self.groups.max(1)
    }

    /// Output channels of one group.
    #[must_use]
    pub fn group_outputs(&self) -> usize {
        self.out_channels / self.groups.max(1)
    }

    /// Weights of one output channel.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.group_inputs() * self.vertical.kernel * self.horizontal.kernel
    }

    /// The windows of one group over an input map of shape `input`.
    #[must_use]
    pub fn group_window(&self, input: Shape) -> Window {
        let input = Shape { channels: self.group_inputs(), ..input };
        Window { input, vertical: self.vertical, horizontal: self.horizontal }
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
        let window = self.group_window(input);
        window.validate()?;
        check_product("windows x values under a window", &[window.positions(), window.rows()])?;
        let shape = Shape { channels: self.out_channels, height: window.out_height(), width: window.out_width() };
        shape.validate()?;
        Ok(shape)
    }
}
