//! The description of a network that others made: where its file is, and what it expects of an image.

use nn::datasets::DATASETS;
use serde::{Deserialize, Serialize};
use tile::check::{Check, Problems};

/// A network with weights, as a document of kind `network` with a `file` describes it. The value of the network's input is
/// `(pixel * scale - mean) / std` for pixels of 0..=1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Name, kebab-case.
    pub name: String,
    /// What it is and where it comes from, in one line.
    #[serde(default)]
    pub doc: String,
    /// Data set that it was made for (see `ohmic list datasets`).
    pub dataset: String,
    /// ONNX file, or a TOML graph with safetensors beside it; relative to the document, or to the directory of models. With `weights`, also the name
    /// of a graph that is built in (`configs/graphs`).
    pub file: String,
    /// Weights of a TOML graph, if they are not beside it (safetensors).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<String>,
    /// Which of several results is that of the network, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Names of its classes: a list, or a text file with one a line, found where `file` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Labels>,
    /// What it expects of an image.
    #[serde(default)]
    pub input: InputConfig,
}

/// Where the names of classes are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a list of names, or the path of a file with one a line")]
pub enum Labels {
    /// Here.
    Names(Vec<String>),
    /// In a file, one a line.
    File(String),
}

/// What a network expects of an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InputConfig {
    /// Where its input has the channels.
    pub layout: InputLayout,
    /// Value of a white pixel before mean and deviation: 1, or 255 for networks that take bytes.
    pub scale: f64,
    /// Subtracted from all values, or per channel.
    pub mean: Vec<f64>,
    /// Subtracted from every value by itself: NumPy file of height x width x channels or channels x height x width numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_file: Option<String>,
    /// What all values, or those of a channel, are divided by.
    pub std: Vec<f64>,
    /// What every value by itself is divided by: as `mean_file`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub std_file: Option<String>,
}

/// Order of the axes of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputLayout {
    /// Channels, rows, columns.
    #[default]
    Nchw,
    /// Rows, columns, channels.
    Nhwc,
}

impl Default for InputConfig {
    fn default() -> Self {
        Self {
            layout: InputLayout::default(),
            scale: 1.0,
            mean: vec![0.0],
            mean_file: None,
            std: vec![1.0],
            std_file: None,
        }
    }
}

impl Check for ModelConfig {
    fn check(&self, problems: &mut Problems) {
        let known = || DATASETS.iter().map(|info| info.name);
        let sets = || known().collect::<Vec<_>>().join(", ");
        let there_is = self.dataset == "none" || known().any(|name| name == self.dataset);
        problems.require("dataset", &self.dataset, there_is, format!("{}, or none", sets()));
        problems.require("file", &self.file, !self.file.is_empty(), "the path of a file");
        if let Some(Labels::Names(names)) = &self.labels {
            let named = !names.is_empty() && names.iter().all(|name| !name.trim().is_empty());
            problems.require(
                "labels",
                format!("{names:?}"),
                named,
                "a name for each class, or the path of a file with one a line",
            );
        }
        problems.within("input", |problems| {
            let InputConfig { scale, mean, mean_file, std, std_file, .. } = &self.input;
            let usable = |value: f64| value.is_finite() && value > 0.0;
            problems.require("scale", scale, usable(*scale), "a positive number");
            let finite = !mean.is_empty() && mean.iter().all(|mean| mean.is_finite());
            problems.require("mean", format!("{mean:?}"), finite, "one number, or one per channel");
            let alone = mean_file.is_none() || mean == &[0.0];
            problems.require("mean", format!("{mean:?}"), alone, "[0.0] where there is a mean_file");
            let usable = !std.is_empty() && std.iter().all(|&std| usable(std));
            problems.require("std", format!("{std:?}"), usable, "one positive number, or one per channel");
            let alone = std_file.is_none() || std == &[1.0];
            problems.require("std", format!("{std:?}"), alone, "[1.0] where there is a std_file");
        });
    }
}
