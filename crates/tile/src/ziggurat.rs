//! The draws of [`StandardNormal`], with the nearly 99 % that take one word of the stream inlined.
//!
//! The ziggurat of Doornik ("An improved ziggurat method to generate normal random samples", Oxford, 2005): 256 layers of equal area cover half the
//! density, layer `i` reaching to the abscissa `x_i`. One word chooses a layer by its lowest 8 bits and a `u` in -1..1 by its highest 52, and
//! `u x_i` is the draw if it lies within `x_(i+1)`. All other cases are left to [`StandardNormal`], which sees the same word again. The
//! abscissae are asked from it as well, so that there is one table.

use crate::address::Stream;
use rand::{Rng, TryRng};
use rand_distr::{Distribution, StandardNormal};
use std::convert::Infallible;
use std::iter::{from_fn, once, repeat};
use std::sync::LazyLock;

/// How far the layers reach, the tail's first; they end with 0.
pub(crate) type Abscissae = [f64; 257];

static ABSCISSAE: LazyLock<Abscissae> = LazyLock::new(|| std::array::from_fn(abscissa));

/// What [`draw`] looks up.
pub(crate) fn abscissae() -> &'static Abscissae {
    &ABSCISSAE
}

/// `StandardNormal.sample(stream)`.
#[inline(always)]
pub(crate) fn draw(stream: &mut Stream, abscissae: &Abscissae) -> f64 {
    let word = stream.next_u64();
    let layer = usize::from(word as u8);
    let value = uniform(word) * abscissae[layer];
    if value.abs() < abscissae[layer + 1] {
        return value;
    }
    let (value, after) = draw_again(word, stream.clone());
    *stream = after;
    value
}

/// The draw of a stream that has just given `word`. The stream comes and goes by value, so that the caller can keep its state in registers.
#[cold]
#[inline(never)]
fn draw_again(word: u64, mut stream: Stream) -> (f64, Stream) {
    let words = once(word).chain(from_fn(|| Some(stream.next_u64())));
    (StandardNormal.sample(&mut Words(words)), stream)
}

/// Uniform in -1..1: 52 bits as the fraction of a number in 2..4, less 3.
#[inline(always)]
fn uniform(word: u64) -> f64 {
    f64::from_bits(TWO | word >> 12) - 3.0
}
/// Bits of 2.
const TWO: u64 = 0x4000_0000_0000_0000;

/// The abscissa of a layer: a draw with a `u` that is a power of two, so that nothing is rounded, and so small that it lies within every layer
/// but the last one. That one accepts it as it would nearly all, the word after it being the largest.
fn abscissa(layer: usize) -> f64 {
    let small = 2f64.powi(-40);
    let word = (3.0 + small).to_bits() << 12 | layer as u64;
    let draw: f64 = StandardNormal.sample(&mut Words(once(word).chain(repeat(u64::MAX))));
    if layer < 256 { draw / small } else { 0.0 }
}

/// Given words as a generator.
struct Words<I>(I);

impl<I: Iterator<Item = u64>> TryRng for Words<I> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|word| word as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next().unwrap_or_default())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        rand::rand_core::utils::fill_bytes_via_next_word(bytes, || self.try_next_u64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    /// Rows of many lengths: a few of the 2^22 draws lie in the tail, many are rejected, and every layer occurs.
    #[test]
    fn draws_and_streams_are_those_of_the_standard_normal() {
        let (mut tail, mut rejected) = (0, 0);
        for seed in 0..1 << 12 {
            let (mut ours, mut theirs) = (Stream::seed_from_u64(seed), Stream::seed_from_u64(seed));
            for _ in 0..1 << 10 {
                let mut one_word = ours.clone();
                one_word.next_u64();
                let (found, expected): (f64, f64) = (draw(&mut ours, abscissae()), StandardNormal.sample(&mut theirs));
                assert_eq!(found.to_bits(), expected.to_bits(), "seed {seed}");
                assert_eq!(ours, theirs, "seed {seed}");
                tail += u32::from(found.abs() > abscissae()[1]);
                rejected += u32::from(ours != one_word);
            }
        }
        assert!(tail > 100 && rejected > 40_000, "{tail} in the tail, {rejected} that take several words");
    }

    /// Doornik's table 1: `x_1` = 3.6541528853610088 and 4.92867323399e-3 of area a layer, with the density `exp(-x^2 / 2)`. The last layer is what
    /// the others leave, hence has the sum of their roundings.
    #[test]
    fn layers_have_the_same_area() {
        const AREA: f64 = 4.928_673_233_99e-3;
        let x = abscissae();
        let density = |x: f64| libm::exp(-0.5 * x * x);
        assert_eq!((x[1], x[256]), (3.654_152_885_361_009, 0.0));
        assert!((x[0] * density(x[1]) / AREA - 1.0).abs() < 1e-10, "{}", x[0]);
        for layer in 1..256 {
            let area = x[layer] * (density(x[layer + 1]) - density(x[layer]));
            assert!((area / AREA - 1.0).abs() < 1e-8, "layer {layer}: {area}");
        }
    }
}
