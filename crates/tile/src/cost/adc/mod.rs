//! What a converter costs: one file per form of price. A form is an equation; its coefficients are in `configs/adcs`.
//!
//! To add a form: write its file with a struct that implements [`Check`], `at` and `conversion_time_s`, and add a variant to [`AdcPrices`].

mod comparators;
mod per_bit;
mod sar_power;
mod survey;
mod table;

pub use comparators::ComparatorPrices;
pub use per_bit::PerBitPrices;
pub use sar_power::{SarNode, SarPowerPrices};
pub use survey::{SurveyArea, SurveyEnergy, SurveyFom, SurveyPrices};
pub use table::{TablePrices, TableRow};

use crate::adc::AdcKind;
use crate::check::{Check, Problems};
use serde::{Deserialize, Serialize};

/// Widest converter: column sums are `f32`, in which whole numbers of more than 22 bits are not rounded exactly.
pub const MAX_ADC_BITS: u64 = 21;

/// What a converter costs at one resolution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdcCost {
    /// Resolution, bits.
    pub bits: u32,
    /// Energy of one conversion, J.
    pub energy_j: f64,
    /// Area of one converter, m2.
    pub area_m2: f64,
    /// Leakage power of one converter, W.
    pub leakage_w: f64,
    /// Time of one conversion, s.
    pub conversion_time_s: f64,
}

/// A converter cost model as its file in `configs/adcs` states it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdcModel {
    /// Name, kebab-case; part of every result.
    pub model: String,
    /// Where the numbers come from.
    pub source: String,
    /// The architectures that the model prices; it prices ideal converters, too.
    pub kinds: Vec<AdcKind>,
    /// The prices.
    pub prices: AdcPrices,
}

impl Check for AdcModel {
    fn check(&self, problems: &mut Problems) {
        problems.require("kinds", "[]", !self.kinds.is_empty(), "at least one architecture");
        problems.within("prices", |p| self.prices.check(p));
    }
}

/// Prices over the resolution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AdcPrices {
    /// A table.
    Table(TablePrices),
    /// A regression of published converters.
    Survey(SurveyPrices),
    /// Power of a SAR converter, linear in the bits.
    SarPower(SarPowerPrices),
    /// A price per comparator.
    Comparators(ComparatorPrices),
    /// Time and energy linear in the bits.
    PerBit(PerBitPrices),
}

impl AdcPrices {
    /// Costs at a resolution.
    ///
    /// # Errors
    /// If the prices do not cover it; the text says what they cover.
    pub fn at(&self, bits: u32) -> Result<AdcCost, String> {
        let cost = match self {
            Self::Table(prices) => prices.at(bits),
            Self::Survey(prices) => prices.at(bits),
            Self::SarPower(prices) => prices.at(bits),
            Self::Comparators(prices) => prices.at(bits),
            Self::PerBit(prices) => prices.at(bits),
        }?;
        let payable = |value: f64| value.is_finite() && value >= 0.0;
        let all = [cost.energy_j, cost.area_m2, cost.leakage_w, cost.conversion_time_s];
        if all.into_iter().all(payable) { Ok(cost) } else { Err("one whose price is a finite number".to_owned()) }
    }

    /// Energy of integrating one bit of an input digit before it is converted, J; on top of that of the conversion.
    #[must_use]
    pub fn digit_bit_energy_j(&self) -> f64 {
        match self {
            Self::PerBit(prices) => prices.digit_bit_energy_j,
            Self::Table(_) | Self::Survey(_) | Self::SarPower(_) | Self::Comparators(_) => 0.0,
        }
    }

    /// Time of one conversion at a resolution, s; also of one that has no price.
    #[must_use]
    pub fn conversion_time_s(&self, bits: u32) -> f64 {
        match self {
            Self::Table(prices) => prices.conversion_time_s,
            Self::Survey(prices) => prices.conversion_time_s(),
            Self::SarPower(prices) => prices.conversion_time_s(bits),
            Self::Comparators(prices) => prices.conversion_time_s,
            Self::PerBit(prices) => prices.conversion_time_s(bits),
        }
    }
}

impl Check for AdcPrices {
    fn check(&self, problems: &mut Problems) {
        match self {
            Self::Table(prices) => prices.check(problems),
            Self::Survey(prices) => prices.check(problems),
            Self::SarPower(prices) => prices.check(problems),
            Self::Comparators(prices) => prices.check(problems),
            Self::PerBit(prices) => prices.check(problems),
        }
    }
}

/// The resolutions that a formula covers, bits, both included.
fn covers(bits: u32, (min_bits, max_bits): (u32, u32)) -> Result<(), String> {
    let allowed = || format!("an integer from {min_bits} to {max_bits}");
    if (min_bits..=max_bits).contains(&bits) { Ok(()) } else { Err(allowed()) }
}

/// Adds the problems of such a range.
fn check_range((min_bits, max_bits): (u32, u32), problems: &mut Problems) {
    problems.integer("min_bits", min_bits.into(), 1..=MAX_ADC_BITS);
    problems.integer("max_bits", max_bits.into(), 1..=MAX_ADC_BITS);
    problems.require("max_bits", max_bits, max_bits >= min_bits, format!("at least min_bits = {min_bits}"));
}
