//! Two words of 32 bits from a key and a counter, by multiplications of 32 bits, which every instruction set has side by side.

use crate::address::mix;

/// What the counters of one key are mixed with.
#[derive(Clone, Copy, Debug)]
pub(super) struct RoundKeys {
    start: u32,
    radius: u32,
    angle: u32,
}

impl RoundKeys {
    #[inline(always)]
    pub(super) fn new(key: u64) -> Self {
        let (first, second) = (mix(key), mix(mix(key)));
        Self { start: first as u32, radius: (first >> 32) as u32, angle: second as u32 }
    }

    /// The two words of a counter: a permutation of all counters that depends on `start`, then one each that depends on a further word of
    /// the key. Two keys that agree in one of the three words, as some of 2^16 keys do by chance, still have different draws.
    #[inline(always)]
    pub(super) fn words(self, counter: u32) -> (u32, u32) {
        let start = scatter_a(counter ^ self.start);
        (scatter_a(start.wrapping_add(self.radius)), scatter_b(start ^ self.angle))
    }
}

/// A bijection of 32-bit words with little bias: C. Wellons' search for finalisers of two multiplications ("lowbias32", 2018).
#[inline(always)]
fn scatter_a(word: u32) -> u32 {
    let word = (word ^ (word >> 16)).wrapping_mul(0x7feb_352d);
    let word = (word ^ (word >> 15)).wrapping_mul(0x846c_a68b);
    word ^ (word >> 16)
}

/// Another one, so that the two words are not values of the same function: the finaliser of A. Appleby's MurmurHash3 (2011).
#[inline(always)]
fn scatter_b(word: u32) -> u32 {
    let word = (word ^ (word >> 16)).wrapping_mul(0x85eb_ca6b);
    let word = (word ^ (word >> 13)).wrapping_mul(0xc2b2_ae35);
    word ^ (word >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::chi_square_quantile;

    fn words(key: u64, counter: u32) -> u64 {
        let (radius, angle) = RoundKeys::new(key).words(counter);
        u64::from(radius) << 32 | u64::from(angle)
    }

    /// Every bit of the counter and of the key flips every bit of the words with a probability of 0.5; the standard error is 0.002.
    #[test]
    fn the_words_have_the_avalanche_property() {
        let count = 1 << 16;
        for input in 0..96_u32 {
            let (key_bit, counter_bit) = if input < 32 { (0, 1 << input) } else { (1_u64 << (input - 32), 0) };
            let mut flips = [0_u32; 64];
            for i in 0..count {
                let (key, counter) = (u64::from(i / 256), i % 256 * 77);
                let changed = words(key, counter) ^ words(key ^ key_bit, counter ^ counter_bit);
                for (bit, flips) in flips.iter_mut().enumerate() {
                    *flips += (changed >> bit & 1) as u32;
                }
            }
            for (output, flips) in flips.into_iter().enumerate() {
                let share = f64::from(flips) / f64::from(count);
                assert!((share - 0.5).abs() < 0.01, "bit {input} to {output}: {share}");
            }
        }
    }

    /// The bytes of the words of counters in sequence, and pairs of bytes one of either word: chi-square between its 0.01 % quantiles.
    #[test]
    fn the_words_are_uniform_and_independent() {
        let all: Vec<u64> = (0..4_u32).flat_map(|key| (0..1 << 18).map(move |i| words(u64::from(key), i))).collect();
        let assert_uniform = |bins: usize, bin: &dyn Fn(u64) -> usize, what: &str| {
            let mut counts = vec![0_u32; bins];
            all.iter().for_each(|&word| counts[bin(word)] += 1);
            let expected = all.len() as f64 / bins as f64;
            let square: f64 = counts.iter().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum();
            let quantile = |probability| chi_square_quantile(probability, (bins - 1) as f64);
            assert!((quantile(1e-4)..quantile(1.0 - 1e-4)).contains(&square), "{what}: {square}");
        };
        for byte in 0..8 {
            assert_uniform(256, &|word| (word >> (8 * byte)) as usize & 255, &format!("byte {byte}"));
        }
        for (of_radius, of_angle) in (0..4).flat_map(|a| (0..4).map(move |b| (a, b))) {
            let pair = |word: u64| {
                let byte = |at: usize| (word >> (8 * at)) as usize & 255;
                byte(4 + of_radius) << 8 | byte(of_angle)
            };
            assert_uniform(65_536, &pair, &format!("bytes {of_radius} and {of_angle}"));
        }
    }
}
