//! Functions of every value by itself.

use crate::error::{Invalid, check_finite};
use crate::short_float::{brain_float, half_precision};

/// A function of one value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, low), high)`; the bounds may be infinite.
    Clip {
        /// Lowest result.
        low: f32,
        /// Highest result.
        high: f32,
    },
    /// `x`, or `slope * x` where it is negative.
    LeakyRelu {
        /// Factor of negative values.
        slope: f32,
    },
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// The nearest number of half precision (IEEE 754, 16 bits), ties to even.
    Half,
    /// The nearest `bfloat16`, ties to even.
    BrainFloat,
}

impl Activation {
    /// Kebab-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::Clip { .. } => "clip",
            Self::LeakyRelu { .. } => "leaky-relu",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::Half => "half",
            Self::BrainFloat => "brain-float",
        }
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// If bounds are not numbers in ascending order, or the slope is not finite.
    pub fn validate(self) -> Result<(), Invalid> {
        match self {
            Self::Clip { low, high } if !matches!(low.partial_cmp(&high), Some(order) if order.is_le()) => {
                Err(Invalid::new("low", low, format!("a number of at most {high}, the highest result")))
            }
            Self::LeakyRelu { slope } => check_finite("slope", &[slope]),
            _ => Ok(()),
        }
    }
}

impl Activation {
    /// The function of one value.
    #[must_use]
    pub fn of(self, value: f32) -> f32 {
        match self {
            Self::Relu => value.max(0.0),
            Self::Clip { low, high } => value.max(low).min(high),
            Self::LeakyRelu { slope } if value < 0.0 => slope * value,
            Self::LeakyRelu { .. } => value,
            Self::Sigmoid => (1.0 / (1.0 + libm::exp(-f64::from(value)))) as f32,
            Self::Tanh => libm::tanh(f64::from(value)) as f32,
            Self::Half => half_precision(value.into()) as f32,
            Self::BrainFloat => brain_float(value.into()) as f32,
        }
    }
}
