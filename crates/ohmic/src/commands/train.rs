//! `ohmic train`: one network, into a directory.

use super::guess::guess;
use super::{data_set, flags_of_places, print_json, quoted, warn, why_nothing, with_short_forms};
use crate::bar::Bar;
use crate::cli::{Format, Train};
use explore::ExploreError;
use explore::checkpoint::{Checkpoints, TrainOptions, remove_checkpoints};
use explore::config::{Kind, load};
use explore::experiment::Experiment;
use explore::model;
use explore::nn::datasets::Dataset;
use explore::output::{write_run, write_training};
use explore::states::binary;
use explore::statistics::{Estimate, wilson_interval};
use explore::store::Disk;
use explore::training::{TrainedPoint, train_all};
use serde_json::json;
use std::collections::BTreeSet;

pub fn run(arguments: &Train, format: Format) -> Result<(), ExploreError> {
    let mut overrides = with_short_forms(&arguments.overrides.set, &[("seed", &arguments.seed)]);
    // Quoted, so that a name can only be a name.
    overrides.push(format!("mappings=[{:?}]", arguments.mapping));
    overrides.push(format!("methods=[{:?}]", arguments.method));
    overrides.push("training_seeds=1".to_owned());
    let experiment: Experiment = load(Kind::Experiment, &arguments.config, &overrides)?;
    let models = arguments.places.models.as_deref();
    let from = arguments.from.as_ref().map(|name| model::load(name, models, &[])).transpose()?;
    if experiment.operating_point.is_some() {
        warn(vec![super::operating_point_is_of_compare(&experiment)]);
    }
    let dataset = explore::datasets::load(data_set(&experiment, from.as_ref()), arguments.places.data.data.as_deref())?;
    write_run(&arguments.output, Kind::Experiment, &experiment, &repeat(arguments))?;
    let checkpoints = arguments.checkpoints.checkpoint_every.map(|every| Checkpoints {
        files: &Disk,
        directory: &arguments.output,
        every,
        resume: arguments.checkpoints.resume,
    });
    let options = TrainOptions { from: from.as_ref().map(|model| &model.graph), checkpoints };
    let points = train_all(&experiment, &dataset, &options, &Bar::default())?;
    let before = from.as_ref().map(|model| model.graph.accuracy(&dataset.test)).transpose()?;
    for point in &points {
        write_training(&arguments.output, point)?;
        let (share, images) = (point.trained.network.accuracy(&dataset.test)?, dataset.test.len() as u64);
        let test = wilson_interval((share * images as f64).round() as u64, images);
        let warning = guess(&point.trained.network.name, &point.trained, &dataset.validation);
        warn(warning.iter().cloned().collect());
        match format {
            Format::Text => print_text(point, (before, test), &dataset, (arguments, &experiment)),
            Format::Json => print_json(&json!({
                "method": point.method,
                "mapping": point.mapping,
                "share": point.trained.share,
                "epoch": point.trained.epochs.get(point.trained.chosen),
                "validation_accuracy": point.trained.validation_accuracy,
                "dataset": dataset.name,
                "favourable_states": point.trained.states,
                "test_accuracy_before": before,
                "test_accuracy_software": test.value,
                "test_accuracy_software_ci95_low": test.low,
                "test_accuracy_software_ci95_high": test.high,
                "warning": warning,
            }))?,
        }
    }
    remove_checkpoints(&arguments.output)
}

/// The command that repeats the training from `run.toml`.
fn repeat(arguments: &Train) -> String {
    let from = arguments.from.as_ref().map_or_else(String::new, |from| format!(" --from {}", quoted(from)));
    let (method, mapping, places) = (&arguments.method, &arguments.mapping, flags_of_places(&arguments.places));
    format!("ohmic train --config run.toml --method {method} --mapping {mapping}{from}{places} -o DIR")
}

fn print_text(
    point: &TrainedPoint,
    (before, test): (Option<f64>, Estimate),
    dataset: &Dataset,
    (arguments, experiment): (&Train, &Experiment),
) {
    let trained = &point.trained;
    let Some(epoch) = trained.epochs.get(trained.chosen) else { return };
    say!("{}", what(point, dataset, experiment));
    say!("checkpoint of epoch {} of {}, chosen on validation images", epoch.epoch, trained.epochs.len());
    say!("  validation accuracy in software: {:.1} %", 100.0 * epoch.validation_software);
    if let Some(hardware) = epoch.validation_hardware {
        say!("  validation accuracy on chip samples: {:.1} %", 100.0 * hardware);
    }
    let [accuracy, low, high] = [test.value, test.low, test.high].map(|share| 100.0 * share);
    let images = dataset.test.len();
    say!(
        "  test accuracy in software: {accuracy:.2} % [{low:.2}, {high:.2}] of {images} images (95 % interval, Wilson)"
    );
    if let (Some(before), Some(from)) = (before, &arguments.from) {
        say!(
            "  before it was trained further: {:.2} %; scales of weights are at first those of {from}",
            100.0 * before
        );
    }
    if epoch.clipped_share > 0.0 {
        say!("  weights clipped by the encoding: {:.1} %", 100.0 * epoch.clipped_share);
    }
    let is_biased = point.method.is_biased();
    if is_biased && epoch.effective_share == 0.0 {
        say!("  nothing is constrained: {}", why_nothing(std::slice::from_ref(trained)));
    } else if is_biased {
        say!(
            "  constrained columns: {:.0} % chosen, {:.0} % in force",
            100.0 * epoch.chosen_share,
            100.0 * epoch.effective_share
        );
    }
    let states = favourable_states(&trained.states, experiment.chip.tile.cell.bits);
    if let Some(states) = states.filter(|_| epoch.effective_share > 0.0) {
        say!("  favourable states of the most significant cells: {states}");
    }
    let files = "network.toml, weights.safetensors, training.csv, training.svg and run.toml";
    say!("wrote {files} to {}", arguments.output.display());
}

/// What was trained, on what, for what.
fn what(point: &TrainedPoint, dataset: &Dataset, experiment: &Experiment) -> String {
    let (network, data) = (&point.trained.network.name, dataset.name);
    let trained = format!("{network} on {data} ({} training images), {}", dataset.train.len(), point.method.name());
    let device = &experiment.chip.tile.cell.device;
    point.mapping.as_ref().map_or(trained.clone(), |mapping| {
        format!("{trained} for {mapping} on cells of {} (sigma scale {})", device.name, device.sigma_scale)
    })
}

/// The sets that layers have, in binary; none without any.
fn favourable_states(of_layers: &[Vec<usize>], cell_bits: u32) -> Option<String> {
    let sets: BTreeSet<&Vec<usize>> = of_layers.iter().filter(|states| !states.is_empty()).collect();
    let set = |states: &Vec<usize>| states.iter().map(|&state| binary(state, cell_bits)).collect::<Vec<_>>().join(", ");
    let sets: Vec<String> = sets.into_iter().map(|states| format!("{{{}}}", set(states))).collect();
    (!sets.is_empty()).then(|| sets.join(" or, in other layers, "))
}
