//! How input codes become digits, and digits become indices into tables.

use crate::dac;

/// Largest number of table entries of a group that has several rows.
const GROUP_ENTRIES: usize = 16;

/// How the codes of the word lines are applied: `cycles` digits of `bits` bits, least significant first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigitFormat {
    /// Bits of a digit's magnitude, 1..=8.
    pub bits: u32,
    /// Digits of a code.
    pub cycles: u32,
    /// Whether codes and digits carry a sign.
    pub signed: bool,
}

impl DigitFormat {
    /// Number of different digits: `2^bits`, with a sign `2^(bits + 1) - 1`.
    #[must_use]
    pub fn radix(self) -> usize {
        if self.signed { (2 << self.bits) - 1 } else { 1 << self.bits }
    }

    /// Rows whose digits are looked up together: as many as have at most 16 combinations, at least one.
    #[must_use]
    pub fn group_rows(self) -> usize {
        let mut rows = 1;
        while rows < 4 && self.radix().pow(rows + 1) <= GROUP_ENTRIES {
            rows += 1;
        }
        rows as usize
    }

    /// Places in the table per group.
    pub(super) fn group_entries(self) -> usize {
        self.radix().max(GROUP_ENTRIES)
    }

    /// Whether a row has so many digits that multiplying is cheaper than looking up.
    pub(super) fn multiplies(self) -> bool {
        self.radix() > GROUP_ENTRIES
    }

    /// The digit with index `index`: 0, 1, 2, ..., -1, -2, ....
    pub(super) fn digit_of(self, index: usize) -> i32 {
        let positive = (1 << self.bits) - 1;
        let index = index as i32;
        if index > positive { positive - index } else { index }
    }

    /// Index of the digit that `code` has in `cycle`, below [`Self::radix`]; 0 for digit 0. Without a sign, the magnitude counts.
    pub(super) fn index(self, code: i32, cycle: u32) -> usize {
        let digit = dac::digit(code.unsigned_abs(), self.bits, cycle);
        let negative = self.signed && code < 0 && digit > 0;
        (digit + if negative { (1 << self.bits) - 1 } else { 0 }) as usize
    }
}

/// Adds the number of bits of the codes of each row to `counts`; `codes` has one entry per row, vector after vector.
#[inline(always)]
pub(super) fn count_bits(codes: &[u8], counts: &mut [u64]) {
    let rows = counts.len();
    // Several vectors of few rows side by side: then loops are long.
    let period = rows * (SIDE_BY_SIDE / rows.max(1)).max(1);
    let mut bits = vec![0_u8; period];
    // A byte can count the 248 bits that 31 codes have at most.
    for vectors in codes.chunks(31 * period.max(1)) {
        bits.fill(0);
        for codes in vectors.chunks(period) {
            bits.iter_mut().zip(codes).for_each(|(bits, code)| *bits += code.count_ones() as u8);
        }
        for bits in bits.chunks_exact(rows) {
            counts.iter_mut().zip(bits).for_each(|(count, &bits)| *count += u64::from(bits));
        }
    }
}

/// Rows whose bits are counted together.
const SIDE_BY_SIDE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_rows_as_have_sixteen_combinations_share_a_table() {
        let rows = |bits: u32, signed: bool| DigitFormat { bits, cycles: 1, signed }.group_rows();
        assert_eq!([1, 2, 3, 4, 5, 8].map(|bits| rows(bits, false)), [4, 2, 1, 1, 1, 1]);
        assert_eq!([1, 2, 3, 4, 8].map(|bits| rows(bits, true)), [2, 1, 1, 1, 1]);
    }

    #[test]
    fn every_digit_has_an_index_and_zero_has_index_zero() {
        for bits in 1..=8 {
            for signed in [false, true] {
                let format = DigitFormat { bits, cycles: 2, signed };
                let lowest: i32 = if signed { 1 - (1 << bits) } else { 0 };
                let mut seen = vec![false; format.radix()];
                for digit in lowest..1 << bits {
                    // The second digit, with something in the first.
                    let code = digit.signum() * ((digit.abs() << bits) + 1);
                    let index = format.index(if digit == 0 { 1 } else { code }, 1);
                    assert_eq!(format.digit_of(index), digit);
                    assert!(!std::mem::replace(&mut seen[index], true));
                }
                assert!(seen.iter().all(|&seen| seen));
                assert_eq!(format.index(0, 0), 0);
            }
        }
    }
}
