//! The integer network: what the chip must compute, without any hardware in it.
//!
//! Activations are unsigned `bits`-wide codes, weights symmetric signed integers with one scale per layer, accumulators 64-bit
//! integers. Between two weighted layers stands one requantisation `clamp(round_half_even(acc * multiplier), 0, 2^bits - 1)`, which is
//! also the ReLU. The arithmetic is exact, so an ideal chip must reproduce it bit for bit.

use crate::error::{Invalid, NetworkError, check_length, check_name};
use crate::network::Shape;
use crate::window::Window;
use std::collections::BTreeSet;

/// Widest code and weight, in bits. Sums of 2^20 products of two such numbers and a bias stay below 2^53, so that they are exact as
/// `i64` and as `f64` alike.
pub const MAX_BITS: u32 = 16;
/// Largest absolute value of a bias.
pub const MAX_BIAS: i64 = 1 << 51;
/// Most values under one window.
pub const MAX_ROWS: usize = 1 << 20;

/// A network in integers; made by the compiler's quantisation pass.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantisedNetwork {
    /// Name of the network.
    pub name: String,
    /// Data set of the network.
    pub dataset: String,
    /// Shape of the input.
    pub input: Shape,
    /// Width of an input code; a pixel of value 0..=1 becomes `round(pixel * (2^bits - 1))`.
    pub input_bits: u32,
    /// The chain of layers.
    pub layers: Vec<QuantisedLayer>,
}

/// One layer of the integer network.
#[derive(Clone, Debug, PartialEq)]
pub enum QuantisedLayer {
    /// Weighted sums over windows (linear and convolution alike).
    Mvm(QuantisedMvm),
    /// Maximum over windows, on codes.
    MaxPool(QuantisedMaxPool),
}

/// Matrix-vector products over the windows of a feature map.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantisedMvm {
    /// Name of the layer.
    pub name: String,
    /// Where the input vectors come from; a linear layer has one window over everything.
    pub window: Window,
    /// Weights, `outputs x window.rows()`, row-major; a row's order is (channel, kernel row, kernel column).
    pub weights: Vec<i32>,
    /// Number of outputs (channels of the result).
    pub outputs: usize,
    /// Width of a weight: values lie in `-(2^(bits-1)-1) ..= 2^(bits-1)-1`.
    pub weight_bits: u32,
    /// One per output, in units of weight scale x input scale.
    pub bias: Vec<i64>,
    /// What becomes of the accumulators.
    pub output: MvmOutput,
}

/// What becomes of an accumulator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MvmOutput {
    /// ReLU and requantisation to unsigned codes.
    Codes {
        /// Factor from accumulator to code.
        multiplier: f64,
        /// Width of the code.
        bits: u32,
    },
    /// The accumulators themselves are the result (class scores).
    Scores,
}

/// Maximum over windows of codes.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantisedMaxPool {
    /// Name of the layer.
    pub name: String,
    /// The windows; one output channel per input channel.
    pub window: Window,
}

impl QuantisedNetwork {
    /// Checks names, widths, ranges of weights and biases, and that every layer's windows fit the result of the layer before it.
    ///
    /// # Errors
    /// The first value that is not allowed, with the name of its layer.
    pub fn validate(&self) -> Result<(), NetworkError> {
        check_name("name", &self.name).map_err(|invalid| self.error(invalid))?;
        check_name("dataset", &self.dataset).map_err(|invalid| self.error(invalid))?;
        check_bits("input_bits", self.input_bits, 1).map_err(|invalid| self.error(invalid))?;
        self.input.validate().map_err(|invalid| self.error(invalid))?;
        if self.layers.is_empty() {
            return Err(self.error(Invalid::new("number of layers", 0, "at least 1")));
        }
        let (mut names, mut shape) = (BTreeSet::new(), self.input);
        for (index, layer) in self.layers.iter().enumerate() {
            let last = index + 1 == self.layers.len();
            let unique = names.insert(layer.name()).then_some(());
            shape = unique
                .ok_or_else(|| Invalid::new("name", layer.name(), "names used only once"))
                .and_then(|()| layer.validate(shape, last))
                .map_err(|invalid| self.layer_error(layer, invalid))?;
        }
        Ok(())
    }

