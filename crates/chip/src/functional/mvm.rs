//! One MVM stage in values.

use super::{ColumnProbe, ConverterUse};
use crate::program::{MvmStage, Output, Program};
use tile::actions::ActionCounts;
use tile::adc::{AdcBank, CodesSeen};
use tile::crossbar::{Crossbar, DrivenRow};

/// The crossbars of one stage with everything that stays the same from image to image.
pub(super) struct MvmEngine<'a> {
    program: &'a Program,
    stage: &'a MvmStage,
    crossbars: &'a [Crossbar],
    banks: Vec<AdcBank>,
    seen: Vec<CodesSeen>,
    conversions: Vec<u64>,
    partitions: Vec<Partition>,
    /// Per logical row: sum over all cycles so far of the squared digit it was driven with.
    driven: Vec<u64>,
    scratch: Scratch,
}

/// Crossbars that are driven by the same rows.
struct Partition {
    rows: std::ops::Range<usize>,
    crossbars: Vec<usize>,
}

#[derive(Default)]
struct Scratch {
    codes: Vec<u32>,
    driven: Vec<DrivenRow>,
    sums: Vec<f32>,
    /// Per crossbar and column: codes of all input slices, shifted and added. Whole numbers below 2^53, so `f64` is exact.
    accumulators: Vec<Vec<f64>>,
    outputs: Vec<f64>,
}

type Probe<'p> = Option<&'p mut dyn ColumnProbe>;

impl<'a> MvmEngine<'a> {
    pub(super) fn new(program: &'a Program, stage: &'a MvmStage, crossbars: &'a [Crossbar]) -> Self {
        let slices = &stage.slices;
        let bank = |c: &Crossbar| AdcBank::new((0..c.cols()).map(|column| slices[column % slices.len()].adc));
        Self {
            program,
            stage,
            crossbars,
            banks: crossbars.iter().map(bank).collect(),
            seen: crossbars.iter().map(|crossbar| CodesSeen::new(crossbar.cols())).collect(),
            conversions: vec![0; crossbars.len()],
            partitions: partitions(stage),
            driven: vec![0; stage.window.rows()],
            scratch: Scratch {
                accumulators: crossbars.iter().map(|c| vec![0.0; c.cols()]).collect(),
                ..Scratch::default()
            },
        }
    }

    /// Runs all windows of one image; returns codes for the next stage or, of a scoring stage, the scores.
    pub(super) fn run(
        &mut self,
        layer: usize,
        map: &[u32],
        counts: &mut ActionCounts,
        probe: &mut Probe<'_>,
    ) -> (Vec<u32>, Vec<f64>) {
        let (mut codes, mut scores) = (Vec::new(), Vec::new());
        for index in 0..self.stage.window.count() {
            self.load(map, index, counts);
            self.multiply(layer, counts, probe);
            self.write(counts, &mut codes, &mut scores);
        }
        (codes, scores)
    }

    /// Reads one window from the buffer into the input registers.
    fn load(&mut self, map: &[u32], index: usize, counts: &mut ActionCounts) {
        self.stage.window.gather(map, index, &mut self.scratch.codes);
        let buffer = self.program.chip.tile.buffer;
        for tile in self.stage.tiles() {
            let bits = self.stage.rows_in_tile(tile) * u64::from(self.stage.window.input.bits);
            counts.buffer_read += bits.div_ceil(u64::from(buffer.word_bits));
            counts.bus_bit += bits;
        }
        if self.stage.offset != 0 {
            counts.input_sum_add += self.scratch.codes.len() as u64;
        }
    }

    /// One matrix-vector product: every crossbar sees all input slices; `scratch.outputs` holds the result.
    fn multiply(&mut self, layer: usize, counts: &mut ActionCounts, probe: &mut Probe<'_>) {
        let input_sum: i64 = self.scratch.codes.iter().map(|&code| i64::from(code)).sum();
        let correction = (self.stage.offset * input_sum) as f64;
        self.scratch.outputs.clear();
        self.scratch.outputs.extend(self.stage.bias.iter().map(|&bias| bias as f64 - correction));
        if self.stage.offset != 0 {
            counts.offset_subtract += u64::from(self.stage.outputs);
        }
        self.book_drive();
        for cycle in 0..self.program.chip.input_cycles() {
            for partition in 0..self.partitions.len() {
                self.drive(partition, cycle);
                for index in 0..self.partitions[partition].crossbars.len() {
                    let crossbar = self.partitions[partition].crossbars[index];
                    self.convert(layer, crossbar, cycle, counts, probe);
                }
            }
        }
        for index in 0..self.crossbars.len() {
            self.merge(index, counts);
        }
        // The first addend of every output needs no adder; partial sums of other tiles travel to the home tile.
        counts.merge_add -= u64::from(self.stage.outputs);
        counts.flit_hop += self.program.merge_flit_hops(self.stage);
    }

    fn book_drive(&mut self) {
        let dac_bits = self.program.chip.tile.dac.bits;
        for (driven, &code) in self.driven.iter_mut().zip(&self.scratch.codes) {
            for cycle in 0..self.program.chip.input_cycles() {
                *driven += u64::from(tile::dac::digit(code, dac_bits, cycle)).pow(2);
            }
        }
    }

    /// Finds the word lines of a partition that are driven in a cycle, and with which digit.
    fn drive(&mut self, partition: usize, cycle: u32) {
        let dac_bits = self.program.chip.tile.dac.bits;
        let Scratch { codes, driven, .. } = &mut self.scratch;
        let codes = &codes[self.partitions[partition].rows.clone()];
        // Written without a branch, which would be mispredicted every few rows.
        driven.resize(codes.len(), DrivenRow { row: 0, digit: 0.0 });
        let mut count = 0;
        for (row, &code) in codes.iter().enumerate() {
            let digit = tile::dac::digit(code, dac_bits, cycle);
            driven[count] = DrivenRow { row: row as u32, digit: digit as f32 };
            count += usize::from(digit != 0);
        }
        driven.truncate(count);
    }

