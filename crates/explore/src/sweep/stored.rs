//! Results as they are stored.

use std::path::Path;

use chip::program::Program;
use nn::Graph;
use serde::{Deserialize, Serialize};
use toml::Value;

use crate::error::ExploreError;
use crate::results::Row;
use crate::store::Record;

/// A row with what it was made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowResult {
    /// Accuracy of each training seed and chip sample.
    pub accuracies: Vec<Vec<f64>>,
    /// The row.
    pub row: Row,
}

/// A trained network, as far as rows need it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Network {
    /// The network.
    pub(super) graph: Graph,
    /// What it was chosen by.
    pub(super) validation_accuracy: f64,
}

/// Something that can be stored.
pub(super) trait Stored: Sized {
    /// Its record.
    ///
    /// # Errors
    /// If it cannot be written down.
    fn record(&self) -> Result<Record, ExploreError>;

    /// Reads its record.
    ///
    /// # Errors
    /// If the record is not one of such a thing.
    fn read(record: &Record) -> Result<Self, String>;
}

impl Stored for RowResult {
    fn record(&self) -> Result<Record, ExploreError> {
        let text = toml::to_string(self).map_err(|error| ExploreError::Table(error.to_string()))?;
        Ok(Record::default().with("result", text))
    }

    fn read(record: &Record) -> Result<Self, String> {
        toml::from_str(record.text("result")?).map_err(|error| error.to_string())
    }
}

/// What messages call the parts of a record.
const RECORD: &str = "record";

impl Stored for Network {
    fn record(&self) -> Result<Record, ExploreError> {
        let (text, weights) = nn::graph::files::encode(&self.graph, Path::new(RECORD))?;
        let accuracy = format!("accuracy = {}\n", Value::Float(self.validation_accuracy));
        Ok(Record::default().with("validation", accuracy).with("network", text).with("weights", weights))
    }

    fn read(record: &Record) -> Result<Self, String> {
        let table: toml::Table =
            record.text("validation")?.parse().map_err(|error: toml::de::Error| error.to_string())?;
        let validation_accuracy = table.get("accuracy").and_then(Value::as_float).ok_or("there is no accuracy")?;
        let place = Path::new(RECORD);
        let graph = nn::graph::files::decode(record.text("network")?, place, record.part("weights")?, place);
        Ok(Self { graph: graph.map_err(|error| error.to_string())?, validation_accuracy })
    }
}

impl Stored for Program {
    fn record(&self) -> Result<Record, ExploreError> {
        let (text, arrays) = chip::program::encode(self, Path::new(RECORD))?;
        Ok(Record::default().with("program", text).with("arrays", arrays))
    }

    fn read(record: &Record) -> Result<Self, String> {
        let arrays = record.part("arrays")?.to_vec();
        let program = chip::program::decode(record.text("program")?, || Ok(arrays), Path::new(RECORD));
        program.map_err(|error| error.to_string())
    }
}
