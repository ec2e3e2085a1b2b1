//! `ohmic compile`: a network to a program directory.

use super::{choice, flag, flags_of_places, print_json, quoted, quoted_path, warn};
use crate::cli::{Compile, Format};
use crate::table::table;
use explore::ExploreError;
use explore::auto::{Asked, Mappings, Request, choice_rows};
use explore::chip::config::Chip;
use explore::chip::program::{MvmStage, Program, Stage};
use explore::config::{Kind, load};
use explore::datasets;
use explore::model::Model;
use explore::nn::datasets::Dataset;
use explore::nn_compiler::front::{Goal, QUANTISE, dump_after, passes, quantised};
use explore::nn_compiler::inspect::{Inspect, PROGRAM_PASSES};
use explore::nn_compiler::mapping::AUTO;
use explore::nn_compiler::place::{Hops, place};
use explore::nn_compiler::quantise::{Quantised, dump};
use explore::nn_compiler::report::{LayerReport, report};
use explore::nn_compiler::{CompilationSettings, Limit, compile_quantised, replicate, warnings};
use explore::output::{records_csv, write, write_run};
use explore::plot::floor_plan;
use serde_json::json;
use std::path::Path;

pub fn run(arguments: &Compile, format: Format) -> Result<(), ExploreError> {
    arguments.dump_after.as_deref().map(known_pass).transpose()?;
    let asked =
        Asked { mapping: &arguments.mapping, document: arguments.auto.as_deref(), set: &arguments.overrides.set };
    let request = asked.request()?;
    let chip: Chip = load(Kind::Chip, &arguments.chip, &asked.of_chip())?;
    let model = explore::model::load(&arguments.network, arguments.places.models.as_deref(), &[])?;
    let quantisation = arguments.integers.quantisation();
    let pass = arguments.dump_after.as_deref();
    if let Some(text) = pass.map(|pass| dump_after(pass, &model.graph, &quantisation)).transpose()?.flatten() {
        say!("{}", text.trim_end());
        return Ok(());
    }
    let dataset = dataset(arguments, &model)?;
    // What is looked at before it is compiled need not suit the mapping.
    let goal = if pass == Some(QUANTISE) { Goal::Integers } else { Goal::Chip(request.named()) };
    let quantised = quantised(&model.graph, &dataset.train, &chip, &quantisation, goal)?;
    if pass == Some(QUANTISE) {
        say!("{}", dump(&quantised).trim_end());
        return Ok(());
    }
    warn(quantised.doubt(&model.graph, &dataset.train)?.into_iter().collect());
    let inspect = pass.and_then(program_pass);
    let mappings = request.mappings(&quantised.network, &dataset, &chip)?;
    let (program, hops, limit) = program(arguments, &quantised, &dataset, (&chip, &mappings))?;
    if let Some(inspect) = inspect {
        say!("{}", inspect(&program)?.trim_end());
        return Ok(());
    }
    warn(warnings(&quantised.network, &program));
    let Some(output) = &arguments.output else { return Ok(()) };
    let choice = mappings.choice();
    explore::chip::program::save(&program, output)?;
    write_run(output, Kind::Chip, &chip, &repeat(arguments, output, &request))?;
    if let Some(choice) = choice {
        write(output, "choice.csv", &records_csv(&choice_rows(choice, &chip))?)?;
    }
    if arguments.report {
        write_report(output, &program)?;
    }
    match format {
        Format::Text => {
            if let (Some(choice), Request::Chosen(auto)) = (choice, &request) {
                choice::print(choice, (auto, &source(arguments, &model)), &chip);
            }
            print_text(&program, (arguments, dataset.test.len()), hops, limit);
        }
        Format::Json => print_json(&json!({
            "software_accuracy": program.software_accuracy,
            "choice": choice.map(|choice| choice_rows(choice, &chip)),
            "stages": stage_rows(&program),
            "layers": report(&program),
            "flit_hops": hops.after,
        }))?,
    }
    Ok(())
}

