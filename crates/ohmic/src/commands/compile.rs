//! `ohmic compile`: a network directory to a program directory.

use super::print_json;
use crate::cli::{Compile, Format};
use crate::table::table;
use explore::ExploreError;
use explore::chip::config::Chip;
use explore::chip::program::{MvmStage, Program, Stage};
use explore::config::{Kind, load};
use explore::nn_compiler::Compilation;
use explore::output::write_run;
use explore::training::mapping;
use serde_json::json;

pub fn run(arguments: &Compile, format: Format) -> Result<(), ExploreError> {
    let mapping = mapping(&arguments.mapping)?;
    let chip: Chip = load(Kind::Chip, &arguments.chip, &arguments.overrides.set)?;
    let network = explore::nn::files::load(&arguments.network)?;
    let dataset = explore::nn::datasets::load(&network.dataset)?;
    let request = Compilation {
        network: &network,
        dataset: &dataset,
        training: &arguments.training,
        mapping: &mapping,
        chip: &chip,
        seed: arguments.seed,
    };
    let mut program = explore::nn_compiler::compile(&request)?;
    if let Some(arrays) = arguments.replicate {
        explore::nn_compiler::replicate(&mut program, arrays)?;
    }
    // A program that cannot finish is refused here, not when it is simulated.
    explore::chip::timing::run(&program, 1)?;
    explore::chip::program::save(&program, &arguments.output)?;
    let replicate = arguments.replicate.map(|arrays| format!(" --replicate {arrays}")).unwrap_or_default();
    let repeat = format!(
        "ohmic compile NETWORK --chip run.toml --mapping {} --training {} --seed {}{replicate} -o DIR",
        arguments.mapping, arguments.training, arguments.seed
    );
    write_run(&arguments.output, Kind::Chip, &chip, &repeat)?;
    match format {
        Format::Text => print_text(&program, arguments),
        Format::Json => {
            print_json(&json!({ "software_accuracy": program.software_accuracy, "stages": stage_rows(&program) }))?;
        }
    }
    Ok(())
}

const HEADER: [&str; 11] = [
    "stage",
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
            stage.window.rows().to_string(),
            stage.outputs.to_string(),
            stage.window.count().to_string(),
            (stage.crossbars.len() * stage.polarities as usize).to_string(),
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
            let mut row = vec![stage.name().to_owned(), rows.to_string(), output.channels.to_string()];
            row.push(window.count().to_string());
            row.resize(HEADER.len(), "-".to_owned());
            row
        }
    };
    program.stages.iter().map(row).collect()
}

fn print_text(program: &Program, arguments: &Compile) {
    say!("{}", table(&HEADER, 1, stage_rows(program).into_iter()));
    say!("software accuracy on the test images: {:.1} %", 100.0 * program.software_accuracy);
    say!("wrote program.toml, arrays.safetensors and run.toml to {}", arguments.output.display());
}
