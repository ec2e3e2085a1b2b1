//! `ohmic simulate`: a program directory and a data set, nothing else.

use super::{print_json, quoted_path, warn};
use crate::bar::Bar;
use crate::cli::{Format, Simulate};
use crate::table;
use explore::ExploreError;
use explore::chip::functional::{Cells, SampleAddress};
use explore::chip::program::Program;
use explore::conductances::import;
use explore::config::Kind;
use explore::diagnosis::{converter_warnings, evaluation_warnings};
use explore::evaluate::{CellSource, Evaluation, Evaluator};
use explore::image_files::{ImageFiles, images};
use explore::output::{converters_csv, rows_csv, write, write_run};
use explore::results::Row;
use explore::simulate::{fault_map, simulate};
use explore::tile::address::Purpose;
use serde_json::json;

pub fn run(arguments: &Simulate, format: Format) -> Result<(), ExploreError> {
    let require = |name: &str, value: u64, least: u64, most: u64| {
        let what =
            || ExploreError::Request(format!("{name} = {value} is not allowed: an integer from {least} to {most}"));
        if (least..=most).contains(&value) { Ok(()) } else { Err(what()) }
    };
    // Given cells are one chip; copies of it would only feign an interval.
    let chips = arguments.chips.unwrap_or(if arguments.conductances.is_some() { 1 } else { 100 });
    require("--chips", chips.into(), 1, 1_000_000)?;
    require("--seed", arguments.seed, 0, i64::MAX as u64)?;
    require("--timing-images", arguments.timing_images.into(), 2, 10_000)?;
    require("--limit", arguments.limit.map_or(1, |limit| limit as u64), 1, u64::MAX)?;
    let program = explore::chip::program::load(&arguments.program)?;
    let pairs = arguments.images.clone().zip(arguments.labels.clone());
    let files = pairs.map(|(images, labels)| ImageFiles { images, labels, pixel_max: arguments.pixel_max });
    let all = images(&program, files.as_ref(), arguments.data.data.as_deref())?;
    let images = arguments.limit.map_or_else(|| all.clone(), |limit| all.truncated(limit));
    let evaluator = Evaluator {
        seed: arguments.seed,
        purpose: Purpose::Programming,
        chips,
        timing_images: arguments.timing_images,
    };
    if let Some(output) = &arguments.output {
        // Before the work, so that a directory that cannot be written to is refused at once.
        write_run(output, Kind::Chip, &program.chip, &repeat(arguments, chips))?;
    }
    let source = cell_source(arguments, &program)?;
    let (row, evaluation) = simulate(&program, &images, evaluator, &source, &Bar::default())?;
    warn(converter_warnings(evaluation.converters.iter()));
    warn(evaluation_warnings(&evaluation));
    if let Some(output) = &arguments.output {
        write(output, "simulate.csv", &rows_csv(std::slice::from_ref(&row))?)?;
        write(output, "converters.csv", &converters_csv(std::iter::once((&row, evaluation.converters.clone())))?)?;
    }
    match format {
        Format::Text => print_text(row, &evaluation),
        Format::Json => {
            print_json(&json!({ "row": row, "counts": evaluation.counts, "converters": evaluation.converters }))?;
        }
    }
    Ok(())
}

/// The command that repeats a run.
fn repeat(arguments: &Simulate, chips: u32) -> String {
    let Simulate { seed, timing_images, .. } = arguments;
    let program = quoted_path(&arguments.program);
    let mut command = format!("ohmic simulate {program} --chips {chips} --seed {seed} --timing-images {timing_images}");
    if let Some(limit) = arguments.limit {
        command += &format!(" --limit {limit}");
    }
    if let (Some(images), Some(labels)) = (&arguments.images, &arguments.labels) {
        let pixel_max = arguments.pixel_max;
        let [images, labels] = [images, labels].map(|path| quoted_path(path));
        command += &format!(" --images {images} --labels {labels} --pixel-max {pixel_max}");
    }
    for (option, path) in [("--fault-map", &arguments.fault_map), ("--conductances", &arguments.conductances)] {
        if let Some(path) = path {
            command += &format!(" {option} {}", quoted_path(path));
        }
    }
    command + " (with the program compiled for this chip)"
}

/// The cells to simulate: the device's, with a map of faults, or given ones.
fn cell_source(arguments: &Simulate, program: &Program) -> Result<CellSource, ExploreError> {
    if let Some(path) = &arguments.fault_map {
        let map = fault_map(path)?;
        let address = SampleAddress { seed: arguments.seed, purpose: Purpose::Programming, chip_sample: 0 };
        let mut cells = Cells::program(program, address).map_err(ExploreError::Request)?;
        let used = cells.apply_faults(program, &map).map_err(ExploreError::Request)?;
        eprintln!("{}: {used} of {} listed cells are in use", path.display(), map.cells());
        return Ok(CellSource::Faulty(map));
    }
    let Some(directory) = &arguments.conductances else { return Ok(CellSource::Device) };
    let address = SampleAddress { seed: arguments.seed, purpose: Purpose::Programming, chip_sample: 0 };
    Ok(CellSource::Given(import(program, address, directory)?))
}

const CONVERTERS: [&str; 7] =
    ["stage", "slice", "clipped\n%", "codes\nused", "codes\navailable", "effective\nbits", "saturated"];

fn print_text(row: Row, evaluation: &Evaluation) {
    let rows = [(row, evaluation.energy)];
    say!("{}", table::results(&rows));
    say!("{}", table::legend(&rows, "the test images that the program was compiled with (--accuracy-images)"));
    let converters = evaluation.converters.iter().map(|c| {
        vec![
            c.stage.clone(),
            c.slice.to_string(),
            format!("{:.3}", 100.0 * c.clipped_share()),
            c.used_codes().to_string(),
            c.available_codes.to_string(),
            c.errors.effective_bits().map_or_else(|| "-".to_owned(), |bits| format!("{bits:.2}")),
            c.saturated.to_string(),
        ]
    });
    say!("{}", table::table(&CONVERTERS, 1, converters));
    say!("effective bits are those of the first chip sample; clipping, codes and saturation are of all");
    if evaluation.wire_error_bound > 0.0 {
        say!("wires: solved to within {:.1e} level spacings of any column sum", evaluation.wire_error_bound);
    }
}
