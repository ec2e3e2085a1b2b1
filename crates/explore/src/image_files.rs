//! The images and labels that a program is simulated with.

use crate::datasets::{from_npy, load_test};
use crate::error::ExploreError;
use crate::npy;
use crate::simulate::read_bounded;
use chip::program::Program;
use nn::Shape;
use nn::datasets::{IdxArray, Split, read_idx};
use std::path::{Path, PathBuf};

/// Images and labels from files instead of the program's own data set.
#[derive(Clone, Debug)]
pub struct ImageFiles {
    /// NumPy file of images as the network takes them, channels first, or IDX file of bytes, plain or gz.
    pub images: PathBuf,
    /// Labels: NumPy file, text of one a line (`.csv`, `.txt`), or IDX file, plain or gz.
    pub labels: PathBuf,
    /// Value of a byte of an IDX file that stands for 1.
    pub pixel_max: u8,
}

/// Largest number of values of an IDX file.
const MOST_VALUES: usize = 1 << 30;

/// Largest size of a file, bytes.
const MOST_BYTES: u64 = 1 << 31;

/// The images to simulate: those of the files, or the test images of the program's data set, which may lie below the directory `data`.
///
/// # Errors
/// If a file is missing, damaged or empty, or images and labels differ in number.
pub fn images(program: &Program, files: Option<&ImageFiles>, data: Option<&Path>) -> Result<Split, ExploreError> {
    let Some(files) = files else {
        if program.dataset == "none" {
            let what = "its network names no data set; give images by --images FILE.npy and their classes by --labels FILE, a .npy file or a text with one a line";
            return Err(ExploreError::Request(format!("program of `{}`: {what}", program.network)));
        }
        return load_test(&program.dataset, data);
    };
    let images = read_images(files, program)?;
    let labels = read_labels(&files.labels)?;
    let fail = |what: String| Err(ExploreError::Request(format!("{}: {what}", files.labels.display())));
    if labels.len() != images.len() {
        return fail(format!(
            "holds {} labels; {} holds {} images",
            labels.len(),
            files.images.display(),
            images.len()
        ));
    }
    if let Some(label) = labels.iter().find(|&&label| usize::from(label) >= program.classes()) {
        return fail(format!("holds the label {label}; the network has {} classes", program.classes()));
    }
    Ok(Split { labels, ..images })
}

fn read_images(files: &ImageFiles, program: &Program) -> Result<Split, ExploreError> {
    if ends_in(&files.images, &["npy"]) {
        let [channels, height, width] =
            [program.input.channels, program.input.height, program.input.width].map(|size| size as usize);
        return from_npy(&files.images, Shape { channels, height, width });
    }
    if files.pixel_max == 0 {
        return Err(ExploreError::Request("--pixel-max = 0 is not allowed: an integer from 1 to 255".to_owned()));
    }
    let images = read(&files.images)?;
    let count = images.dimensions.first().copied().unwrap_or(0);
    if count == 0 {
        return Err(ExploreError::Request(format!("{}: holds no images", files.images.display())));
    }
    let scale = 1.0 / f32::from(files.pixel_max);
    let pixels = images.values.iter().map(|&value| f32::from(value) * scale).collect();
    Ok(Split { features: images.values.len() / count, images: pixels, labels: vec![0; count] })
}

/// The classes of images, in the order of the images.
fn read_labels(path: &Path) -> Result<Vec<u8>, ExploreError> {
    let refuse = |what: String| ExploreError::Request(format!("{}: {what}", path.display()));
    if ends_in(path, &["npy"]) {
        let npy::Array { shape, values, .. } = npy::read(&read_bounded(path, MOST_BYTES)?).map_err(refuse)?;
        if shape.iter().filter(|&&length| length != 1).count() > 1 {
            return Err(refuse(format!("holds {shape:?} numbers; allowed is one label an image: [N]")));
        }
        let label = |(image, value): (usize, &f64)| whole(*value).ok_or_else(|| refuse(not_a_label(image, value)));
        return values.iter().enumerate().map(label).collect();
    }
    if ends_in(path, &["csv", "txt"]) {
        let text = String::from_utf8(read_bounded(path, MOST_BYTES)?).map_err(|error| refuse(error.to_string()))?;
        let label = |(line, text): (usize, &str)| {
            text.trim()
                .parse()
                .map_err(|_| refuse(format!("line {} is `{text}`; allowed is a label, 0 to 255, a line", line + 1)))
        };
        // Spreadsheets put a byte order mark in front.
        let text = text.trim_start_matches('\u{feff}').trim_end();
        return text.lines().enumerate().map(label).collect();
    }
    let labels = read(path)?;
    if labels.dimensions.len() != 1 {
        return Err(refuse(format!("has the shape {:?}; allowed is one label an image: [N]", labels.dimensions)));
    }
    Ok(labels.values)
}

fn not_a_label(image: usize, value: &f64) -> String {
    format!("the label of image {image} is {value}; allowed are whole numbers 0 to 255")
}

fn whole(value: f64) -> Option<u8> {
    let label = value as u8;
    (f64::from(label) == value).then_some(label)
}

fn ends_in(path: &Path, endings: &[&str]) -> bool {
    path.extension().is_some_and(|ending| endings.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

fn read(path: &Path) -> Result<IdxArray, ExploreError> {
    let bytes = read_bounded(path, MOST_BYTES)?;
    Ok(read_idx(&path.display().to_string(), &bytes, MOST_VALUES)?)
}
