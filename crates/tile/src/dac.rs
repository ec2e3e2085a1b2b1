//! The input side: a code is applied over several cycles, `dac_bits` at a time, least significant digit first.

use serde::{Deserialize, Serialize};

/// How an input code is coded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DacFormat {
    /// Codes `0..2^bits`.
    #[default]
    Unsigned,
    /// Codes `-(2^(bits - 1) - 1)..=2^(bits - 1) - 1`: a sign bit and a magnitude. The sign rides on every digit of the magnitude as the
    /// polarity of the pulse.
    SignMagnitude,
}

impl DacFormat {
    /// Bits of `input_bits` that are applied in digits.
    #[must_use]
    pub fn magnitude_bits(self, input_bits: u32) -> u32 {
        match self {
            Self::Unsigned => input_bits,
            Self::SignMagnitude => input_bits.saturating_sub(1),
        }
    }
}

/// Number of cycles that apply an input of `magnitude_bits`, a sign not counted: it rides on every digit.
#[must_use]
pub fn input_cycles(magnitude_bits: u32, dac_bits: u32) -> u32 {
    magnitude_bits.div_ceil(dac_bits.max(1))
}

/// Bits of the slice that is applied in `cycle`; the last one has those that are left.
#[must_use]
pub fn slice_bits(magnitude_bits: u32, dac_bits: u32, cycle: u32) -> u32 {
    magnitude_bits.saturating_sub(dac_bits.saturating_mul(cycle)).min(dac_bits)
}

/// Pulses that the largest digit of so many bits takes where a digit is applied as a number of equal pulses.
#[must_use]
pub fn pulses(bits: u32) -> u64 {
    (1_u64 << bits.min(63)) - 1
}

/// Digit of an unsigned `code` that is applied in `cycle` (0 = least significant).
#[inline]
#[must_use]
pub fn digit(code: u32, dac_bits: u32, cycle: u32) -> u32 {
    (code >> (dac_bits * cycle)) & ((1 << dac_bits) - 1)
}

/// Digit of a sign-magnitude `code` that is applied in `cycle`: the digit of the magnitude, with the sign of the code.
#[inline]
#[must_use]
pub fn signed_digit(code: i32, dac_bits: u32, cycle: u32) -> i32 {
    code.signum() * digit(code.unsigned_abs(), dac_bits, cycle) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_sign_costs_a_bit_of_magnitude() {
        for (input_bits, dac_bits, unsigned, signed) in
            [(8, 1, 8, 7), (8, 2, 4, 4), (8, 3, 3, 3), (9, 8, 2, 1), (2, 1, 2, 1)]
        {
            let cycles = |format: DacFormat| input_cycles(format.magnitude_bits(input_bits), dac_bits);
            assert_eq!((cycles(DacFormat::Unsigned), cycles(DacFormat::SignMagnitude)), (unsigned, signed));
        }
    }

    /// Positive and negative pulses of 1 bit, as the convention of ternary inputs has it.
    #[test]
    fn a_negative_code_is_applied_in_negative_digits() {
        let digits =
            |code: i32, dac_bits: u32| (0..3).map(|cycle| signed_digit(code, dac_bits, cycle)).collect::<Vec<_>>();
        assert_eq!(digits(-5, 1), [-1, 0, -1]);
        assert_eq!(digits(-27, 2), [-3, -2, -1]);
        assert_eq!(digits(27, 2), [3, 2, 1]);
    }

    /// 5 bits in slices of 3: 3 and 2 bits, 7 and 3 pulses; nothing is left behind them.
    #[test]
    fn the_last_slice_has_what_is_left() {
        assert_eq!([0, 1, 2].map(|cycle| slice_bits(5, 3, cycle)), [3, 2, 0]);
        assert_eq!([0, 1, 2].map(|cycle| pulses(slice_bits(5, 3, cycle))), [7, 3, 0]);
    }

    proptest! {
        #[test]
        fn slices_share_all_bits(bits in 1_u32..=16, dac_bits in 1_u32..=8) {
            let cycles = input_cycles(bits, dac_bits);
            let of_slices: Vec<u32> = (0..cycles).map(|cycle| slice_bits(bits, dac_bits, cycle)).collect();
            prop_assert_eq!(of_slices.iter().sum::<u32>(), bits);
            prop_assert!(of_slices.iter().all(|&of_slice| of_slice >= 1));
        }

        #[test]
        fn digits_add_up_to_the_code(code in 0_u32..=65_535, dac_bits in 1_u32..=8) {
            let cycles = input_cycles(16, dac_bits);
            let sum: u64 = (0..cycles).map(|c| u64::from(digit(code, dac_bits, c)) << (dac_bits * c)).sum();
            prop_assert_eq!(sum, u64::from(code));
        }

        #[test]
        fn signed_digits_add_up_to_the_code_and_fit(bits in 2_u32..=16, dac_bits in 1_u32..=8, share in -1.0_f64..=1.0) {
            let largest = (1_i32 << (bits - 1)) - 1;
            let code = (share * f64::from(largest)).round() as i32;
            let digits: Vec<i32> = (0..input_cycles(bits - 1, dac_bits)).map(|c| signed_digit(code, dac_bits, c)).collect();
            let sum: i64 = digits.iter().zip(0..).map(|(&digit, c): (&i32, u32)| i64::from(digit) << (dac_bits * c)).sum();
            prop_assert_eq!(sum, i64::from(code));
            prop_assert!(digits.iter().all(|digit| digit.abs() < 1 << dac_bits && digit * code.signum() >= 0));
        }
    }
}
