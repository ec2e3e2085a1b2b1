//! `ohmic simulate`: a program directory and a data set, nothing else.

use super::{print_json, warn};
use crate::bar::Bar;
use crate::cli::{Format, Simulate};
use crate::table;
use explore::ExploreError;
use explore::config::Kind;
use explore::diagnosis::converter_warnings;
use explore::evaluate::{Evaluation, Evaluator};
use explore::output::{rows_csv, write, write_run};
use explore::results::Row;
use explore::simulate::{ImageFiles, images, simulate};
use serde_json::json;

pub fn run(arguments: &Simulate, format: Format) -> Result<(), ExploreError> {
    let require = |name: &str, value: u64, least: u64, most: u64| {
        let what =
            || ExploreError::Request(format!("{name} = {value} is not allowed: an integer from {least} to {most}"));
        if (least..=most).contains(&value) { Ok(()) } else { Err(what()) }
    };
    require("--chips", arguments.chips.into(), 1, 1_000_000)?;
    require("--seed", arguments.seed, 0, i64::MAX as u64)?;
    require("--timing-images", arguments.timing_images.into(), 2, 10_000)?;
    require("--limit", arguments.limit.map_or(1, |limit| limit as u64), 1, u64::MAX)?;
    let program = explore::chip::program::load(&arguments.program)?;
    let pairs = arguments.images.clone().zip(arguments.labels.clone());
    let files = pairs.map(|(images, labels)| ImageFiles { images, labels, pixel_max: arguments.pixel_max });
    let all = images(&program, files.as_ref())?;
    let images = arguments.limit.map_or_else(|| all.clone(), |limit| all.truncated(limit));
    let evaluator = Evaluator { seed: arguments.seed, chips: arguments.chips, timing_images: arguments.timing_images };
    if let Some(output) = &arguments.output {
        // Before the work, so that a directory that cannot be written to is refused at once.
        let repeat = format!(
            "ohmic simulate PROGRAM --chips {} --seed {} --timing-images {} (with the program compiled for this chip)",
            arguments.chips, arguments.seed, arguments.timing_images
        );
        write_run(output, Kind::Chip, &program.chip, &repeat)?;
    }
    let (row, evaluation) = simulate(&program, &images, evaluator, &Bar::default())?;
    warn(converter_warnings(evaluation.converters.iter()));
    if let Some(output) = &arguments.output {
        write(output, "simulate.csv", &rows_csv(std::slice::from_ref(&row))?)?;
    }
    match format {
        Format::Text => print_text(row, &evaluation),
        Format::Json => {
            print_json(&json!({ "row": row, "counts": evaluation.counts, "converters": evaluation.converters }))?;
        }
    }
    Ok(())
}

const CONVERTERS: [&str; 5] = ["stage", "slice", "clipped\n%", "codes\nused", "codes\navailable"];

fn print_text(row: Row, evaluation: &Evaluation) {
    let rows = [(row, evaluation.energy)];
    say!("{}", table::results(&rows));
    say!("{}", table::legend(&rows));
    let converters = evaluation.converters.iter().map(|c| {
        let clipped = 100.0 * c.clipped as f64 / c.conversions.max(1) as f64;
        let used = (c.codes.1 - c.codes.0 + 1).max(0);
        vec![
            c.stage.clone(),
            c.slice.to_string(),
            format!("{clipped:.3}"),
            used.to_string(),
            c.available_codes.to_string(),
        ]
    });
    say!("{}", table::table(&CONVERTERS, 1, converters));
}
