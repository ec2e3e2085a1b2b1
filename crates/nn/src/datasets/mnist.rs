//! `mnist` and `fashion-mnist`: 28 x 28 grey pixels, ten classes, in the four IDX files of the former.

use super::directory::{Files, Part};
use super::{DatasetInfo, Source};
use crate::Shape;

/// Entry of the list of data sets.
pub(super) const INFO: DatasetInfo = DatasetInfo {
    name: "mnist",
    doc: "70000 handwritten digits of 28x28 pixels: 55000 for training, 5000 for validation, 10000 for testing; read from IDX files",
    source: "http://yann.lecun.com/exdb/mnist/",
    attribution: "Y. LeCun, C. Cortes, C. J. C. Burges, \"The MNIST database of handwritten digits\", 1998",
    source_of_images: Source::Files(FILES),
};

/// Entry of the list of data sets.
pub(super) const FASHION: DatasetInfo = DatasetInfo {
    name: "fashion-mnist",
    doc: "70000 pieces of clothing of 28x28 pixels: 55000 for training, 5000 for validation, 10000 for testing; read from IDX files",
    source: "https://github.com/zalandoresearch/fashion-mnist",
    attribution: "H. Xiao, K. Rasul, R. Vollgraf, \"Fashion-MNIST\", arXiv:1708.07747, 2017, MIT",
    source_of_images: Source::Files(FILES),
};

const FILES: Files = Files {
    shape: Shape { channels: 1, height: 28, width: 28 },
    classes: 10,
    validation: 5000,
    train: &[Part::Idx("train-images-idx3-ubyte", "train-labels-idx1-ubyte", 60_000)],
    test: &[Part::Idx("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", 10_000)],
};
