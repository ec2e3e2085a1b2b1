//! `ohmic check`: is a configuration valid, and what does it resolve to?

use super::print_json;
use crate::cli::{Check, Format};
use explore::ExploreError;
use explore::auto;
use explore::chip::config::Chip;
use explore::config::{Kind, kind_of, load, to_toml};
use explore::experiment::Experiment;
use explore::model::ModelConfig;
use explore::nn::graph;
use explore::outline::Outline;
use explore::recommend::Recommendation;
use explore::simulate::read_bounded;
use explore::sweep::Sweep;
use explore::tile::cost::{AdcModel, CostTable};
use explore::tile::device::Device;
use explore::trainer::Architecture;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Largest configuration, bytes.
const MOST_BYTES: u64 = 1 << 24;

pub fn run(arguments: &Check, format: Format) -> Result<(), ExploreError> {
    let path = &arguments.config;
    let bytes = read_bounded(path, MOST_BYTES)?;
    let text =
        String::from_utf8(bytes).map_err(|error| ExploreError::Request(format!("{}: {error}", path.display())))?;
    if is_graph(&text) {
        return check_graph(&text, arguments, format);
    }
    let kind = kind_of(&path.display().to_string(), &text)?;
    match kind {
        Kind::Chip => check::<Chip>(kind, arguments, format),
        Kind::Device => check::<Device>(kind, arguments, format),
        Kind::Adc => check::<AdcModel>(kind, arguments, format),
        Kind::Costs => check::<CostTable>(kind, arguments, format),
        Kind::Network if names_file(&text) => check::<ModelConfig>(kind, arguments, format),
        Kind::Network => check::<Architecture>(kind, arguments, format),
        Kind::Outline => check::<Outline>(kind, arguments, format),
        Kind::Experiment => check::<Experiment>(kind, arguments, format),
        Kind::Sweep => check::<Sweep>(kind, arguments, format),
        Kind::Recommendation => check::<Recommendation>(kind, arguments, format),
        Kind::Auto => check::<auto::Document>(kind, arguments, format),
    }
}

/// Whether a file has the layers of a network whose weights are in another file. It has a format of its own, without presets.
fn is_graph(text: &str) -> bool {
    let kind = toml::from_str::<toml::Table>(text).ok().and_then(|table| table.get("kind").cloned());
    kind.is_some_and(|kind| kind.as_str() == Some("graph"))
}

fn check_graph(text: &str, arguments: &Check, format: Format) -> Result<(), ExploreError> {
    if let Some(set) = arguments.overrides.set.first() {
        let file = arguments.config.display();
        return Err(ExploreError::Request(format!("{file} is a graph, of which --set {set} can change no key")));
    }
    let checked = graph::files::check(text, &arguments.config)?;
    match format {
        Format::Text => say_raw!("{checked}"),
        Format::Json => {
            let table: toml::Table =
                toml::from_str(&checked).map_err(|error| ExploreError::Table(error.to_string()))?;
            print_json(&serde_json::to_value(table).map_err(|error| ExploreError::Table(error.to_string()))?)?;
        }
    }
    Ok(())
}

/// Whether a network is one with weights in a file, and not an architecture to train.
fn names_file(text: &str) -> bool {
    toml::from_str::<toml::Table>(text).is_ok_and(|table| table.contains_key("file"))
}

fn check<T: DeserializeOwned + Serialize + explore::tile::check::Check>(
    kind: Kind,
    arguments: &Check,
    format: Format,
) -> Result<(), ExploreError> {
    // A path without a slash must not be taken for the name of a preset.
    let path = std::path::Path::new(".").join(&arguments.config);
    let config: T = load(kind, &path.display().to_string(), &arguments.overrides.set)?;
    match format {
        Format::Text => say_raw!("{}", to_toml(kind, &config)?),
        Format::Json => {
            print_json(&serde_json::to_value(&config).map_err(|error| ExploreError::Table(error.to_string()))?)?;
        }
    }
    Ok(())
}
