//! Images to run, made up so that the benchmarks need no data set: the speed of the kernel depends on how many input bits are set and how
//! they cluster, not on what an image shows.

use nn::datasets::Split;
use tile::address::{Purpose, Stream, standard_normals, stream};

const SEED: u64 = 1;
/// Side of a handwritten digit, pixels.
const SIDE: usize = 28;
/// Share of the pixels of an MNIST test image that are not 0, on average (counted: 0.192).
const INKED: usize = SIDE * SIDE / 5;

/// `count` images of 28 x 28 pixels with strokes of a pen in the middle; four fifths of the pixels are 0, as in MNIST.
#[must_use]
pub fn strokes(count: usize) -> Split {
    let images = (0..count).flat_map(|index| drawing(&mut stream(SEED, Purpose::Initialisation, &[0, index as u64])));
    split(count, images.collect())
}

/// `count` images of 3 x 32 x 32 pixels of noise, hardly any of them 0, as in photographs.
#[must_use]
pub fn photographs(count: usize) -> Split {
    let mut draws = Vec::new();
    let mut images = Vec::with_capacity(count * 3 * 32 * 32);
    for index in 0..count {
        standard_normals(&mut stream(SEED, Purpose::Initialisation, &[1, index as u64]), 3 * 32 * 32, &mut draws);
        images.extend(draws.iter().map(|draw| (0.5 + 0.2 * draw).clamp(0.0, 1.0)));
    }
    split(count, images)
}

fn split(count: usize, images: Vec<f32>) -> Split {
    let labels = (0..count).map(|index| (index % 10) as u8).collect();
    Split { features: images.len() / count.max(1), images, labels }
}

/// Curved strokes through random points until a fifth of the pixels has ink.
fn drawing(random: &mut Stream) -> Vec<f32> {
    let mut pixels = vec![0.0; SIDE * SIDE];
    let mut draws = Vec::new();
    loop {
        standard_normals(random, 6, &mut draws);
        let place: Vec<f32> = draws.iter().map(|draw| (13.5 + 4.5 * draw).clamp(4.0, 23.0)).collect();
        for step in 0..32 {
            let t = step as f32 / 31.0;
            // A quadratic Bezier curve.
            let at = |axis: usize| {
                let (from, via, to) = (place[axis], place[2 + axis], place[4 + axis]);
                (1.0 - t) * ((1.0 - t) * from + t * via) + t * ((1.0 - t) * via + t * to)
            };
            dot(&mut pixels, at(0), at(1));
            if pixels.iter().filter(|&&pixel| pixel > 0.0).count() >= INKED {
                return pixels;
            }
        }
    }
}

/// A round dot of a pen of some three pixels with soft edges.
fn dot(pixels: &mut [f32], x: f32, y: f32) {
    for (index, pixel) in pixels.iter_mut().enumerate() {
        let (dx, dy) = ((index % SIDE) as f32 - x, (index / SIDE) as f32 - y);
        let ink = (2.0 - (dx * dx + dy * dy).sqrt()).clamp(0.0, 1.0);
        *pixel = ink.max(*pixel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zeros(split: &Split) -> f64 {
        split.images.iter().filter(|&&pixel| pixel == 0.0).count() as f64 / split.images.len() as f64
    }

    #[test]
    fn strokes_leave_four_fifths_of_an_image_empty_and_all_of_its_margin() {
        let split = strokes(40);
        assert!((0.78..0.81).contains(&zeros(&split)), "{}", zeros(&split));
        for index in 0..40 {
            let image = split.image(index);
            assert!(image[..2 * SIDE].iter().all(|&pixel| pixel == 0.0));
            assert!(image.iter().filter(|&&pixel| pixel == 1.0).count() > 30);
        }
        assert_ne!(split.image(0), split.image(1));
        assert_eq!(strokes(3).images, strokes(40).truncated(3).images);
    }

    #[test]
    fn photographs_are_dense() {
        let split = photographs(4);
        assert_eq!(split.features, 3072);
        assert!(zeros(&split) < 0.01, "{}", zeros(&split));
        assert!(split.images.iter().all(|pixel| (0.0..=1.0).contains(pixel)));
    }
}
