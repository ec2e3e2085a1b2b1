//! The reference engine: nested loops over images, windows, arrays, input slices, columns and rows, from public data only. It shares no
//! code with the engine it is compared with.

use crate::differential_arrays::{Array, arrays, rows_per_group};
use crate::differential_converters::{Column, columns};
use chip::functional::Cells;
use chip::program::{
    AddStage, Axis, ConcatStage, MvmStage, Output, PoolKind, PoolStage, Program, Stage, TableStage, Window,
};
use tile::adc::AdcKind;

/// What the converters of one slice of one stage saw.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SliceUse {
    pub(crate) conversions: u64,
    pub(crate) clipped: u64,
    pub(crate) saturated: u64,
    pub(crate) codes: (f32, f32),
    pub(crate) available_codes: u64,
    /// Sums over conversions: of the column sums, their magnitudes, their squares and the squared errors.
    pub(crate) sums: [f64; 4],
}

/// One read of an array: stage, crossbar, array of a pair, driven rows with their digits, the bits of the column sums.
pub(crate) type Read = (usize, usize, usize, Vec<(usize, i32)>, Vec<u32>);

/// What a batch of images gave.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) scores: Vec<f64>,
    pub(crate) array_energy_j: f64,
    pub(crate) slices: Vec<SliceUse>,
    pub(crate) saturated_outputs: u64,
    pub(crate) reads: Vec<Read>,
}

/// One MVM stage.
pub(crate) struct Layer<'a> {
    index: usize,
    pub(crate) stage: &'a MvmStage,
    /// Arrays in the order of the crossbars.
    pub(crate) arrays: Vec<Array>,
    /// Converters of each array.
    pub(crate) columns: Vec<Vec<Column>>,
    pub(crate) drift_gain: f64,
    /// Rows that are added up before they are added to a column.
    group: usize,
}

pub(crate) struct Reference<'a> {
    program: &'a Program,
    pub(crate) layers: Vec<Layer<'a>>,
}

impl<'a> Reference<'a> {
    pub(crate) fn new(program: &'a Program, cells: &Cells) -> Self {
        let layer = |(index, stage): (u64, &'a MvmStage)| Layer {
            index: index as usize,
            stage,
            arrays: arrays(program, index as usize, stage, cells),
            columns: columns(program, index, stage, cells.address),
            drift_gain: cells.stages[index as usize].drift_gain,
            group: rows_per_group(program),
        };
        Self { program, layers: program.mvm_stages().map(layer).collect() }
    }

    pub(crate) fn infer(&self, images: &[i32]) -> Outcome {
        let slices = self.layers.iter().flat_map(|layer| layer.stage.slices.iter());
        let quantises = self.program.chip.tile.adc.kind != AdcKind::Ideal;
        let unused = |slice: &chip::program::Slice| SliceUse {
            conversions: 0,
            clipped: 0,
            saturated: 0,
            codes: (f32::INFINITY, f32::NEG_INFINITY),
            available_codes: if quantises { (slice.adc.max_code - slice.adc.min_code + 1) as u64 } else { 0 },
            sums: [0.0; 4],
        };
        let mut outcome = Outcome { slices: slices.map(unused).collect(), ..Outcome::default() };
        for image in images.chunks(self.program.input.len()) {
            self.image(image, &mut outcome);
        }
        outcome
    }

    fn image(&self, image: &[i32], outcome: &mut Outcome) {
        // Source 0 is the image, source `k` the result of stage `k - 1`.
        let mut maps = vec![image.to_vec()];
        let mut layers = self.layers.iter();
        for stage in &self.program.stages {
            let map = match stage {
                Stage::Pool(pool) => pooled(pool, &maps[pool.input as usize]),
                Stage::Add(add) => added(add, add.inputs.map(|source| maps[source as usize].as_slice())),
                Stage::Concat(concat) => joined(concat, &maps),
                Stage::Table(table) => looked_up(table, &maps[table.input as usize]),
                Stage::Mvm(mvm) => layers.next().unwrap().run(self.program, &maps[mvm.input as usize], outcome),
            };
            maps.push(map);
        }
        // Without sums that are scores, the codes of the last stage are.
        if !matches!(self.program.stages.last(), Some(Stage::Mvm(MvmStage { output: Output::Scores {}, .. }))) {
            outcome.scores.extend(maps.pop().unwrap().into_iter().map(f64::from));
        }
    }
}

