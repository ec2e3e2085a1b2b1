//! One command a file.

pub mod check;
mod choice;
pub mod compare;
pub mod compile;
pub mod conductances;
pub mod cycles;
pub mod export_spice;
mod guess;
pub mod infer;
pub mod list;
pub mod recommend;
pub mod simulate;
pub mod states;
pub mod sweep;
mod timed;
pub mod trace;
pub mod train;

use crate::cli::Places;
use explore::ExploreError;
use explore::experiment::Experiment;
use explore::model::Model;
use explore::nn::datasets::DATASETS;
use explore::trainer::Trained;
use serde_json::Value;
use std::path::Path;

/// Prints JSON.
fn print_json(value: &Value) -> Result<(), ExploreError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| ExploreError::Table(error.to_string()))?;
    say!("{text}");
    Ok(())
}

/// What is told where a command leaves the operating point of an experiment alone.
fn operating_point_is_of_compare(experiment: &Experiment) -> String {
    format!(
        "operating_point is searched by `ohmic compare` alone; cell.device.sigma_scale = {} here, another by --set",
        experiment.chip.tile.cell.device.sigma_scale
    )
}

/// The data set of the network whose weights are trained further, if it names one, or that of the experiment.
fn data_set<'a>(experiment: &'a Experiment, from: Option<&'a Model>) -> &'a str {
    let named = from.map(|model| model.graph.dataset.as_str());
    named.filter(|name| DATASETS.iter().any(|info| info.name == *name)).unwrap_or(&experiment.network.dataset)
}

/// Prints warnings to standard error.
fn warn(warnings: Vec<String>) {
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,%@".contains(c);
    let is_plain = !word.is_empty() && word.chars().all(plain);
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// Why biased training constrained nothing.
fn why_nothing(trained: &[Trained]) -> &'static str {
    let chosen = |trained: &Trained| trained.epochs.get(trained.chosen).is_some_and(|epoch| epoch.chosen_share > 0.0);
    match trained.iter().any(chosen) {
        true => {
            "every state is favourable in the constrained slices (`ohmic states`, training.biased.states, constrained_slices)"
        }
        false => "no column was chosen",
    }
}

/// A path as a shell takes it.
fn quoted_path(path: &Path) -> String {
    quoted(&path.display().to_string())
}

/// A flag and its path behind a blank, if it is given.
fn flag(name: &str, path: Option<&Path>) -> String {
    path.map_or_else(String::new, |path| format!(" --{name} {}", quoted_path(path)))
}

/// The flags that say where networks and data sets lie.
fn flags_of_places(places: &Places) -> String {
    flag("models", places.models.as_deref()) + &flag("data", places.data.data.as_deref())
}

/// `--set` with the short forms of single keys on top.
fn with_short_forms(set: &[String], short: &[(&str, &Option<String>)]) -> Vec<String> {
    let given = short.iter().filter_map(|(key, value)| value.as_ref().map(|value| format!("{key}={value}")));
    set.iter().cloned().chain(given).collect()
}
