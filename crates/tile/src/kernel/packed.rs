//! Vectors of codes, packed once and read by every block of columns.

use super::digits::DigitFormat;
use super::lanes::LANES;
use super::task::Task;
use super::{Isa, simd};

/// Input slices that are read side by side.
pub(super) const SLICES: usize = 4;

/// The digits of a block of input vectors, in a form that costs a column block little to read. Groups of rows without any digit in a set of
/// four input slices are left out.
#[derive(Clone, Debug)]
pub struct Packed {
    format: DigitFormat,
    /// Whether rows are multiplied instead of looked up.
    multiplies: bool,
    rows: usize,
    vectors: usize,
    /// For each driven group of each vector and set of slices: the place of the group's sum in the table for each slice of the set, counted in
    /// `f32`, two to a word. Every place is that of one of the `groups() * group_entries()` entries.
    places: Vec<[u64; 2]>,
    /// Where rows are multiplied instead: row and digits.
    factors: Vec<Factors>,
    /// End of every vector and set of slices in `places` or `factors`.
    ends: Vec<u32>,
}

/// Vectors whose bits are packed together: short ones would not fill vector registers by themselves.
const TOGETHER: usize = 16;

/// One driven row of one vector, in one set of slices.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Factors {
    pub(super) digits: [f32; SLICES],
    pub(super) row: u32,
}

impl Packed {
    /// No vectors yet. Rows with more than 16 digits are packed for multiplication, unless `tables` says that cells are not linear.
    ///
    /// # Panics
    /// If digits do not have 1 to 8 bits, or codes more than 17 (rounded up to whole digits).
    #[must_use]
    pub fn new(format: DigitFormat, tables: bool) -> Self {
        assert!(
            (1..=8).contains(&format.bits) && format.bits * format.cycles <= 24,
            "digits and codes that a DAC can have"
        );
        let multiplies = format.multiplies() && !tables;
        Self { format, multiplies, rows: 0, vectors: 0, places: Vec::new(), factors: Vec::new(), ends: Vec::new() }
    }

    /// How the codes are applied.
    #[must_use]
    pub fn format(&self) -> DigitFormat {
        self.format
    }

    /// Whether rows are multiplied instead of looked up.
    pub(super) fn multiplies(&self) -> bool {
        self.multiplies
    }

    /// Number of vectors.
    #[must_use]
    pub fn vectors(&self) -> usize {
        self.vectors
    }

    /// Entries that a table for these vectors has.
    pub(super) fn table_entries(&self) -> usize {
        self.rows.div_ceil(self.format.group_rows()) * self.format.group_entries()
    }

    /// The list of places of a vector in a set of slices, numbered together.
    #[inline(always)]
    pub(super) fn list(&self, at: usize) -> &[[u64; 2]] {
        &self.places[range(&self.ends, at)]
    }

    /// The list of driven rows of a vector in a set of slices, numbered together.
    #[inline(always)]
    pub(super) fn rows_driven(&self, at: usize) -> &[Factors] {
        &self.factors[range(&self.ends, at)]
    }

    /// Sets of slices per vector.
    pub(super) fn sets(&self) -> usize {
        (self.format.cycles as usize).div_ceil(SLICES)
    }

