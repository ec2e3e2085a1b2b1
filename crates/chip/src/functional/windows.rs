//! The input vectors of a block of windows.

use super::padded::Layout;
use super::plan::StagePlan;
use std::ops::Range;
use tile::kernel::{DigitFormat, Isa, Kernel, Packed};

/// The codes under a block of windows as they are applied, which may belong to several images.
pub(super) struct Windows {
    rows: usize,
    /// Added to every code; also what padding is applied as.
    offset: i32,
    layout: Layout,
    codes: Codes,
}

/// The padded maps of all images, and the codes under the windows, one entry per row, window after window.
enum Codes {
    /// Unsigned codes of at most 8 bits.
    Narrow {
        maps: Vec<u8>,
        codes: Vec<u8>,
    },
    Wide {
        maps: Vec<i32>,
        codes: Vec<i32>,
    },
}

/// A code as it is stored.
trait Code: Copy + Default {
    fn to_code(self) -> i32;
    fn of_code(code: i32) -> Self;
}

impl Code for u8 {
    fn to_code(self) -> i32 {
        self.into()
    }

    fn of_code(code: i32) -> Self {
        code as Self
    }
}

impl Code for i32 {
    fn to_code(self) -> i32 {
        self
    }

    fn of_code(code: i32) -> Self {
        code
    }
}

impl Windows {
    /// No windows yet.
    pub(super) fn new(plan: &StagePlan<'_>) -> Self {
        let narrow = !plan.format.signed && plan.format.bits * plan.format.cycles <= 8;
        let codes = match narrow {
            true => Codes::Narrow { maps: Vec::new(), codes: Vec::new() },
            false => Codes::Wide { maps: Vec::new(), codes: Vec::new() },
        };
        let layout = Layout::new(plan.stage.window, plan.stage.groups as usize);
        Self { rows: plan.stage.window.rows(), offset: plan.stage.input_offset as i32, layout, codes }
    }

    /// Takes the maps of all images of a block, one after the other.
    pub(super) fn set_maps(&mut self, all: &[i32]) {
        match &mut self.codes {
            Codes::Narrow { maps, .. } => pad(&self.layout, all, self.offset, maps),
            Codes::Wide { maps, .. } => pad(&self.layout, all, self.offset, maps),
        }
    }

    /// Reads windows, numbered over all images of the block.
    pub(super) fn gather(&mut self, windows: Range<usize>) {
        match &mut self.codes {
            Codes::Narrow { maps, codes } => self.layout.gather(maps, windows, codes),
            Codes::Wide { maps, codes } => self.layout.gather(maps, windows, codes),
        }
    }

    /// Packs a row partition.
    pub(super) fn pack(&self, isa: Isa, rows: &Range<usize>, packed: &mut Packed) {
        let count = rows.len();
        match &self.codes {
            Codes::Narrow { codes, .. } if packed.format().bits == 1 => {
                packed.pack_bits(isa, count, &codes[rows.start..], self.rows);
            }
            Codes::Narrow { codes: narrow, .. } => {
                let mut codes: Vec<i32> = Vec::new();
                part(narrow, self.rows, rows, &mut codes);
                packed.pack(count, codes.chunks_exact(count));
            }
            Codes::Wide { codes, .. } => {
                packed.pack(count, codes.chunks_exact(self.rows).map(|codes| &codes[rows.clone()]));
            }
        }
    }

    /// Sum of the codes of a row partition under each window.
    pub(super) fn sums(&self, rows: &Range<usize>) -> Vec<i64> {
        match &self.codes {
            Codes::Narrow { codes, .. } => sums(codes, self.rows, rows),
            Codes::Wide { codes, .. } => sums(codes, self.rows, rows),
        }
    }

    /// Adds to every row how often it is driven, digits weighted by their square.
    pub(super) fn add_squares(&self, kernel: &Kernel, format: DigitFormat, squares: &mut [u64]) {
        match &self.codes {
            Codes::Narrow { codes, .. } if format.bits == 1 => kernel.add_bits(codes, squares),
            _ => self.for_each_digit(format, |row, digit| squares[row] += u64::from(digit.unsigned_abs()).pow(2)),
        }
    }

