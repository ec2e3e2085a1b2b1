//! `ohmic train`: one network, into a directory.

use super::{print_json, with_short_forms};
use crate::bar::Bar;
use crate::cli::{Format, Train};
use explore::ExploreError;
use explore::config::{Kind, load};
use explore::experiment::Experiment;
use explore::output::{write_run, write_training};
use explore::training::{TrainedPoint, train_all};
use serde_json::json;

pub fn run(arguments: &Train, format: Format) -> Result<(), ExploreError> {
    let mut overrides = with_short_forms(&arguments.overrides.set, &[("seed", &arguments.seed)]);
    // Quoted, so that a name can only be a name.
    overrides.push(format!("mappings=[{:?}]", arguments.mapping));
    overrides.push(format!("methods=[{:?}]", arguments.method));
    overrides.push("training_seeds=1".to_owned());
    let experiment: Experiment = load(Kind::Experiment, &arguments.config, &overrides)?;
    let repeat =
        format!("ohmic train --config run.toml --method {} --mapping {} -o DIR", arguments.method, arguments.mapping);
    write_run(&arguments.output, Kind::Experiment, &experiment, &repeat)?;
    let dataset = explore::nn::datasets::load(&experiment.network.dataset)?;
    let points = train_all(&experiment, &dataset, &Bar::default())?;
    for point in &points {
        write_training(&arguments.output, point)?;
        match format {
            Format::Text => print_text(point, arguments),
            Format::Json => print_json(&json!({
                "method": point.method,
                "mapping": point.mapping,
                "share": point.trained.share,
                "epoch": point.trained.epochs.get(point.trained.chosen),
                "validation_accuracy": point.trained.validation_accuracy,
            }))?,
        }
    }
    Ok(())
}

fn print_text(point: &TrainedPoint, arguments: &Train) {
    let trained = &point.trained;
    let Some(epoch) = trained.epochs.get(trained.chosen) else { return };
    say!("checkpoint of epoch {} of {}, chosen on validation images", epoch.epoch, trained.epochs.len());
    say!("  validation accuracy in software: {:.1} %", 100.0 * epoch.validation_software);
    if let Some(hardware) = epoch.validation_hardware {
        say!("  validation accuracy on chip samples: {:.1} %", 100.0 * hardware);
    }
    if trained.share > 0.0 {
        say!(
            "  constrained columns: {:.0} % chosen, {:.0} % in force",
            100.0 * trained.share,
            100.0 * epoch.effective_share
        );
    }
    say!("wrote network.toml, weights.safetensors, training.csv and run.toml to {}", arguments.output.display());
}
