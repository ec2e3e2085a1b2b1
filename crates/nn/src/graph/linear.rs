//! Fully connected layer `y = W x + b` over all values of a map.

use super::weights::WeightScale;
use crate::Shape;
use crate::error::{Invalid, check_dimension, check_finite, check_length, check_product};
use crate::gemm::{GemmSize, gemm_nt};

/// Parameters of a fully connected layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// Number of inputs: all values of the map, in its order.
    pub inputs: usize,
    /// Number of outputs, the channels of the result.
    pub outputs: usize,
    /// `outputs x inputs`, row-major.
    pub weight: Vec<f32>,
    /// One per output.
    pub bias: Vec<f32>,
    /// The integers that the weights were made for.
    pub weight_scale: WeightScale,
    /// What is added to the integers before they are stored, where the weights were trained so: a mapping strategy that searches an offset takes it.
    pub weight_offset: Option<i64>,
}

impl Linear {
    /// Checks sizes, the number of parameters and that they are finite, and the scales.
    ///
    /// # Errors
    /// The first value that is not allowed.
    pub fn validate(&self) -> Result<(), Invalid> {
        check_length("weight", self.weight.len(), self.check_sizes()?)?;
        check_length("bias", self.bias.len(), self.outputs)?;
        check_finite("weight", &self.weight)?;
        check_finite("bias", &self.bias)?;
        self.weight_scale.validate(self.outputs)
    }

    /// Checks the sizes alone and returns the number of weights they ask for.
    pub(crate) fn check_sizes(&self) -> Result<usize, Invalid> {
        check_dimension("inputs", self.inputs)?;
        check_dimension("outputs", self.outputs)?;
        check_product("weight (outputs x inputs)", &[self.outputs, self.inputs])
    }

    /// Shape of the result: one channel per output.
    ///
    /// # Errors
    /// If the input does not hold `inputs` values.
    pub fn output_shape(&self, input: Shape) -> Result<Shape, Invalid> {
        if input.len() == self.inputs {
            return Ok(Shape { channels: self.outputs, height: 1, width: 1 });
        }
        let allowed = format!("{}, the values of its input {input}", input.len());
        Err(Invalid::new("inputs", self.inputs, allowed))
    }
}

impl Linear {
    /// The result for every image of a batch; shapes must have been checked. Every sum starts with the bias and adds the inputs in ascending
    /// order.
    pub(super) fn forward(&self, values: &[f32]) -> Vec<f32> {
        let images = values.len() / self.inputs;
        let mut result = self.bias.repeat(images);
        gemm_nt(GemmSize { m: images, n: self.outputs, k: self.inputs }, values, &self.weight, &mut result);
        result
    }
}