    /// Reads one crossbar with the driven word lines, converts its columns, shifts and adds.
    fn convert(&mut self, layer: usize, index: usize, cycle: u32, counts: &mut ActionCounts, probe: &mut Probe<'_>) {
        let dac_bits = self.program.chip.tile.dac.bits;
        let Scratch { driven, sums, accumulators, .. } = &mut self.scratch;
        self.crossbars[index].column_sums(driven, sums);
        if let Some(probe) = probe {
            probe.observe(layer, self.stage.slices.len(), sums);
        }
        self.banks[index].convert(sums, &mut self.seen[index]);
        let shift = f64::from(1_u32 << (dac_bits * cycle));
        for (accumulator, &code) in accumulators[index].iter_mut().zip(sums.iter()) {
            *accumulator += f64::from(code) * shift;
        }
        let (rows, columns) = (self.crossbars[index].rows() as u64, self.crossbars[index].cols() as u64);
        let polarities = u64::from(self.stage.polarities);
        self.conversions[index] += 1;
        counts.dac_drive += rows * polarities;
        counts.input_register_bit += rows * polarities * u64::from(dac_bits);
        counts.cell_read += rows * columns * polarities;
        counts.sample_hold += columns;
        counts.adc_conversion += columns;
        counts.shift_add += columns;
    }

    /// Adds the slices of one crossbar to the outputs, in the order of the slices, and clears them.
    fn merge(&mut self, index: usize, counts: &mut ActionCounts) {
        let slices = &self.stage.slices;
        let outputs = &mut self.scratch.outputs[self.stage.crossbars[index].output_start as usize..];
        let accumulators = &mut self.scratch.accumulators[index];
        for (output, codes) in outputs.iter_mut().zip(accumulators.chunks_exact(slices.len())) {
            for (slice, &code) in slices.iter().zip(codes) {
                *output += slice.significance as f64 * slice.adc.step * code;
            }
        }
        let columns = accumulators.len() as u64;
        accumulators.fill(0.0);
        counts.merge_add += columns;
        if !self.stage.steps_are_shifts() {
            counts.slice_scale += columns;
        }
    }

    /// Requantises the outputs and writes the pixel.
    fn write(&mut self, counts: &mut ActionCounts, codes: &mut Vec<u32>, scores: &mut Vec<f64>) {
        let outputs = &self.scratch.outputs;
        match self.stage.output {
            Output::Codes { multiplier, bits } => {
                let highest = f64::from((1_u32 << bits) - 1);
                codes.extend(outputs.iter().map(|sum| (sum * multiplier).round_ties_even().clamp(0.0, highest) as u32));
                counts.requantise += outputs.len() as u64;
            }
            Output::Scores {} => scores.extend_from_slice(outputs),
        }
        let bits = outputs.len() as u64 * u64::from(self.stage.output.bits());
        counts.output_register_word += outputs.len() as u64;
        counts.buffer_write += bits.div_ceil(u64::from(self.program.chip.tile.buffer.word_bits));
        counts.bus_bit += bits;
    }

    /// `V^2 t sum(G x^2)` over everything driven so far, with x the applied fraction of full scale.
    pub(super) fn array_energy_j(&self) -> f64 {
        let chip = &self.program.chip.tile;
        let full_scale = f64::from((1_u32 << chip.dac.bits) - 1);
        let per_siemens = chip.array.read_voltage_v.powi(2) * chip.array.read_time_s / (full_scale * full_scale);
        let mut driven_conductance_s = 0.0;
        for (placed, crossbar) in self.stage.crossbars.iter().zip(self.crossbars) {
            let driven = &self.driven[placed.row_start as usize..];
            for (&times, conductance_s) in driven.iter().zip(crossbar.row_conductance_s()) {
                driven_conductance_s += times as f64 * conductance_s;
            }
        }
        driven_conductance_s * per_siemens
    }

    /// What the converters of each slice saw.
    pub(super) fn converter_use(&self) -> Vec<ConverterUse> {
        (0..self.stage.slices.len()).map(|slice| self.slice_use(slice)).collect()
    }

    fn slice_use(&self, slice: usize) -> ConverterUse {
        let adc = self.stage.slices[slice].adc;
        let mut result = ConverterUse {
            stage: self.stage.name.clone(),
            slice,
            conversions: 0,
            clipped: 0,
            codes: (i64::MAX, i64::MIN),
            available_codes: (i64::from(adc.max_code) - i64::from(adc.min_code) + 1) as u64,
        };
        for (seen, &conversions) in self.seen.iter().zip(&self.conversions) {
            for column in (slice..seen.clipped.len()).step_by(self.stage.slices.len()) {
                result.conversions += conversions;
                result.clipped += u64::from(seen.clipped[column]);
                result.codes.0 = result.codes.0.min(seen.lowest[column] as i64);
                result.codes.1 = result.codes.1.max(seen.highest[column] as i64);
            }
        }
        result
    }
}

/// The row partitions of a stage in the order of its crossbars.
fn partitions(stage: &MvmStage) -> Vec<Partition> {
    let mut partitions: Vec<Partition> = Vec::new();
    for (index, placed) in stage.crossbars.iter().enumerate() {
        let rows = placed.row_start as usize..(placed.row_start + placed.rows) as usize;
        match partitions.iter_mut().find(|partition| partition.rows == rows) {
            Some(partition) => partition.crossbars.push(index),
            None => partitions.push(Partition { rows, crossbars: vec![index] }),
        }
    }
    partitions
}
