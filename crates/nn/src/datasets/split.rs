//! One part of a data set.

use crate::Shape;
use crate::error::{Invalid, check_length};

/// Images with their labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// Values of one image.
    pub features: usize,
    /// `[image][feature]`, each value 0..=1.
    pub images: Vec<f32>,
    /// Class of each image.
    pub labels: Vec<u8>,
}

impl Split {
    /// Number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Values of image `index`.
    ///
    /// # Panics
    /// If there is no such image.
    #[must_use]
    pub fn image(&self, index: usize) -> &[f32] {
        &self.images[index * self.features..(index + 1) * self.features]
    }

    /// The first `count` images, or all if there are fewer.
    #[must_use]
    pub fn truncated(&self, count: usize) -> Self {
        let count = count.min(self.len());
        let images = self.images[..count * self.features].to_vec();
        Self { features: self.features, images, labels: self.labels[..count].to_vec() }
    }

    /// Checks that there are images, all of shape `shape`.
    ///
    /// # Errors
    /// The number that is wrong.
    pub fn check(&self, shape: Shape) -> Result<(), Invalid> {
        if self.is_empty() {
            return Err(Invalid::new("number of images", 0, "at least 1"));
        }
        check_length("an image", self.features, shape.len())?;
        check_length("all images", self.images.len(), self.len().saturating_mul(self.features))
    }
}

/// The numbers `0..count` in an order fixed by `seed`: Fisher-Yates with splitmix64, integer arithmetic only, so that it is the same
/// on every machine and in every version.
pub(super) fn permutation(count: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    let mut state = seed;
    for last in (1..count).rev() {
        let random = splitmix64(&mut state);
        // The high word of the product is uniform over 0..=last, up to one part in 2^64 / count.
        let pick = (u128::from(random) * (last as u128 + 1)) >> 64;
        order.swap(last, pick as usize);
    }
    order
}

/// The generator of S. Vigna's public-domain `splitmix64.c`.
fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix64_gives_its_published_values() {
        let mut state = 1_234_567;
        let values: Vec<u64> = (0..3).map(|_| splitmix64(&mut state)).collect();
        assert_eq!(values, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn a_permutation_holds_every_number_once() {
        let mut order = permutation(1797, 3);
        assert_ne!(order, permutation(1797, 4));
        order.sort_unstable();
        assert!(order.iter().enumerate().all(|(index, &value)| index == value));
        assert!(permutation(0, 1).is_empty());
        assert_eq!(permutation(1, 1), [0]);
    }

    #[test]
    fn truncated_keeps_the_first_images() {
        let split = Split { features: 2, images: vec![0.0, 0.1, 0.2, 0.3], labels: vec![7, 8] };
        assert_eq!(split.image(1), [0.2, 0.3]);
        assert_eq!(split.truncated(1), Split { features: 2, images: vec![0.0, 0.1], labels: vec![7] });
        assert_eq!(split.truncated(9), split);
        assert!(split.truncated(0).is_empty());
        assert!(split.truncated(0).check(Shape { channels: 1, height: 1, width: 2 }).is_err());
        assert!(split.check(Shape { channels: 1, height: 1, width: 3 }).is_err());
    }
}
