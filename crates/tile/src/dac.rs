//! The input side: an unsigned code is applied over several cycles, `dac_bits` at a time, least significant digit first.

/// Number of cycles that apply an input of `input_bits`.
#[must_use]
pub fn input_cycles(input_bits: u32, dac_bits: u32) -> u32 {
    input_bits.div_ceil(dac_bits)
}

/// Digit of `code` that is applied in `cycle` (0 = least significant).
#[inline]
#[must_use]
pub fn digit(code: u32, dac_bits: u32, cycle: u32) -> u32 {
    (code >> (dac_bits * cycle)) & ((1 << dac_bits) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn digits_add_up_to_the_code(code in 0_u32..=65_535, dac_bits in 1_u32..=8) {
            let sum: u64 = (0..input_cycles(16, dac_bits)).map(|c| u64::from(digit(code, dac_bits, c)) << (dac_bits * c)).sum();
            prop_assert_eq!(sum, u64::from(code));
        }
    }
}
