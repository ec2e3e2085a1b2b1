//! What the weighted layers see of calibration images: some windows as they are, how often word lines are driven, and how much outputs vary.

use crate::emit::chip_window;
use crate::error::CompileError;
use crate::partition::row_order;
use chip::config::Chip;
use chip::functional::RowDrives;
use nn::LayerRun;
use nn::quantised::{MvmOutput, QuantisedLayer, QuantisedMvm, QuantisedNetwork};
use tile::dac::signed_digit;

/// Windows of a layer that are kept, spread over images and positions.
const WINDOWS: usize = 64;

/// What a weighted layer sees. Rows are in the chip's order.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// Input slices of a code.
    pub(super) slices: usize,
    /// Bits of an input slice.
    digit_bits: u32,
    rows: usize,
    /// Digits of the kept windows, `[window][input slice][row]`; DACs have at most 8 bits.
    digits: Vec<i16>,
    /// What is added to a code before it is applied.
    offset: f64,
    /// How often rows are driven for an image, mean over all images.
    pub(super) drives: RowDrives,
    /// Weight of each output in means over outputs, so that all are in steps of the codes that they become; their sum is 1.
    pub(super) shares: Vec<f64>,
    /// Variance of the sums over all images, windows and outputs together, in squared steps of the sums; where all are equal, their mean square.
    pub(super) signal: f64,
}

impl Seen {
    /// Of every weighted layer of a network.
    ///
    /// # Errors
    /// If the network is not valid or images have another size.
    pub(super) fn all(network: &QuantisedNetwork, images: &[f32], chip: &Chip) -> Result<Vec<Self>, CompileError> {
        let count = images.len() / network.input.len().max(1);
        let watch = |layer: &QuantisedLayer| match layer {
            QuantisedLayer::Mvm(mvm) => Some(Watch::new(network, mvm, chip, count)),
            _ => None,
        };
        let mut watches: Vec<Watch> = network.layers.iter().filter_map(watch).collect();
        let mut next = 0;
        network.observe_all(images, &mut |run| {
            // Layers come in their order, and again for the next images.
            watches[next].observe(&run);
            next = (next + 1) % watches.len();
        })?;
        Ok(watches.into_iter().map(Watch::finish).collect())
    }

    /// Windows that were kept.
    pub(super) fn windows(&self) -> usize {
        self.digits.len() / (self.slices * self.rows).max(1)
    }

    /// The digits on all rows in an input slice of a window.
    pub(super) fn digits(&self, window: usize, input: usize) -> &[i16] {
        &self.digits[(window * self.slices + input) * self.rows..][..self.rows]
    }

    /// What a digit of an input slice is worth in a code.
    pub(super) fn worth(&self, input: usize) -> f64 {
        f64::from(1_u32 << (self.digit_bits * input as u32))
    }

    /// The code of a row in a window, without what is added to it.
    pub(super) fn code(&self, window: usize, row: usize) -> f64 {
        let applied = |input: usize| self.worth(input) * f64::from(self.digits(window, input)[row]);
        (0..self.slices).map(applied).sum::<f64>() - self.offset
    }
}

/// Sums under way.
struct Watch {
    /// The network's row of every row of the chip.
    rows: Vec<usize>,
    offset: i32,
    digit_bits: u32,
    slices: usize,
    images: usize,
    /// The windows to keep, by image and position, in their order.
    wanted: Vec<(usize, usize)>,
    /// Images so far.
    image: usize,
    kept: Vec<i16>,
    /// Windows in which a row was driven with each digit, `[digit - 1][row]`.
    digits: Vec<Vec<f64>>,
    outputs: Vec<Spread>,
    shares: Vec<f64>,
}

/// Sum, and sum of squares, of differences from the first value.
#[derive(Clone, Copy, Debug, Default)]
struct Spread {
    first: Option<i64>,
    sum: f64,
    squares: f64,
    count: f64,
}

impl Spread {
    fn add(&mut self, value: i64) {
        let difference = (value - *self.first.get_or_insert(value)) as f64;
        (self.sum, self.squares) = (self.sum + difference, self.squares + difference * difference);
        self.count += 1.0;
    }

    fn variance(&self) -> f64 {
        let count = self.count.max(1.0);
        (self.squares / count - (self.sum / count).powi(2)).max(0.0)
    }

    fn mean(&self) -> f64 {
        self.first.unwrap_or(0) as f64 + self.sum / self.count.max(1.0)
    }
}