    /// Packs vectors of `rows` codes each.
    pub fn pack<'a>(&mut self, rows: usize, vectors: impl Iterator<Item = &'a [i32]>) {
        self.begin(rows);
        for codes in vectors {
            self.vectors += 1;
            for set in 0..self.sets() {
                if self.multiplies {
                    self.push_factors(&codes[..rows], set);
                } else {
                    self.push_places(&codes[..rows], set);
                }
            }
        }
    }

    fn begin(&mut self, rows: usize) {
        (self.rows, self.vectors) = (rows, 0);
        self.places.clear();
        self.factors.clear();
        self.ends.clear();
    }

    /// The slices of a set, each with its place in it.
    fn slices(&self, set: usize) -> impl Iterator<Item = (usize, u32)> + use<> {
        let first = (set * SLICES) as u32;
        (first..self.format.cycles.min(first + SLICES as u32)).enumerate()
    }

    fn push_places(&mut self, codes: &[i32], set: usize) {
        let (radix, entries) = (self.format.radix(), self.format.group_entries());
        for (group, codes) in codes.chunks(self.format.group_rows()).enumerate() {
            let mut driven = 0;
            let mut places = [(group * entries * LANES) as u64; SLICES];
            for (place, cycle) in self.slices(set) {
                let index = codes.iter().rev().fold(0, |index, &code| index * radix + self.format.index(code, cycle));
                // What the unchecked reads of the table rely on.
                assert!(index < entries, "an index of the group's table");
                driven |= index;
                places[place] += (index * LANES) as u64;
            }
            if driven != 0 {
                self.places.push([places[0] | places[1] << 32, places[2] | places[3] << 32]);
            }
        }
        self.ends.push(self.places.len() as u32);
    }

    fn push_factors(&mut self, codes: &[i32], set: usize) {
        for (row, &code) in codes.iter().enumerate() {
            let mut factors = Factors { row: row as u32, ..Factors::default() };
            for (place, cycle) in self.slices(set) {
                factors.digits[place] = self.format.digit_of(self.format.index(code, cycle)) as f32;
            }
            if factors.digits != [0.0; SLICES] {
                self.factors.push(factors);
            }
        }
        self.ends.push(self.factors.len() as u32);
    }

    /// Packs vectors of unsigned codes of at most 8 bits that are applied bit by bit: the same as [`Self::pack`], many times faster. Vector `i` is
    /// `codes[i * stride..][..rows]`.
    ///
    /// # Panics
    /// If the format is another one.
    pub fn pack_bits(&mut self, isa: Isa, rows: usize, codes: &[u8], stride: usize) {
        simd::run(isa, Task::Pack(self, PackBits { rows, codes, stride }));
    }

    /// The body of [`Self::pack_bits`].
    #[inline(always)]
    pub(super) fn run_pack_bits(&mut self, PackBits { rows, codes, stride }: PackBits<'_>) {
        let fits = self.format.bits == 1 && !self.format.signed && self.format.cycles <= 8;
        assert!(fits, "unsigned codes of at most 8 bits, applied bit by bit");
        (self.rows, self.vectors) = (rows, 0);
        self.ends.clear();
        let (groups, sets) = (rows.div_ceil(4), self.sets());
        let mut words = vec![0_u32; groups * TOGETHER];
        let mut dense = vec![vec![[0_u64; 2]; groups * TOGETHER]; sets];
        let firsts: Vec<u32> = (0..groups * TOGETHER).map(|at| (at % groups * 16 * LANES) as u32).collect();
        let mut used = 0;
        for codes in codes.chunks(stride * TOGETHER) {
            let vectors = codes.len().div_ceil(stride);
            for (codes, words) in codes.chunks(stride).zip(words.chunks_exact_mut(groups)) {
                read_words(&codes[..rows], words);
            }
            for (set, dense) in dense.iter_mut().enumerate() {
                places_of_bits(&words[..vectors * groups], &firsts, set, dense);
            }
            // Grown in large steps and cut once at the end, since filling with zeros costs as much as packing.
            if self.places.len() < used + vectors * sets * groups {
                self.places.resize(2 * (used + vectors * sets * groups), [0; 2]);
            }
            for (vector, words) in words.chunks_exact(groups).enumerate().take(vectors) {
                for (set, dense) in dense.iter().enumerate() {
                    let dense = &dense[vector * groups..(vector + 1) * groups];
                    used += keep_driven(words, set, dense, &mut self.places[used..used + groups]);
                    self.ends.push(used as u32);
                }
            }
            self.vectors += vectors;
        }
        self.places.truncate(used);
    }
}

/// What [`Packed::pack_bits`] packs.
#[derive(Clone, Copy, Debug)]
pub(super) struct PackBits<'a> {
    rows: usize,
    codes: &'a [u8],
    stride: usize,
}

