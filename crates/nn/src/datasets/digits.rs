//! `digits-8x8`: handwritten digits of 8 x 8 pixels with 17 grey values, 1797 images.
//!
//! The images are shuffled once with a fixed seed and then cut into 1100 for training, 300 for validation and 397 for testing.

use super::split::permutation;
use super::{DataError, Dataset, DatasetInfo, Source, Split, read_idx};
use crate::Shape;

/// Entry of the list of data sets.
pub(super) const INFO: DatasetInfo = DatasetInfo {
    name: "digits-8x8",
    doc: "1797 handwritten digits of 8x8 pixels: 1100 for training, 300 for validation, 397 for testing",
    source: "UCI Machine Learning Repository, doi 10.24432/C50P49, test part",
    attribution: "E. Alpaydin, C. Kaynak, \"Optical Recognition of Handwritten Digits\", 1998, CC BY 4.0",
    source_of_images: Source::Embedded(load),
};

const IMAGES: (&str, &[u8]) = ("digits-8x8/images.idx3.gz", include_bytes!("../../data/digits-8x8/images.idx3.gz"));
const LABELS: (&str, &[u8]) = ("digits-8x8/labels.idx1.gz", include_bytes!("../../data/digits-8x8/labels.idx1.gz"));

const COUNT: usize = 1797;
const SIZE: usize = 8;
const CLASSES: usize = 10;
/// Largest grey value; every multiple of 1/16 is exact in `f32`.
const WHITE: u8 = 16;
const TRAIN: usize = 1100;
const VALIDATION: usize = 300;
/// Seed of the order of the images. It is part of the data set: another one would make other splits and other results.
const SHUFFLE_SEED: u64 = 8;

fn load() -> Result<Dataset, DataError> {
    let images = read_values(IMAGES, &[COUNT, SIZE, SIZE], WHITE)?;
    let labels = read_values(LABELS, &[COUNT], CLASSES as u8 - 1)?;
    let order = permutation(COUNT, SHUFFLE_SEED);
    let (train, rest) = order.split_at(TRAIN);
    let (validation, test) = rest.split_at(VALIDATION);
    let split = |order: &[usize]| select(order, &images, &labels);
    Ok(Dataset {
        name: INFO.name,
        shape: Shape { channels: 1, height: SIZE, width: SIZE },
        classes: CLASSES,
        train: split(train),
        validation: split(validation),
        test: split(test),
    })
}

/// Reads an embedded array, which must have the sizes `dimensions` and no value above `largest`.
fn read_values((file, bytes): (&str, &[u8]), dimensions: &[usize], largest: u8) -> Result<Vec<u8>, DataError> {
    let array = read_idx(file, bytes, dimensions.iter().product())?;
    if array.dimensions != dimensions {
        return Err(DataError::damaged(file, format!("sizes {:?}, allowed: {dimensions:?}", array.dimensions)));
    }
    match array.values.iter().position(|&value| value > largest) {
        Some(index) => {
            let problem = format!("value {index} is {}, allowed: 0 to {largest}", array.values[index]);
            Err(DataError::damaged(file, problem))
        }
        None => Ok(array.values),
    }
}

/// The images `order`, scaled to 0..=1, with their labels.
fn select(order: &[usize], images: &[u8], labels: &[u8]) -> Split {
    const FEATURES: usize = SIZE * SIZE;
    let scaled = |&index: &usize| {
        images[index * FEATURES..(index + 1) * FEATURES].iter().map(|&value| f32::from(value) / f32::from(WHITE))
    };
    Split {
        features: FEATURES,
        images: order.iter().flat_map(scaled).collect(),
        labels: order.iter().map(|&index| labels[index]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASS_COUNTS: [usize; CLASSES] = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180];

    /// Every image as its 64 grey values and its label.
    fn rows(split: &Split) -> Vec<(Vec<u8>, u8)> {
        let grey = |index| split.image(index).iter().map(|&v| (v * 16.0) as u8).collect();
        (0..split.len()).map(|index| (grey(index), split.labels[index])).collect()
    }

    #[test]
    fn the_splits_hold_every_image_once() {
        let data = load().unwrap();
        assert_eq!((data.train.len(), data.validation.len(), data.test.len()), (1100, 300, 397));
        let images = read_values(IMAGES, &[COUNT, SIZE, SIZE], WHITE).unwrap();
        let labels = read_values(LABELS, &[COUNT], 9).unwrap();
        let mut stored: Vec<_> = images.chunks_exact(64).map(<[u8]>::to_vec).zip(labels).collect();
        let mut split: Vec<_> = [&data.train, &data.validation, &data.test].into_iter().flat_map(rows).collect();
        stored.sort();
        split.sort();
        assert_eq!(stored, split);
        // All images differ, so equal sorted lists mean that the splits are disjoint as well as complete.
        stored.dedup();
        assert_eq!(stored.len(), COUNT);
    }

    #[test]
    fn class_counts_are_the_published_ones() {
        let data = load().unwrap();
        let mut counts = [0; CLASSES];
        for split in [&data.train, &data.validation, &data.test] {
            let mut own = [0; CLASSES];
            split.labels.iter().for_each(|&label| own[usize::from(label)] += 1);
            assert!(own.iter().all(|&count| count * 20 > split.len()), "a class is rare in a split: {own:?}");
            counts.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
        }
        assert_eq!(counts, CLASS_COUNTS);
    }

    #[test]
    fn the_order_is_fixed() {
        let data = load().unwrap();
        assert_eq!(permutation(COUNT, SHUFFLE_SEED)[..6], GOLDEN_ORDER);
        assert_eq!(data.train.labels[..6], GOLDEN_LABELS);
    }

    /// First entries of the order of the images and their labels, from another implementation; a change here changes every published result.
    const GOLDEN_ORDER: [usize; 6] = [157, 389, 1441, 57, 140, 895];
    const GOLDEN_LABELS: [u8; 6] = [7, 3, 6, 2, 0, 9];

    #[test]
    fn damaged_values_are_named() {
        let bytes = [0, 0, 8, 1, 0, 0, 0, 2, 3, 17];
        let error = read_values(("x", &bytes), &[2], 16).unwrap_err();
        assert_eq!(error.to_string(), "x: value 1 is 17, allowed: 0 to 16");
        let error = read_values(("x", &bytes), &[1, 2], 16).unwrap_err();
        assert_eq!(error.to_string(), "x: sizes [2], allowed: [1, 2]");
    }
}
