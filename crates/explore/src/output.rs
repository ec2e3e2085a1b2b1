//! Output directories: what a command computed, and the `run.toml` that repeats it.

use crate::compare::{Comparison, Ratio};
use crate::config::{Kind, to_toml};
use crate::error::ExploreError;
use crate::evaluate::merge_converters;
use crate::plot::{accuracy_bars, accuracy_over_sigma, learning_curve};
use crate::results::{Row, to_csv};
use crate::statistics::Estimate;
use crate::training::TrainedPoint;
use chip::functional::ConverterUse;
use serde::Serialize;
use std::path::Path;

/// Version of the program, part of every `run.toml`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Writes a file into a directory, which is created; a file that is there is replaced at once.
///
/// # Errors
/// If it cannot be written.
pub fn write(directory: &Path, name: &str, contents: &str) -> Result<(), ExploreError> {
    let path = directory.join(name);
    let fail = |path: &Path| {
        let path = path.to_owned();
        move |source| ExploreError::File { path, source }
    };
    std::fs::create_dir_all(directory).map_err(fail(directory))?;
    Ok(nn::files::replace(&path, contents.as_bytes())?)
}

/// Writes a file, whose directory is created; a file that is there is replaced at once.
///
/// # Errors
/// If it cannot be written.
pub fn write_bytes(path: &Path, contents: &[u8]) -> Result<(), ExploreError> {
    let fail = |source| ExploreError::File { path: path.to_owned(), source };
    path.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(fail)?;
    Ok(nn::files::replace(path, contents)?)
}

/// Writes `run.toml`: the resolved configuration, with the command that repeats the result from it.
///
/// # Errors
/// If it cannot be written.
pub fn write_run<T: Serialize>(directory: &Path, kind: Kind, config: &T, repeat: &str) -> Result<(), ExploreError> {
    // A line break would end the comment.
    let repeat = repeat.replace(['\n', '\r'], "?");
    let text = format!("# Written by ohmic {VERSION}. Repeat with: {repeat}\n\n{}", to_toml(kind, config)?);
    write(directory, "run.toml", &text)
}

/// Rows as CSV.
///
/// # Errors
/// If a row cannot be written.
pub fn rows_csv(rows: &[Row]) -> Result<String, ExploreError> {
    to_csv(rows).map_err(|error| ExploreError::Table(error.to_string()))
}

/// Writes `compare.csv`, `compare.svg`, `ratios.csv` (methods against conventional training), `efficiency.csv`, `training.csv` (what was chosen on
/// validation images) and `converters.csv` (what the converters saw); of an operating point that was searched `operating-point.csv`, of other scales
/// of variation `sigma.csv` and `sigma.svg`.
///
/// # Errors
/// If a file cannot be written.
pub fn write_comparison(directory: &Path, comparison: &Comparison) -> Result<(), ExploreError> {
    let rows: Vec<Row> = comparison.rows.iter().map(|compared| compared.row.clone()).collect();
    write(directory, "compare.csv", &rows_csv(&rows)?)?;
    write(directory, "ratios.csv", &ratios_csv(comparison)?)?;
    write(directory, "efficiency.csv", &records_csv(&comparison.efficiencies())?)?;
    write(directory, "training.csv", &trainings_csv(comparison)?)?;
    // What an earlier comparison left is not one of this.
    for file in ["operating-point.csv", "sigma.csv", "sigma.svg"] {
        remove(&directory.join(file))?;
    }
    if !comparison.tried.is_empty() {
        write(directory, "operating-point.csv", &records_csv(&comparison.tried)?)?;
    }
    if !comparison.sigmas.is_empty() {
        let marked = comparison.tried.last().map(|tried| tried.sigma_scale);
        write(directory, "sigma.csv", &records_csv(&comparison.sigmas)?)?;
        write(directory, "sigma.svg", &accuracy_over_sigma(&comparison.sigmas, marked, comparison.classes)?)?;
    }
    let converters = comparison.rows.iter().map(|compared| {
        let uses = compared.evaluations.iter().map(|evaluation| evaluation.converters.as_slice());
        (&compared.row, merge_converters(uses))
    });
    write(directory, "converters.csv", &converters_csv(converters)?)?;
    write(directory, "compare.svg", &accuracy_bars(&rows, comparison.classes as u64)?)
}

/// Removes a file, if it is there.
///
/// # Errors
/// If it is there and stays.
pub fn remove(path: &Path) -> Result<(), ExploreError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(ExploreError::File { path: path.to_path_buf(), source })
        }
        _ => Ok(()),
    }
}