#[inline(always)]
fn range(ends: &[u32], at: usize) -> std::ops::Range<usize> {
    let start = if at == 0 { 0 } else { ends[at - 1] as usize };
    start..ends[at] as usize
}

/// Four codes to a word, zeros behind the last one.
#[inline(always)]
fn read_words(codes: &[u8], words: &mut [u32]) {
    let mut fours = codes.chunks_exact(4);
    for (word, four) in words.iter_mut().zip(&mut fours) {
        *word = u32::from_le_bytes([four[0], four[1], four[2], four[3]]);
    }
    let rest = fours.remainder();
    if let (Some(last), false) = (words.last_mut(), rest.is_empty()) {
        *last = rest.iter().rev().fold(0, |word, &code| word << 8 | u32::from(code));
    }
}

/// The bits of four codes that a set of slices applies, from the lowest of each byte.
#[inline(always)]
fn bits_of_set(word: u32, set: usize) -> u32 {
    word >> (set * SLICES) & 0x0f0f_0f0f
}

/// The places of every group in one set of slices, given the place of each group's first entry.
#[inline(always)]
fn places_of_bits(words: &[u32], firsts: &[u32], set: usize, places: &mut [[u64; 2]]) {
    for ((&word, &first), places) in words.iter().zip(firsts).zip(places) {
        let word = bits_of_set(word, set);
        // Bit `slice` of code j becomes bit j of the index: the products of the multiplication that reach the top four bits are those.
        let index = |slice: u32| (word >> slice & 0x0101_0101).wrapping_mul(0x1020_4080) >> 28;
        let place = |slice: u32| u64::from(first + index(slice) * LANES as u32);
        *places = [place(0) | place(1) << 32, place(2) | place(3) << 32];
    }
}

/// Keeps the places of the driven groups; returns how many there are.
#[inline(always)]
fn keep_driven(words: &[u32], set: usize, dense: &[[u64; 2]], places: &mut [[u64; 2]]) -> usize {
    let mut driven = 0;
    for (&word, &dense) in words.iter().zip(dense) {
        places[driven] = dense;
        driven += usize::from(bits_of_set(word, set) != 0);
    }
    driven
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bits_are_packed_like_digits(rows in 1_usize..70, cycles in 1_u32..=8, codes in proptest::collection::vec(prop_oneof![Just(0_u8), any::<u8>()], 210)) {
            let codes: Vec<u8> = codes.iter().map(|&code| (u32::from(code) & ((1 << cycles) - 1)) as u8).collect();
            let format = DigitFormat { bits: 1, cycles, signed: false };
            let wide: Vec<i32> = codes.iter().map(|&code| i32::from(code)).collect();
            let (mut fast, mut slow) = (Packed::new(format, false), Packed::new(format, false));
            slow.pack(rows, wide.chunks_exact(70));
            for isa in Isa::available() {
                fast.pack_bits(isa, rows, &codes, 70);
                prop_assert_eq!(fast.vectors(), 3);
                prop_assert_eq!(&fast.places, &slow.places);
                prop_assert_eq!(&fast.ends, &slow.ends);
            }
        }

        /// What the unchecked reads of the kernel rely on.
        #[test]
        fn every_place_is_that_of_an_entry(rows in 1_usize..40, bits in 1_u32..=4, signed: bool, codes in proptest::collection::vec(-255_i32..=255, 40)) {
            let format = DigitFormat { bits, cycles: 8_u32.div_ceil(bits), signed };
            // Negative codes too where the format has no sign: a mistake, but no unsound one.
            let mut packed = Packed::new(format, false);
            packed.pack(rows, std::iter::once(codes.as_slice()));
            for place in packed.places.iter().flatten().flat_map(|&pair| [pair & 0xffff_ffff, pair >> 32]) {
                prop_assert_eq!(place as usize % LANES, 0);
                prop_assert!((place as usize / LANES) < packed.table_entries());
            }
        }
    }
}
