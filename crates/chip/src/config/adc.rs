//! The column ADC and how its range is chosen.

use serde::{Deserialize, Serialize};
use tile::adc::{AdcKind, NonIdealities};
use tile::cost::{AdcCost, AdcPrices};

/// The column ADC and how columns share it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adc {
    /// Architecture: which errors the converters can have.
    pub kind: AdcKind,
    /// Resolution, bits.
    pub bits: u32,
    /// How the range is chosen.
    pub range: RangePolicy,
    /// With `calibrated`: the criterion.
    pub criterion: Criterion,
    /// With `calibrated` by percentile: share of the conversions that lie within the range, per cent, of those
    /// looked at: a share of the sums of large stages, so that 100 is the largest looked at.
    pub percentile: f64,
    /// With `calibrated`: finest step, in level spacings. Nominal sums are whole numbers of level spacings, so that a finer step than 1
    /// resolves nothing but variation.
    pub finest_step_levels: f64,
    /// With `calibrated`: round the step up to a power of two, so that slices are scaled by shifts instead of multiplications.
    pub power_of_two_step: bool,
    /// With `calibrated`: a range of its own for every column, instead of one per layer and slice.
    pub per_column: bool,
    /// A digital gain of its own for every column, found by least squares on calibration images, that undoes what wires lose.
    pub column_gain: bool,
    /// Converters in a bank.
    pub per_bank: u32,
    /// Whether a conversion leaves out as many bits as earlier input slices have applied, and takes as much less time and energy. Values
    /// are those of full conversions.
    pub skip_applied_bits: bool,
    /// Whether the converters themselves collect the currents of the columns, so that an array is busy until its columns are converted;
    /// takes a converter for every column. Otherwise sample-and-holds keep the currents while arrays read on.
    pub integrating: bool,
    /// Arrays whose columns one bank converts; the two arrays of a subtracting pair count once.
    pub arrays_per_bank: u32,
    /// With `calibrated`: number of calibration images.
    pub calibration_images: u32,
    /// With `calibrated`: number of calibration chip samples.
    pub calibration_chips: u32,
    /// Name of the cost model.
    pub model: String,
    /// Where the costs come from.
    pub source: String,
    /// The architectures that the cost model prices; it prices ideal converters, too.
    pub kinds: Vec<AdcKind>,
    /// Costs over the resolution.
    pub prices: AdcPrices,
    /// How the converters differ from ideal ones; left out: not at all.
    #[serde(default)]
    pub nonideal: NonIdealities,
}

impl Adc {
    /// The range policy in words, with what it depends on: `full`, `lossless`, `calibrated-percentile+per-column+shifts`.
    #[must_use]
    pub fn range_name(&self) -> String {
        if self.range != RangePolicy::Calibrated {
            return if self.range == RangePolicy::Full { "full" } else { "lossless" }.to_owned();
        }
        let criterion = match self.criterion {
            Criterion::Percentile => "calibrated-percentile",
            Criterion::LeastSquaredError => "calibrated-least-squared-error",
        };
        let option = |on: bool, name: &'static str| if on { name } else { "" };
        format!("{criterion}{}{}", option(self.per_column, "+per-column"), option(self.power_of_two_step, "+shifts"))
    }

    /// Costs at the converter's resolution.
    ///
    /// # Errors
    /// If the model does not cover it; the text says what it covers.
    pub fn cost(&self) -> Result<AdcCost, String> {
        let uncovered = |allowed| format!("{allowed} (ADC model `{}` covers no other)", self.model);
        self.prices.at(self.bits).map_err(uncovered)
    }

    /// Time of one conversion at the converter's resolution, s.
    #[must_use]
    pub fn conversion_time_s(&self) -> f64 {
        self.prices.conversion_time_s(self.bits)
    }

    /// Whether the cost model prices the converter's architecture; otherwise which it prices.
    ///
    /// # Errors
    /// If it does not.
    pub fn priced_kind(&self) -> Result<(), String> {
        if self.kind == AdcKind::Ideal || self.kinds.contains(&self.kind) {
            return Ok(());
        }
        let known = self.kinds.iter().chain([&AdcKind::Ideal]).map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
        Err(format!("one of {known} (ADC model `{}` prices no other; tile.adc.preset chooses another)", self.model))
    }
}

/// How the range of a converter is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RangePolicy {
    /// The largest sum the array can produce; never clips at the top. Behind a single array, sums below zero (of cells programmed below
    /// `G_min`) read as code 0 under every policy.
    Full,
    /// A step of one level spacing and as many codes as that takes, whatever `bits` says; reports the bits this needs.
    Lossless,
    /// From the column sums of calibration images on calibration chip samples, per layer and slice.
    Calibrated,
}

/// The criterion of a calibrated range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Criterion {
    /// A percentile of the magnitudes of the sums.
    Percentile,
    /// Least mean squared quantisation and clipping error.
    LeastSquaredError,
}
