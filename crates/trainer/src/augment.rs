//! Random changes of training images. They depend on the address (seed, epoch, image) only, whatever the order of images and threads.

use nn::Shape;
use rand::Rng;
use serde::{Deserialize, Serialize};
use tile::address::{Purpose, Stream, stream};
use tile::check::{Check, Problems};

/// What may happen to a training image, each independently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augmentation {
    /// Shift by up to so many pixels in each direction; what comes into view is 0. A crop of an image that was padded with so many zeros is the same.
    pub shift: u32,
    /// Mirror left and right, every second image.
    pub flip: bool,
    /// Take a part with up to so many rows and columns less, at a random place, and stretch it to the image's size (bilinear).
    pub crop: u32,
}

impl Augmentation {
    /// Whether images stay as they are.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Writes image `index`, whose values are `image`, as epoch `epoch` sees it.
    pub(crate) fn apply(self, shape: Shape, image: &[f32], (seed, epoch, index): (u64, u32, u64), to: &mut [f32]) {
        if self.is_none() {
            to.copy_from_slice(image);
            return;
        }
        let change = self.draw(shape, &mut stream(seed, Purpose::Augmentation, &[u64::from(epoch), index]));
        let pixels = shape.height * shape.width;
        for (map, to) in image.chunks_exact(pixels).zip(to.chunks_exact_mut(pixels)) {
            for (pixel, value) in to.iter_mut().enumerate() {
                *value = change.value(shape, map, (pixel / shape.width) as i64, (pixel % shape.width) as i64);
            }
        }
    }

    fn draw(self, shape: Shape, stream: &mut Stream) -> Change {
        let shift = i64::from(self.shift);
        let shift = [(), ()].map(|()| below(stream, 2 * shift + 1) - shift);
        let flipped = self.flip && below(stream, 2) == 1;
        let most = i64::from(self.crop).min(shape.height.min(shape.width) as i64 - 1);
        let less = below(stream, most + 1);
        let first = [(), ()].map(|()| below(stream, less + 1));
        Change { shift, flipped, less, first }
    }
}

/// What happens to an image.
#[derive(Clone, Copy, Debug)]
struct Change {
    /// Rows down, columns to the right.
    shift: [i64; 2],
    flipped: bool,
    /// Rows and columns less of the part that is taken.
    less: i64,
    /// Its first row and column.
    first: [i64; 2],
}

impl Change {
    /// A value of the changed image of one channel.
    fn value(&self, shape: Shape, map: &[f32], y: i64, x: i64) -> f32 {
        let (height, width) = (shape.height as i64, shape.width as i64);
        let (y, x) = (y - self.shift[0], x - self.shift[1]);
        if !(0..height).contains(&y) || !(0..width).contains(&x) {
            return 0.0;
        }
        let x = if self.flipped { width - 1 - x } else { x };
        if self.less == 0 {
            return map[(y * width + x) as usize];
        }
        let ((y, below), (x, right)) = (self.place(0, y, height), self.place(1, x, width));
        let at = |y: i64, x: i64| map[(y.min(height - 1) * width + x.min(width - 1)) as usize];
        let row = |y: i64| at(y, x) * (1.0 - right) + at(y, x + 1) * right;
        row(y) * (1.0 - below) + row(y + 1) * below
    }

    /// Where a row or column of the stretched part comes from: the one before, and how far it is to the next.
    fn place(&self, axis: usize, at: i64, size: i64) -> (i64, f32) {
        let place = at as f32 * (size - 1 - self.less) as f32 / (size - 1).max(1) as f32;
        (self.first[axis] + place as i64, place.fract())
    }
}

/// A number of `0..count`, uniform to within `2^-64 * count`.
fn below(stream: &mut Stream, count: i64) -> i64 {
    ((u128::from(stream.next_u64()) * count as u128) >> 64) as i64
}

impl Check for Augmentation {
    fn check(&self, problems: &mut Problems) {
        problems.integer("shift", self.shift.into(), 0..=1024);
        problems.integer("crop", self.crop.into(), 0..=1024);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { channels: 2, height: 4, width: 5 };

    fn image() -> Vec<f32> {
        (1..=40).map(|value| value as f32).collect()
    }

    fn apply(augmentation: Augmentation, address: (u64, u32, u64)) -> Vec<f32> {
        let mut to = vec![-1.0; 40];
        augmentation.apply(SHAPE, &image(), address, &mut to);
        to
    }

    #[test]
    fn the_address_alone_decides() {
        let augmentation = Augmentation { shift: 2, flip: true, crop: 1 };
        assert_eq!(apply(augmentation, (1, 2, 3)), apply(augmentation, (1, 2, 3)));
        let others = [(2, 2, 3), (1, 3, 3), (1, 2, 4), (1, 2, 5)].map(|address| apply(augmentation, address));
        assert!(others.iter().any(|other| *other != others[0]));
        assert_eq!(apply(Augmentation::default(), (1, 2, 3)), image());
    }

    #[test]
    fn half_of_the_images_are_mirrored() {
        let flip = Augmentation { flip: true, ..Augmentation::default() };
        let mirrored: Vec<f32> = image().chunks(5).flat_map(|row| row.iter().rev().copied()).collect();
        let all: Vec<Vec<f32>> = (0..400).map(|index| apply(flip, (1, 0, index))).collect();
        assert!(all.iter().all(|other| *other == image() || *other == mirrored));
        assert!((160..240).contains(&all.iter().filter(|other| **other == mirrored).count()));
    }

    /// Every shift is drawn; both channels move alike, and what comes into view is black.
    #[test]
    fn images_are_shifted_in_all_directions() {
        let shift = Augmentation { shift: 1, ..Augmentation::default() };
        let shifted = |dy: i64, dx: i64| -> Vec<f32> {
            let value = |(channel, y, x): (usize, i64, i64)| {
                let inside = (0..4).contains(&y) && (0..5).contains(&x);
                if inside { image()[channel * 20 + y as usize * 5 + x as usize] } else { 0.0 }
            };
            let places = (0..40).map(|index| (index / 20, (index / 5 % 4) as i64 - dy, (index % 5) as i64 - dx));
            places.map(value).collect()
        };
        let seen: Vec<Vec<f32>> = (0..200).map(|index| apply(shift, (1, 0, index))).collect();
        let all: Vec<Vec<f32>> =
            (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dy, dx))).map(|(y, x)| shifted(y, x)).collect();
        assert!(seen.iter().all(|image| all.contains(image)));
        assert!(all.iter().all(|image| seen.contains(image)));
    }

    /// The part is as large as it says, lies inside, and is stretched evenly: on a ramp, steps are smaller and all the same.
    #[test]
    fn parts_are_stretched_to_the_image() {
        let shape = Shape { channels: 1, height: 9, width: 9 };
        let ramp: Vec<f32> = (0..81).map(|index| (index % 9) as f32).collect();
        let crop = Augmentation { crop: 4, ..Augmentation::default() };
        let mut steps = std::collections::BTreeSet::new();
        for index in 0..100 {
            let mut to = vec![-1.0; 81];
            crop.apply(shape, &ramp, (1, 0, index), &mut to);
            let step = to[1] - to[0];
            assert!(to.chunks(9).all(|row| row.windows(2).all(|pair| (pair[1] - pair[0] - step).abs() < 1e-5)));
            assert!(to[0] >= 0.0 && to[8] <= 8.0 && (8.0 * step).fract() == 0.0, "{to:?}");
            steps.insert((8.0 * step) as u32);
        }
        assert_eq!(steps.into_iter().collect::<Vec<u32>>(), [4, 5, 6, 7, 8]);
    }
}
