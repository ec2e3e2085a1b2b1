//! The converters of all columns of one crossbar.

use super::{AdcKind, AdcTransfer, CodesSeen, Converter, round_half_even};
use std::sync::Arc;

/// The converters of all columns of one crossbar, in the layout that converts them fastest.
#[derive(Clone, Debug, Default)]
pub struct AdcBank {
    inverse_step: Vec<f32>,
    min_code: Vec<f32>,
    max_code: Vec<f32>,
    converters: Converters,
}

#[derive(Clone, Debug, Default)]
enum Converters {
    /// Ideal quantisers.
    #[default]
    Quantisers,
    /// No quantisation.
    Transparent,
    /// Physical converters.
    Own(Vec<Arc<Converter>>),
}

impl AdcBank {
    /// One ideal quantiser per column: what every architecture is without non-idealities.
    #[must_use]
    pub fn ideal_transfers(columns: impl Iterator<Item = AdcTransfer>) -> Self {
        let mut bank = Self::default();
        columns.for_each(|adc| bank.push(adc));
        bank
    }

    /// One physical converter per column; columns that share a converter share its draw. With [`AdcKind::Ideal`] sums pass unchanged, in
    /// steps of their transfer.
    #[must_use]
    pub fn with_converters(kind: AdcKind, columns: impl Iterator<Item = (AdcTransfer, Arc<Converter>)>) -> Self {
        let mut bank = Self::default();
        let mut own = Vec::new();
        for (adc, converter) in columns {
            bank.push(adc);
            own.push(converter);
        }
        bank.converters = if kind == AdcKind::Ideal { Converters::Transparent } else { Converters::Own(own) };
        bank
    }

    fn push(&mut self, adc: AdcTransfer) {
        self.inverse_step.push((1.0 / adc.step) as f32);
        self.min_code.push(adc.min_code as f32);
        self.max_code.push(adc.max_code as f32);
    }

    /// Converts the column sums of one input slice in place to codes (whole `f32`, unless the converters are ideal) and books what the
    /// converters saw. `noise` holds a standard normal draw per column, or nothing for no thermal noise; only physical converters have
    /// a noise to scale it with. Ideal quantisers do the arithmetic of [`AdcTransfer::convert`].
    pub fn convert(&self, sums: &mut [f32], noise: &[f32], seen: &mut CodesSeen) {
        seen.begin();
        match &self.converters {
            Converters::Quantisers => self.each(sums, seen, |_, scaled, held| (round_half_even(held), scaled)),
            Converters::Transparent => self.each(sums, seen, |_, scaled, held| (scaled, held)),
            Converters::Own(own) => self.each(sums, seen, |column, scaled, _| {
                let draw = noise.get(column).copied().unwrap_or(0.0);
                let converter = &own[column];
                let input = scaled + converter.noise_sigma_codes() * draw;
                (converter.code(input), input)
            }),
        }
    }

    /// Replaces every sum by the code that `code` gives for (column, sum in steps, the same within the range) and books it. `code` also
    /// returns what the converter saw, noise included, by which clipping is judged.
    #[inline(always)]
    fn each(&self, sums: &mut [f32], seen: &mut CodesSeen, code: impl Fn(usize, f32, f32) -> (f32, f32)) {
        let limits = self.inverse_step.iter().zip(&self.min_code).zip(&self.max_code);
        let codes = seen.clipped.iter_mut().zip(&mut seen.lowest).zip(&mut seen.highest);
        let block = seen.block.sums.iter_mut().zip(&mut seen.block.squares).zip(&mut seen.block.errors);
        let columns = sums.iter_mut().zip(limits).zip(codes).zip(block).enumerate();
        for (column, (((sum, ((&inverse, &min), &max)), ((clipped, lowest), highest)), ((total, squares), errors))) in
            columns
        {
            let scaled = *sum * inverse;
            let (code, input) = code(column, scaled, within(scaled, min, max));
            // Half a step beyond the range; the difference to the nearest code in range is exact where it decides.
            *clipped += u32::from((input - within(input, min, max)).abs() > 0.5);
            *lowest = if code < *lowest { code } else { *lowest };
            *highest = if code > *highest { code } else { *highest };
            let error = code - scaled;
            *total += scaled;
            *squares += scaled * scaled;
            *errors += error * error;
            *sum = code;
        }
    }
}

/// `value.max(min).min(max)`, written so that each is one instruction: `f32::max` and `min` also handle a second operand that is no number.
#[inline(always)]
fn within(value: f32, min: f32, max: f32) -> f32 {
    let value = if value > min { value } else { min };
    if value < max { value } else { max }
}

#[cfg(test)]
mod tests;
