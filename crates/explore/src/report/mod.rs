//! The results of a sweep as one HTML file that needs no network: a table to filter and sort, any two quantities against each other with what no other
//! row beats, and the configuration of every row.
//!
//! Charts are drawn by uPlot 1.6.32 (Leon Sorokin, MIT; `vendor/LICENSE`), which is kept here as its package has it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::error::ExploreError;
use crate::output::VERSION;
use crate::results::{COLUMNS, FIRST_RESULT};
use crate::sweep::{Plan, PointRows};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const LIBRARY: &str = include_str!("vendor/uPlot-1.6.32.iife.min.js");
const LICENCE: &str = include_str!("vendor/LICENSE");
const LIBRARY_STYLE: &str = include_str!("vendor/uPlot-1.6.32.min.css");

/// Browsers become slow beyond.
const MOST_ROWS: usize = 5000;

/// The page.
///
/// # Errors
/// If there are too many rows, or a point is not allowed.
pub fn report(plan: &Plan, points: &[PointRows]) -> Result<String, ExploreError> {
    let count: usize = points.iter().map(|point| point.rows.len()).sum();
    if count > MOST_ROWS {
        return Err(ExploreError::Request(format!("{count} rows; the most that a report can show is {MOST_ROWS}")));
    }
    let data = serde_json::to_string(&data(plan, points)?).map_err(|error| ExploreError::Table(error.to_string()))?;
    // The end of a script within it would be its end.
    let data = data.replace('<', "\\u003c");
    let sweep = plan.sweep();
    let version = format!("ohmic {VERSION}");
    let parts: BTreeMap<&str, String> = [
        ("title", escaped(&sweep.name)),
        ("doc", escaped(&sweep.doc)),
        ("version", version),
        ("style", STYLE.to_owned()),
        ("library-style", LIBRARY_STYLE.to_owned()),
        ("library", LIBRARY.to_owned()),
        ("licence", LICENCE.trim().to_owned()),
        ("script", SCRIPT.to_owned()),
        ("data", data),
    ]
    .into();
    let mut page = String::with_capacity(PAGE.len() + LIBRARY.len() + parts["data"].len());
    for (index, piece) in PAGE.split("{{").enumerate() {
        let (name, text) = if index == 0 { ("", piece) } else { piece.split_once("}}").unwrap_or(("", piece)) };
        page.push_str(parts.get(name).map_or("", String::as_str));
        page.push_str(text);
    }
    Ok(page)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn data(plan: &Plan, points: &[PointRows]) -> Result<Value, ExploreError> {
    let axes: Vec<&str> = plan.sweep().axes.iter().map(|axis| axis.name.as_str()).collect();
    let names = axes.iter().map(|axis| format!("axis_{axis}"));
    let columns: Vec<String> = names.chain(COLUMNS.map(str::to_owned)).collect();
    let results = COLUMNS.iter().position(|column| *column == FIRST_RESULT).unwrap_or(0);
    let base = flat(&plan.sweep().experiment)?;
    let mut changes = Vec::with_capacity(points.len());
    let mut rows = Vec::new();
    for (number, point) in points.iter().enumerate() {
        let of_axes = axes.iter().map(|axis| {
            let setting = point.settings.iter().find(|setting| setting.axis == *axis);
            setting.map_or(Value::Null, |setting| number_or_text(&setting.value))
        });
        let of_axes: Vec<Value> = of_axes.collect();
        for result in &point.rows {
            let row = serde_json::to_value(&result.row).map_err(|error| ExploreError::Table(error.to_string()))?;
            let own = COLUMNS.iter().map(|column| row.get(column).cloned().unwrap_or(Value::Null));
            let values: Vec<Value> = of_axes.iter().cloned().chain(own).collect();
            rows.push(json!({ "point": number, "values": values, "id": name(plan, number, result) }));
        }
        changes.push(difference(&base, &flat(&plan.point(number)?.experiment)?));
    }
    let base: Vec<(&String, &String)> = base.iter().collect();
    Ok(json!({ "columns": columns, "metrics": COLUMNS[results..], "rows": rows, "points": changes, "base": base }))
}

/// The name of a row in the store.
fn name(plan: &Plan, point: usize, result: &crate::sweep::RowResult) -> String {
    let start = plan.rows().partition_point(|row| (row.point as usize) < point);
    let own = plan.rows()[start..].iter().take_while(|row| row.point as usize == point);
    let mut found = own.filter(|row| plan.names(row) == (result.row.mapping.as_str(), result.row.training.as_str()));
    found.next().map_or_else(String::new, |row| row.id.to_string())
}

fn number_or_text(value: &toml::Value) -> Value {
    match value {
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) => json!(number),
        toml::Value::String(text) => json!(text),
        other => json!(other.to_string()),
    }
}

