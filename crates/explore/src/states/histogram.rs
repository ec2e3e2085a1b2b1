//! The weights of a nominal layer.

use nn_compiler::mapping::largest_weight;

use crate::error::ExploreError;

/// Number of weights in the middle of a normal histogram: enough for counts to be smooth and all values to occur.
const PEAK: f64 = 1e6;

/// Wider weights are sampled, so that the search of an offset takes a second and not a minute.
const MAX_BITS: u32 = 10;

/// How often each weight value occurs in the layer for which encodings are chosen and means are taken. Of weights of
/// more than 10 bits, `Normal` and `Flat` count a regular sample.
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
                Ok(sampled(weight_bits, count))
            }
            Self::Flat => Ok(sampled(weight_bits, |_| 1)),
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
        let shape = match self {
            Self::Normal => {
                let sd = deviation(weight_bits);
                format!(
                    "normal around zero, standard deviation {sd} weight steps (an eighth of the 2^{weight_bits} codes)"
                )
            }
            Self::Flat => "every weight equally often".to_owned(),
            Self::Given(_) => return "given weights".to_owned(),
        };
        match stride(weight_bits) {
            1 => shape,
            stride => format!("{shape}, one weight in {stride} sampled"),
        }
    }
}

fn deviation(weight_bits: u32) -> f64 {
    f64::from(1_u32 << weight_bits) / 8.0
}

/// Distance between two sampled weights; odd, so that samples differ in all their digits.
fn stride(weight_bits: u32) -> i32 {
    match weight_bits.saturating_sub(MAX_BITS) {
        0 => 1,
        surplus => (1 << surplus) + 1,
    }
}

fn sampled(weight_bits: u32, count: impl Fn(i32) -> u64) -> Vec<u64> {
    let (largest, stride) = (largest_weight(weight_bits), stride(weight_bits));
    (-largest..=largest).map(|weight| if weight % stride == 0 { count(weight) } else { 0 }).collect()
}
