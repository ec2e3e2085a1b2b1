//! From what a user names to a network.

use super::graphs;
use super::labels;
use super::normalise::normalise;
use super::{InputConfig, InputLayout, ModelConfig};
use crate::config::{self, ConfigError, Kind};
use crate::error::ExploreError;
use nn::Graph;
use nn::onnx::{Layout, Options};
use std::path::{Path, PathBuf};
use trainer::Architecture;

/// Environment variable that names the directory of models.
pub const MODELS: &str = "OHMIC_MODELS";

/// A network that takes the pixels 0..=1 of its data set.
#[derive(Clone, Debug)]
pub struct Model {
    /// The network.
    pub graph: Graph,
    /// The file that it was read from.
    pub file: PathBuf,
    /// Names of its classes, if they are known: one for each result.
    pub labels: Option<Vec<String>>,
}

/// Loads what `name` stands for: a directory that `ohmic train` wrote, an ONNX file, or a document of kind `network` (a name, see `ohmic list
/// networks`, or a TOML file). `models` is the directory of models; without it that of the environment is taken.
///
/// # Errors
/// If there is no such network, or its file cannot be read.
pub fn load(name: &str, models: Option<&Path>, overrides: &[String]) -> Result<Model, ExploreError> {
    let path = Path::new(name);
    if path.is_dir() {
        return Ok(Model { graph: nn::files::load(path)?, file: path.to_owned(), labels: None });
    }
    if path.extension().is_some_and(|ending| ending == "onnx") {
        let stem = path.file_stem().map_or_else(|| "network".to_owned(), |stem| kebab(&stem.to_string_lossy()));
        let graph = nn::onnx::load(path, &Options::new(stem, "none"))?;
        return Ok(Model { graph, file: path.to_owned(), labels: None });
    }
    if path.extension().is_some_and(|ending| ending == "safetensors") {
        return Err(ExploreError::Request(format!(
            "{name} holds weights without layers; name the directory that `ohmic train` wrote, or a document of kind `network` whose `file` names the layers and \
             whose `weights` this file"
        )));
    }
    let config: ModelConfig = config::load(Kind::Network, name, overrides).map_err(|error| untrained(name, error))?;
    let beside = name.ends_with(".toml").then(|| path.parent().map(Path::to_path_buf)).flatten();
    let places: Vec<PathBuf> = beside
        .into_iter()
        .chain(models.map(Path::to_path_buf).or_else(|| std::env::var_os(MODELS).map(PathBuf::from)))
        .collect();
    from_config(&config, &places).map_err(|error| match error {
        ExploreError::Request(what) => ExploreError::Request(format!("{name}: {what}")),
        error => error,
    })
}

/// Tells a network without weights, and layers without a document, from a mistake.
fn untrained(name: &str, error: ConfigError) -> ExploreError {
    if is_graph(name) {
        let remedy = "write a document of kind `network` whose `file` is this one, and name that";
        return ExploreError::Request(format!("{name} is a graph, the layers of a network; {remedy}"));
    }
    if config::load::<Architecture>(Kind::Network, name, &[]).is_err() {
        return error.into();
    }
    ExploreError::Request(format!(
        "{name} has layers, but no weights; train it (`ohmic train --set network.preset={name} -o DIR`) and name DIR"
    ))
}

/// Whether a file holds layers without anything else.
fn is_graph(file: &str) -> bool {
    let document = std::fs::read_to_string(file).ok().and_then(|text| text.parse::<toml::Table>().ok());
    document.is_some_and(|document| document.get("kind").and_then(toml::Value::as_str) == Some("graph"))
}

fn from_config(config: &ModelConfig, places: &[PathBuf]) -> Result<Model, ExploreError> {
    let found = |file: &Option<String>| file.as_ref().map(|file| find(file, places)).transpose();
    let (mean_file, std_file) = (found(&config.input.mean_file)?, found(&config.input.std_file)?);
    let (graph, file) = read(config, places)?;
    let graph = Graph { name: config.name.clone(), ..graph };
    let graph = normalise(graph, &config.input, (mean_file.as_deref(), std_file.as_deref()))?;
    let labels = config.labels.as_ref().map(|labels| labels::names(labels, &graph, |file| find(file, places)));
    Ok(Model { labels: labels.transpose()?, graph, file })
}

/// The network as its file has it, and the file.
fn read(config: &ModelConfig, places: &[PathBuf]) -> Result<(Graph, PathBuf), ExploreError> {
    let weights = config.weights.as_ref().map(|weights| find(weights, places)).transpose()?;
    if let (Some(weights), Some(text)) = (&weights, graphs::text(&config.file)) {
        return Ok((nn::graph::files::from_text(text, Path::new(&config.file), weights)?, weights.clone()));
    }
    let file = find(&config.file, places)?;
    let InputConfig { layout, .. } = &config.input;
    let graph = if file.extension().is_some_and(|ending| ending == "onnx") {
        let layout = match layout {
            InputLayout::Nchw => Layout::ChannelsFirst,
            InputLayout::Nhwc => Layout::ChannelsLast,
        };
        let output = config.output.clone();
        nn::onnx::load(&file, &Options { name: config.name.clone(), dataset: config.dataset.clone(), layout, output })?
    } else {
        nn::graph::files::load(&file, &weights.unwrap_or_else(|| file.with_extension("safetensors")))?
    };
    Ok((graph, file))
}

/// The first of the places that has a file.
fn find(file: &str, places: &[PathBuf]) -> Result<PathBuf, ExploreError> {
    let path = Path::new(file);
    if path.is_absolute() {
        let missing = || ExploreError::Request(format!("{file} does not exist"));
        return path.exists().then(|| path.to_owned()).ok_or_else(missing);
    }
    let found = places.iter().map(|place| place.join(path)).find(|path| path.exists());
    // The directory of a document that is named without one is empty.
    let name =
        |place: &PathBuf| if place.as_os_str().is_empty() { ".".to_owned() } else { place.display().to_string() };
    let tried: Vec<String> = places.iter().map(name).collect();
    let tried = if tried.is_empty() { "any place, because none was named".to_owned() } else { tried.join(", ") };
    let remedy = format!("name its directory by --models DIR or {MODELS}");
    found.ok_or_else(|| ExploreError::Request(format!("{file} was not found in {tried}; {remedy}")))
}

/// A name that networks may have.
fn kebab(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}
