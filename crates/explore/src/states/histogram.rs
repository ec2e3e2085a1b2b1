//! The weights of a nominal layer.

use nn_compiler::mapping::largest_weight;

use crate::error::ExploreError;

/// Number of weights in the middle of a normal histogram: enough for counts to be smooth and all values to occur.
const PEAK: f64 = 1e6;

/// How often each weight value occurs in the layer for which encodings are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WeightHistogram {
    /// A normal distribution around zero with a standard deviation of an eighth of the `2^B` codes: small weights are
    /// frequent, as training leaves them.
    Normal,
    /// Every value equally often.
    Flat,
    /// Entry `i` counts the weight `i - (2^(B-1) - 1)`.
    Given(Vec<u64>),
}

impl WeightHistogram {
    /// The counts for weights of `weight_bits` bits.
    pub(super) fn counts(&self, weight_bits: u32) -> Result<Vec<u64>, ExploreError> {
        let largest = largest_weight(weight_bits);
        let length = 2 * largest as usize + 1;
        match self {
            Self::Normal => {
                let sd = deviation(weight_bits);
                let count = |weight: i32| (PEAK * libm::exp(-0.5 * (f64::from(weight) / sd).powi(2))).round() as u64;
                Ok((-largest..=largest).map(count).collect())
            }
            Self::Flat => Ok(vec![1; length]),
            Self::Given(counts) if counts.len() != length => Err(ExploreError::Request(format!(
                "the weight histogram has {} entries; {length} are wanted for weights of {weight_bits} bits",
                counts.len()
            ))),
            Self::Given(counts) if counts.iter().all(|&count| count == 0) => {
                Err(ExploreError::Request("the weight histogram counts no weights".to_owned()))
            }
            Self::Given(counts) => Ok(counts.clone()),
        }
    }

    /// The histogram in words.
    pub(super) fn describe(&self, weight_bits: u32) -> String {
        match self {
            Self::Normal => {
                let sd = deviation(weight_bits);
                format!(
                    "normal around zero, standard deviation {sd} weight steps (an eighth of the 2^{weight_bits} codes)"
                )
            }
            Self::Flat => "every weight equally often".to_owned(),
            Self::Given(_) => "given weights".to_owned(),
        }
    }
}

fn deviation(weight_bits: u32) -> f64 {
    f64::from(1_u32 << weight_bits) / 8.0
}