/// The codes under a window whose upper left corner is at output pixel (`y`, `x`): kernel row, kernel column, channel; none beyond the map.
fn codes_under(window: &Window, map: &[i32], y: u32, x: u32) -> Vec<Option<i32>> {
    let (height, width) = (i64::from(window.input.height), i64::from(window.input.width));
    let mut codes = Vec::new();
    for kernel_y in 0..window.vertical.kernel {
        for kernel_x in 0..window.horizontal.kernel {
            let row = i64::from(y * window.vertical.stride + kernel_y * window.vertical.dilation)
                - i64::from(window.vertical.before);
            let column = i64::from(x * window.horizontal.stride + kernel_x * window.horizontal.dilation)
                - i64::from(window.horizontal.before);
            for channel in 0..i64::from(window.input.channels) {
                let inside = row >= 0 && row < height && column >= 0 && column < width;
                let at = (row * width + column) * i64::from(window.input.channels) + channel;
                codes.push(inside.then(|| map[at as usize]));
            }
        }
    }
    codes
}

/// Every window of a map, row by row.
fn windows(window: &Window, map: &[i32]) -> Vec<Vec<Option<i32>>> {
    let places = |size: u32, axis: Axis| {
        (size + axis.before + axis.after - (axis.kernel - 1) * axis.dilation - 1) / axis.stride + 1
    };
    let mut all = Vec::new();
    for y in 0..places(window.input.height, window.vertical) {
        for x in 0..places(window.input.width, window.horizontal) {
            all.push(codes_under(window, map, y, x));
        }
    }
    all
}

/// The nearest code, of two equally near ones the even one, of `bits` bits and of both signs if `signed`.
fn requantised(value: f64, bits: u32, signed: bool) -> i32 {
    let highest = f64::from((1_u32 << bits) - 1);
    value.round_ties_even().max(if signed { -highest } else { 0.0 }).min(highest) as i32
}

fn pooled(pool: &PoolStage, map: &[i32]) -> Vec<i32> {
    let input = pool.window.input;
    let mut results = Vec::new();
    for codes in windows(&pool.window, map) {
        for channel in 0..input.channels as usize {
            let here = codes.iter().skip(channel).step_by(input.channels as usize).flatten().copied();
            results.push(match pool.kind {
                PoolKind::Max => here.max().unwrap(),
                PoolKind::Average { multiplier, count_padding, bits } => {
                    let (sum, count) = here.fold((0, 0), |(sum, count), code| (sum + code, count + 1));
                    let multiplier = if count_padding { multiplier } else { multiplier / f64::from(count) };
                    requantised(f64::from(sum) * multiplier, bits - u32::from(input.signed), input.signed)
                }
            });
        }
    }
    results
}

fn added(add: &AddStage, maps: [&[i32]; 2]) -> Vec<i32> {
    let sum = |at: usize| {
        let [a, b] = [0, 1].map(|source: usize| f64::from(maps[source][at]) * add.multipliers[source]);
        requantised(a + b, add.bits, add.signed)
    };
    (0..maps[0].len()).map(sum).collect()
}

fn joined(concat: &ConcatStage, maps: &[Vec<i32>]) -> Vec<i32> {
    let pixels = (concat.maps[0].height * concat.maps[0].width) as usize;
    let mut results = Vec::new();
    for pixel in 0..pixels {
        for source in 0..concat.inputs.len() {
            for channel in 0..concat.maps[source].channels as usize {
                let code =
                    maps[concat.inputs[source] as usize][pixel * concat.maps[source].channels as usize + channel];
                results.push(requantised(f64::from(code) * concat.multipliers[source], concat.bits, concat.signed));
            }
        }
    }
    results
}

fn looked_up(table: &TableStage, map: &[i32]) -> Vec<i32> {
    // As many entries below code 0 as above it, or none below.
    let zero = if table.map.signed { table.table.len() / 2 } else { 0 };
    map.iter().map(|&code| table.table[(zero as i32 + code) as usize]).collect()
}

