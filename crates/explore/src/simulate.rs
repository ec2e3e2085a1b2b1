//! Simulating a program from its directory: nothing else is read but a data set.

use crate::error::ExploreError;
use crate::evaluate::{CellSource, Evaluation, Evaluator, row};
use crate::progress::Progress;
use crate::results::Row;
use chip::program::Program;
use nn::datasets::{Split, read_idx};
use std::io::Read;
use std::path::{Path, PathBuf};
use tile::fault_map::FaultMap;

/// Images and labels from files instead of the program's own data set.
#[derive(Clone, Debug)]
pub struct ImageFiles {
    /// IDX file of images, plain or gz.
    pub images: PathBuf,
    /// IDX file of labels, plain or gz.
    pub labels: PathBuf,
    /// Pixel value that stands for 1.
    pub pixel_max: u8,
}

/// Largest number of values of an image file.
const MOST_VALUES: usize = 1 << 30;

/// Largest size of an image file, bytes.
const MOST_BYTES: u64 = 1 << 31;

/// Reads a file of at most `most` bytes, so that an endless one (a device, a pipe) does not fill the memory.
///
/// # Errors
/// If it cannot be read or is larger.
pub fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>, ExploreError> {
    let fail = |source| ExploreError::File { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)).map_err(fail)?;
    if read as u64 > most {
        return Err(ExploreError::Request(format!("{}: larger than {most} bytes", path.display())));
    }
    Ok(bytes)
}

/// The images to simulate: those of the files, or the test images of the program's data set, which may lie below the directory `data`.
///
/// # Errors
/// If a file is missing, damaged or empty, or images and labels differ in number.
pub fn images(program: &Program, files: Option<&ImageFiles>, data: Option<&Path>) -> Result<Split, ExploreError> {
    let Some(files) = files else { return crate::datasets::load_test(&program.dataset, data) };
    if files.pixel_max == 0 {
        return Err(ExploreError::Request("--pixel-max = 0 is not allowed: an integer from 1 to 255".to_owned()));
    }
    let (images, labels) = (read(&files.images)?, read(&files.labels)?);
    let fail = |path: &Path, what: String| Err(ExploreError::Request(format!("{}: {what}", path.display())));
    let count = images.dimensions.first().copied().unwrap_or(0);
    if labels.dimensions != [count] {
        return fail(
            &files.labels,
            format!("has the shape {:?}; {} holds {count} images", labels.dimensions, files.images.display()),
        );
    }
    if count == 0 {
        return fail(&files.images, "holds no images".to_owned());
    }
    if let Some(label) = labels.values.iter().find(|&&label| usize::from(label) >= program.classes()) {
        return fail(&files.labels, format!("holds the label {label}; the network has {} classes", program.classes()));
    }
    let scale = 1.0 / f32::from(files.pixel_max);
    let pixels = images.values.iter().map(|&value| f32::from(value) * scale).collect();
    Ok(Split { features: images.values.len() / count, images: pixels, labels: labels.values })
}

fn read(path: &Path) -> Result<nn::datasets::IdxArray, ExploreError> {
    let bytes = read_bounded(path, MOST_BYTES)?;
    Ok(read_idx(&path.display().to_string(), &bytes, MOST_VALUES)?)
}

/// Largest size of a fault map, bytes.
const MOST_FAULT_BYTES: u64 = 1 << 30;

/// Reads a fault map: CSV with the columns `tile,array,row,column,fault`.
///
/// # Errors
/// If it cannot be read or a line is not allowed; the text names file, line and value.
pub fn fault_map(path: &Path) -> Result<FaultMap, ExploreError> {
    let bytes = read_bounded(path, MOST_FAULT_BYTES)?;
    let refuse = |what: String| ExploreError::Request(format!("{}: {what}", path.display()));
    let text = String::from_utf8(bytes).map_err(|error| refuse(error.to_string()))?;
    FaultMap::from_csv(&text).map_err(|problem| refuse(problem.to_string()))
}

/// Simulates a program on chip samples.
///
/// # Errors
/// If the images are not the program's or the program cannot finish.
pub fn simulate(
    program: &Program,
    images: &Split,
    evaluator: Evaluator,
    source: &CellSource,
    progress: &dyn Progress,
) -> Result<(Row, Evaluation), ExploreError> {
    progress.begin("simulating", evaluator.chips.into());
    let evaluation = evaluator.run(program, images, source, progress)?;
    progress.end();
    let row = row(&[program], &[&evaluation], images.len() as u64, evaluator.seed)?;
    Ok((row, evaluation))
}
