//! One physical converter with its own errors.

use super::{AdcKind, NonIdealities, flash, ramp, round_half_even, sar};
use crate::address::Stream;
use rand_distr::{Distribution, StandardNormal};

/// One physical converter with its own draw: the inputs at which its code changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Converter {
    kind: AdcKind,
    min_code: i32,
    /// Threshold `i` separates codes `min_code + i` and `min_code + i + 1`, in nominal steps of the sum; never falling.
    thresholds: Vec<f64>,
    /// `(1 + gain, offset)` of a converter that errs in nothing else (but noise).
    line: Option<(f32, f32)>,
    noise_sigma_codes: f32,
}

impl Converter {
    /// Draws a converter with codes `codes.0..=codes.1`. The draws of gain and offset come first and are taken even where their sigma is 0,
    /// so that they do not depend on the architecture.
    #[must_use]
    pub fn draw(kind: AdcKind, nonideal: &NonIdealities, codes: (i32, i32), stream: &mut Stream) -> Self {
        let mut normal = || -> f64 { StandardNormal.sample(stream) };
        // Limits: no gain turns the converter around.
        let gain = (nonideal.gain_sigma * normal()).max(-0.9);
        let offset = nonideal.offset_sigma_codes * normal();
        let count = usize::try_from(i64::from(codes.1) - i64::from(codes.0) + 1).unwrap_or(0);
        let shifted = match kind {
            AdcKind::Ideal => Vec::new(),
            AdcKind::Sar => sar::thresholds(count, nonideal.capacitor_sigma, stream),
            AdcKind::Flash => flash::thresholds(count, nonideal.comparator_sigma_codes, stream),
            AdcKind::Ramp => ramp::thresholds(count, nonideal.ramp_curvature_sigma_codes, stream),
        };
        // The converter reads (1 + gain) sum + offset.
        let input = |threshold: f64| (threshold + f64::from(codes.0) - offset) / (1.0 + gain);
        let noise_sigma_codes = if kind == AdcKind::Ideal { 0.0 } else { nonideal.noise_sigma_codes as f32 };
        Self {
            kind,
            min_code: codes.0,
            thresholds: shifted.into_iter().map(input).collect(),
            line: (!nonideal.bends(kind)).then_some(((1.0 + gain) as f32, offset as f32)),
            noise_sigma_codes,
        }
    }

    /// `(1 + gain, offset in codes)` of a converter whose thresholds lie evenly: it is the ideal quantiser of
    /// `(1 + gain) * sum + offset`.
    pub(super) fn line(&self) -> Option<(f32, f32)> {
        self.line
    }

    /// The code of a sum in nominal steps, noise already added: a whole number; of an ideal converter the value itself. A sum exactly on a
    /// threshold goes to the even one of its codes, so that a converter without errors is the ideal quantiser.
    #[must_use]
    pub fn code(&self, scaled: f32) -> f32 {
        if self.kind == AdcKind::Ideal {
            return scaled;
        }
        if let Some((gain, offset)) = self.line {
            let highest = i64::from(self.min_code) + self.thresholds.len() as i64;
            return round_half_even((scaled * gain + offset).max(self.min_code as f32).min(highest as f32));
        }
        let input = f64::from(scaled);
        let below = self.thresholds.partition_point(|&threshold| threshold < input);
        let code = i64::from(self.min_code) + below as i64;
        let tie = self.thresholds.get(below).is_some_and(|&threshold| threshold == input);
        (code + i64::from(tie && code % 2 != 0)) as f32
    }

    /// Sigma of the thermal noise, in codes; added to the scaled sum before [`Self::code`].
    #[must_use]
    pub fn noise_sigma_codes(&self) -> f32 {
        self.noise_sigma_codes
    }

    /// The inputs at which the code changes, in nominal steps, never falling: entry `i` from `min + i` to `min + i + 1`. Equal neighbours
    /// enclose a missing code. Empty for an ideal converter.
    #[must_use]
    pub fn thresholds(&self) -> Vec<f64> {
        self.thresholds.clone()
    }

    /// Integral non-linearity of every threshold in codes, against the straight line through the first and the last one (IEEE Std 1241):
    /// free of gain and offset.
    #[must_use]
    pub fn inl(&self) -> Vec<f64> {
        let (first, step) = self.fit();
        self.thresholds.iter().enumerate().map(|(i, threshold)| (threshold - first) / step - i as f64).collect()
    }

    /// Differential non-linearity of every code but the outermost, in codes: its width over the mean width, minus 1. -1 = missing code.
    #[must_use]
    pub fn dnl(&self) -> Vec<f64> {
        let (_, step) = self.fit();
        self.thresholds.windows(2).map(|pair| (pair[1] - pair[0]) / step - 1.0).collect()
    }

    /// The first threshold and the mean width of a code, nominal steps.
    fn fit(&self) -> (f64, f64) {
        let (Some(&first), Some(&last)) = (self.thresholds.first(), self.thresholds.last()) else { return (0.0, 1.0) };
        let step = (last - first) / (self.thresholds.len() - 1).max(1) as f64;
        (first, if step > 0.0 { step } else { 1.0 })
    }
}

#[cfg(test)]
mod tests;
