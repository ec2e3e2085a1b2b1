//! Replaces `file = "cells.csv"` of measured cells by the cells.

use tile::variation::csv::measured_cells;
use toml::Value;

use super::ConfigError;
use super::expand::{located, read};
use super::tree::{Data, Node};

/// The keys and the model of a table of measured cells; see [`tile::variation::Measured`].
const MODEL: (&str, &str) = ("model", "measured");
const FILE: &str = "file";
const CELLS: &str = "conductances_s";

/// Reads the file of a table of measured cells; leaves any other table as it is.
pub(super) fn resolve(node: &mut Node) -> Result<(), ConfigError> {
    let is_measured = node.child(MODEL.0).is_some_and(|model| model.to_value().as_str() == Some(MODEL.1));
    let Data::Table(table) = &mut node.data else { return Ok(()) };
    if !is_measured || table.contains_key(CELLS) {
        return Ok(());
    }
    let Some(named) = table.remove(FILE) else { return Ok(()) };
    let Data::Scalar(Value::String(name)) = &named.data else {
        let message = format!("invalid type: {}, expected a path in quotes", named.to_value());
        return Err(ConfigError::WrongValue { at: named.origin.to_string(), key: FILE.to_owned(), message });
    };
    let at = format!("{}: ", named.origin);
    let path = located(name, Some(&named.origin), &at)?;
    let file = path.display().to_string();
    let text = read(&path).and_then(|text| measured_cells(&text).map_err(|problem| problem.to_string()));
    let levels = text.map_err(|reason| ConfigError::Unreadable { at, file, reason })?;
    let cells = |level: Vec<f64>| Value::Array(level.into_iter().map(Value::Float).collect());
    let levels = Value::Array(levels.into_iter().map(cells).collect());
    table.insert(CELLS.to_owned(), Node::from_value(levels, &named.origin));
    Ok(())
}