impl Layer<'_> {
    /// Codes for the next stage; scores go to the outcome.
    fn run(&self, program: &Program, map: &[i32], outcome: &mut Outcome) -> Vec<i32> {
        let mut next = Vec::new();
        for codes in windows(&self.stage.window, map) {
            let sums = self.multiply(program, &self.applied(&codes), outcome);
            match self.stage.output {
                Output::Scores {} => outcome.scores.extend(sums),
                Output::Codes { bits, signed, sign_bit: _ } => {
                    let scaled = sums.into_iter().zip(&self.stage.multipliers).map(|(sum, factor)| sum * factor);
                    next.extend(scaled.map(|value| requantised(value, bits, signed)));
                }
            }
        }
        next
    }

    /// Codes in the order of the rows, group by group of channels, and as they are applied: padding is code 0, and unsigned DACs are given
    /// non-negative numbers.
    fn applied(&self, codes: &[Option<i32>]) -> Vec<i32> {
        let channels = self.stage.window.input.channels as usize;
        let of_group = channels / self.stage.groups as usize;
        let mut applied = Vec::new();
        for group in 0..self.stage.groups as usize {
            for pixel in codes.chunks(channels) {
                let here = &pixel[group * of_group..(group + 1) * of_group];
                applied.extend(here.iter().map(|code| code.unwrap_or(0) + self.stage.input_offset as i32));
            }
        }
        applied
    }

    /// Rows and outputs of a group.
    pub(crate) fn of_group(&self) -> (usize, usize) {
        let groups = self.stage.groups as usize;
        (self.stage.window.rows() / groups, self.stage.outputs as usize / groups)
    }

    /// Arrays in the order in which their sums are added: row partition by row partition, as the crossbars first name them.
    fn order(&self) -> Vec<usize> {
        let rows = |crossbar: usize| (self.stage.crossbars[crossbar].row_start, self.stage.crossbars[crossbar].rows);
        let partition = |array: &usize| {
            let of_array = rows(self.arrays[*array].crossbar);
            (0..self.stage.crossbars.len()).find(|&crossbar| rows(crossbar) == of_array)
        };
        let mut order: Vec<usize> = (0..self.arrays.len()).collect();
        order.sort_by_key(partition);
        order
    }

    fn multiply(&self, program: &Program, codes: &[i32], outcome: &mut Outcome) -> Vec<f64> {
        let (rows, outputs_of_group) = self.of_group();
        let whole = |output: usize| {
            let codes = &codes[output / outputs_of_group * rows..][..rows];
            codes.iter().map(|&code| i64::from(code)).sum::<i64>() * self.stage.offset
        };
        let biases = self.stage.bias.iter().enumerate();
        let merged = self.merges(program);
        // What is subtracted digitally is a part of a merged matrix.
        let subtracted = |output: usize| if merged { 0 } else { whole(output) };
        let mut outputs: Vec<f64> = biases.map(|(output, &bias)| bias as f64 - subtracted(output) as f64).collect();
        if merged {
            let product = self.product(codes);
            outputs.iter_mut().zip(product).for_each(|(output, product)| *output += product);
        }
        for index in self.order() {
            let placed = &self.stage.crossbars[self.arrays[index].crossbar];
            let codes = &codes[placed.row_start as usize..(placed.row_start + placed.rows) as usize];
            let accumulators = self.read(program, index, codes, outcome, merged);
            let here = &mut outputs[placed.output_start as usize..(placed.output_start + placed.outputs) as usize];
            if !merged {
                self.merge(index, &accumulators, codes, here);
            }
        }
        for output in &mut outputs {
            saturate(program, output, &mut outcome.saturated_outputs);
        }
        outputs
    }

    /// Shifted and added codes of every column of one array.
    fn read(&self, program: &Program, index: usize, codes: &[i32], outcome: &mut Outcome, merged: bool) -> Vec<f64> {
        let (array, columns) = (&self.arrays[index], &self.columns[index]);
        let (base, slices) = (1_i32 << program.chip.tile.dac.bits, self.stage.slices.len());
        let first_slice: usize = outcome.slices.len() - self.slices_from_here(program);
        let mut accumulators = vec![0.0; array.columns];
        let mut rest = codes.to_vec();
        let mut place = 1.0;
        for _ in 0..applied_bits(program, self.stage).div_ceil(program.chip.tile.dac.bits) {
            // Of a negative code, remainders are negative: the sign is applied with every digit.
            let digits: Vec<i32> = rest.iter().map(|code| code % base).collect();
            rest.iter_mut().for_each(|code| *code /= base);
            let sums: Vec<f32> = (0..array.columns).map(|column| array.sum(column, &digits, self.group)).collect();
            outcome.array_energy_j += array.energy_j(&digits);
            for (column, &sum) in sums.iter().enumerate() {
                let seen = &mut outcome.slices[first_slice + column % slices];
                if merged {
                    seen.conversions += 1;
                    continue;
                }
                let code = book(&columns[column], sum, seen);
                accumulators[column] += f64::from(code) * place;
                saturate(program, &mut accumulators[column], &mut seen.saturated);
            }
            let driven = digits.iter().copied().enumerate().filter(|&(_, digit)| digit != 0).collect();
            let bits = sums.iter().map(|sum| sum.to_bits()).collect();
            outcome.reads.push((self.index, array.crossbar, array.array, driven, bits));
            place *= f64::from(base);
        }
        accumulators
    }

    /// Slices of this and all later layers.
    fn slices_from_here(&self, program: &Program) -> usize {
        program.mvm_stages().skip(self.index).map(|(_, stage)| stage.slices.len()).sum()
    }

    /// Weights the columns of one array and adds them to its outputs.
    fn merge(&self, index: usize, accumulators: &[f64], codes: &[i32], outputs: &mut [f64]) {
        let array = &self.arrays[index];
        let placed = &self.stage.crossbars[array.crossbar];
        let (rows, outputs_of_group) = self.of_group();
        for (output, sum) in outputs.iter_mut().enumerate() {
            // Of the rows of the output's group.
            let group = (placed.output_start as usize + output) / outputs_of_group;
            let own = |row: usize| (placed.row_start as usize + row) / rows == group;
            let inputs: i64 =
                codes.iter().enumerate().filter(|&(row, _)| own(row)).map(|(_, &code)| i64::from(code)).sum();
            let mut complement = 0;
            for (slice, of_slice) in self.stage.slices.iter().enumerate() {
                let column = output * self.stage.slices.len() + slice;
                let adc = &self.columns[index][column];
                let flipped = placed.flipped.get(column) == Some(&true);
                let sign = if array.array == 1 || flipped { -1.0 } else { 1.0 };
                let factor = sign * adc.gain * self.drift_gain;
                *sum += of_slice.significance as f64 * adc.step * factor * accumulators[column];
                // A complemented column holds `top - level`.
                let top = (1_i64 << of_slice.bits) - 1;
                complement += if flipped { of_slice.significance * top } else { 0 };
            }
            *sum += (complement * inputs) as f64;
        }
    }
}

