//! A regression of published converters over resolution, rate and technology: Andrulis, Chen, Lee, Emer and Sze, "Modeling
//! Analog-Digital-Converter Energy and Area for Compute-In-Memory Accelerator Design", arXiv 2404.06553 (2024), in the form of its published
//! implementation.
//!
//! The energy follows from the definition of Schreier's figure of merit, `FOM = SNDR + 10 log10((f / 2) / P)` in dB with
//! `SNDR = 6.02 ENOB + 1.76`, where the best FOM falls with the rate f and is capped at each number of bits; it is then scaled to the
//! technology: `E = 1/2 10^((SNDR - FOM) / 10) e^(e0 + e1 ln tech + e2 ln ENOB)`. The area is
//! `A = e^(a0 + a1 ln tech + a2 ln f + a3 ln E)`. Below 4 bits the cap of the FOM makes the energy rise as bits fall, which no converter does.

use super::{AdcCost, check_range, covers};
use crate::check::{Check, Problems};
use serde::{Deserialize, Serialize};

/// Coefficients and operating point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurveyPrices {
    /// Technology, nm.
    pub tech_nm: f64,
    /// Conversions per second of one converter, Hz.
    pub throughput_hz: f64,
    /// Fewest bits.
    pub min_bits: u32,
    /// Most bits.
    pub max_bits: u32,
    /// The figure of merit.
    pub fom: SurveyFom,
    /// From the figure of merit to the energy.
    pub energy: SurveyEnergy,
    /// The area.
    pub area: SurveyArea,
}

/// Schreier's figure of merit of the best converters, dB.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurveyFom {
    /// At 1 Hz, dB.
    pub intercept_db: f64,
    /// Per natural logarithm of the rate in Hz, dB.
    pub per_ln_hz_db: f64,
    /// Cap at 0 bits, dB.
    pub cap_db: f64,
    /// Rise of the cap per bit, dB.
    pub cap_per_bit_db: f64,
}

/// Natural logarithm of the energy in pJ over that of the figure of merit in J.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurveyEnergy {
    /// At 1 nm and 1 bit.
    pub intercept: f64,
    /// Added for the best converters.
    pub best: f64,
    /// Per natural logarithm of the technology in nm.
    pub per_ln_tech_nm: f64,
    /// Per natural logarithm of the bits.
    pub per_ln_bits: f64,
}

/// Natural logarithm of the area in um2.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurveyArea {
    /// At 1 nm, 1 Hz and 1 pJ.
    pub intercept: f64,
    /// Per natural logarithm of the technology in nm.
    pub per_ln_tech_nm: f64,
    /// Per natural logarithm of the rate in Hz.
    pub per_ln_hz: f64,
    /// Per natural logarithm of the energy in pJ.
    pub per_ln_energy_pj: f64,
}

impl SurveyPrices {
    /// Costs at a resolution, taken for the effective number of bits. Leakage is part of the energy.
    ///
    /// # Errors
    /// Below `min_bits` and above `max_bits`.
    pub fn at(&self, bits: u32) -> Result<AdcCost, String> {
        covers(bits, (self.min_bits, self.max_bits))?;
        let energy_pj = self.energy_pj(f64::from(bits));
        let area_um2 = self.area_um2(energy_pj);
        Ok(AdcCost {
            bits,
            energy_j: energy_pj * 1e-12,
            area_m2: area_um2 * 1e-12,
            leakage_w: 0.0,
            conversion_time_s: self.conversion_time_s(),
        })
    }

    /// Time of one conversion, s.
    #[must_use]
    pub fn conversion_time_s(&self) -> f64 {
        1.0 / self.throughput_hz
    }

    fn energy_pj(&self, bits: f64) -> f64 {
        let SurveyPrices { fom, energy, .. } = self;
        // The definition of the effective number of bits: 6.02 dB per bit and 1.76 dB.
        let sndr_db = 20.0 * libm::log10(2.0) * bits + 10.0 * libm::log10(1.5);
        let by_rate = fom.intercept_db + fom.per_ln_hz_db * libm::log(self.throughput_hz);
        let fom_db = by_rate.min(fom.cap_db + fom.cap_per_bit_db * bits);
        let of_best = 0.5 * libm::pow(10.0, (sndr_db - fom_db) / 10.0);
        let technology = energy.per_ln_tech_nm * libm::log(self.tech_nm) + energy.per_ln_bits * libm::log(bits);
        of_best * libm::exp(energy.intercept + technology + energy.best)
    }

    fn area_um2(&self, energy_pj: f64) -> f64 {
        let area = &self.area;
        libm::exp(
            area.intercept
                + area.per_ln_tech_nm * libm::log(self.tech_nm)
                + area.per_ln_hz * libm::log(self.throughput_hz)
                + area.per_ln_energy_pj * libm::log(energy_pj),
        )
    }
}

impl Check for SurveyPrices {
    fn check(&self, problems: &mut Problems) {
        problems.number("tech_nm", self.tech_nm, 1.0..=1000.0, "nm");
        // The survey has no faster converters.
        problems.number("throughput_hz", self.throughput_hz, 1.0..=1e10, "Hz");
        check_range((self.min_bits, self.max_bits), problems);
        let tables: [(&str, &[(&str, f64)]); 3] = [
            (
                "fom",
                &[
                    ("intercept_db", self.fom.intercept_db),
                    ("per_ln_hz_db", self.fom.per_ln_hz_db),
                    ("cap_db", self.fom.cap_db),
                    ("cap_per_bit_db", self.fom.cap_per_bit_db),
                ],
            ),
            (
                "energy",
                &[
                    ("intercept", self.energy.intercept),
                    ("best", self.energy.best),
                    ("per_ln_tech_nm", self.energy.per_ln_tech_nm),
                    ("per_ln_bits", self.energy.per_ln_bits),
                ],
            ),
            (
                "area",
                &[
                    ("intercept", self.area.intercept),
                    ("per_ln_tech_nm", self.area.per_ln_tech_nm),
                    ("per_ln_hz", self.area.per_ln_hz),
                    ("per_ln_energy_pj", self.area.per_ln_energy_pj),
                ],
            ),
        ];
        for (table, coefficients) in tables {
            problems
                .within(table, |p| coefficients.iter().for_each(|&(key, value)| p.number(key, value, -1e4..=1e4, "")));
        }
    }
}
