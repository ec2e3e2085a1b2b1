//! A program as a directory: `program.toml`, which a person can read and diff, and `arrays.safetensors` with levels, tables and everything that
//! there is one of per output, column or pixel.

use super::{ColumnAdc, InputCoding, MvmStage, Output, Program, Stage, TableStage};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Version of the format; a reader refuses any other.
const VERSION: u32 = 9;
pub(super) const TEXT: &str = "program.toml";
pub(super) const ARRAYS: &str = "arrays.safetensors";

/// Why a program could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// A file's contents are not a program.
    #[error("{}: {what}", path.display())]
    Contents {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

/// What every version of the format says first, whatever follows.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProgramFile {
    version: u32,
    arrays_sha256: String,
    /// Of `program` as it is written here, without comments and layout. Who edits a program by hand removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    program_sha256: Option<String>,
    program: Program,
}

/// Writes a program into a directory, which is created. The same program gives the same bytes.
///
/// # Errors
/// If a file cannot be written.
pub fn save(program: &Program, directory: &Path) -> Result<(), ProgramError> {
    let (text, arrays) = encode(program, directory)?;
    let write = |name: &str, bytes: &[u8]| {
        let path = directory.join(name);
        std::fs::write(&path, bytes).map_err(|source| ProgramError::File { path, source })
    };
    std::fs::create_dir_all(directory).map_err(|source| ProgramError::File { path: directory.to_owned(), source })?;
    write(ARRAYS, &arrays)?;
    write(TEXT, text.as_bytes())
}

/// The text and the arrays of a program, as [`save`] writes them; `directory` is what errors call their place.
///
/// # Errors
/// If the program cannot be written down.
pub fn encode(program: &Program, directory: &Path) -> Result<(String, Vec<u8>), ProgramError> {
    let arrays = encode_arrays(program).map_err(|what| contents(directory.join(ARRAYS), what))?;
    let in_text = |what: String| contents(directory.join(TEXT), what);
    let file = ProgramFile {
        version: VERSION,
        arrays_sha256: digest(&arrays),
        program_sha256: Some(digest_of_text(program).map_err(in_text)?),
        program: program.clone(),
    };
    let text = toml::to_string(&file).map_err(|error| contents(directory.join(TEXT), error.to_string()))?;
    Ok((text, arrays))
}

/// Reads a program and checks all of it.
///
/// # Errors
/// If a file is missing, damaged, of another version, or describes a program that cannot run.
pub fn load(directory: &Path) -> Result<Program, ProgramError> {
    let read = |name: &str| {
        let path = directory.join(name);
        std::fs::read(&path).map_err(|source| ProgramError::File { path, source })
    };
    let text = read(TEXT)?;
    let text = String::from_utf8(text).map_err(|error| contents(directory.join(TEXT), error.to_string()))?;
    decode(&text, || read(ARRAYS), directory)
}

/// As [`load`], of a text that has been read already; `directory` is what errors call its place. The arrays are asked for if the text is good.
///
/// # Errors
/// As [`load`].
pub fn decode(
    text: &str,
    arrays: impl FnOnce() -> Result<Vec<u8>, ProgramError>,
    directory: &Path,
) -> Result<Program, ProgramError> {
    let in_text = |what: String| contents(directory.join(TEXT), what);
    let not_toml = |error: toml::de::Error| in_text(error.to_string().trim_end().to_owned());
    // Keys differ from version to version, so that the version is looked at before them.
    let Versioned { version } = toml::from_str(text).map_err(not_toml)?;
    if version != VERSION {
        return Err(in_text(format!("version = {version}, but only version {VERSION} can be read")));
    }
    let file: ProgramFile = toml::from_str(text).map_err(not_toml)?;
    let arrays = arrays()?;
    let in_arrays = |what: String| contents(directory.join(ARRAYS), what);
    if digest(&arrays) != file.arrays_sha256 {
        return Err(in_arrays(format!("damaged: its SHA-256 is not the arrays_sha256 of {TEXT}")));
    }
    let mut program = file.program;
    let program_sha256 = digest_of_text(&program).map_err(in_text)?;
    decode_arrays(&mut program, &arrays).map_err(in_arrays)?;
    // First what is wrong by itself, which says more.
    program.validate().map_err(in_text)?;
    if file.program_sha256.is_some_and(|written| written != program_sha256) {
        let what =
            "damaged or edited: its SHA-256 is not its program_sha256; remove that line if it was edited on purpose";
        return Err(in_text(what.to_owned()));
    }
    Ok(program)
}

pub(super) fn contents(path: PathBuf, what: String) -> ProgramError {
    ProgramError::Contents { path, what }
}

pub(super) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The digest of what the text says of a program.
fn digest_of_text(program: &Program) -> Result<String, String> {
    toml::to_string(program).map(|text| digest(text.as_bytes())).map_err(|error| error.to_string())
}

const POLARITIES: [&str; 2] = ["positive", "negative"];

fn levels_name(stage: &MvmStage, crossbar: usize, polarity: usize) -> String {
    format!("{}.crossbar{crossbar:04}.{}", stage.name, POLARITIES[polarity % 2])
}

// Names of layers have no blanks.
const INPUT_MULTIPLIERS: &str = "input multipliers";
const INPUT_OFFSETS: &str = "input offsets";
const FLIPPED: &str = "flipped";
const STEPS: &str = "adc_steps";
const GAINS: &str = "gains";

fn column_name(stage: &MvmStage, crossbar: usize, what: &str) -> String {
    format!("{}.crossbar{crossbar:04}.{what}", stage.name)
}

fn table_name(stage: &TableStage) -> String {
    format!("{}.table", stage.name)
}

/// Name, kind, shape and data.
type Tensor = (String, Dtype, Vec<usize>, Vec<u8>);

