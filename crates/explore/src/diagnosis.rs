//! Warnings about converters that make a result suspicious.

use crate::evaluate::Evaluation;

/// Share of clipped conversions above which a converter gets a warning.
const MOST_CLIPPED: f64 = 0.01;

/// Share of used codes below which a converter gets a warning.
const FEWEST_CODES: f64 = 0.25;

/// One line for every slice of a stage whose converters clip more than 1 % or use under a quarter of their codes.
#[must_use]
pub fn converter_warnings(evaluation: &Evaluation) -> Vec<String> {
    let mut warnings = Vec::new();
    for converter in &evaluation.converters {
        let place = format!("layer `{}`, slice {}", converter.stage, converter.slice);
        let clipped = converter.clipped as f64 / converter.conversions.max(1) as f64;
        if clipped > MOST_CLIPPED {
            warnings.push(format!("{place}: the ADC clips {:.1} % of its conversions", 100.0 * clipped));
        }
        let used = (converter.codes.1 - converter.codes.0 + 1).max(0);
        if (used as f64) < FEWEST_CODES * converter.available_codes as f64 {
            warnings.push(format!("{place}: the ADC uses {used} of its {} codes", converter.available_codes));
        }
    }
    warnings
}
