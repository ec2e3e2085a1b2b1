//! Differences between rows that differ in one setting only, on common random numbers: the same chip samples were drawn for both.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::table::plain;
use super::{Axis, PointRows, RowResult};
use crate::error::ExploreError;
use crate::statistics::{Difference, difference_among};

/// More would take longer than they are worth, and say nothing together.
const MOST: usize = 20_000;

/// All differences of a sweep.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Differences {
    /// As CSV, in the order of the rows.
    pub csv: String,
    /// How many there are.
    pub count: usize,
    /// How many have a 95 % interval without 0; of differences that do not exist one in twenty has.
    pub apart: usize,
    /// How many still have where all intervals are to hold together.
    pub apart_together: usize,
}

/// A row and the one that it is compared with.
struct Pair<'a> {
    coordinates: &'a [String],
    /// Number of the coordinate in which they differ.
    differs: usize,
    baseline: &'a str,
    first: &'a RowResult,
    second: &'a RowResult,
}

/// The difference in mean accuracy between every row and the one that has the first value of one axis, mapping strategy or training method instead,
/// if it is there. Rows of other seeds or images, and those without common chip samples, are not compared.
///
/// # Errors
/// If there are too many, or accuracies have no interval.
pub fn differences(axes: &[Axis], points: &[PointRows]) -> Result<Differences, ExploreError> {
    let names: Vec<String> = axes
        .iter()
        .map(|axis| format!("axis_{}", axis.name))
        .chain(["mapping", "training"].map(str::to_owned))
        .collect();
    let rows: Vec<(Vec<String>, &RowResult)> =
        points.iter().flat_map(|point| point.rows.iter().map(|row| (coordinates(axes, point, row), row))).collect();
    let pairs = pairs(&rows);
    if pairs.len() > MOST {
        let what = format!("{} differences; the most that are computed is {MOST}", pairs.len());
        return Err(ExploreError::Request(what));
    }
    let difference = |pair: &Pair<'_>| {
        let (first, second) = common(&pair.first.accuracies, &pair.second.accuracies);
        difference_among(&first, &second, pairs.len()).map_err(|error| ExploreError::Request(error.to_string()))
    };
    let found: Vec<Difference> = pairs.par_iter().map(difference).collect::<Result<_, _>>()?;
    let without_zero = |low: f64, high: f64| low > 0.0 || high < 0.0;
    Ok(Differences {
        csv: csv(&names, &pairs, &found)?,
        count: found.len(),
        apart: found.iter().filter(|found| without_zero(found.own.low, found.own.high)).count(),
        apart_together: found.iter().filter(|found| without_zero(found.all_low, found.all_high)).count(),
    })
}

/// Values of the axes, mapping strategy, training method.
fn coordinates(axes: &[Axis], point: &PointRows, row: &RowResult) -> Vec<String> {
    let value = |axis: &Axis| point.settings.iter().find(|setting| setting.axis == axis.name);
    let values = axes.iter().map(|axis| value(axis).map_or_else(String::new, |setting| plain(&setting.value)));
    values.chain([row.row.mapping.clone(), row.row.training.clone()]).collect()
}

fn pairs<'a>(rows: &'a [(Vec<String>, &'a RowResult)]) -> Vec<Pair<'a>> {
    let known: BTreeMap<&[String], &RowResult> = rows.iter().map(|(at, row)| (at.as_slice(), *row)).collect();
    let Some((first, _)) = rows.first() else { return Vec::new() };
    let mut pairs = Vec::new();
    for (coordinates, row) in rows {
        for (differs, baseline) in first.iter().enumerate().filter(|(place, value)| coordinates[*place] != **value) {
            let mut other = coordinates.clone();
            other[differs].clone_from(baseline);
            if let Some(second) = known.get(other.as_slice()).copied().filter(|other| are_comparable(row, other)) {
                pairs.push(Pair { coordinates, differs, baseline, first: row, second });
            }
        }
    }
    pairs
}

fn are_comparable(a: &RowResult, b: &RowResult) -> bool {
    (a.row.seed, a.row.images, &a.row.dataset, a.accuracies.len())
        == (b.row.seed, b.row.images, &b.row.dataset, b.accuracies.len())
}

/// The chip samples that both have.
fn common(first: &[Vec<f64>], second: &[Vec<f64>]) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let both = |(a, b): (&Vec<f64>, &Vec<f64>)| {
        let count = a.len().min(b.len());
        (a[..count].to_vec(), b[..count].to_vec())
    };
    first.iter().zip(second).map(both).unzip()
}

fn csv(names: &[String], pairs: &[Pair<'_>], found: &[Difference]) -> Result<String, ExploreError> {
    let failed = |error: &dyn std::fmt::Display| ExploreError::Table(error.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    let numbers = ["difference", "ci95_low", "ci95_high", "all95_low", "all95_high"];
    let columns = names.iter().map(String::as_str).chain(["compared", "baseline"]).chain(numbers);
    writer.write_record(columns).map_err(|error| failed(&error))?;
    for (pair, Difference { own, all_low, all_high }) in pairs.iter().zip(found) {
        let numbers = [own.value, own.low, own.high, *all_low, *all_high].map(|number| number.to_string());
        let words = [names[pair.differs].clone(), pair.baseline.to_owned()];
        let line = pair.coordinates.iter().cloned().chain(words).chain(numbers);
        writer.write_record(line.collect::<Vec<String>>()).map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|error| failed(&error))
}