    /// Calls `each` with the row and value of every digit other than 0.
    pub(super) fn for_each_digit(&self, format: DigitFormat, mut each: impl FnMut(usize, i32)) {
        for window in 0..self.count() {
            for (row, code) in self.window(window).into_iter().enumerate() {
                for cycle in (0..format.cycles).filter(|_| code != 0) {
                    let digit = tile::dac::signed_digit(code, format.bits, cycle);
                    if digit != 0 {
                        each(row, digit);
                    }
                }
            }
        }
    }

    /// Digits of the rows of a partition, window after window and in each input slice after input slice.
    pub(super) fn digits<'w>(
        &'w self,
        rows: &Range<usize>,
        format: DigitFormat,
    ) -> impl Iterator<Item = Vec<i32>> + 'w {
        let rows = rows.clone();
        (0..self.count() * format.cycles as usize).map(move |at| self.digits_at(&rows, format, at))
    }

    /// The same of one window and input slice, `at = window * format.cycles + slice`.
    pub(super) fn digits_at(&self, rows: &Range<usize>, format: DigitFormat, at: usize) -> Vec<i32> {
        let (window, cycle) = (at / format.cycles as usize, at as u32 % format.cycles);
        let digit = |code: i32| tile::dac::signed_digit(code, format.bits, cycle);
        let range = window * self.rows + rows.start..window * self.rows + rows.end;
        match &self.codes {
            Codes::Narrow { codes, .. } => codes[range].iter().map(|code| digit(code.to_code())).collect(),
            Codes::Wide { codes, .. } => codes[range].iter().map(|&code| digit(code)).collect(),
        }
    }

    /// The codes under one window.
    fn window(&self, window: usize) -> Vec<i32> {
        let range = window * self.rows..(window + 1) * self.rows;
        match &self.codes {
            Codes::Narrow { codes, .. } => codes[range].iter().map(|code| code.to_code()).collect(),
            Codes::Wide { codes, .. } => codes[range].to_vec(),
        }
    }

    /// The codes of a range of rows under some of the windows as numbers, window after window.
    pub(super) fn numbers(&self, kernel: &Kernel, windows: Range<usize>, rows: &Range<usize>, to: &mut Vec<f64>) {
        let here = windows.start * self.rows..windows.end * self.rows;
        match &self.codes {
            Codes::Narrow { codes, .. } if rows.len() == self.rows => kernel.widen(&codes[here], to),
            Codes::Narrow { codes, .. } => part(&codes[here], self.rows, rows, to),
            Codes::Wide { codes, .. } => part(&codes[here], self.rows, rows, to),
        }
    }

    /// Number of windows.
    pub(super) fn count(&self) -> usize {
        let codes = match &self.codes {
            Codes::Narrow { codes, .. } => codes.len(),
            Codes::Wide { codes, .. } => codes.len(),
        };
        codes / self.rows
    }
}

/// Pads maps of codes as they are applied.
fn pad<C: Code>(layout: &Layout, all: &[i32], offset: i32, padded: &mut Vec<C>) {
    layout.pad(all, C::of_code(offset), |code| C::of_code(code + offset), padded);
}

fn part<C: Code, N: From<i32>>(codes: &[C], rows: usize, part: &Range<usize>, to: &mut Vec<N>) {
    to.clear();
    for codes in codes.chunks_exact(rows) {
        to.extend(codes[part.clone()].iter().map(|code| N::from(code.to_code())));
    }
}

fn sums<C: Code>(codes: &[C], rows: usize, part: &Range<usize>) -> Vec<i64> {
    // Codes have at most 17 bits, so that 2^14 of them add up in 32, of which more go into a register.
    let sum = |codes: &[C]| i64::from(codes.iter().map(|code| code.to_code()).sum::<i32>());
    codes.chunks_exact(rows).map(|codes| codes[part.clone()].chunks(1 << 14).map(sum).sum()).collect()
}