/// A configuration as dotted keys with their values.
fn flat<T: Serialize>(value: &T) -> Result<BTreeMap<String, String>, ExploreError> {
    let table = toml::Table::try_from(value).map_err(|error| ExploreError::Table(error.to_string()))?;
    let mut found = BTreeMap::new();
    flatten("", &toml::Value::Table(table), &mut found);
    Ok(found)
}

fn flatten(path: &str, value: &toml::Value, found: &mut BTreeMap<String, String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(&below, value, found);
            }
        }
        other => drop(found.insert(path.to_owned(), other.to_string())),
    }
}

/// What a point changes: keys with their values, or none where a key is not there.
fn difference(base: &BTreeMap<String, String>, own: &BTreeMap<String, String>) -> Vec<(String, Option<String>)> {
    let changed = own.iter().filter(|(key, value)| base.get(*key) != Some(value));
    let gone = base.keys().filter(|key| !own.contains_key(*key)).map(|key| (key.clone(), None));
    changed.map(|(key, value)| (key.clone(), Some(value.clone()))).chain(gone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Kind, load};
    use crate::results::Row;
    use crate::sweep::{RowResult, Sweep};

    fn page(doc: &str) -> String {
        let doc = format!("doc={doc:?}");
        let sweep: Sweep = load(Kind::Sweep, "device-x-sigma", &[doc]).unwrap();
        let plan = Plan::new(&sweep).unwrap();
        let row = |mapping: &str| RowResult {
            accuracies: vec![vec![0.5]],
            row: Row { mapping: mapping.to_owned(), training: "conventional".to_owned(), ..Row::default() },
        };
        let rows = ["isaac", "offset", "differential"].map(row).to_vec();
        let points = (0..plan.len()).map(|point| PointRows { settings: plan.settings(point), rows: rows.clone() });
        report(&plan, &points.collect::<Vec<_>>()).unwrap()
    }

    fn embedded(page: &str) -> Value {
        let (_, rest) = page.split_once("id=\"data\">").unwrap();
        serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
    }

    #[test]
    fn a_report_holds_every_row_with_its_configuration() {
        let page = page("a doc");
        assert!(page.contains("Copyright (c)") && page.contains("THE SOFTWARE IS PROVIDED \"AS IS\""));
        assert!(!page.contains("{{") && page.contains("<h1>device-x-sigma</h1>") && page.contains("a doc (ohmic "));
        let data = embedded(&page);
        assert_eq!(data["rows"].as_array().unwrap().len(), 36);
        assert_eq!(data["columns"][0], "axis_device");
        assert_eq!(data["rows"][35]["values"].as_array().unwrap()[..2], [json!("milo-2021"), json!(2.0)]);
        assert_eq!(data["rows"][35]["id"].as_str().unwrap().len(), 64);
        let changes = data["points"][1].as_array().unwrap();
        assert!(changes.is_empty(), "the second point is the experiment as it is: {changes:?}");
        let first = data["points"][0].as_array().unwrap();
        assert_eq!(first[..], [json!(["chip.tile.cell.device.sigma_scale", "0.5"])]);
    }

    #[test]
    fn texts_cannot_end_the_page() {
        let page = page("</script><script>alert(1)");
        assert!(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)"));
        assert_eq!(page.matches("</script>").count(), 3);
        assert!(
            ["<script src", "<link rel=\"stylesheet\"", "<img"].iter().all(|tag| !page.contains(tag)),
            "something is fetched"
        );
    }
}
