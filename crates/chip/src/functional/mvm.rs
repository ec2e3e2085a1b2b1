//! One MVM stage in values.

use super::noise::{ColumnDraws, Conversion, add_read_noise};
use super::sample::{ChipSample, StageSample};
use super::unit::{Unit, accumulator_limit, units};
use super::{ColumnProbe, ConverterUse, Observation};
use crate::program::{MvmStage, Output, Program};
use tile::actions::ActionCounts;
use tile::address::Purpose;
use tile::crossbar::DrivenRow;

/// The arrays of one stage with everything that stays the same from image to image.
pub(super) struct MvmEngine<'a> {
    program: &'a Program,
    stage: &'a MvmStage,
    sample: &'a StageSample,
    at: Conversion,
    units: Vec<Unit>,
    partitions: Vec<Partition>,
    needs_input_sums: bool,
    /// Width of a value that is written.
    output_bits: u32,
    /// Per logical row: sum over all cycles so far of the squared digit it was driven with.
    driven: Vec<u64>,
    /// Energy of the arrays whose power is not a matter of driven conductance, J.
    read_energy_j: f64,
    saturated_outputs: u64,
    wire_error_bound: f64,
    scratch: Scratch,
}

/// Arrays that are driven by the same rows.
struct Partition {
    rows: std::ops::Range<usize>,
    units: Vec<usize>,
    /// Sum of the inputs of its rows.
    input_sum: f64,
}

#[derive(Default)]
struct Scratch {
    codes: Vec<i32>,
    driven: Vec<DrivenRow>,
    squared: Vec<DrivenRow>,
    sums: Vec<f32>,
    variances: Vec<f32>,
    read_draws: ColumnDraws,
    adc_draws: ColumnDraws,
    outputs: Vec<f64>,
}

type Probe<'p> = Option<&'p mut dyn ColumnProbe>;

impl<'a> MvmEngine<'a> {
    pub(super) fn new(program: &'a Program, layer: usize, stage: &'a MvmStage, sample: &'a ChipSample) -> Self {
        let units = units(program, stage, &sample.stages[layer]);
        let at = Conversion { sample: sample.address, image: 0, layer: layer as u64, window: 0, cycle: 0 };
        Self {
            program,
            stage,
            sample: &sample.stages[layer],
            at,
            partitions: partitions(stage, &units),
            units,
            needs_input_sums: stage.needs_input_sums(),
            output_bits: stage.output_bits(),
            driven: vec![0; stage.window.rows()],
            read_energy_j: 0.0,
            saturated_outputs: 0,
            wire_error_bound: sample.stages[layer].wire_error_bound,
            scratch: Scratch::default(),
        }
    }

    /// Runs all windows of one image; returns codes for the next stage or, of a scoring stage, the scores.
    pub(super) fn run(
        &mut self,
        image: u64,
        map: &[i32],
        counts: &mut ActionCounts,
        probe: &mut Probe<'_>,
    ) -> Result<(Vec<i32>, Vec<f64>), String> {
        let (mut codes, mut scores) = (Vec::new(), Vec::new());
        self.at.image = image;
        for index in 0..self.stage.window.count() {
            self.at.window = index as u64;
            self.load(map, index, counts);
            self.multiply(counts, probe)?;
            self.write(counts, &mut codes, &mut scores);
        }
        Ok((codes, scores))
    }

    /// Reads one window from the buffer into the input registers.
    fn load(&mut self, map: &[i32], index: usize, counts: &mut ActionCounts) {
        self.stage.window.gather(map, index, &mut self.scratch.codes);
        let buffer = self.program.chip.tile.buffer;
        for tile in self.stage.tiles() {
            let bits = self.stage.rows_in_tile(tile) * u64::from(self.stage.window.input.bits);
            counts.buffer_read += bits.div_ceil(u64::from(buffer.word_bits));
            counts.bus_bit += bits;
        }
        if self.needs_input_sums {
            counts.input_sum_add += self.scratch.codes.len() as u64;
        }
    }

    /// One matrix-vector product: every array sees all input slices; `scratch.outputs` holds the result.
    fn multiply(&mut self, counts: &mut ActionCounts, probe: &mut Probe<'_>) -> Result<(), String> {
        self.begin(counts);
        for cycle in 0..self.program.chip.input_cycles() {
            self.at.cycle = cycle.into();
            for partition in 0..self.partitions.len() {
                self.drive(partition, cycle);
                self.draw_noise(partition);
                for index in 0..self.partitions[partition].units.len() {
                    let unit = self.partitions[partition].units[index];
                    self.convert(unit, cycle, counts, probe)?;
                }
            }
        }
        for partition in 0..self.partitions.len() {
            for index in 0..self.partitions[partition].units.len() {
                self.merge(self.partitions[partition].units[index], self.partitions[partition].input_sum, counts);
            }
        }
        // The first addend of every output needs no adder; partial sums of other tiles travel to the home tile.
        counts.merge_add -= u64::from(self.stage.outputs);
        counts.flit_hop += self.program.merge_flit_hops(self.stage);
        self.saturate_outputs();
        Ok(())
    }