fn numbers(name: String, values: impl ExactSizeIterator<Item = f64>) -> Tensor {
    (name, Dtype::F64, vec![values.len()], values.flat_map(f64::to_le_bytes).collect())
}

fn encode_arrays(program: &Program) -> Result<Vec<u8>, String> {
    let InputCoding { multipliers, offsets } = &program.coding;
    let mut tensors = vec![
        numbers(INPUT_MULTIPLIERS.to_owned(), multipliers.iter().copied()),
        numbers(INPUT_OFFSETS.to_owned(), offsets.iter().copied()),
    ];
    for stage in &program.stages {
        if let Stage::Table(stage) = stage {
            let table = stage.table.iter().flat_map(|code| code.to_le_bytes()).collect();
            tensors.push((table_name(stage), Dtype::I32, vec![stage.table.len()], table));
        }
    }
    for (_, stage) in program.mvm_stages() {
        let bias = stage.bias.iter().flat_map(|bias| bias.to_le_bytes()).collect();
        tensors.push((format!("{}.bias", stage.name), Dtype::I64, vec![stage.bias.len()], bias));
        if !stage.multipliers.is_empty() {
            tensors.push(numbers(format!("{}.multipliers", stage.name), stage.multipliers.iter().copied()));
        }
        for (index, placed) in stage.crossbars.iter().enumerate() {
            let shape = vec![placed.rows as usize, stage.columns(placed) as usize];
            for (polarity, levels) in placed.levels.iter().enumerate() {
                tensors.push((levels_name(stage, index, polarity), Dtype::U8, shape.clone(), levels.clone()));
            }
            if !placed.flipped.is_empty() {
                let flags: Vec<u8> = placed.flipped.iter().map(|&flipped| u8::from(flipped)).collect();
                tensors.push((column_name(stage, index, FLIPPED), Dtype::U8, vec![flags.len()], flags));
            }
            if !placed.column_adcs.is_empty() {
                let adcs = || placed.column_adcs.iter();
                tensors.push(numbers(column_name(stage, index, STEPS), adcs().map(|adc| adc.step)));
                tensors.push(numbers(column_name(stage, index, GAINS), adcs().map(|adc| adc.gain)));
            }
        }
    }
    let views: Result<Vec<_>, _> = tensors
        .iter()
        .map(|(name, dtype, shape, data)| Ok((name, TensorView::new(*dtype, shape.clone(), data)?)))
        .collect();
    let views = views.map_err(|error: safetensors::SafeTensorError| error.to_string())?;
    safetensors::serialize(views, None).map_err(|error| error.to_string())
}

fn decode_arrays(program: &mut Program, bytes: &[u8]) -> Result<(), String> {
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let tensor = |name: &str, dtype: Dtype| {
        let view = tensors.tensor(name).map_err(|_| format!("tensor `{name}` is missing"))?;
        if view.dtype() == dtype {
            Ok(view)
        } else {
            Err(format!("tensor `{name}` is {:?}, not {dtype:?}", view.dtype()))
        }
    };
    let values = |name: &str| -> Result<Vec<f64>, String> {
        let view = tensor(name, Dtype::F64)?;
        Ok(view.data().as_chunks().0.iter().map(|&chunk| f64::from_le_bytes(chunk)).collect())
    };
    program.coding = InputCoding { multipliers: values(INPUT_MULTIPLIERS)?, offsets: values(INPUT_OFFSETS)? };
    for stage in &mut program.stages {
        if let Stage::Table(stage) = stage {
            let table = tensor(&table_name(stage), Dtype::I32)?;
            stage.table = table.data().as_chunks().0.iter().map(|&chunk| i32::from_le_bytes(chunk)).collect();
        }
        let Stage::Mvm(stage) = stage else { continue };
        if matches!(stage.output, Output::Codes { .. }) {
            stage.multipliers = values(&format!("{}.multipliers", stage.name))?;
        }
        let bias = tensor(&format!("{}.bias", stage.name), Dtype::I64)?;
        stage.bias = bias.data().as_chunks().0.iter().map(|&chunk| i64::from_le_bytes(chunk)).collect();
        for index in 0..stage.crossbars.len() {
            let names = (0..stage.polarities.min(2) as usize).map(|polarity| levels_name(stage, index, polarity));
            let levels: Result<Vec<_>, String> =
                names.map(|name| Ok(tensor(&name, Dtype::U8)?.data().to_vec())).collect();
            stage.crossbars[index].levels = levels?;
            stage.crossbars[index].flipped = match tensors.tensor(&column_name(stage, index, FLIPPED)) {
                Ok(flags) => flags.data().iter().map(|&flag| flag != 0).collect(),
                Err(_) => Vec::new(),
            };
            stage.crossbars[index].column_adcs = column_adcs(&tensors, stage, index)?;
        }
    }
    Ok(())
}

/// The converters of single columns, where the program has them.
fn column_adcs(tensors: &SafeTensors<'_>, stage: &MvmStage, crossbar: usize) -> Result<Vec<ColumnAdc>, String> {
    let values = |what| -> Option<Vec<f64>> {
        let view = tensors.tensor(&column_name(stage, crossbar, what)).ok()?;
        let values = view.data().as_chunks().0.iter().map(|&chunk| f64::from_le_bytes(chunk));
        (view.dtype() == Dtype::F64).then(|| values.collect())
    };
    match (values(STEPS), values(GAINS)) {
        (None, None) => Ok(Vec::new()),
        (Some(steps), Some(gains)) if steps.len() == gains.len() => {
            Ok(steps.into_iter().zip(gains).map(|(step, gain)| ColumnAdc { step, gain }).collect())
        }
        _ => Err(format!("`{}` and its {GAINS} do not match", column_name(stage, crossbar, STEPS))),
    }
}