fn ratios_csv(comparison: &Comparison) -> Result<String, ExploreError> {
    let header = [
        "mapping",
        "training",
        "baseline",
        "ratio",
        "ratio_ci95_low",
        "ratio_ci95_high",
        "difference",
        "difference_ci95_low",
        "difference_ci95_high",
        "software_accuracy",
        "baseline_software_accuracy",
        "chance",
        "ratio_over_seeds",
        "ratio_over_seeds_ci95_low",
        "ratio_over_seeds_ci95_high",
    ];
    let line = |ratio: &Ratio| {
        let ends = |e: Estimate| [e.value, e.low, e.high].map(|x| x.to_string());
        let names = [ratio.mapping.clone(), ratio.method.clone(), ratio.baseline.clone()];
        let [quotient, of_seeds] =
            [ratio.ratio, ratio.seeds_ratio].map(|ratio| ratio.map_or_else(Default::default, ends));
        let [software, baseline] = ratio.software;
        let levels = [software, baseline, ratio.chance].map(|x| x.to_string());
        names.into_iter().chain(quotient).chain(ends(ratio.difference)).chain(levels).chain(of_seeds).collect()
    };
    lines_csv(&header, comparison.ratios.iter().map(line))
}

fn trainings_csv(comparison: &Comparison) -> Result<String, ExploreError> {
    let header = [
        "mapping",
        "training",
        "training_seed",
        "epoch",
        "validation_accuracy",
        "constrained_share",
        "constrained_share_in_force",
        "clipped_share",
    ];
    let lines = comparison.rows.iter().flat_map(|compared| {
        compared.trained.iter().enumerate().map(move |(seed, trained)| {
            let epoch = trained.epochs.get(trained.chosen);
            vec![
                compared.row.mapping.clone(),
                compared.row.training.clone(),
                seed.to_string(),
                epoch.map_or(0, |epoch| epoch.epoch).to_string(),
                trained.validation_accuracy.to_string(),
                trained.share.to_string(),
                epoch.map_or(0.0, |epoch| epoch.effective_share).to_string(),
                epoch.map_or(0.0, |epoch| epoch.clipped_share).to_string(),
            ]
        })
    });
    lines_csv(&header, lines)
}

/// What the converters saw, one line per row of results, stage and slice. Effective bits are those of the first chip sample, everything else of
/// all; they are empty where nothing was seen that varies. Codes are empty where converters do not quantise.
///
/// # Errors
/// If the table cannot be written.
pub fn converters_csv<'a>(uses: impl Iterator<Item = (&'a Row, Vec<ConverterUse>)>) -> Result<String, ExploreError> {
    let header = [
        "mapping",
        "training",
        "stage",
        "slice",
        "conversions",
        "clipped_share",
        "saturated",
        "lowest_code",
        "highest_code",
        "used_codes",
        "available_codes",
        "effective_bits",
    ];
    let lines = uses.flat_map(|(row, uses)| {
        let line = |of: ConverterUse| {
            vec![
                row.mapping.clone(),
                row.training.clone(),
                of.stage.clone(),
                of.slice.to_string(),
                of.conversions.to_string(),
                of.clipped_share().to_string(),
                of.saturated.to_string(),
                of.codes.map_or_else(String::new, |(lowest, _)| lowest.to_string()),
                of.codes.map_or_else(String::new, |(_, highest)| highest.to_string()),
                of.used_codes().to_string(),
                of.available_codes.to_string(),
                of.errors.effective_bits().map_or_else(String::new, |bits| bits.to_string()),
            ]
        };
        uses.into_iter().map(line).collect::<Vec<_>>()
    });
    lines_csv(&header, lines)
}

/// Records of one type as CSV.
///
/// # Errors
/// If one cannot be written.
pub fn records_csv<T: Serialize>(records: &[T]) -> Result<String, ExploreError> {
    let table = |error: csv::Error| ExploreError::Table(error.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    records.iter().try_for_each(|record| writer.serialize(record)).map_err(table)?;
    let bytes = writer.into_inner().map_err(|error| ExploreError::Table(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Lines below a header as CSV.
///
/// # Errors
/// If a line has another number of cells than the header.
pub fn lines_csv(header: &[&str], lines: impl Iterator<Item = Vec<String>>) -> Result<String, ExploreError> {
    let table = |error: csv::Error| ExploreError::Table(error.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).map_err(table)?;
    for line in lines {
        writer.write_record(line).map_err(table)?;
    }
    let bytes = writer.into_inner().map_err(|error| ExploreError::Table(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Writes a trained network with its learning curve, `training.csv` and `training.svg`.
///
/// # Errors
/// If a file cannot be written.
pub fn write_training(directory: &Path, point: &TrainedPoint) -> Result<(), ExploreError> {
    let TrainedPoint { trained, method, mapping, .. } = point;
    nn::files::save(&trained.network, directory)?;
    write(directory, "training.csv", &records_csv(&trained.epochs)?)?;
    let view = mapping.as_ref().map_or_else(String::new, |mapping| format!(" for {mapping}"));
    let title = format!("Training of {} on {}: {}{view}", trained.network.name, trained.network.dataset, method.name());
    write(directory, "training.svg", &learning_curve(&trained.epochs, trained.chosen, &title)?)
}
