//! What tells the rows of a sweep apart, one coordinate for all that changes together.

use super::dimensions::{ABSENT, Dimension};
use super::table::plain;
use super::{Plan, RowResult};

/// The keys that set the mapping strategies and the training methods, whose names are coordinates of their own.
const NAME_KEYS: [&str; 2] = ["mappings", "methods"];

/// One coordinate of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// The choice of a dimension; [`ABSENT`] where it takes no part.
    Choice(u32),
    /// A mapping strategy or training method.
    Name(String),
}

/// A coordinate of all rows.
#[derive(Debug)]
pub(super) struct Coordinate {
    /// As the table of differences names it.
    pub(super) name: String,
    /// The dimension; none for the mapping strategy and the training method.
    dimension: Option<usize>,
    /// What rows are compared with; nothing is compared with draws, which have no first value.
    pub(super) baseline: Option<Place>,
    /// How the table names that.
    pub(super) baseline_text: String,
    /// Numbers of the coordinates that take part only at some values of this one.
    pub(super) dependents: Vec<usize>,
}

/// The coordinates of a plan: its dimensions, the mapping strategy, the training method. A dimension that sets nothing but mapping strategies or methods
/// is none, and where one sets a strategy or method beside other keys, the strategy or method is none.
pub(super) fn coordinates(plan: &Plan) -> Vec<Coordinate> {
    let dimensions = plan.dimensions();
    let mut found: Vec<Coordinate> = (0..dimensions.len())
        .filter(|&number| !sets_names_only(plan, &dimensions[number]))
        .map(|number| of_dimension(plan, number))
        .collect();
    let first = plan.rows().first().map(|row| plan.names(row));
    for (key, name, baseline) in [
        (NAME_KEYS[0], "mapping", first.map(|(mapping, _)| mapping)),
        (NAME_KEYS[1], "training", first.map(|(_, method)| method)),
    ] {
        let beside = |dimension: &Dimension| sets(plan, dimension, key) && !sets_names_only(plan, dimension);
        if !dimensions.iter().any(beside) {
            found.push(Coordinate {
                name: name.to_owned(),
                dimension: None,
                baseline: baseline.map(|name| Place::Name(name.to_owned())),
                baseline_text: baseline.unwrap_or_default().to_owned(),
                dependents: Vec::new(),
            });
        }
    }
    for index in 0..found.len() {
        found[index].dependents = dependents(plan, &found, index);
    }
    found
}

/// The place of a row of a point.
pub(super) fn place(plan: &Plan, coordinate: &Coordinate, point: usize, result: &RowResult) -> Place {
    match (coordinate.dimension, coordinate.name.as_str()) {
        (Some(dimension), _) => Place::Choice(plan.choices(point)[dimension]),
        (None, "mapping") => Place::Name(result.row.mapping.clone()),
        (None, _) => Place::Name(result.row.training.clone()),
    }
}

fn of_dimension(plan: &Plan, number: usize) -> Coordinate {
    let (axes, dimension) = (&plan.sweep().axes, &plan.dimensions()[number]);
    let names: Vec<&str> = dimension.axes.iter().map(|&axis| axes[axis].name.as_str()).collect();
    let drawn = dimension.axes.iter().any(|&axis| axes[axis].sampled);
    let first = dimension.values.iter().filter_map(|values| values.first()).map(plain);
    Coordinate {
        name: format!("axis_{}", names.join("+")),
        dimension: Some(number),
        baseline: (!drawn).then_some(Place::Choice(0)),
        baseline_text: first.collect::<Vec<_>>().join(", "),
        dependents: Vec::new(),
    }
}

fn sets(plan: &Plan, dimension: &Dimension, wanted: &str) -> bool {
    let keys = dimension.axes.iter().flat_map(|&axis| &plan.sweep().axes[axis].keys);
    keys.into_iter().any(|key| key == wanted)
}

fn sets_names_only(plan: &Plan, dimension: &Dimension) -> bool {
    let mut keys = dimension.axes.iter().flat_map(|&axis| &plan.sweep().axes[axis].keys);
    keys.all(|key| NAME_KEYS.contains(&key.as_str()))
}

/// The coordinates of dimensions that depend on one, directly or by others.
fn dependents(plan: &Plan, coordinates: &[Coordinate], of: usize) -> Vec<usize> {
    let dimensions = plan.dimensions();
    let mut deciding: Vec<usize> = match coordinates[of].dimension {
        Some(dimension) => vec![dimension],
        None => {
            let key = if coordinates[of].name == "mapping" { NAME_KEYS[0] } else { NAME_KEYS[1] };
            (0..dimensions.len()).filter(|&number| sets(plan, &dimensions[number], key)).collect()
        }
    };
    // Conditions name earlier axes, so that one pass finds all.
    for (number, dimension) in dimensions.iter().enumerate() {
        if dimension.depends_on(&deciding) && !deciding.contains(&number) {
            deciding.push(number);
        }
    }
    let depends = |other: &Coordinate| other.dimension.is_some_and(|number| deciding.contains(&number));
    (0..coordinates.len()).filter(|&index| index != of && depends(&coordinates[index])).collect()
}

/// What a coordinate of a row may be at the baseline of another one on which it depends.
pub(super) fn at_baseline(own: &Place) -> Vec<Place> {
    let mut places = vec![own.clone(), Place::Choice(ABSENT), Place::Choice(0)];
    places.dedup();
    places
}
