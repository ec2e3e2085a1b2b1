//! The converters of all columns of one crossbar.

use super::seen::SeenBlock;
use super::transfer::{off_scale, on_scale, rounded_on_scale, within};
use super::{AdcKind, AdcTransfer, CodesSeen, Converter};
use crate::kernel::{LANES, Lanes};
use std::sync::Arc;

/// The converters of all columns of one crossbar, in blocks of neighbouring columns.
#[derive(Clone, Debug, Default)]
pub struct AdcBank {
    blocks: Vec<AdcBlock>,
}

/// The converters of a block of columns. Lanes beyond the last column convert everything to code 0.
#[derive(Clone, Debug)]
pub struct AdcBlock {
    pub(crate) inverse_step: Lanes<f32>,
    /// Lowest and highest codes, [`on_scale`].
    pub(crate) lowest: Lanes<f32>,
    pub(crate) highest: Lanes<f32>,
    pub(crate) conversion: Conversion,
}

/// How a block's sums, in steps, become codes.
#[derive(Clone, Debug)]
pub(crate) enum Conversion {
    /// Ideal quantisers.
    Quantise,
    /// No quantisation.
    Pass,
    /// Quantisers with a gain, an offset (codes) and thermal noise (codes) of their own.
    Line { gain: Lanes<f32>, offset: Lanes<f32>, noise_sigma: Lanes<f32> },
    /// Physical converters with thresholds of their own, and their thermal noise (codes).
    Curve { converters: Vec<Arc<Converter>>, noise_sigma: Lanes<f32> },
}

impl AdcBank {
    /// One ideal quantiser per column: what every architecture is without non-idealities.
    #[must_use]
    pub fn ideal_transfers(columns: impl Iterator<Item = AdcTransfer>) -> Self {
        let columns: Vec<AdcTransfer> = columns.collect();
        let block = |columns: &[AdcTransfer]| AdcBlock::new(columns, Conversion::Quantise);
        Self { blocks: columns.chunks(LANES).map(block).collect() }
    }

    /// One physical converter per column; columns that share a converter share its draw. With [`AdcKind::Ideal`] sums pass unchanged, in
    /// steps of their transfer.
    #[must_use]
    pub fn with_converters(kind: AdcKind, columns: impl Iterator<Item = (AdcTransfer, Arc<Converter>)>) -> Self {
        let (transfers, own): (Vec<AdcTransfer>, Vec<Arc<Converter>>) = columns.unzip();
        let block = |(transfers, own): (&[AdcTransfer], &[Arc<Converter>])| {
            let conversion = if kind == AdcKind::Ideal { Conversion::Pass } else { physical(own) };
            AdcBlock::new(transfers, conversion)
        };
        Self { blocks: transfers.chunks(LANES).zip(own.chunks(LANES)).map(block).collect() }
    }

    /// The converters of each block of columns.
    #[must_use]
    pub fn blocks(&self) -> &[AdcBlock] {
        &self.blocks
    }

    /// Converts the column sums of one input slice in place to codes (whole `f32`, unless the converters are ideal) and books what the
    /// converters saw. `noise` holds a standard normal draw per column, or nothing for no thermal noise; only physical converters have
    /// a noise to scale it with. Ideal quantisers do the arithmetic of [`AdcTransfer::convert`].
    pub fn convert(&self, sums: &mut [f32], noise: &[f32], seen: &mut CodesSeen) {
        for (index, (block, sums)) in self.blocks.iter().zip(sums.chunks_mut(LANES)).enumerate() {
            let mut lanes = Lanes::splat(0.0);
            lanes.0[..sums.len()].copy_from_slice(sums);
            let mut draws = Lanes::splat(0.0);
            for (draw, &noise) in draws.0.iter_mut().zip(noise.iter().skip(index * LANES)) {
                *draw = noise;
            }
            let codes = block.convert(lanes, draws, &mut seen.blocks[index]);
            sums.copy_from_slice(&codes.0[..sums.len()]);
        }
    }
}

