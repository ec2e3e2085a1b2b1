//! How an input code is applied and converted, slice by slice. Codes are as wide as the map that a layer reads, [`Format::input_bits`](super::Format)
//! where a network does not say otherwise; `bits` below is what is applied of them in digits.

use super::Chip;
use tile::dac::{self, DacFormat};

impl Chip {
    /// A time in whole cycles of the base clock, rounded up; a rounding error of a billionth does not cost a cycle.
    #[must_use]
    pub fn cycles(&self, time_s: f64) -> u64 {
        self.cycles_of(time_s, 1)
    }

    /// A time in whole cycles of a domain whose cycle is `base_cycles` long, rounded up.
    #[must_use]
    pub fn cycles_of(&self, time_s: f64, base_cycles: u64) -> u64 {
        (time_s * self.clock_hz / base_cycles.max(1) as f64 - 1e-9).ceil().max(0.0) as u64
    }

    /// Input slices per matrix-vector product.
    #[must_use]
    pub fn input_cycles(&self, bits: u32) -> u32 {
        dac::input_cycles(bits, self.tile.dac.bits)
    }

    /// Array reads per matrix-vector product: one per input slice and phase.
    #[must_use]
    pub fn array_reads(&self, bits: u32) -> u32 {
        self.input_cycles(bits).saturating_mul(self.tile.dac.phases)
    }

    /// Bits of an input of the chip's own width without its sign.
    #[must_use]
    pub fn magnitude_bits(&self) -> u32 {
        self.tile.dac.format.magnitude_bits(self.format.input_bits)
    }

    /// Whether inputs are sign-magnitude numbers.
    #[must_use]
    pub fn signed_inputs(&self) -> bool {
        self.tile.dac.format == DacFormat::SignMagnitude
    }

    /// Bits of an input slice; the last one has those that are left.
    #[must_use]
    pub fn slice_bits(&self, bits: u32, slice: u32) -> u32 {
        dac::slice_bits(bits, self.tile.dac.bits, slice)
    }

    /// Time of an array read of an input slice: DAC, pulses, settling, sampling, and the conversion where converters integrate, s.
    #[must_use]
    pub fn read_time_s(&self, bits: u32, slice: u32) -> f64 {
        let (dac, array) = (&self.tile.dac, &self.tile.array);
        let pulses = dac::pulses(self.slice_bits(bits, slice));
        let pulses_s = if dac.pulse_time_s > 0.0 { pulses as f64 * dac.pulse_time_s } else { 0.0 };
        let conversion_s = if self.tile.adc.integrating { self.slice_conversion_time_s(slice) } else { 0.0 };
        dac.time_s + array.read_time_s + array.sample_time_s + pulses_s + conversion_s
    }

    /// Bits that the converters resolve of an input slice.
    #[must_use]
    pub fn conversion_bits(&self, slice: u32) -> u32 {
        let bits = self.tile.adc.bits;
        if !self.tile.adc.skip_applied_bits {
            return bits;
        }
        bits.saturating_sub(self.tile.dac.bits.saturating_mul(slice)).max(1)
    }

    /// Time of one conversion of an input slice, s.
    #[must_use]
    pub fn slice_conversion_time_s(&self, slice: u32) -> f64 {
        self.tile.adc.prices.conversion_time_s(self.conversion_bits(slice))
    }

    /// Energy of a conversion, with what the converter integrates before it, the mean of all input slices, J.
    ///
    /// # Errors
    /// If the cost model covers no converter of the chip's resolution; the text says what it covers.
    pub fn conversion_energy_j(&self, bits: u32) -> Result<f64, String> {
        let prices = &self.tile.adc.prices;
        let mut energy_j = self.tile.adc.cost()?.energy_j;
        if self.tile.adc.skip_applied_bits {
            energy_j = self.mean(bits, |slice| Ok(prices.at(self.conversion_bits(slice))?.energy_j))?;
        }
        let digit_bits = self.mean(bits, |slice| Ok(f64::from(self.slice_bits(bits, slice))))?;
        Ok(energy_j + prices.digit_bit_energy_j() * digit_bits)
    }

    /// Energy of driving a word line, relative to a DAC of 1 bit. Pulses are counted: with them a shorter last slice costs less.
    ///
    /// # Errors
    /// If the cost table has no factor for the chip's DAC; the text says which it has.
    pub fn drive_factor(&self, bits: u32) -> Result<f64, String> {
        self.of_slices(bits, |bits| self.costs.dac_factor(bits))
    }

    /// Energy of reading a cell at a flat price, relative to a digit of 1 bit.
    ///
    /// # Errors
    /// If the cost table has factors, but none for the chip's DAC; the text says which it has.
    pub fn cell_read_factor(&self, bits: u32) -> Result<f64, String> {
        self.of_slices(bits, |bits| self.costs.cell_read_factor(bits))
    }

    fn of_slices(&self, bits: u32, factor: impl Fn(u32) -> Result<f64, String>) -> Result<f64, String> {
        if self.tile.dac.pulse_time_s > 0.0 {
            return self.mean(bits, |slice| factor(self.slice_bits(bits, slice)));
        }
        factor(self.tile.dac.bits)
    }

    fn mean(&self, bits: u32, of_slice: impl Fn(u32) -> Result<f64, String>) -> Result<f64, String> {
        let slices = self.input_cycles(bits).max(1);
        let mut sum = 0.0;
        for slice in 0..slices {
            sum += of_slice(slice)?;
        }
        Ok(sum / f64::from(slices))
    }
}
