//! The programmed conductances of a chip sample as files: one NumPy array in siemens per physical array, and an index that says which
//! cells of the chip it holds. Measured conductances of a real chip take the same way in.

use crate::error::ExploreError;
use crate::npy;
use crate::output::write;
use crate::simulate::read_bounded;
use chip::functional::{Cells, SampleAddress};
use chip::program::{MvmStage, PlacedCrossbar, Program};
use serde::{Deserialize, Serialize};
use std::path::Path;

const INDEX: &str = "conductances.csv";
const POLARITIES: [&str; 2] = ["positive", "negative"];

/// One line of the index: a physical array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct IndexLine {
    file: String,
    stage: String,
    crossbar: usize,
    polarity: String,
    tile: u32,
    array: u32,
    rows: u32,
    columns: u64,
    /// Digital factor of global drift compensation on the array's stage; 1 for none.
    drift_gain: f64,
}

impl IndexLine {
    /// Whether both are the same array of the same program; the gain is that of a chip sample.
    fn is_same_array(&self, other: &Self) -> bool {
        *self == Self { drift_gain: self.drift_gain, ..other.clone() }
    }
}

/// The physical arrays of a program, stage by stage.
fn lines(program: &Program) -> Vec<(usize, usize, usize, IndexLine)> {
    let mut lines = Vec::new();
    for (layer, stage) in program.mvm_stages() {
        for (crossbar, placed) in stage.crossbars.iter().enumerate() {
            for polarity in 0..stage.polarities as usize {
                lines.push((layer as usize, crossbar, polarity, line(stage, crossbar, placed, polarity)));
            }
        }
    }
    lines
}

fn line(stage: &MvmStage, crossbar: usize, placed: &PlacedCrossbar, polarity: usize) -> IndexLine {
    let name = POLARITIES[polarity % 2];
    IndexLine {
        file: format!("{}.crossbar{crossbar:04}.{name}.npy", stage.name),
        stage: stage.name.clone(),
        crossbar,
        polarity: name.to_owned(),
        tile: placed.tile,
        array: placed.array + polarity as u32,
        rows: placed.rows,
        columns: stage.columns(placed),
        drift_gain: 1.0,
    }
}

/// Writes the cells of a chip sample into a directory, which is created: `conductances.csv` and one `.npy` of 64-bit floats in siemens,
/// rows x columns, per array.
///
/// # Errors
/// If a file cannot be written.
pub fn export(program: &Program, cells: &Cells, directory: &Path) -> Result<(), ExploreError> {
    let mut index = csv::Writer::from_writer(Vec::new());
    let table = |error: &dyn std::fmt::Display| ExploreError::Table(error.to_string());
    for (layer, crossbar, polarity, mut line) in lines(program) {
        line.drift_gain = cells.stages[layer].drift_gain;
        let values = cells.conductances_s(program, layer, crossbar, polarity).map_err(ExploreError::Request)?;
        let path = directory.join(&line.file);
        std::fs::create_dir_all(directory)
            .and_then(|()| std::fs::write(&path, npy::to_bytes(line.rows as usize, line.columns as usize, &values)))
            .map_err(|source| ExploreError::File { path, source })?;
        index.serialize(&line).map_err(|error| table(&error))?;
    }
    let bytes = index.into_inner().map_err(|error| table(&error))?;
    write(directory, INDEX, &String::from_utf8_lossy(&bytes))
}

/// Reads the cells of a chip sample as [`export`] writes them. The index must list exactly the arrays of the program.
///
/// # Errors
/// If a file is missing or damaged, is not of this program, or holds a value that is no conductance; the text names file and cell.
pub fn import(program: &Program, address: SampleAddress, directory: &Path) -> Result<Cells, ExploreError> {
    let path = directory.join(INDEX);
    let refuse = |path: &Path, what: String| ExploreError::Request(format!("{}: {what}", path.display()));
    let reader = csv::Reader::from_path(&path).map_err(|error| refuse(&path, error.to_string()))?;
    let listed: Result<Vec<IndexLine>, _> = reader.into_deserialize().collect();
    let listed = listed.map_err(|error| refuse(&path, error.to_string()))?;
    let expected = lines(program);
    if let Some(more) = listed.iter().find(|line| expected.iter().all(|(_, _, _, known)| !known.is_same_array(line))) {
        let what =
            format!("lists an array that the program does not have: {} ({} x {})", more.file, more.rows, more.columns);
        return Err(refuse(&path, what));
    }
    let mut cells = Cells::empty(program, address);
    for (layer, crossbar, polarity, line) in expected {
        let found = listed
            .iter()
            .find(|listed| listed.is_same_array(&line))
            .ok_or_else(|| refuse(&path, format!("does not list array {} of the program", line.file)))?;
        if !(1e-6..=1e6).contains(&found.drift_gain) {
            let what = format!("{}: drift_gain = {} is not allowed: 1e-6 to 1e6", line.file, found.drift_gain);
            return Err(refuse(&path, what));
        }
        cells.stages[layer].drift_gain = found.drift_gain;
        let path = directory.join(&line.file);
        let values = read_array(&path, &line)?;
        cells.set_conductances_s(program, (layer, crossbar, polarity), &values).map_err(ExploreError::Request)?;
    }
    Ok(cells)
}

fn read_array(path: &Path, line: &IndexLine) -> Result<Vec<f64>, ExploreError> {
    let refuse = |what: String| ExploreError::Request(format!("{}: {what}", path.display()));
    let (rows, columns) = (line.rows as usize, line.columns as usize);
    let bytes = read_bounded(path, LARGEST_HEADER + 8 * (rows * columns) as u64)?;
    let values = npy::from_bytes(rows, columns, &bytes).map_err(refuse)?;
    match values.iter().position(|value| !(0.0..=1.0).contains(value)) {
        Some(at) => {
            let (row, column) = (at / columns, at % columns);
            let what =
                format!("row {row}, column {column}: {} S is not allowed: a conductance from 0 to 1 S", values[at]);
            Err(refuse(what))
        }
        None => Ok(values),
    }
}

/// More than the header of any `.npy` file of version 1.0, bytes.
const LARGEST_HEADER: u64 = 1 << 17;
