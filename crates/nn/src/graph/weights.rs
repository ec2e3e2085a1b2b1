//! The integers that weights were made for, if there are such.

use crate::error::{Invalid, check_length};

/// Value of one integer step of the weights of a node. An imposed scale means that every weight is a whole number of steps, which the
/// compiler keeps: our own trained networks (1/64), weights of quantised ONNX files.
#[derive(Clone, Debug, PartialEq)]
pub enum WeightScale {
    /// None: the compiler chooses.
    Free,
    /// One for all weights.
    Tensor(f32),
    /// One per output.
    Channel(Vec<f32>),
}

impl WeightScale {
    /// The scale of one output, if one is imposed.
    #[must_use]
    pub fn of(&self, output: usize) -> Option<f32> {
        match self {
            Self::Free => None,
            Self::Tensor(scale) => Some(*scale),
            Self::Channel(scales) => scales.get(output).copied(),
        }
    }

    /// Checks that scales are positive numbers, one per output if there are several.
    pub(super) fn validate(&self, outputs: usize) -> Result<(), Invalid> {
        let scales: &[f32] = match self {
            Self::Free => return Ok(()),
            Self::Tensor(scale) => std::slice::from_ref(scale),
            Self::Channel(scales) => {
                check_length("weight_scale", scales.len(), outputs)?;
                scales
            }
        };
        check_scales("weight_scale", scales)
    }
}

/// Refuses the first scale that is not a positive finite number.
pub(super) fn check_scales(key: &str, scales: &[f32]) -> Result<(), Invalid> {
    match scales.iter().position(|scale| !(scale.is_finite() && *scale > 0.0)) {
        Some(index) => Err(Invalid::new(format!("{key}[{index}]"), scales[index], "positive finite numbers")),
        None => Ok(()),
    }
}