/// Lines where all converters are lines: the block must not mix, so that it needs no decision per column.
fn physical(own: &[Arc<Converter>]) -> Conversion {
    let mut noise_sigma = Lanes::splat(0.0);
    let (mut gain, mut offset) = (Lanes::splat(1.0), Lanes::splat(0.0));
    let mut even = true;
    for (lane, converter) in own.iter().enumerate() {
        noise_sigma.0[lane] = converter.noise_sigma_codes();
        match converter.line() {
            Some((own_gain, own_offset)) => (gain.0[lane], offset.0[lane]) = (own_gain, own_offset),
            None => even = false,
        }
    }
    if even {
        Conversion::Line { gain, offset, noise_sigma }
    } else {
        Conversion::Curve { converters: own.to_vec(), noise_sigma }
    }
}

impl AdcBlock {
    fn new(columns: &[AdcTransfer], conversion: Conversion) -> Self {
        let zero = Lanes::splat(on_scale(0));
        let mut block = Self { inverse_step: Lanes::splat(0.0), lowest: zero, highest: zero, conversion };
        for (lane, adc) in columns.iter().enumerate() {
            block.inverse_step.0[lane] = (1.0 / adc.step) as f32;
            block.lowest.0[lane] = on_scale(adc.min_code);
            block.highest.0[lane] = on_scale(adc.max_code);
        }
        block
    }

    /// Whether all are ideal quantisers.
    #[must_use]
    pub fn is_ideal(&self) -> bool {
        matches!(self.conversion, Conversion::Quantise)
    }

    /// Largest magnitude of a code.
    #[must_use]
    pub fn largest_code(&self) -> u32 {
        let magnitude = |&code: &f32| off_scale(code).abs() as u32;
        self.lowest.0.iter().chain(&self.highest.0).map(magnitude).max().unwrap_or(0)
    }

    /// Whether conversions have thermal noise.
    #[must_use]
    pub fn is_noisy(&self) -> bool {
        match &self.conversion {
            Conversion::Quantise | Conversion::Pass => false,
            Conversion::Line { noise_sigma, .. } | Conversion::Curve { noise_sigma, .. } => {
                noise_sigma.0.iter().any(|&sigma| sigma > 0.0)
            }
        }
    }

    /// Converts one sum of every column and books it.
    #[inline(always)]
    pub(crate) fn convert(&self, sums: Lanes<f32>, draws: Lanes<f32>, seen: &mut SeenBlock) -> Lanes<f32> {
        let scaled = sums.zip(self.inverse_step, |sum, inverse| sum * inverse);
        let noisy =
            |sigma: Lanes<f32>| scaled.zip(sigma.zip(draws, |sigma, draw| sigma * draw), |sum, noise| sum + noise);
        match &self.conversion {
            Conversion::Pass => {
                seen.book(scaled, scaled, Lanes::splat(false));
                scaled
            }
            Conversion::Quantise => self.quantised(scaled, scaled, scaled, seen),
            Conversion::Line { gain, offset, noise_sigma } => {
                let input = noisy(*noise_sigma);
                let own = input.zip(*gain, |input, gain| input * gain).plus(*offset);
                self.quantised(scaled, input, own, seen)
            }
            Conversion::Curve { converters, noise_sigma } => {
                let input = noisy(*noise_sigma);
                let mut codes = Lanes::splat(0.0);
                for (lane, converter) in converters.iter().enumerate() {
                    codes.0[lane] = converter.code(input.0[lane]);
                }
                seen.book(scaled, codes, self.beyond(input));
                codes
            }
        }
    }

    /// Quantises what the converters make of their input; clipping is judged by what they are given.
    #[inline(always)]
    fn quantised(&self, scaled: Lanes<f32>, input: Lanes<f32>, own: Lanes<f32>, seen: &mut SeenBlock) -> Lanes<f32> {
        let rounded = own.map(rounded_on_scale);
        let mut codes = rounded;
        for lane in 0..LANES {
            codes.0[lane] = off_scale(within(rounded.0[lane], self.lowest.0[lane], self.highest.0[lane]));
        }
        seen.book(scaled, codes, self.beyond(input));
        codes
    }

    /// Where the nearest code lies beyond the outermost ones.
    #[inline(always)]
    fn beyond(&self, input: Lanes<f32>) -> Lanes<bool> {
        let mut beyond = Lanes::splat(false);
        for lane in 0..LANES {
            let rounded = rounded_on_scale(input.0[lane]);
            beyond.0[lane] = rounded != within(rounded, self.lowest.0[lane], self.highest.0[lane]);
        }
        beyond
    }
}

#[cfg(test)]
mod tests;
