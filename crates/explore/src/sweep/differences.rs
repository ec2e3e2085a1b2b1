//! Differences between rows that differ in one setting only, on common random numbers: the same chip samples were drawn for both.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::coordinates::{Coordinate, Place, at_baseline, coordinates, place};
use super::table::plain;
use super::{Plan, PointRows, RowResult};
use crate::error::ExploreError;
use crate::statistics::{Difference, Interval, difference_among};

/// More would take longer than they are worth, and say nothing together.
const MOST: usize = 20_000;

/// All differences of a sweep.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Differences {
    /// As CSV, in the order of the rows.
    pub csv: String,
    /// How many there are.
    pub count: usize,
    /// How many have a 95 % interval; others have too few chip samples or training seeds for one.
    pub with_interval: usize,
    /// How many of these intervals are without 0; of differences that do not exist one in twenty is.
    pub apart: usize,
    /// How many have an interval that holds together with all others.
    pub with_interval_together: usize,
    /// How many of these are without 0.
    pub apart_together: usize,
    /// What has several values and is compared nowhere.
    pub not_compared: Vec<String>,
}

/// A row and where it stands.
struct Line<'a> {
    point: usize,
    result: &'a RowResult,
    places: Vec<Place>,
}

/// A row and the one that it is compared with.
struct Pair<'a> {
    line: &'a Line<'a>,
    /// Number of the coordinate in which they differ.
    differs: usize,
    second: &'a RowResult,
}

/// The difference in mean accuracy between every row and the one that has the first value of one axis (of zipped ones, the first values), mapping strategy
/// or training method instead, if it is there. Axes that take part only at some values of another one do not count there: with the other they come and
/// go, or have their first value. Drawn axes, rows of other seeds or images, and those without common chip samples are not compared.
///
/// # Errors
/// If there are too many, or accuracies have no interval.
pub fn differences(plan: &Plan, points: &[PointRows]) -> Result<Differences, ExploreError> {
    let coordinates = coordinates(plan);
    let lines: Vec<Line<'_>> = points
        .iter()
        .enumerate()
        .flat_map(|(point, rows)| rows.rows.iter().map(move |result| (point, result)))
        .map(|(point, result)| {
            let places = coordinates.iter().map(|coordinate| place(plan, coordinate, point, result)).collect();
            Line { point, result, places }
        })
        .collect();
    let pairs = pairs(&coordinates, &lines);
    if pairs.len() > MOST {
        let what = format!("{} differences; the most that are computed is {MOST}", pairs.len());
        return Err(ExploreError::Request(what));
    }
    let difference = |pair: &Pair<'_>| {
        let (first, second) = common(&pair.line.result.accuracies, &pair.second.accuracies);
        difference_among(&first, &second, pairs.len()).map_err(|error| ExploreError::Request(error.to_string()))
    };
    let found: Vec<Difference> = pairs.par_iter().map(difference).collect::<Result<_, _>>()?;
    let several = |index: usize| lines.iter().any(|line| line.places[index] != lines[0].places[index]);
    let compared = |index: usize| pairs.iter().any(|pair| pair.differs == index);
    let not_compared = (0..coordinates.len()).filter(|&index| several(index) && !compared(index));
    let with = |interval: fn(&Difference) -> Option<Interval>| found.iter().filter_map(interval).count();
    let apart = |interval: fn(&Difference) -> Option<Interval>| {
        found.iter().filter_map(interval).filter(|(low, high)| *low > 0.0 || *high < 0.0).count()
    };
    Ok(Differences {
        csv: csv(plan, &coordinates, &pairs, &found)?,
        count: found.len(),
        with_interval: with(|found| found.own),
        apart: apart(|found| found.own),
        with_interval_together: with(|found| found.all),
        apart_together: apart(|found| found.all),
        not_compared: not_compared.map(|index| coordinates[index].name.clone()).collect(),
    })
}

fn pairs<'a>(coordinates: &[Coordinate], lines: &'a [Line<'a>]) -> Vec<Pair<'a>> {
    let known: BTreeMap<&[Place], &RowResult> =
        lines.iter().map(|line| (line.places.as_slice(), line.result)).collect();
    let mut pairs = Vec::new();
    for line in lines {
        for (differs, coordinate) in coordinates.iter().enumerate() {
            let Some(baseline) =
                coordinate.baseline.as_ref().filter(|place| takes_part_elsewhere(line, differs, place))
            else {
                continue;
            };
            let others = others(line, differs, baseline, &coordinate.dependents);
            let second = others.iter().find_map(|places| known.get(places.as_slice()).copied());
            if let Some(second) = second.filter(|second| are_comparable(line.result, second)) {
                pairs.push(Pair { line, differs, second });
            }
        }
    }
    pairs
}

/// Whether a row has another value than the baseline in a coordinate.
fn takes_part_elsewhere(line: &Line<'_>, index: usize, baseline: &Place) -> bool {
    let own = &line.places[index];
    own != baseline && *own != Place::Choice(super::dimensions::ABSENT)
}

/// Where the row could stand that has the baseline in one coordinate, the most similar place first.
fn others(line: &Line<'_>, differs: usize, baseline: &Place, dependents: &[usize]) -> Vec<Vec<Place>> {
    let mut first = line.places.clone();
    first[differs] = baseline.clone();
    dependents.iter().fold(vec![first], |found, &dependent| {
        let with = |places: &Vec<Place>| {
            let options = at_baseline(&line.places[dependent]).into_iter();
            let set = |place| {
                let mut other = places.clone();
                other[dependent] = place;
                other
            };
            options.map(set).collect::<Vec<_>>()
        };
        found.iter().flat_map(with).collect()
    })
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

fn csv(
    plan: &Plan,
    coordinates: &[Coordinate],
    pairs: &[Pair<'_>],
    found: &[Difference],
) -> Result<String, ExploreError> {
    let failed = |error: &dyn std::fmt::Display| ExploreError::Table(error.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    let axes = plan.sweep().axes.iter().map(|axis| format!("axis_{}", axis.name));
    let words = ["mapping", "training", "compared", "baseline"];
    let numbers = ["samples", "difference", "ci95_low", "ci95_high", "all95_low", "all95_high"];
    let header: Vec<String> = axes.chain(words.into_iter().chain(numbers).map(str::to_owned)).collect();
    writer.write_record(header).map_err(|error| failed(&error))?;
    for (pair, Difference { value, samples, own, all }) in pairs.iter().zip(found) {
        let settings = plan.settings(pair.line.point);
        let of_axis = |axis: &super::Axis| {
            let setting = settings.iter().find(|setting| setting.axis == axis.name);
            setting.map_or_else(String::new, |setting| plain(&setting.value))
        };
        let (row, coordinate) = (&pair.line.result.row, &coordinates[pair.differs]);
        let names = [&row.mapping, &row.training, &coordinate.name, &coordinate.baseline_text].map(Clone::clone);
        let ends = |interval: &Option<Interval>| {
            interval.map_or_else(Default::default, |(low, high)| [low.to_string(), high.to_string()])
        };
        let numbers = [samples.to_string(), value.to_string()].into_iter().chain(ends(own)).chain(ends(all));
        let line: Vec<String> = plan.sweep().axes.iter().map(of_axis).chain(names).chain(numbers).collect();
        writer.write_record(line).map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|error| failed(&error))
}