/// Bits of a code that are applied in digits: all but a sign that rides on them.
pub(crate) fn applied_bits(program: &Program, stage: &MvmStage) -> u32 {
    stage.window.input.bits - u32::from(program.chip.signed_inputs())
}

/// Converts a column sum and books it.
fn book(column: &Column, sum: f32, seen: &mut SliceUse) -> f32 {
    let converted = column.convert(sum);
    let (scaled, code) = (f64::from(converted.scaled), f64::from(converted.code));
    seen.conversions += 1;
    seen.clipped += u64::from(converted.clipped);
    seen.codes = (seen.codes.0.min(converted.code), seen.codes.1.max(converted.code));
    let square = column.step * column.step;
    let here =
        [scaled * column.step, scaled.abs() * column.step, scaled * scaled * square, (code - scaled).powi(2) * square];
    seen.sums.iter_mut().zip(here).for_each(|(sum, here)| *sum += here);
    converted.code
}

/// Limits a value to the width of the accumulators.
fn saturate(program: &Program, value: &mut f64, saturated: &mut u64) {
    let limit = ((1_u64 << (program.chip.tile.digital.accumulator_bits - 1)) - 1) as f64;
    if value.abs() > limit {
        *value = limit.copysign(*value);
        *saturated += 1;
    }
}