/// Refuses what is no pass, before there is work that would be in vain.
fn known_pass(pass: &str) -> Result<(), ExploreError> {
    let names: Vec<&str> = passes().iter().map(|(name, _)| *name).collect();
    if names.contains(&pass) {
        return Ok(());
    }
    Err(ExploreError::Request(format!("--dump-after {pass}: no such pass; known: {}", names.join(", "))))
}

/// What shows what a pass decided about a program, if it is one of programs.
fn program_pass(pass: &str) -> Option<Inspect> {
    PROGRAM_PASSES.iter().find(|(name, _, _)| *name == pass).map(|&(_, _, inspect)| inspect)
}

/// The images that ranges are found on, and those that the accuracy in software is measured on.
fn dataset(arguments: &Compile, model: &Model) -> Result<Dataset, ExploreError> {
    if let Some(path) = &arguments.calibrate {
        let shape = model.graph.input;
        return Ok(datasets::unlabelled(shape, &datasets::from_npy(path, shape)?));
    }
    if model.graph.dataset == "none" {
        let what = "the network names no data set; give images to find ranges on by --calibrate FILE.npy";
        return Err(ExploreError::Request(format!("{}: {what}", arguments.network)));
    }
    let mut dataset = datasets::load(&model.graph.dataset, arguments.places.data.data.as_deref())?;
    dataset.test = dataset.test.truncated(arguments.accuracy_images.max(1));
    Ok(dataset)
}

/// Whose images ranges are found on.
fn source(arguments: &Compile, model: &Model) -> String {
    match &arguments.calibrate {
        Some(path) => format!("images of {}", path.display()),
        None => format!("training images of {}", model.graph.dataset),
    }
}

fn program(
    arguments: &Compile,
    quantised: &Quantised,
    dataset: &Dataset,
    (chip, mappings): (&Chip, &Mappings),
) -> Result<(Program, Hops, Option<Limit>), ExploreError> {
    let (training, seed) = (arguments.training.as_str(), arguments.seed);
    let settings = CompilationSettings { dataset, training, mapping: mappings.of_layers(), chip, seed };
    let mut program = compile_quantised(&quantised.network, &settings)?;
    let limit = arguments.replicate.map(|arrays| replicate(&mut program, arrays)).transpose()?;
    let hops = place(&mut program, arguments.placement);
    // A program that cannot finish is refused here, not when it is simulated.
    explore::chip::timing::run(&program, 1)?;
    Ok((program, hops, limit))
}

/// The command that repeats a compilation.
fn repeat(arguments: &Compile, output: &Path, request: &Request) -> String {
    let Compile { network, training, seed, placement, integers, places, .. } = arguments;
    let mut command = format!(
        "ohmic compile {} --chip run.toml {} --training {} --seed {seed} --placement {} -o {}",
        quoted(network),
        request.arguments(),
        quoted(training),
        placement.name(),
        quoted_path(output)
    );
    if let Some(arrays) = arguments.replicate {
        command += &format!(" --replicate {arrays}");
    }
    for (flag, given) in [(" --per-channel", integers.per_channel), (" --equalise", integers.equalise)] {
        command += if given { flag } else { "" };
    }
    command
        + &flag("calibrate", arguments.calibrate.as_deref())
        + &flags_of_places(places)
        + &format!(" --weight-range {} --activation-range {}", integers.weight_range, integers.activation_range)
        + &format!(" --accuracy-images {}", arguments.accuracy_images)
}

fn write_report(output: &Path, program: &Program) -> Result<(), ExploreError> {
    write(output, "report.csv", &records_csv(&report(program))?)?;
    write(output, "floor-plan.svg", &floor_plan(program)?)
}

const HEADER: [&str; 12] = [
    "stage",
    "mapping",
    "rows",
    "outputs",
    "windows",
    "crossbars",
    "copies",
    "tiles",
    "slices",
    "offset",
    "clipped weights",
    "ADC steps (levels)",
];

