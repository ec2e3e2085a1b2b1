//! From input codes to results, with the product's digits, column sums, converters and slice weights.

use super::arrays::{Part, columns};
use super::case::{AdcRange, Case, Style};
use super::converters::Converter;
use super::units::Units;
use tile::adc::{AdcBank, CodesSeen};
use tile::crossbar::DrivenRow;

/// What one row partition makes of one input vector.
pub(crate) struct Product {
    /// Per output: the product of weights and codes, digital offset taken off.
    pub(crate) outputs: Vec<f64>,
    /// Per cycle and column: the current before conversion, normalised.
    pub(crate) currents: Vec<Vec<f64>>,
}

/// One row partition with its converters.
pub(crate) struct Chain<'a> {
    pub(crate) case: &'a Case,
    pub(crate) part: &'a Part,
    pub(crate) converters: Option<Vec<Converter>>,
}

impl Chain<'_> {
    /// Multiplies one input vector (signed codes of this partition).
    pub(crate) fn multiply(&self, codes: &[i64]) -> Product {
        let (case, columns) = (self.case, self.part.crossbar.cols());
        let cycles = tile::dac::input_cycles(case.magnitude_bits(), case.dac_bits());
        let (mut accumulators, mut currents) = (vec![0.0; columns], Vec::new());
        for cycle in 0..cycles {
            let sums = self.currents(codes, cycle);
            currents.push(sums.iter().map(|&sum| self.per_cycle(sum)).collect());
            let values = if case.params.adc_per_ibit { self.convert(&sums) } else { sums };
            let shift = f64::from(1_u32 << (case.dac_bits() * cycle));
            for (accumulator, value) in accumulators.iter_mut().zip(values) {
                *accumulator += value * shift;
            }
        }
        if !case.params.adc_per_ibit {
            accumulators = self.convert(&accumulators);
        }
        Product { outputs: self.merge(&accumulators, codes.iter().sum()), currents }
    }

    /// Column sums of one cycle with the baseline `G_min sum(digits)`: CrossSim has no reference column, its converters see everything.
    /// Signed inputs drive in both directions, which the product's DAC does not: positive and negative rows are summed apart.
    fn currents(&self, codes: &[i64], cycle: u32) -> Vec<f64> {
        let digit = |code: i64| tile::dac::digit(code.unsigned_abs() as u32, self.case.dac_bits(), cycle);
        let driven = |sign: i64| -> Vec<DrivenRow> {
            let rows = codes.iter().enumerate().filter(|&(_, &code)| code.signum() == sign && digit(code) != 0);
            rows.map(|(row, &code)| DrivenRow { row: row as u32, digit: digit(code) as f32 }).collect()
        };
        let (mut positive, mut negative) = (Vec::new(), Vec::new());
        self.part.crossbar.column_sums(&driven(1), 1, &mut positive);
        self.part.crossbar.column_sums(&driven(-1), 1, &mut negative);
        let digits: i64 = codes.iter().map(|&code| code.signum() * i64::from(digit(code))).sum();
        let baseline = self.baseline_levels() * digits as f64;
        positive.iter().zip(negative).map(|(&p, n)| f64::from(p) - f64::from(n) + baseline).collect()
    }

    /// What every cell of a single-ended array adds below level 0; a pair's baselines cancel.
    fn baseline_levels(&self) -> f64 {
        if self.case.encoding().polarities() == 2 { 0.0 } else { Units::new(self.case).baseline_levels() }
    }

    /// Normalised current of one cycle's column sum.
    fn per_cycle(&self, sum: f64) -> f64 {
        let full_scale = |bits: u32| f64::from((1_u32 << bits) - 1);
        let conversion = if self.case.params.adc_per_ibit { self.case.dac_bits() } else { self.case.magnitude_bits() };
        Units::new(self.case).current(sum) * full_scale(conversion) / full_scale(self.case.dac_bits())
    }

    /// Column sums as the converters report them; unchanged without converters.
    fn convert(&self, sums: &[f64]) -> Vec<f64> {
        let Some(converters) = &self.converters else { return sums.to_vec() };
        let of_column = |column: usize| &converters[column % converters.len()];
        let bank = AdcBank::ideal_transfers((0..sums.len()).map(|column| of_column(column).transfer));
        let above = |(column, sum): (usize, &f64)| self.above(*sum, of_column(column)) as f32;
        let mut codes: Vec<f32> = sums.iter().enumerate().map(above).collect();
        bank.convert(&mut codes, &[], &mut CodesSeen::new(sums.len(), false));
        let value =
            |(column, &code): (usize, &f32)| f64::from(code) * of_column(column).transfer.step + of_column(column).zero;
        codes.iter().enumerate().map(value).collect()
    }

    /// The column sum above code 0's. The range `MAX` of a pair is symmetric with an even number of codes: no current lies half-way between
    /// two of them. The product has a zero code behind a pair, and its `f32` does not keep such a tie. CrossSim's `f64` does not either: in
    /// `(0 + 100) * (255 / 200)` the quotient is rounded down and the product is 127.49999999999999: the lower code. In `balanced` cores
    /// conductances in `f32` leave a current where the nominal one is 0 (in both ties of the cases, +1.9e-8 and +2.4e-8, less than the
    /// product's `f32` cells resolve): the upper code. This is applied here, before the product converts.
    fn above(&self, sum: f64, converter: &Converter) -> f64 {
        const WITHIN: f64 = 1e-6;
        let above = sum - converter.zero;
        let code = above / converter.transfer.step;
        if self.case.params.adc_range != AdcRange::Max || (code - code.floor() - 0.5).abs() > WITHIN {
            return above;
        }
        (code.floor() + f64::from(u8::from(self.case.is_balanced()))) * converter.transfer.step
    }

    /// Adds the slices of every column by their significance and takes off what stands for the weight 0.
    fn merge(&self, accumulators: &[f64], input_sum: i64) -> Vec<f64> {
        let (case, encoding) = (self.case, self.case.encoding());
        let baseline = self.baseline_levels() * input_sum as f64;
        let merged = |column: usize| {
            let slices = &accumulators[column * encoding.slices.len()..(column + 1) * encoding.slices.len()];
            slices
                .iter()
                .enumerate()
                .map(|(s, value)| encoding.slices[s].significance as f64 * (value - baseline))
                .sum::<f64>()
        };
        let zero = if case.has_unit_column() { merged(0) } else { (encoding.offset() * input_sum) as f64 };
        let first = usize::from(case.has_unit_column());
        (first..columns(case)).map(|column| (merged(column) - zero) * gain(case)).collect()
    }
}

/// CrossSim's `offset` cores divide by the whole conductance range although the mapping leaves out its lowest level of `2^b - 1`: their
/// results are low by 254/255 at 8 bits.
fn gain(case: &Case) -> f64 {
    match case.params.style {
        Style::Offset => 1.0 - 1.0 / f64::from((1_u32 << case.cell_bits()) - 1),
        _ => 1.0,
    }
}