    pub(crate) fn error(&self, invalid: Invalid) -> NetworkError {
        NetworkError::Network { network: self.name.clone(), invalid: invalid.into() }
    }

    fn layer_error(&self, layer: &QuantisedLayer, invalid: Invalid) -> NetworkError {
        NetworkError::Layer { network: self.name.clone(), layer: layer.name().to_owned(), invalid: invalid.into() }
    }
}

impl QuantisedLayer {
    /// Name of the layer.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Mvm(mvm) => &mvm.name,
            Self::MaxPool(pool) => &pool.name,
        }
    }

    /// Where the layer's input comes from.
    #[must_use]
    pub fn window(&self) -> Window {
        match self {
            Self::Mvm(mvm) => mvm.window,
            Self::MaxPool(pool) => pool.window,
        }
    }

    /// Shape of the layer's result.
    #[must_use]
    pub fn output_shape(&self) -> Shape {
        let window = self.window();
        let channels = match self {
            Self::Mvm(mvm) => mvm.outputs,
            Self::MaxPool(_) => window.input.channels,
        };
        Shape { channels, height: window.out_height(), width: window.out_width() }
    }

    /// Checks the layer behind a result of shape `input` and returns the shape of its own.
    fn validate(&self, input: Shape, last: bool) -> Result<Shape, Invalid> {
        check_name("name", self.name())?;
        let window = self.window();
        window.validate()?;
        // A flattened map has the same values in the same order.
        let flat = Shape { channels: input.len(), height: 1, width: 1 };
        if window.input != input && window.input != flat {
            return Err(Invalid::new("window input", window.input, format!("{input}, its input, or {flat}")));
        }
        if let Self::Mvm(mvm) = self {
            mvm.validate(last)?;
        }
        let shape = self.output_shape();
        shape.validate().map(|()| shape)
    }
}

impl QuantisedMvm {
    fn validate(&self, last: bool) -> Result<(), Invalid> {
        let rows = self.window.rows();
        if rows > MAX_ROWS {
            return Err(Invalid::new("values under a window", rows, format!("at most {MAX_ROWS}")));
        }
        check_length("weights", self.weights.len(), self.outputs.saturating_mul(rows))?;
        check_length("bias", self.bias.len(), self.outputs)?;
        check_bits("weight_bits", self.weight_bits, 2)?;
        let limit = (1i32 << (self.weight_bits - 1)) - 1;
        if let Some(index) = self.weights.iter().position(|weight| !(-limit..=limit).contains(weight)) {
            return Err(Invalid::new(format!("weights[{index}]"), self.weights[index], format!("-{limit} to {limit}")));
        }
        if let Some(index) = self.bias.iter().position(|bias| !(-MAX_BIAS..=MAX_BIAS).contains(bias)) {
            return Err(Invalid::new(format!("bias[{index}]"), self.bias[index], format!("-{MAX_BIAS} to {MAX_BIAS}")));
        }
        self.output.validate(last)
    }
}

impl MvmOutput {
    fn validate(self, last: bool) -> Result<(), Invalid> {
        match self {
            Self::Codes { multiplier, bits } => {
                check_bits("bits", bits, 1)?;
                if multiplier.is_finite() && multiplier > 0.0 {
                    return Ok(());
                }
                Err(Invalid::new("multiplier", multiplier, "positive finite numbers"))
            }
            // Accumulators are wider than any code, so nothing may follow them.
            Self::Scores if last => Ok(()),
            Self::Scores => Err(Invalid::new("output", "scores", "codes, as another layer follows")),
        }
    }
}

fn check_bits(key: &str, bits: u32, least: u32) -> Result<(), Invalid> {
    if (least..=MAX_BITS).contains(&bits) {
        return Ok(());
    }
    Err(Invalid::new(key, bits, format!("{least} to {MAX_BITS}")))
}
