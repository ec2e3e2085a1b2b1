//! Fully connected layer `y = W x + b`.

use crate::error::{Invalid, check_dimension, check_finite, check_length, check_product};
use crate::gemm::{GemmSize, gemm_nt};
use crate::network::Shape;

/// Parameters of a fully connected layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// Number of inputs.
    pub inputs: usize,
    /// Number of outputs.
    pub outputs: usize,
    /// `outputs x inputs`, row-major.
    pub weight: Vec<f32>,
    /// One per output.
    pub bias: Vec<f32>,
    /// Value of one integer step of the quantised weight (1/64 in the Q1.6 format of Diware et al.).
    pub weight_scale: f32,
}

impl Linear {
    /// Checks sizes, the number of parameters and that they are finite, and the scale.
    ///
    /// # Errors
    /// The first value that is not allowed.
    pub fn validate(&self) -> Result<(), Invalid> {
        check_length("weight", self.weight.len(), self.check_sizes()?)?;
        check_length("bias", self.bias.len(), self.outputs)?;
        check_finite("weight", &self.weight)?;
        check_finite("bias", &self.bias)?;
        super::check_scale(self.weight_scale)
    }

    /// Checks the sizes alone and returns the number of weights they ask for.
    pub(crate) fn check_sizes(&self) -> Result<usize, Invalid> {
        check_dimension("inputs", self.inputs)?;
        check_dimension("outputs", self.outputs)?;
        check_product("weight (outputs x inputs)", &[self.outputs, self.inputs])
    }

    /// Shape of the result: one channel per output. The input map is flattened, so only its number of values counts.
    ///
    /// # Errors
    /// If the input does not hold `inputs` values.
    pub fn output_shape(&self, input: Shape) -> Result<Shape, Invalid> {
        if input.len() != self.inputs {
            return Err(Invalid::new(
                "inputs",
                self.inputs,
                format!("{}, the values of its input {input}", input.len()),
            ));
        }
        Ok(Shape { channels: self.outputs, height: 1, width: 1 })
    }

    /// `W x + b` for every image of a batch; see [`linear_forward`].
    ///
    /// # Panics
    /// If the number of values is not `batch * inputs` or the parameters do not have the layer's sizes.
    #[must_use]
    pub fn forward(&self, input: &[f32], batch: usize) -> Vec<f32> {
        linear_forward(&self.weight, &self.bias, input, batch)
    }
}

/// `W x + b` for every image of a batch `[image][input]`, as `[image][output]`, with parameters that need not be a layer's own
/// (training runs with quantised or noisy ones). Every sum starts with the bias and adds the inputs in ascending order.
///
/// # Panics
/// If `weight` does not hold `bias.len()` rows of as many values as one image has.
#[must_use]
pub fn linear_forward(weight: &[f32], bias: &[f32], input: &[f32], batch: usize) -> Vec<f32> {
    let (outputs, inputs) = (bias.len(), weight.len() / bias.len().max(1));
    let mut output = bias.repeat(batch);
    gemm_nt(GemmSize { m: batch, n: outputs, k: inputs }, input, weight, &mut output);
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer() -> Linear {
        Linear {
            inputs: 3,
            outputs: 2,
            weight: vec![1.0, 2.0, 3.0, -1.0, 0.5, 0.0],
            bias: vec![10.0, -10.0],
            weight_scale: 0.5,
        }
    }

    #[test]
    fn forward_by_hand() {
        let output = layer().forward(&[1.0, 1.0, 1.0, 0.0, 2.0, -1.0], 2);
        assert_eq!(output, [16.0, -10.5, 11.0, -9.0]);
        assert!(layer().forward(&[], 0).is_empty());
    }

    #[test]
    fn wrong_sizes_are_named() {
        let shape = Shape { channels: 2, height: 2, width: 1 };
        let error = layer().output_shape(shape).unwrap_err().to_string();
        assert_eq!(error, "inputs is 3, allowed: 4, the values of its input 2x2x1");
        let broken = Linear { bias: vec![0.0], ..layer() };
        assert_eq!(broken.validate().unwrap_err().key, "number of values of bias");
        let broken = Linear { weight_scale: 0.0, ..layer() };
        assert_eq!(broken.validate().unwrap_err().key, "weight_scale");
        assert_eq!(layer().validate(), Ok(()));
    }
}