    /// Bias, digital offset and the sums of the inputs.
    fn begin(&mut self, counts: &mut ActionCounts) {
        let sum = |codes: &[i32]| codes.iter().map(|&code| i64::from(code)).sum::<i64>();
        for partition in &mut self.partitions {
            partition.input_sum = sum(&self.scratch.codes[partition.rows.clone()]) as f64;
        }
        let correction = (self.stage.offset * sum(&self.scratch.codes)) as f64;
        self.scratch.outputs.clear();
        self.scratch.outputs.extend(self.stage.bias.iter().map(|&bias| bias as f64 - correction));
        if self.stage.offset != 0 {
            counts.offset_subtract += u64::from(self.stage.outputs);
        }
        let dac = &self.program.chip.tile.dac;
        for (driven, &code) in self.driven.iter_mut().zip(&self.scratch.codes) {
            for cycle in 0..self.program.chip.input_cycles() {
                *driven += u64::from(tile::dac::signed_digit(code, dac.bits, cycle).unsigned_abs()).pow(2);
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
            let digit = tile::dac::signed_digit(code, dac_bits, cycle);
            driven[count] = DrivenRow { row: row as u32, digit: digit as f32 };
            count += usize::from(digit != 0);
        }
        driven.truncate(count);
    }

    /// Draws the noise of all columns that a partition feeds in this cycle.
    fn draw_noise(&mut self, partition: usize) {
        let row_start = self.partitions[partition].rows.start as u64;
        let columns = self.stage.outputs as usize * self.stage.slices.len() * self.stage.converted_arrays() as usize;
        if self.sample.noise.iter().any(Option::is_some) {
            self.scratch.read_draws.draw(Purpose::ReadNoise, self.at, row_start, columns);
        }
        if self.program.chip.tile.adc.nonideal.noise_sigma_codes > 0.0 {
            self.scratch.adc_draws.draw(Purpose::AdcNoise, self.at, row_start, columns);
        }
    }

    /// Reads one array with the driven word lines, converts its columns, shifts and adds.
    fn convert(
        &mut self,
        index: usize,
        cycle: u32,
        counts: &mut ActionCounts,
        probe: &mut Probe<'_>,
    ) -> Result<(), String> {
        let tile = &self.program.chip.tile;
        let unit = &mut self.units[index];
        let placed = &self.stage.crossbars[unit.crossbar];
        let slices = self.stage.slices.len();
        let Scratch { driven, squared, sums, variances, read_draws, adc_draws, .. } = &mut self.scratch;
        let read = self.sample.arrays[index].column_sums(driven, sums)?;
        self.read_energy_j += read.power_w * tile.array.read_time_s;
        self.wire_error_bound = self.wire_error_bound.max(read.error_bound);
        let first = (unit.array * self.stage.outputs as usize + placed.output_start as usize) * slices;
        if let Some(noise) = &self.sample.noise[index] {
            add_read_noise(noise, driven, read_draws.of(first, sums.len()), squared, variances, sums);
        }
        if let Some(probe) = probe {
            let layer = self.at.layer as usize;
            probe.observe(&Observation {
                layer,
                crossbar: unit.crossbar,
                array: unit.array,
                slices,
                driven,
                sums,
                drift_gain: self.sample.drift_gain,
            });
        }
        let draws = adc_draws.of(first, sums.len());
        self.sample.banks[index].convert(sums, draws, &mut unit.seen);
        unit.shift_and_add(sums, f64::from(1_u32 << (tile.dac.bits * cycle)), slices);
        unit.conversions += 1;
        let (rows, columns) = (u64::from(placed.rows), sums.len() as u64);
        let arrays = u64::from(self.stage.polarities) / self.stage.converted_arrays();
        counts.dac_drive += rows * arrays;
        counts.input_register_bit += rows * arrays * u64::from(tile.dac.bits);
        counts.cell_read += rows * columns * arrays;
        counts.sample_hold += columns;
        counts.adc_conversion += columns;
        counts.shift_add += columns;
        Ok(())
    }

    /// Adds the slices of one array to the outputs, in the order of the slices, and clears them.
    fn merge(&mut self, index: usize, input_sum: f64, counts: &mut ActionCounts) {
        let unit = &mut self.units[index];
        let placed = &self.stage.crossbars[unit.crossbar];
        let outputs = &mut self.scratch.outputs[placed.output_start as usize..];
        let slices = self.stage.slices.len();
        let columns = unit.accumulators.chunks_exact(slices).zip(unit.scale.chunks_exact(slices));
        for (output, (codes, scales)) in outputs.iter_mut().zip(columns) {
            for (code, scale) in codes.iter().zip(scales) {
                *output += scale * code;
            }
        }
        if !placed.flipped.is_empty() {
            for (output, complements) in outputs.iter_mut().zip(unit.complement.chunks_exact(slices)) {
                *output += complements.iter().sum::<f64>() * input_sum;
            }
            counts.offset_subtract += placed.flipped.iter().filter(|&&flipped| flipped).count() as u64;
        }
        let columns = unit.accumulators.len() as u64;
        unit.accumulators.fill(0.0);
        counts.merge_add += columns;
        if !self.stage.steps_are_shifts() {
            counts.slice_scale += columns;
        }
    }

    /// Limits the outputs to the width of the accumulators.
    fn saturate_outputs(&mut self) {
        let limit = accumulator_limit(self.program);
        for output in &mut self.scratch.outputs {
            if output.abs() > limit {
                *output = output.clamp(-limit, limit);
                self.saturated_outputs += 1;
            }
        }
    }

    /// Requantises the outputs and writes the pixel.
    fn write(&mut self, counts: &mut ActionCounts, codes: &mut Vec<i32>, scores: &mut Vec<f64>) {
        let outputs = &self.scratch.outputs;
        match self.stage.output {
            Output::Codes { multiplier, bits } => {
                let highest = f64::from((1_u32 << bits) - 1);
                codes.extend(outputs.iter().map(|sum| (sum * multiplier).round_ties_even().clamp(0.0, highest) as i32));
                counts.requantise += outputs.len() as u64;
            }
            Output::Scores {} => scores.extend_from_slice(outputs),
        }
        let bits = outputs.len() as u64 * u64::from(self.output_bits);
        counts.output_register_word += outputs.len() as u64;
        counts.buffer_write += bits.div_ceil(u64::from(self.program.chip.tile.buffer.word_bits));
        counts.bus_bit += bits;
    }

    /// `V^2 t sum(G x^2)` over everything driven so far, with x the applied fraction of full scale, and what nonlinear arrays drew.
    pub(super) fn array_energy_j(&self) -> f64 {
        let chip = &self.program.chip.tile;
        let full_scale = f64::from((1_u32 << chip.dac.bits) - 1);
        let per_siemens = chip.array.read_voltage_v.powi(2) * chip.array.read_time_s / (full_scale * full_scale);
        let mut driven_conductance_s = 0.0;
        for (unit, array) in self.units.iter().zip(&self.sample.arrays) {
            let driven = &self.driven[self.stage.crossbars[unit.crossbar].row_start as usize..];
            for (&times, conductance_s) in driven.iter().zip(array.row_conductance_s()) {
                driven_conductance_s += times as f64 * conductance_s;
            }
        }
        driven_conductance_s * per_siemens + self.read_energy_j
    }

    /// Outputs that were limited to the width of the accumulators.
    pub(super) fn saturated_outputs(&self) -> u64 {
        self.saturated_outputs
    }

    /// Bound on the error that solving the wires leaves in any column sum, level spacings.
    pub(super) fn wire_error_bound(&self) -> f64 {
        self.wire_error_bound
    }

    /// What the converters of each slice saw.
    pub(super) fn converter_use(&self) -> Vec<ConverterUse> {
        (0..self.stage.slices.len()).map(|slice| self.slice_use(slice)).collect()
    }

    fn slice_use(&self, slice: usize) -> ConverterUse {
        let adc = self.stage.slices[slice].adc;
        let quantises = self.program.chip.tile.adc.kind != tile::adc::AdcKind::Ideal;
        let available = if quantises { i64::from(adc.max_code) - i64::from(adc.min_code) + 1 } else { 0 };
        let mut result = ConverterUse::unused(&self.stage.name, slice, available as u64);
        for unit in &self.units {
            for column in (slice..unit.accumulators.len()).step_by(self.stage.slices.len()) {
                result.conversions += unit.conversions;
                result.add_column(&unit.seen, column, unit.steps[column]);
            }
            result.saturated += unit.saturated[slice];
        }
        result
    }
}

/// The row partitions of a stage in the order of its crossbars.
fn partitions(stage: &MvmStage, units: &[Unit]) -> Vec<Partition> {
    let mut partitions: Vec<Partition> = Vec::new();
    for (index, unit) in units.iter().enumerate() {
        let placed = &stage.crossbars[unit.crossbar];
        let rows = placed.row_start as usize..(placed.row_start + placed.rows) as usize;
        match partitions.iter_mut().find(|partition| partition.rows == rows) {
            Some(partition) => partition.units.push(index),
            None => partitions.push(Partition { rows, units: vec![index], input_sum: 0.0 }),
        }
    }
    partitions
}
