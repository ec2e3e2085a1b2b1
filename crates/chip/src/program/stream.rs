//! In which pieces images come through the memory port.

use super::Program;

/// Bits that a request to the memory brings at least, if there is room for them, so that the last cycle of the port, which it does not fill, costs little. It
/// does not depend on the port: what is counted must not depend on what only takes time.
pub(crate) const LEAST_BURST_BITS: u64 = 4096;

/// The pieces of an image on its way through memory port and global buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageStream {
    /// Pixels of an image.
    pub pixels: u64,
    /// Bits of a pixel.
    pub pixel_bits: u64,
    /// Pixels that a request to the memory brings: whole rows, or what half of the global buffer holds.
    pub burst: u64,
    /// Pixels of a word of the global buffer, which are loaded at once.
    pub load: u64,
}

impl ImageStream {
    /// Pixels of each burst.
    pub fn bursts(self) -> impl Iterator<Item = u64> {
        pieces(self.pixels, self.burst)
    }

    /// Pixels of each load from a burst of so many.
    pub fn loads(self, burst: u64) -> impl Iterator<Item = u64> {
        pieces(burst, self.load)
    }
}

/// Pieces of one size, the last of which may be smaller.
fn pieces(all: u64, size: u64) -> impl Iterator<Item = u64> {
    let size = size.max(1);
    (0..all.div_ceil(size)).map(move |piece| size.min(all - piece * size))
}

impl Program {
    /// How input images come through the memory port.
    #[must_use]
    pub fn image_stream(&self) -> ImageStream {
        let (input, memory, buffer) = (self.input, &self.chip.memory, &self.chip.tile.buffer);
        let pixel_bits = (u64::from(input.channels) * u64::from(input.bits)).max(1);
        let row = u64::from(input.width).max(1);
        let rows = LEAST_BURST_BITS.div_ceil(row.saturating_mul(pixel_bits)).max(1);
        let half = memory.buffer_bytes.saturating_mul(8) / pixel_bits / 2;
        let pixels = input.pixels() as u64;
        ImageStream {
            pixels,
            pixel_bits,
            burst: row.saturating_mul(rows).min(half).min(pixels).max(1),
            load: (u64::from(buffer.word_bits) / pixel_bits).max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_up_the_whole() {
        let stream = ImageStream { pixels: 23, pixel_bits: 3, burst: 10, load: 4 };
        assert_eq!(stream.bursts().collect::<Vec<_>>(), [10, 10, 3]);
        assert_eq!(stream.loads(10).collect::<Vec<_>>(), [4, 4, 2]);
        assert_eq!(stream.loads(3).collect::<Vec<_>>(), [3]);
    }
}