fn stage_rows(program: &Program) -> Vec<Vec<String>> {
    let mvm = |stage: &MvmStage| {
        let steps = stage.slices.iter().map(|slice| slice.adc.step.to_string()).collect::<Vec<_>>().join(" ");
        vec![
            stage.name.clone(),
            stage.mapping.clone(),
            stage.window.rows().to_string(),
            stage.outputs.to_string(),
            stage.window.count().to_string(),
            stage.arrays().to_string(),
            stage.copies().to_string(),
            stage.tiles().len().to_string(),
            stage.slices.len().to_string(),
            stage.offset.to_string(),
            stage.clipped_weights.to_string(),
            steps,
        ]
    };
    let row = |stage: &Stage| match stage {
        Stage::Mvm(stage) => mvm(stage),
        Stage::Pool(_) | Stage::Add(_) | Stage::Concat(_) | Stage::Table(_) => {
            let (window, output) = (stage.window(), stage.output());
            let joins = matches!(stage, Stage::Concat(_));
            let rows = if joins { window.rows() } else { window.rows() * stage.inputs().len() };
            let mut row = vec![stage.name().to_owned(), "-".to_owned(), rows.to_string()];
            row.extend([output.channels.to_string(), window.count().to_string()]);
            row.resize(HEADER.len(), "-".to_owned());
            row
        }
    };
    program.stages.iter().map(row).collect()
}

fn print_text(program: &Program, (arguments, images): (&Compile, usize), hops: Hops, limit: Option<Limit>) {
    say!("{}", table(&HEADER, 2, stage_rows(program).into_iter()));
    if arguments.report {
        say!("{}", table(&REPORT, 2, report(program).iter().map(report_row)));
        say!("{}", totals(program));
    }
    if let (Some(limit), Some(budget)) = (limit, arguments.replicate) {
        say!("copies: {} arrays of at most {budget}; {limit}", program.arrays());
    }
    match program.software_accuracy {
        Some(accuracy) => say!("software accuracy on {images} test images: {:.1} %", 100.0 * accuracy),
        None => say!("software accuracy: no labelled images"),
    }
    if hops.before > 0 {
        say!("flit hops of an image: {} row by row, {} as placed", hops.before, hops.after);
    }
    if let Some(output) = &arguments.output {
        let choice = if arguments.mapping == AUTO { ", choice.csv" } else { "" };
        say!("wrote program.toml, arrays.safetensors{choice} and run.toml to {}", output.display());
    }
}

const REPORT: [&str; 12] = [
    "stage",
    "kernel",
    "groups",
    "MACs",
    "arrays",
    "copies",
    "cells",
    "utilisation\n%",
    "lossless\nADC bits",
    "clipped\nweights",
    "error variance\n(weight steps²)",
    "mapping",
];

fn report_row(layer: &LayerReport) -> Vec<String> {
    vec![
        layer.stage.clone(),
        layer.shape.clone(),
        layer.groups.to_string(),
        layer.macs.to_string(),
        layer.arrays.to_string(),
        layer.copies.to_string(),
        layer.cells.to_string(),
        format!("{:.1}", 100.0 * layer.utilisation),
        layer.lossless_adc_bits.to_string(),
        layer.clipped_weights.to_string(),
        format!("{:.3}", layer.weight_error_variance),
        layer.mapping.clone(),
    ]
}

fn totals(program: &Program) -> String {
    let layers = report(program);
    let sum = |of: &dyn Fn(&LayerReport) -> u64| layers.iter().map(of).sum::<u64>();
    let (arrays, cells) = (sum(&|layer| layer.arrays * layer.copies), sum(&|layer| layer.cells * layer.copies));
    let size = &program.chip.tile.array;
    let available = arrays * u64::from(size.rows) * u64::from(size.cols);
    format!(
        "{} MACs an image, {arrays} arrays on {} tiles, {cells} cells in use ({:.1} % of the arrays)",
        program.macs,
        program.tiles(),
        100.0 * cells as f64 / available.max(1) as f64
    )
}
