//! Simulating a program from its directory: nothing else is read but a data set.

use crate::error::ExploreError;
use crate::evaluate::{CellSource, Evaluation, Evaluator, row};
use crate::progress::Progress;
use crate::results::Row;
use chip::program::Program;
use nn::datasets::Split;
use std::io::Read;
use std::path::Path;
use tile::fault_map::FaultMap;

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