impl Watch {
    fn new(network: &QuantisedNetwork, mvm: &QuantisedMvm, chip: &Chip, images: usize) -> Self {
        let window = chip_window(network, mvm.input, &mvm.window, chip);
        let offset = window.input.input_offset(chip);
        let slices = chip.input_cycles(window.input.applied_bits(offset)) as usize;
        let (rows, digits) = (window.rows(), (1_usize << chip.tile.dac.bits) - 1);
        Self {
            rows: row_order(&mvm.window, mvm.groups),
            offset: offset as i32,
            digit_bits: chip.tile.dac.bits,
            slices,
            images,
            wanted: spread(images, window.count()),
            image: 0,
            kept: Vec::new(),
            digits: vec![vec![0.0; rows]; digits],
            outputs: vec![Spread::default(); mvm.outputs],
            shares: shares(mvm),
        }
    }

    fn observe(&mut self, run: &LayerRun<'_>) {
        let window = &run.layer.window;
        let mut codes = vec![0; window.rows()];
        for map in run.maps {
            for (position, (oy, ox)) in window.outputs().enumerate() {
                window.gather(map, oy, ox, &mut codes);
                self.add_window(&codes);
                if self.wanted.binary_search(&(self.image, position)).is_ok() {
                    self.keep(&codes);
                }
            }
            self.image += 1;
        }
        let positions = window.positions();
        for sums in run.sums {
            for (output, sums) in self.outputs.iter_mut().zip(sums.chunks_exact(positions)) {
                sums.iter().for_each(|&sum| output.add(sum));
            }
        }
    }

    fn digit(&self, code: i64, slice: usize) -> i32 {
        signed_digit(code as i32 + self.offset, self.digit_bits, slice as u32)
    }

    fn add_window(&mut self, codes: &[i64]) {
        for (row, &from) in self.rows.iter().enumerate() {
            for slice in 0..self.slices {
                let digit = self.digit(codes[from], slice);
                if digit != 0 {
                    self.digits[digit.unsigned_abs() as usize - 1][row] += 1.0;
                }
            }
        }
    }

    fn keep(&mut self, codes: &[i64]) {
        for slice in 0..self.slices {
            for &from in &self.rows {
                let digit = self.digit(codes[from], slice);
                self.kept.push(digit as i16);
            }
        }
    }

    fn finish(self) -> Seen {
        let of_image = 1.0 / self.images.max(1) as f64;
        let mean = |counts: Vec<f64>| counts.into_iter().map(|count| count * of_image).collect();
        let digits: Vec<Vec<f64>> = self.digits.into_iter().map(mean).collect();
        let squares = (0..self.rows.len()).map(|row| {
            let of_digit = |(digit, counts): (f64, &Vec<f64>)| digit * digit * counts[row];
            (1..).map(f64::from).zip(&digits).map(of_digit).sum()
        });
        let signal = signal(&self.shares, &self.outputs);
        Seen {
            slices: self.slices,
            digit_bits: self.digit_bits,
            rows: self.rows.len(),
            digits: self.kept,
            offset: f64::from(self.offset),
            drives: RowDrives { squares: squares.collect(), digits },
            shares: self.shares,
            signal,
        }
    }
}

/// Variance of what outputs see together. A single output may see one window an image, or the same in all of them: over one image or equal ones it does not
/// vary, and errors over its own variance would be of any size.
fn signal(shares: &[f64], outputs: &[Spread]) -> f64 {
    let of = |(share, output): (&f64, &Spread)| {
        (share * (output.variance() + output.mean().powi(2)), share.sqrt() * output.mean())
    };
    let add = |sums: (f64, f64), of: (f64, f64)| (sums.0 + of.0, sums.1 + of.1);
    let (square, mean) = shares.iter().zip(outputs).map(of).fold((0.0, 0.0), add);
    let variance = square - mean * mean / outputs.len().max(1) as f64;
    // What is left of rounding is no variance.
    if variance > 1e-9 * square { variance } else { square }
}

/// At most [`WINDOWS`] windows, in order: images evenly, positions by the golden ratio, so that neither has a period of the other's.
fn spread(images: usize, positions: usize) -> Vec<(usize, usize)> {
    let count = WINDOWS.min(images * positions);
    let position = |index: usize| ((index as f64 * GOLDEN).fract() * positions as f64) as usize;
    let mut windows: Vec<_> = (0..count).map(|index| (index * images / count, position(index))).collect();
    windows.sort_unstable();
    windows.dedup();
    windows
}

/// The golden ratio less 1.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// Weights of the outputs: their squared multipliers, as every output may have a step of its own.
fn shares(mvm: &QuantisedMvm) -> Vec<f64> {
    let squares: Vec<f64> = match &mvm.output {
        MvmOutput::Codes { multipliers, .. } => multipliers.iter().map(|multiplier| multiplier * multiplier).collect(),
        MvmOutput::Scores => vec![1.0; mvm.outputs],
    };
    let sum: f64 = squares.iter().sum();
    let equal = 1.0 / squares.len().max(1) as f64;
    squares.into_iter().map(|square| if sum > 0.0 { square / sum } else { equal }).collect()
}
