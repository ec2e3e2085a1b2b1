//! The input vectors of a block of windows.

use super::plan::StagePlan;
use crate::program::{MvmStage, Overlap, Window};
use std::ops::Range;
use tile::kernel::{DigitFormat, Isa, Packed};

/// The codes under a block of windows as they are applied, which may belong to several images.
pub(super) struct Windows {
    rows: usize,
    /// Added to every code; also what padding is applied as.
    offset: i32,
    codes: Codes,
}

/// The maps of all images, and the codes under the windows, one entry per row, window after window.
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

/// Codes that are copied together.
const SHORT: usize = 8;

/// A code as it is stored.
trait Code: Copy {
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
        Self { rows: plan.stage.window.rows(), offset: plan.stage.input_offset as i32, codes }
    }

    /// Takes the maps of all images of a block, one after the other.
    pub(super) fn set_maps(&mut self, all: &[i32]) {
        match &mut self.codes {
            Codes::Narrow { maps, .. } => *maps = applied(all, self.offset),
            Codes::Wide { maps, .. } => *maps = applied(all, self.offset),
        }
    }

    /// Reads windows, numbered over all images of the block.
    pub(super) fn gather(&mut self, stage: &MvmStage, windows: Range<usize>) {
        match &mut self.codes {
            Codes::Narrow { maps, codes } => gather(stage, maps, windows, codes),
            Codes::Wide { maps, codes } => gather(stage, maps, windows, codes),
        }
    }

    /// Packs a row partition.
    pub(super) fn pack(&self, isa: Isa, rows: &Range<usize>, packed: &mut Packed) {
        let count = rows.len();
        match &self.codes {
            Codes::Narrow { codes, .. } if packed.format().bits == 1 => {
                packed.pack_bits(isa, count, &codes[rows.start..], self.rows);
            }
            Codes::Narrow { .. } => {
                let mut codes: Vec<i32> = Vec::new();
                self.part(rows, &mut codes);
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
    pub(super) fn add_squares(&self, format: DigitFormat, squares: &mut [u64]) {
        match &self.codes {
            // 31 codes have at most 248 bits, which a byte can count; bytes are added 16 and more at a time.
            Codes::Narrow { codes, .. } if format.bits == 1 => {
                for windows in codes.chunks(31 * self.rows) {
                    let mut bits = vec![0_u8; self.rows];
                    for codes in windows.chunks_exact(self.rows) {
                        bits.iter_mut().zip(codes).for_each(|(bits, code)| *bits += code.count_ones() as u8);
                    }
                    squares.iter_mut().zip(&bits).for_each(|(sum, &bits)| *sum += u64::from(bits));
                }
            }
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

    /// The codes of a range of rows, window after window.
    pub(super) fn part<N: From<i32>>(&self, rows: &Range<usize>, to: &mut Vec<N>) {
        match &self.codes {
            Codes::Narrow { codes, .. } => part(codes, self.rows, rows, to),
            Codes::Wide { codes, .. } => part(codes, self.rows, rows, to),
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

/// Codes as they are applied.
fn applied<C: Code>(codes: &[i32], offset: i32) -> Vec<C> {
    codes.iter().map(|&code| C::of_code(code + offset)).collect()
}

fn gather<C: Code>(stage: &MvmStage, maps: &[C], windows: Range<usize>, codes: &mut Vec<C>) {
    let window = &stage.window;
    let (count, across, down) = (window.count(), window.across(), window.down());
    codes.clear();
    codes.resize(windows.len() * window.rows(), C::of_code(stage.input_offset as i32));
    for (index, codes) in windows.zip(codes.chunks_exact_mut(window.rows())) {
        let map = &maps[index / count * window.input.len()..][..window.input.len()];
        let at = (down[index % count / across.len()], across[index % count % across.len()]);
        match stage.groups {
            1 => gather_window(window, at, map, codes),
            groups => gather_groups(window, groups as usize, at, map, codes),
        }
    }
}

/// Copies the pixels of the map that a window covers.
fn gather_window<C: Code>(window: &Window, (down, across): (Overlap, Overlap), map: &[C], codes: &mut [C]) {
    let channels = window.input.channels as usize;
    let map_row = window.input.width as usize * channels;
    let kernel_row = window.horizontal.kernel as usize * channels;
    let whole = down.count == window.vertical.kernel as usize && across.count == window.horizontal.kernel as usize;
    if whole && (down.step, across.step) == (1, 1) && kernel_row < SHORT {
        gather_short(kernel_row, map_row, &map[down.first * map_row + across.first * channels..], codes);
        return;
    }
    for (codes, row) in codes.chunks_exact_mut(kernel_row).skip(down.before).zip(down.places()) {
        gather_row(across, channels, &map[row * map_row..][..map_row], &mut codes[across.before * channels..]);
    }
}

/// The same of a window without padding whose rows are short: each is copied with what lies behind it, which the next one covers. Copies of a length
/// that is known need no call.
fn gather_short<C: Code>(kernel_row: usize, map_row: usize, map: &[C], codes: &mut [C]) {
    let (mut from, mut to) = (map, codes);
    while let (Some(source), Some(target)) = (from.first_chunk::<SHORT>(), to.first_chunk_mut::<SHORT>()) {
        *target = *source;
        (from, to) = (&from[map_row.min(from.len())..], &mut to[kernel_row..]);
    }
    // The last rows, behind which there is too little.
    while !to.is_empty() {
        to[..kernel_row].copy_from_slice(&from[..kernel_row]);
        (from, to) = (&from[map_row.min(from.len())..], &mut to[kernel_row..]);
    }
}

/// The same, group by group of channels.
fn gather_groups<C: Code>(
    window: &Window,
    groups: usize,
    (down, across): (Overlap, Overlap),
    map: &[C],
    codes: &mut [C],
) {
    let channels = window.input.channels as usize;
    let (of_group, width) = (channels / groups, window.input.width as usize);
    let rows = window.places() * of_group;
    for (y, row) in (down.before..).zip(down.places()) {
        for (x, column) in (across.before..).zip(across.places()) {
            let pixel = &map[(row * width + column) * channels..][..channels];
            let first = (y * window.horizontal.kernel as usize + x) * of_group;
            for (codes, pixel) in codes.chunks_exact_mut(rows).zip(pixel.chunks_exact(of_group)) {
                codes[first..first + of_group].copy_from_slice(pixel);
            }
        }
    }
}

/// Copies the pixels of a row of the map that a row of a window covers.
fn gather_row<C: Code>(across: Overlap, channels: usize, map: &[C], codes: &mut [C]) {
    if across.step == 1 {
        let part = &map[across.first * channels..][..across.count * channels];
        codes[..part.len()].copy_from_slice(part);
        return;
    }
    for (codes, pixel) in codes.chunks_exact_mut(channels).zip(across.places()) {
        codes.copy_from_slice(&map[pixel * channels..][..channels]);
    }
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
