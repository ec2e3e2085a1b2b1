//! Codes that a network prescribes.

use super::{Reason, reason};
use nn::graph::{Coefficients, Quantise, Rounding};

/// Codes that a network prescribes: `step * code` for `lowest <= code <= highest`, 0 among them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Format {
    /// Value of one code.
    pub step: f64,
    /// Lowest code.
    pub lowest: i64,
    /// Highest code.
    pub highest: i64,
    /// Whether of two equally near codes the odd one is taken, not the even one: where an odd zero point is added before a value becomes whole.
    pub ties_to_odd: bool,
}

/// The format that a node prescribes.
pub(super) fn prescribed(quantise: &Quantise) -> Result<Format, Reason> {
    let (Coefficients::Map(step), Coefficients::Map(zero)) = (&quantise.scale, &quantise.zero_point) else {
        return Err(reason(
            "it quantises a map with a scale per channel, but the chip's maps have one scale",
            "quantise activations per tensor",
        ));
    };
    let (lowest, highest) = quantise.codes();
    if quantise.rounding != Rounding::HalfEven {
        return Err(reason("it does not round half to even, as the chip does", "quantise with rounding_mode = ROUND"));
    }
    // Checked to be whole and small.
    let zero = *zero as i64;
    let format = Format {
        step: f64::from(*step),
        lowest: i64::from(lowest) - zero,
        highest: i64::from(highest) - zero,
        ties_to_odd: quantise.zero_before_rounding && zero % 2 != 0,
    };
    if format.lowest > 0 || format.highest < 1 {
        let problem = format!("its codes {} to {} do not hold 0 and a positive one", format.lowest, format.highest);
        return Err((problem, "choose a zero point among its codes, below the highest".to_owned()));
    }
    Ok(format)
}

/// Refuses codes that pixels would have to be rounded to in a way that nothing does.
pub(super) fn even(format: Format) -> Result<Format, Reason> {
    match format.ties_to_odd {
        false => Ok(format),
        true => Err(reason(
            "the input is rounded after its odd zero point is added, so that of two equally near codes the odd one is taken",
            "quantise the input with an even zero point",
        )),
    }
}
